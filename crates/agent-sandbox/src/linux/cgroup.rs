//! Control groups: what all processes of a command together may use up.
//!
//! Each command gets a group of its own below the group of the server, in each hierarchy where the server may
//! make one. Version 2 lends controllers only to groups without processes; where the server was put into a leaf
//! for that purpose, as systemd's `DelegateSubgroup` does, the group above it is used.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::{ControlGroups, Limits};

mod place;

const MEMORY: &str = "memory";
const PROCESSES: &str = "pids";
const PROCESSOR: &str = "cpu";
/// Carries no limit; its groups can be killed as a whole.
const UNIFIED: &str = "";

/// Where groups of commands are made.
#[derive(Debug)]
pub(crate) struct Groups {
    version: ControlGroups,
    /// The folder that holds the groups, for each controller that works.
    places: BTreeMap<&'static str, PathBuf>,
    next: AtomicU64,
}

/// The group of one command. Dropping it ends what is left in it and removes it.
#[derive(Debug)]
pub(crate) struct Group {
    version: ControlGroups,
    places: BTreeMap<&'static str, PathBuf>,
}

impl Groups {
    /// Finds the hierarchies and tries each controller; `None` if none works.
    pub(crate) fn probe() -> Option<Self> {
        let (version, places) = place::find();
        let mut groups = Self { version, places, next: AtomicU64::new(0) };
        groups.places.values().for_each(|place| place::remove_abandoned(place));
        let limits = Limits { cpu_cores: Some(1.0), ..Limits::default() };
        let working: Vec<_> =
            groups.places.keys().copied().filter(|name| groups.works(name, &limits)).collect();
        groups.places.retain(|name, _| working.contains(name));
        let limiting = groups.places.keys().any(|name| *name != UNIFIED);
        limiting.then_some(groups)
    }

    fn works(&self, controller: &'static str, limits: &Limits) -> bool {
        let mut alone = Self { version: self.version, places: self.places.clone(), next: AtomicU64::new(0) };
        alone.places.retain(|name, _| *name == controller);
        alone.create(limits).and_then(|group| group.entrances().map(drop)).is_ok()
    }

    pub(crate) fn version(&self) -> ControlGroups {
        self.version
    }

    pub(crate) fn limit_processes(&self) -> bool {
        self.places.contains_key(PROCESSES)
    }

    pub(crate) fn limit_memory(&self) -> bool {
        self.places.contains_key(MEMORY)
    }

    pub(crate) fn limit_processor(&self) -> bool {
        self.places.contains_key(PROCESSOR)
    }

    /// Whether a command with these limits needs a group. Entering one makes the kernel wait for all its
    /// processors, which takes some milliseconds on a machine that has little else to do.
    pub(crate) fn are_needed(&self, limits: &Limits, counted_by_user: bool) -> bool {
        (limits.memory_bytes.is_some() && self.limit_memory())
            || (limits.cpu_cores.is_some() && self.limit_processor())
            || (limits.processes.is_some() && self.limit_processes() && !counted_by_user)
    }

    /// The hierarchies that carry one of these limits, and the one whose groups can be killed as a whole.
    fn needed_places(&self, limits: &Limits) -> impl Iterator<Item = (&'static str, &PathBuf)> {
        let asked = [
            (MEMORY, limits.memory_bytes.is_some()),
            (PROCESSES, limits.processes.is_some()),
            (PROCESSOR, limits.cpu_cores.is_some()),
            (UNIFIED, true),
        ];
        asked
            .into_iter()
            .filter(|(_, asked)| *asked)
            .filter_map(|(name, _)| self.places.get_key_value(name))
            .map(|(name, place)| (*name, place))
    }

    /// Makes a group with these limits.
    pub(crate) fn create(&self, limits: &Limits) -> io::Result<Group> {
        loop {
            let name = format!(
                "{}{}-{}",
                place::PREFIX,
                std::process::id(),
                self.next.fetch_add(1, Ordering::Relaxed)
            );
            // What was made is removed again if a later step fails.
            let mut group = Group { version: self.version, places: BTreeMap::new() };
            match group.make(self.needed_places(limits), &name) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
                Ok(()) => return group.limit(limits).map(|()| group),
            }
        }
    }
}

