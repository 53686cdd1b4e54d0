//! System calls, as thin as they come. The only place of this crate with unsafe code.
//!
//! Everything here but `before_exec`, `network::receive_descriptor` and what `identity` calls for its namespace runs
//! between fork and exec in a copy of a process with many threads, so nothing allocates, locks or calls into the C
//! library beyond what POSIX calls async-signal-safe.
#![expect(
    unsafe_code,
    reason = "the standard library has no safe face for what happens between fork and exec"
)]

pub(crate) mod mounts;
pub(crate) mod network;

use std::ffi::CStr;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use libc::{c_int, c_long, c_ulong, pid_t};

/// Runs `hook` in the new process right before its program is loaded.
pub(crate) fn before_exec<F>(command: &mut std::process::Command, hook: F)
where
    F: FnMut() -> io::Result<()> + Send + Sync + 'static,
{
    use std::os::unix::process::CommandExt;
    // SAFETY: `hook` is built from this module's functions only, which keep to async-signal-safe calls.
    unsafe { command.pre_exec(hook) };
}

fn check(result: c_long) -> io::Result<c_long> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Forks with namespaces of its own; 0 in the new process. The raw call, since `fork` runs handlers that may lock.
pub(crate) fn fork(namespaces: c_int) -> io::Result<pid_t> {
    let none: c_ulong = 0;
    // SAFETY: without CLONE_VM the child has its own copy of the memory, as after fork.
    let pid = unsafe {
        libc::syscall(libc::SYS_clone, c_long::from(namespaces | libc::SIGCHLD), none, none, none, none)
    };
    check(pid).map(|pid| pid as pid_t)
}

pub(crate) fn exit(code: c_int) -> ! {
    // SAFETY: ends the process without running exit handlers.
    unsafe { libc::_exit(code) }
}

pub(crate) fn is_root() -> bool {
    // SAFETY: no arguments, cannot fail.
    unsafe { libc::geteuid() == 0 }
}

pub(crate) fn user_and_group() -> (u32, u32) {
    // SAFETY: no arguments, cannot fail.
    unsafe { (libc::geteuid(), libc::getegid()) }
}

/// Ends this process, and the program it becomes, after some seconds.
pub(crate) fn end_after(seconds: u32) {
    // SAFETY: a plain number, cannot fail.
    unsafe { libc::alarm(seconds) };
}

/// Waits until killed.
pub(crate) fn pause() -> ! {
    loop {
        // SAFETY: no arguments.
        unsafe { libc::pause() };
    }
}

/// A file without a name, closed when a program is loaded.
pub(crate) fn anonymous_file(label: &CStr) -> io::Result<OwnedFd> {
    // SAFETY: `label` is a C string; the descriptor is new and nobody else's.
    unsafe {
        let fd = check(c_long::from(libc::memfd_create(label.as_ptr(), libc::MFD_CLOEXEC)))?;
        Ok(OwnedFd::from_raw_fd(fd as RawFd))
    }
}

pub(crate) fn setsid() {
    // SAFETY: no arguments; fails only if the process leads a group already, which serves the purpose.
    unsafe { libc::setsid() };
}

/// Becomes another user for good. Must be called by root.
pub(crate) fn become_user(user: u32, group: u32) -> io::Result<()> {
    // SAFETY: plain numbers. The raw calls, since the wrappers synchronise threads that do not exist here.
    unsafe {
        check(libc::syscall(libc::SYS_setgroups, 0, std::ptr::null::<libc::gid_t>()))?;
        check(libc::syscall(libc::SYS_setresgid, group, group, group))?;
        check(libc::syscall(libc::SYS_setresuid, user, user, user))?;
    }
    Ok(())
}

pub(crate) fn prctl(option: c_int, value: c_ulong) -> io::Result<()> {
    // SAFETY: only options with one plain number are used.
    check(c_long::from(unsafe { libc::prctl(option, value, 0 as c_ulong, 0 as c_ulong, 0 as c_ulong) }))
        .map(drop)
}

/// Gives every signal its default meaning: handlers of the server would write into pipes it shares with us.
pub(crate) fn reset_signals() {
    for signal in 1..=64 {
        // SAFETY: SIG_DFL needs no handler; refused for numbers that cannot be changed, which is fine.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

pub(crate) fn close_range(first: u32, last: u32, flags: u32) -> io::Result<()> {
    // SAFETY: the callers own no descriptor in the range that they still use.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) }).map(drop)
}

pub(crate) fn kill(pid: pid_t) {
    // SAFETY: plain numbers; a process that is gone already is fine.
    unsafe { libc::kill(pid, libc::SIGKILL) };
}

/// Waits for a child, any if `pid` is -1; `None` when there is none.
pub(crate) fn wait(pid: pid_t) -> Option<(pid_t, c_int)> {
    let mut status = 0;
    loop {
        // SAFETY: `status` outlives the call.
        let found = unsafe { libc::waitpid(pid, &raw mut status, libc::__WALL) };
        if found > 0 {
            return Some((found, status));
        }
        if io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            return None;
        }
    }
}

/// The exit code, or the negated number of the signal.
pub(crate) fn decode(status: c_int) -> i32 {
    if libc::WIFSIGNALED(status) { -libc::WTERMSIG(status) } else { libc::WEXITSTATUS(status) }
}

pub(crate) fn pidfd_open(pid: pid_t) -> io::Result<c_int> {
    // SAFETY: plain numbers.
    check(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) }).map(|fd| fd as c_int)
}

