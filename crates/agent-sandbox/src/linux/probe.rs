//! Finds out what this kernel enforces, by trying it.

use super::calls;
use super::child::{Covered, Namespaces};
use super::filter::Filters;
use crate::Effective;

pub(crate) fn probe() -> (Effective, Filters) {
    let filters = std::fs::exists("/proc/sys/kernel/seccomp/actions_avail")
        .unwrap_or(false)
        .then(Filters::build)
        .and_then(|built| built.inspect_err(|error| tracing::warn!(%error, "no system call filter")).ok());
    let own_proc = namespaces_work(true);
    let namespaces = own_proc || namespaces_work(false);
    let running_as_root = calls::is_root();
    let effective = Effective {
        platform: "linux",
        landlock_abi: calls::landlock_version(),
        seccomp: filters.is_some(),
        namespaces,
        own_proc,
        network_isolation: filters.is_some(),
        process_limit: namespaces && !running_as_root,
        running_as_root,
        levels: Vec::new(),
    };
    (effective, filters.unwrap_or_else(Filters::none))
}

/// Makes the namespaces and mounts of a command in a process that ends at once.
fn namespaces_work(own_proc: bool) -> bool {
    let namespaces = Namespaces::new(None, Vec::new(), Vec::new(), Covered::default(), own_proc);
    match calls::fork(Namespaces::FLAGS) {
        Ok(0) => {
            calls::reset_signals();
            let works = namespaces.map_users().and_then(|()| namespaces.mount()).is_ok();
            calls::exit(i32::from(!works))
        }
        Ok(first) => calls::wait(first).is_some_and(|(_, status)| calls::decode(status) == 0),
        Err(_not_permitted) => false,
    }
}