impl Group {
    fn make<'a>(
        &mut self,
        places: impl Iterator<Item = (&'static str, &'a PathBuf)>,
        name: &str,
    ) -> io::Result<()> {
        for (controller, place) in places {
            let folder = place.join(name);
            if !self.places.values().any(|made| *made == folder) {
                std::fs::create_dir(&folder)?;
            }
            self.places.insert(controller, folder);
        }
        Ok(())
    }

    fn set(&self, controller: &str, file: &str, value: impl ToString) -> io::Result<()> {
        match self.places.get(controller) {
            Some(folder) => std::fs::write(folder.join(file), value.to_string()),
            None => Ok(()),
        }
    }

    fn limit(&self, limits: &Limits) -> io::Result<()> {
        const PERIOD: u64 = 100_000;
        let quota = limits.cpu_cores.map(|cores| ((cores * PERIOD as f64) as u64).max(1_000));
        let second = self.version == ControlGroups::V2;
        if let Some(bytes) = limits.memory_bytes {
            self.set(MEMORY, if second { "memory.max" } else { "memory.limit_in_bytes" }, bytes)?;
            // Without these, which not every kernel has, the command is slowed down by swapping first.
            let _ = if second {
                self.set(MEMORY, "memory.swap.max", 0).and_then(|()| self.set(MEMORY, "memory.oom.group", 1))
            } else {
                self.set(MEMORY, "memory.memsw.limit_in_bytes", bytes)
            };
        }
        if let Some(count) = limits.processes {
            self.set(PROCESSES, "pids.max", count)?;
        }
        match quota {
            Some(quota) if second => self.set(PROCESSOR, "cpu.max", format!("{quota} {PERIOD}")),
            Some(quota) => self
                .set(PROCESSOR, "cpu.cfs_period_us", PERIOD)
                .and_then(|()| self.set(PROCESSOR, "cpu.cfs_quota_us", quota)),
            None => Ok(()),
        }
    }

    fn folders(&self) -> std::collections::BTreeSet<&Path> {
        self.places.values().map(PathBuf::as_path).collect()
    }

    /// The files that a process writes itself into, opened with the rights of the server.
    pub(crate) fn entrances(&self) -> io::Result<Vec<OwnedFd>> {
        let open = |folder: &Path| OpenOptions::new().write(true).open(folder.join("cgroup.procs"));
        self.folders().into_iter().map(|folder| open(folder).map(OwnedFd::from)).collect()
    }

    /// Whether the kernel has ended a process of it for want of memory.
    pub(crate) fn ran_out_of_memory(&self) -> bool {
        let file = if self.version == ControlGroups::V2 { "memory.events" } else { "memory.oom_control" };
        let told = self.places.get(MEMORY).and_then(|folder| std::fs::read_to_string(folder.join(file)).ok());
        told.is_some_and(|told| counted(&told, "oom_kill") > 0)
    }

    /// Ends every process in it at once, where the kernel offers that.
    pub(crate) fn kill(&self) {
        for folder in self.folders() {
            // Missing in version 1 and in old kernels; the supervisor ends the processes then.
            if let Ok(mut file) = OpenOptions::new().write(true).open(folder.join("cgroup.kill")) {
                let _ = io::Write::write_all(&mut file, b"1");
            }
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        const ROUNDS: u32 = 100;
        self.kill();
        for folder in self.folders() {
            let mut removed = std::fs::remove_dir(folder);
            for _ in 0..ROUNDS {
                // The kernel lets go of an ended process a moment after it was waited for.
                if removed.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ResourceBusy) {
                    std::thread::sleep(Duration::from_millis(2));
                    removed = std::fs::remove_dir(folder);
                }
            }
            if let Err(error) = removed {
                tracing::warn!(folder = %folder.display(), %error, "a control group could not be removed");
            }
        }
    }
}

/// The number after a word in a file of lines such as `oom_kill 1`.
fn counted(text: &str, word: &str) -> u64 {
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.find(|(name, _)| *name == word).and_then(|(_, value)| value.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn killed_processes_are_counted_in_either_version() {
        assert_eq!(counted("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", "oom_kill"), 2);
        assert_eq!(counted("low 0\nhigh 0\nmax 31\noom 1\noom_kill 1\noom_group_kill 0\n", "oom_kill"), 1);
        assert_eq!(counted("", "oom_kill"), 0);
    }
}