/// Waits until one of two descriptors has something to say; tells for each whether it has.
pub(crate) fn poll(fds: [c_int; 2]) -> [bool; 2] {
    let mut polled = fds.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
    // SAFETY: the array outlives the call and its length is right.
    unsafe { libc::poll(polled.as_mut_ptr(), 2, -1) };
    polled.map(|one| one.revents != 0)
}

pub(crate) fn send(fd: c_int, bytes: &[u8]) {
    // SAFETY: pointer and length belong together. Nobody listening any more is fine.
    unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), libc::MSG_NOSIGNAL) };
}

fn open(path: &CStr, flags: c_int) -> io::Result<c_int> {
    // SAFETY: `path` is a C string.
    check(c_long::from(unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC) })).map(|fd| fd as c_int)
}

fn close(fd: c_int) {
    // SAFETY: only called with descriptors opened in this module.
    unsafe { libc::close(fd) };
}

/// Lets a descriptor survive the loading of a program.
pub(crate) fn inherit(fd: RawFd) -> io::Result<()> {
    // SAFETY: plain numbers.
    check(c_long::from(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) })).map(drop)
}

/// Writes to a descriptor that is open already.
pub(crate) fn write(fd: RawFd, bytes: &[u8]) -> io::Result<()> {
    // SAFETY: pointer and length belong together.
    check(unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) } as c_long).map(drop)
}

pub(crate) fn write_file(path: &CStr, bytes: &[u8]) -> io::Result<()> {
    let fd = open(path, libc::O_WRONLY)?;
    let written = write(fd, bytes);
    close(fd);
    written
}

/// Fills `buffer` from a file; returns how much.
pub(crate) fn read_file(path: &CStr, buffer: &mut [u8]) -> io::Result<usize> {
    let fd = open(path, libc::O_RDONLY)?;
    // SAFETY: pointer and length belong together.
    let read = check(unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) } as c_long);
    close(fd);
    read.map(|length| length as usize)
}

pub(crate) fn chdir(path: &CStr) -> io::Result<()> {
    // SAFETY: `path` is a C string.
    check(c_long::from(unsafe { libc::chdir(path.as_ptr()) })).map(drop)
}

/// Lowers a limit to `value`, or to what is permitted already if that is less; `spare` is added to the hard limit.
pub(crate) fn limit(resource: i64, value: u64, spare: u64) -> io::Result<()> {
    let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // The type of the resource number differs between C libraries.
    let resource = resource as _;
    // SAFETY: `now` outlives both calls.
    unsafe {
        check(c_long::from(libc::getrlimit(resource, &raw mut now)))?;
        let hard = value.saturating_add(spare).min(now.rlim_max);
        let wanted = libc::rlimit { rlim_cur: value.min(hard), rlim_max: hard };
        check(c_long::from(libc::setrlimit(resource, &raw const wanted))).map(drop)
    }
}

/// Gives up all capabilities, now and for every program that is run later.
pub(crate) fn drop_capabilities() -> io::Result<()> {
    /// `struct __user_cap_header_struct` of `linux/capability.h`.
    #[repr(C)]
    struct Header {
        version: u32,
        pid: c_int,
    }
    for capability in 0..64 {
        // Refused to those who have none to give, and for numbers that do not exist.
        if let Err(error) = prctl(libc::PR_CAPBSET_DROP, capability)
            && error.raw_os_error() == Some(libc::EINVAL)
        {
            break;
        }
    }
    let none: c_ulong = 0;
    // SAFETY: plain numbers. Old kernels without this set have nothing to clear.
    unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_CLEAR_ALL as c_ulong, none, none, none) };
    let header = Header { version: 0x2008_0522, pid: 0 };
    let none = [0_u32; 6];
    // SAFETY: version 3 takes two structures of three numbers; both pointers outlive the call.
    check(unsafe { libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()) }).map(drop)
}

pub(crate) fn landlock_version() -> u32 {
    // SAFETY: with the version flag the kernel looks at neither pointer nor size.
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0_usize, 1_u32) };
    u32::try_from(version).unwrap_or(0)
}

/// Adds a directory to a ruleset whose path means something else before the mounts are made.
pub(crate) fn landlock_add(ruleset: c_int, path: &CStr, access: u64) -> io::Result<()> {
    /// `struct landlock_path_beneath_attr` of `linux/landlock.h`.
    #[repr(C, packed)]
    struct PathBeneath {
        access: u64,
        parent: c_int,
    }
    let parent = open(path, libc::O_PATH | libc::O_DIRECTORY)?;
    let rule = PathBeneath { access, parent };
    // SAFETY: `rule` outlives the call; 1 is the kind of rule it is.
    let added =
        check(unsafe { libc::syscall(libc::SYS_landlock_add_rule, ruleset, 1_u32, &raw const rule, 0_u32) });
    close(parent);
    added.map(drop)
}

pub(crate) fn landlock_restrict(ruleset: c_int) -> io::Result<()> {
    // SAFETY: plain numbers.
    check(unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset, 0_u32) }).map(drop)
}
