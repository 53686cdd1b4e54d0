//! What happens between fork and exec.
//!
//! Three processes come of one: the supervisor (the child that the server sees) watches the link to the server;
//! the first process of the new namespaces reaps what is orphaned and takes all with it when it ends; the third
//! takes on the restrictions and becomes the program. Without namespaces the middle one is missing.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use super::{SharedFilters, calls, ruleset, supervise};
use crate::Limits;

/// Everything a new process needs, laid out before the fork.
pub(crate) struct Launch {
    pub(crate) link: RawFd,
    pub(crate) identity: Option<(u32, u32)>,
    pub(crate) namespaces: Option<Namespaces>,
    pub(crate) confinement: Option<Confinement>,
    pub(crate) limits: Vec<ResourceLimit>,
    pub(crate) filters: SharedFilters,
    pub(crate) working_directory: CString,
}

/// The namespaces of a command and what is mounted in them.
pub(crate) struct Namespaces {
    user_map: String,
    group_map: String,
    writable: Vec<CString>,
    read_only: Vec<CString>,
    covered: Covered,
    own_proc: bool,
}

/// What lies in the workspace and is kept from the command by something empty mounted over it.
#[derive(Default)]
pub(crate) struct Covered {
    pub(crate) files: Vec<CString>,
    pub(crate) folders: Vec<CString>,
}

impl Namespaces {
    pub(crate) const FLAGS: i32 =
        libc::CLONE_NEWUSER | libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_NEWIPC;

    pub(crate) fn new(
        identity: Option<(u32, u32)>,
        writable: Vec<CString>,
        read_only: Vec<CString>,
        covered: Covered,
        own_proc: bool,
    ) -> Self {
        const NOBODY: u32 = 65_534;
        let (user, group) = identity.unwrap_or_else(calls::user_and_group);
        // Programs that find themselves to be root try what only root can.
        let seen_as = |id: u32| if id == 0 { NOBODY } else { id };
        Self {
            user_map: format!("{} {user} 1", seen_as(user)),
            group_map: format!("{} {group} 1", seen_as(group)),
            writable,
            read_only,
            covered,
            own_proc,
        }
    }

    /// Makes the new user namespace usable.
    pub(crate) fn map_users(&self) -> io::Result<()> {
        // A server that closes its memory to others closes `/proc/self` for its children with it.
        calls::prctl(libc::PR_SET_DUMPABLE, 1)?;
        calls::write_file(c"/proc/self/setgroups", b"deny")?;
        calls::write_file(c"/proc/self/uid_map", self.user_map.as_bytes())?;
        calls::write_file(c"/proc/self/gid_map", self.group_map.as_bytes())?;
        // This process still holds the memory of the server; nobody else may look into it.
        calls::prctl(libc::PR_SET_DUMPABLE, 0)
    }

    /// Makes all read-only but what is to be writable, and hides the processes of the host.
    pub(crate) fn mount(&self) -> io::Result<()> {
        let none = c"none";
        calls::mount(none, c"/", None, libc::MS_REC | libc::MS_PRIVATE, None)?;
        for path in &self.writable {
            calls::mount(path, path, None, libc::MS_BIND | libc::MS_REC, None)?;
        }
        calls::set_mount_read_only(c"/", true, true)?;
        for path in &self.writable {
            calls::set_mount_read_only(path, false, false)?;
        }
        for path in &self.read_only {
            calls::mount(path, path, None, libc::MS_BIND | libc::MS_REC, None)?;
            calls::set_mount_read_only(path, true, true)?;
        }
        for path in &self.covered.files {
            calls::mount(c"/dev/null", path, None, libc::MS_BIND, None)?;
        }
        let plain = libc::MS_NOSUID | libc::MS_NODEV;
        for path in &self.covered.folders {
            calls::mount(c"tmpfs", path, Some(c"tmpfs"), plain | libc::MS_RDONLY, Some(c"size=4k"))?;
        }
        if self.own_proc {
            calls::mount(c"proc", c"/proc", Some(c"proc"), plain | libc::MS_NOEXEC, None)?;
            calls::mount(c"tmpfs", c"/dev/shm", Some(c"tmpfs"), plain, Some(c"mode=1777,size=256m"))?;
        }
        Ok(())
    }
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

/// The steps whose failure refuses a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Stage {
    Identity,
    Namespaces,
    UserMap,
    Mounts,
    Limits,
    WorkingDirectory,
    Capabilities,
    Landlock,
    Seccomp,
}

