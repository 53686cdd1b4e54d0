//! What happens between fork and exec.
//!
//! Three processes come of one: the supervisor (the child that the server sees) watches the link to the server;
//! the first process of the new namespaces reaps what is orphaned and takes all with it when it ends; the third
//! takes on the restrictions and becomes the program. Without process namespace the middle one is missing.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use super::identity::Identity;
use super::namespaces::Namespaces;
use super::report::{Report, Stage};
use super::{SharedFilters, calls, ruleset, supervise};
use crate::Limits;

/// Everything a new process needs, laid out before the fork.
pub(crate) struct Launch {
    pub(crate) link: RawFd,
    pub(crate) identity: Identity,
    pub(crate) namespaces: Option<Namespaces>,
    /// Files of control groups that the program's process writes itself into.
    pub(crate) groups: Vec<OwnedFd>,
    pub(crate) confinement: Option<Confinement>,
    pub(crate) limits: Vec<ResourceLimit>,
    pub(crate) filters: SharedFilters,
    /// What the program inherits besides its three streams.
    pub(crate) inherited: Vec<OwnedFd>,
    pub(crate) working_directory: CString,
}

/// The Landlock ruleset, and what is added to it late.
pub(crate) struct Confinement {
    ruleset: OwnedFd,
    late: Vec<(&'static CStr, u64)>,
}

impl Confinement {
    pub(crate) fn new(ruleset: OwnedFd, landlock_abi: u32, own_proc: bool) -> Self {
        let access = ruleset::late_access(landlock_abi);
        let late =
            if own_proc { vec![(c"/proc", access.read), (c"/dev/shm", access.write)] } else { Vec::new() };
        Self { ruleset, late }
    }

    fn enforce(&self) -> io::Result<()> {
        for (path, access) in &self.late {
            calls::landlock_add(self.ruleset.as_raw_fd(), path, *access)?;
        }
        calls::landlock_restrict(self.ruleset.as_raw_fd())
    }
}

/// One limit: resource, soft limit, how far the hard limit is above it.
pub(crate) type ResourceLimit = (i64, u64, u64);

/// Processes are counted per user; only in a user namespace of its own is the count that of the command.
pub(crate) fn resource_limits(limits: &Limits, counted_alone: bool) -> Vec<ResourceLimit> {
    let mut list: Vec<(_, u64, u64)> = vec![
        (libc::RLIMIT_CORE, 0, 0),
        // The soft limit ends a program with a signal of its own, the hard one a program that ignores it.
        (libc::RLIMIT_CPU, limits.cpu_seconds, 1),
        (libc::RLIMIT_FSIZE, limits.file_size_bytes, 0),
        (libc::RLIMIT_NOFILE, limits.open_files, 0),
    ];
    list.extend(limits.address_space_bytes.map(|bytes| (libc::RLIMIT_AS, bytes, 0)));
    list.extend(limits.processes.filter(|_| counted_alone).map(|count| (libc::RLIMIT_NPROC, count, 0)));
    list.into_iter().map(|(resource, value, spare)| (i64::from(resource), value, spare)).collect()
}

/// Becomes the program's process: returns there only, and in whichever process failed before.
pub(crate) fn enter(launch: &Launch) -> io::Result<()> {
    calls::setsid();
    calls::reset_signals();
    launch.step(Stage::Identity, || launch.identity.assume())?;
    if let Some(namespaces) = launch.namespaces.as_ref().filter(|namespaces| namespaces.end_together()) {
        return match launch.step(Stage::Namespaces, || calls::fork(namespaces.flags))? {
            0 => first_process(launch, namespaces),
            first => supervise::with_namespaces(launch.link, first),
        };
    }
    launch.step(Stage::Namespaces, || calls::prctl(libc::PR_SET_CHILD_SUBREAPER, 1))?;
    let flags = launch.namespaces.as_ref().map_or(0, |namespaces| namespaces.flags);
    match launch.step(Stage::Namespaces, || calls::fork(flags))? {
        0 => {
            if let Some(namespaces) = &launch.namespaces {
                set_up(launch, namespaces)?;
            }
            become_program(launch)
        }
        program => supervise::without_namespaces(launch.link, program),
    }
}

fn first_process(launch: &Launch, namespaces: &Namespaces) -> io::Result<()> {
    set_up(launch, namespaces)?;
    launch
        .step(Stage::Namespaces, || calls::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong))?;
    match launch.step(Stage::Namespaces, || calls::fork(0))? {
        0 => become_program(launch),
        program => supervise::first_process(launch.link, program),
    }
}

fn set_up(launch: &Launch, namespaces: &Namespaces) -> io::Result<()> {
    namespaces.set_up(launch.link).or_else(|(stage, error)| launch.step(stage, || Err(error)))
}

fn become_program(launch: &Launch) -> io::Result<()> {
    const CLOSE_ON_EXEC: u32 = 1 << 2;
    calls::setsid();
    launch.step(Stage::Group, || {
        launch.groups.iter().try_for_each(|group| calls::write(group.as_raw_fd(), b"0"))
    })?;
    launch.step(Stage::Namespaces, || {
        calls::close_range(3, u32::MAX, CLOSE_ON_EXEC)?;
        launch.inherited.iter().try_for_each(|kept| calls::inherit(kept.as_raw_fd()))?;
        calls::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)
    })?;
    // Only now, since a directory entered before the mounts were made leads around them.
    launch.step(Stage::WorkingDirectory, || calls::chdir(&launch.working_directory))?;
    if launch.confinement.is_some() || !launch.filters.is_empty() {
        launch.step(Stage::Capabilities, || calls::prctl(libc::PR_SET_NO_NEW_PRIVS, 1))?;
    }
    if let Some(confinement) = &launch.confinement {
        launch.step(Stage::Capabilities, calls::drop_capabilities)?;
        launch.step(Stage::Landlock, || confinement.enforce())?;
    }
    // After the last file was opened: this process has all descriptors of the server still.
    launch.step(Stage::Limits, || {
        launch.limits.iter().try_for_each(|(resource, value, spare)| calls::limit(*resource, *value, *spare))
    })?;
    launch.step(Stage::Seccomp, || {
        launch.filters.iter().try_for_each(|filter| {
            seccompiler::apply_filter(filter).map_err(|_already_in_errno| io::Error::last_os_error())
        })
    })?;
    // A process that dies before this point looks, to the standard library, like a program that was loaded.
    calls::send(launch.link, &Report::Ready.encode());
    Ok(())
}

impl Launch {
    /// Does one step and tells the server which one failed, which the standard library cannot.
    fn step<T>(&self, stage: Stage, step: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let done = step();
        if let Err(error) = &done {
            let errno = error.raw_os_error().unwrap_or(libc::EINVAL);
            calls::send(self.link, &Report::Failed { stage, errno }.encode());
        }
        done
    }
}
