//! Where the groups of commands go: below the server's own, in each hierarchy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{MEMORY, PROCESSES, PROCESSOR, UNIFIED};
use crate::ControlGroups;

/// How the names of our groups begin; the id of the server and a number follow.
pub(super) const PREFIX: &str = "agent-";
const CONTROLLERS: [&str; 3] = [MEMORY, PROCESSES, PROCESSOR];

/// The version that carries the limits, and the folder for the groups for each controller.
pub(super) fn find() -> (ControlGroups, BTreeMap<&'static str, PathBuf>) {
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    let mut own = own_groups(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
    let unified = own.remove(UNIFIED);
    let lent = unified.as_deref().and_then(lending);
    match lent {
        Some(folder) => {
            (ControlGroups::V2, CONTROLLERS.into_iter().map(|name| (name, folder.clone())).collect())
        }
        None => {
            own.extend(unified.map(|folder| (UNIFIED, folder)));
            (ControlGroups::V1, own)
        }
    }
}

/// A group of version 2 that lends its controllers to the groups below it.
fn lending(own: &Path) -> Option<PathBuf> {
    let lends = |folder: &&Path| {
        for controller in CONTROLLERS {
            // Refused for a controller that is not there, and while the group has processes.
            let _ = std::fs::write(folder.join("cgroup.subtree_control"), format!("+{controller}"));
        }
        let lent = std::fs::read_to_string(folder.join("cgroup.subtree_control")).unwrap_or_default();
        lent.split_whitespace().any(|name| CONTROLLERS.contains(&name))
    };
    // Above the own group only if that was made for the server, or the limits of others would change.
    let above =
        own.parent().filter(|folder| folder.join("cgroup.subtree_control").exists() && made_for_us(folder));
    [Some(own), above].into_iter().flatten().find(lends).map(Path::to_owned)
}

/// Whether all that is in a group is one group, the server's.
fn made_for_us(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let groups = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let others = groups.filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes()));
    others.count() == 1
}

/// The folder of the server's own group in each hierarchy that has one of our controllers, or is the second version's.
fn own_groups(groups: &str, mounts: &str) -> BTreeMap<&'static str, PathBuf> {
    let mut found = BTreeMap::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let names = CONTROLLERS.into_iter().filter(|name| controllers.split(',').any(|one| one == *name));
        let names: Vec<_> = if controllers.is_empty() { vec![UNIFIED] } else { names.collect() };
        for name in names {
            found.extend(folder(mounts, name, path).map(|folder| (name, folder)));
        }
    }
    found
}

/// Where a group of a hierarchy is mounted: a line of `mountinfo` tells the root of the mount within the hierarchy, its
/// place, and after a dash the kind and its options.
fn folder(mounts: &str, controller: &str, group: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let place: Vec<_> = place.split(' ').collect();
        let kind: Vec<_> = kind.split(' ').collect();
        let fits = if controller == UNIFIED {
            kind.first() == Some(&"cgroup2")
        } else {
            kind.first() == Some(&"cgroup") && kind.get(2)?.split(',').any(|option| option == controller)
        };
        let below = Path::new(group).strip_prefix(place.get(3).filter(|_| fits)?).ok()?;
        Some(Path::new(place.get(4)?).join(below))
    })
}

/// Removes the groups of a server that was killed. A group that holds a process cannot be removed.
pub(super) fn remove_abandoned(place: &Path) {
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let server =
            name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse::<u32>().ok());
        if server.is_some_and(|server| !Path::new("/proc").join(server.to_string()).exists()) {
            // Fails if it is in use after all, which is as well.
            let _ = std::fs::remove_dir(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "30 24 0:26 / /sys/fs/cgroup/memory rw shared:1 - cgroup cgroup rw,memory\n\
        31 24 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
        33 24 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

    #[test]
    fn the_own_group_is_found_in_each_hierarchy_of_the_first_version() {
        let found = own_groups("4:memory:/user/a\n1:cpu,cpuacct:/\n0::/b\n", FIRST);
        assert_eq!(found[MEMORY], Path::new("/sys/fs/cgroup/memory/user/a"));
        assert_eq!(found[PROCESSOR], Path::new("/sys/fs/cgroup/cpu,cpuacct"));
        assert_eq!(found[UNIFIED], Path::new("/sys/fs/cgroup/unified/b"));
        assert!(!found.contains_key(PROCESSES));
    }

    #[test]
    fn in_a_container_the_mount_shows_a_part_of_the_hierarchy() {
        let mounts = "30 24 0:26 /docker/5f /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
        assert_eq!(own_groups("0::/docker/5f/x\n", mounts)[UNIFIED], Path::new("/sys/fs/cgroup/x"));
        assert!(own_groups("0::/elsewhere\n", mounts).is_empty());
    }
}