impl Stage {
    const ALL: [Self; 9] = [
        Self::Identity,
        Self::Namespaces,
        Self::UserMap,
        Self::Mounts,
        Self::Limits,
        Self::WorkingDirectory,
        Self::Capabilities,
        Self::Landlock,
        Self::Seccomp,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Identity => "becoming the owner of the workspace",
            Self::Namespaces => "making namespaces",
            Self::UserMap => "mapping the user",
            Self::Mounts => "making everything else read-only",
            Self::Limits => "setting resource limits",
            Self::WorkingDirectory => "entering the working directory",
            Self::Capabilities => "giving up privileges",
            Self::Landlock => "applying Landlock",
            Self::Seccomp => "applying the system call filter",
        }
    }
}

/// What a new process tells the server through the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Report {
    /// The command ended: its code, or the negated number of a signal.
    Ended(i32),
    /// A restriction could not be applied, and the program was not run.
    Failed { stage: Stage, errno: i32 },
}

impl Report {
    pub(crate) const LENGTH: usize = 8;
    const ENDED: i32 = -1;

    pub(crate) fn encode(self) -> [u8; Self::LENGTH] {
        let (kind, value) = match self {
            Self::Ended(status) => (Self::ENDED, status),
            Self::Failed { stage, errno } => (stage as i32, errno),
        };
        let mut bytes = [0; Self::LENGTH];
        bytes[..4].copy_from_slice(&kind.to_ne_bytes());
        bytes[4..].copy_from_slice(&value.to_ne_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: [u8; Self::LENGTH]) -> Option<Self> {
        let [a, b, c, d, e, f, g, h] = bytes;
        let (kind, value) = (i32::from_ne_bytes([a, b, c, d]), i32::from_ne_bytes([e, f, g, h]));
        if kind == Self::ENDED {
            return Some(Self::Ended(value));
        }
        let stage = Stage::ALL.into_iter().find(|stage| *stage as i32 == kind)?;
        Some(Self::Failed { stage, errno: value })
    }
}

/// Becomes the program's process: returns there only, and in whichever process failed before.
pub(crate) fn enter(launch: &Launch) -> io::Result<()> {
    calls::setsid();
    calls::reset_signals();
    if let Some((user, group)) = launch.identity {
        launch.step(Stage::Identity, || calls::become_user(user, group))?;
    }
    let Some(namespaces) = &launch.namespaces else {
        launch.step(Stage::Namespaces, || calls::prctl(libc::PR_SET_CHILD_SUBREAPER, 1))?;
        return match launch.step(Stage::Namespaces, || calls::fork(0))? {
            0 => become_program(launch),
            program => supervise::without_namespaces(launch.link, program),
        };
    };
    match launch.step(Stage::Namespaces, || calls::fork(Namespaces::FLAGS))? {
        0 => first_process(launch, namespaces),
        first => supervise::with_namespaces(launch.link, first),
    }
}

fn first_process(launch: &Launch, namespaces: &Namespaces) -> io::Result<()> {
    launch.step(Stage::UserMap, || namespaces.map_users())?;
    launch.step(Stage::Mounts, || namespaces.mount())?;
    launch
        .step(Stage::Namespaces, || calls::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong))?;
    match launch.step(Stage::Namespaces, || calls::fork(0))? {
        0 => become_program(launch),
        program => supervise::first_process(launch.link, program),
    }
}

fn become_program(launch: &Launch) -> io::Result<()> {
    const CLOSE_ON_EXEC: u32 = 1 << 2;
    calls::setsid();
    launch.step(Stage::Limits, || {
        calls::close_range(3, u32::MAX, CLOSE_ON_EXEC)?;
        calls::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong)?;
        launch.limits.iter().try_for_each(|(resource, value, spare)| calls::limit(*resource, *value, *spare))
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
    launch.step(Stage::Seccomp, || {
        launch.filters.iter().try_for_each(|filter| {
            seccompiler::apply_filter(filter).map_err(|_already_in_errno| io::Error::last_os_error())
        })
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_survive_the_way_through_the_link() {
        let failures = Stage::ALL.map(|stage| Report::Failed { stage, errno: libc::EPERM });
        for report in failures.into_iter().chain([Report::Ended(0), Report::Ended(255), Report::Ended(-9)]) {
            assert_eq!(Report::decode(report.encode()), Some(report));
        }
    }
}
