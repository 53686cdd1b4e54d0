//! Finds out what this machine enforces, by trying it.

use super::bubblewrap::Bubblewrap;
use super::cgroup::Groups;
use super::filter::Filters;
use super::identity::IdMap;
use super::namespaces::{self, Mounts, Namespaces, UserMap};
use super::{Platform, calls};
use crate::effective::LANDLOCK_WITH_NAMESPACES;
use crate::{Backend, Confiner, ControlGroups, Effective, HostEnvironment};

/// Namespaces of our own that work, and whether a `/proc` can be mounted in them.
#[derive(Clone, Copy)]
struct Working {
    flags: i32,
    own_proc: bool,
}

impl Platform {
    pub(crate) fn probe(host: &HostEnvironment, backend: Backend) -> (Self, Effective) {
        let filters = filters();
        let working = working_namespaces();
        let landlock_abi = calls::landlock_version();
        let bubblewrap = match backend {
            Backend::Own => None,
            Backend::Auto if working.is_some() && landlock_abi >= LANDLOCK_WITH_NAMESPACES => None,
            Backend::Auto | Backend::Bubblewrap => Bubblewrap::probe(host),
        };
        let wraps = backend == Backend::Bubblewrap || bubblewrap.is_some();
        let groups = Groups::probe();
        let id_map = IdMap::probe(&host.temporary());
        let own_network = working.is_some_and(|working| working.flags & namespaces::NETWORK != 0);
        let running_as_root = calls::is_root();
        let counted = working.is_some() && !wraps && (!running_as_root || id_map.is_some());
        let effective = Effective {
            platform: "linux",
            backend: if wraps { Confiner::Bubblewrap } else { Confiner::Own },
            bubblewrap: bubblewrap.as_ref().map(|found| found.version().to_owned()),
            landlock_abi,
            seccomp: filters.is_some(),
            namespaces: working.is_some() || wraps,
            own_proc: working.is_some_and(|working| working.own_proc) || wraps,
            network_isolation: filters.is_some(),
            own_network: own_network || wraps,
            domains: own_network,
            hidden_paths: working.is_some() || wraps,
            process_limit: counted || groups.as_ref().is_some_and(Groups::limit_processes),
            cgroup: groups.as_ref().map_or(ControlGroups::None, Groups::version),
            memory_limit: groups.as_ref().is_some_and(Groups::limit_memory),
            cpu_limit: groups.as_ref().is_some_and(Groups::limit_processor),
            running_as_root,
            drops_root: id_map.is_some(),
            levels: Vec::new(),
        }
        .with_levels();
        let platform = Self {
            effective: effective.clone(),
            filters: filters.unwrap_or_default(),
            flags: working.map_or(0, |working| working.flags),
            bubblewrap,
            groups,
            id_map,
        };
        (platform, effective)
    }
}

fn filters() -> Option<Filters> {
    let known = std::fs::exists("/proc/sys/kernel/seccomp/actions_avail").unwrap_or(false);
    let built = known.then(Filters::build)?;
    built.inspect_err(|error| tracing::warn!(%error, "no system call filter")).ok()
}

/// The most that works, tried from all there is to what is needed at least.
fn working_namespaces() -> Option<Working> {
    let all = namespaces::BASE | namespaces::NETWORK | namespaces::NAMES;
    [
        (all, true),
        (namespaces::BASE | namespaces::NETWORK, true),
        (namespaces::BASE, true),
        (all, false),
        (namespaces::BASE | namespaces::NETWORK, false),
        (namespaces::BASE, false),
    ]
    .into_iter()
    .map(|(flags, own_proc)| Working { flags, own_proc })
    .find(namespaces_work)
}

/// Makes the namespaces and mounts of a command in a process that ends at once.
fn namespaces_work(working: &Working) -> bool {
    let namespaces = Namespaces {
        flags: working.flags,
        users: UserMap::new(None),
        mounts: Some(Mounts { own_proc: working.own_proc, ..Mounts::default() }),
        door: None,
    };
    match calls::fork(working.flags) {
        Ok(0) => {
            calls::reset_signals();
            calls::exit(i32::from(namespaces.set_up(-1).is_err()))
        }
        Ok(first) => calls::wait(first).is_some_and(|(_, status)| calls::decode(status) == 0),
        Err(_not_permitted) => false,
    }
}
