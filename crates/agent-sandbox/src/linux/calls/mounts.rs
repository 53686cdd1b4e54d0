//! Mounts: what a command sees, and what of it is writable.

use std::ffi::CStr;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use libc::{c_int, c_ulong};

use super::check;

pub(crate) fn mount(
    source: &CStr,
    target: &CStr,
    kind: Option<&CStr>,
    flags: c_ulong,
    data: Option<&CStr>,
) -> io::Result<()> {
    let pointer = |text: Option<&CStr>| text.map_or(std::ptr::null(), CStr::as_ptr);
    // SAFETY: all pointers are C strings or null.
    let result =
        unsafe { libc::mount(source.as_ptr(), target.as_ptr(), pointer(kind), flags, pointer(data).cast()) };
    check(libc::c_long::from(result)).map(drop)
}

/// `struct mount_attr` of `linux/mount.h`.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    set: u64,
    clear: u64,
    propagation: u64,
    user_namespace: u64,
}

fn set_attributes(folder: RawFd, path: &CStr, flags: c_int, attributes: &Attributes) -> io::Result<()> {
    // SAFETY: `path` is a C string, `attributes` outlives the call and has the size that is given.
    let result = unsafe {
        let size = size_of::<Attributes>();
        libc::syscall(libc::SYS_mount_setattr, folder, path.as_ptr(), flags, attributes as *const _, size)
    };
    check(result).map(drop)
}

/// Makes a mount read-only, with all below it if `recursive`, or writable again.
pub(crate) fn set_read_only(path: &CStr, read_only: bool, recursive: bool) -> io::Result<()> {
    const READ_ONLY: u64 = 1;
    let (set, clear) = if read_only { (READ_ONLY, 0) } else { (0, READ_ONLY) };
    let flags = if recursive { libc::AT_RECURSIVE } else { 0 };
    set_attributes(libc::AT_FDCWD, path, flags, &Attributes { set, clear, ..Attributes::default() })
}

/// A copy of what is mounted at a path, mounted nowhere itself.
pub(crate) fn detached_copy(path: &CStr) -> io::Result<OwnedFd> {
    const CLONE: c_int = 1;
    let flags = CLONE | libc::AT_RECURSIVE | libc::O_CLOEXEC;
    // SAFETY: `path` is a C string; the descriptor is new and nobody else's.
    unsafe {
        let fd = check(libc::syscall(libc::SYS_open_tree, libc::AT_FDCWD, path.as_ptr(), flags))?;
        Ok(OwnedFd::from_raw_fd(fd as RawFd))
    }
}

/// Has a detached mount show its files as owned by others, as a user namespace maps them.
pub(crate) fn map_owners(mount: RawFd, user_namespace: RawFd) -> io::Result<()> {
    const NO_SET_ID: u64 = 2;
    const NO_DEVICES: u64 = 4;
    const MAP_OWNERS: u64 = 0x0010_0000;
    let attributes = Attributes {
        set: MAP_OWNERS | NO_SET_ID | NO_DEVICES,
        user_namespace: u64::from(user_namespace.unsigned_abs()),
        ..Attributes::default()
    };
    set_attributes(mount, c"", libc::AT_EMPTY_PATH | libc::AT_RECURSIVE, &attributes)
}

/// Mounts what was detached.
pub(crate) fn attach(mount: RawFd, path: &CStr) -> io::Result<()> {
    const FROM_DESCRIPTOR: u32 = 4;
    // SAFETY: both paths are C strings.
    check(unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            mount,
            c"".as_ptr(),
            libc::AT_FDCWD,
            path.as_ptr(),
            FROM_DESCRIPTOR,
        )
    })
    .map(drop)
}

/// Gets mounts of its own, which nobody else sees change.
pub(crate) fn separate() -> io::Result<()> {
    // SAFETY: a plain number.
    check(libc::c_long::from(unsafe { libc::unshare(libc::CLONE_NEWNS) }))?;
    mount(c"none", c"/", None, libc::MS_REC | libc::MS_PRIVATE, None)
}

/// Makes a folder, or an empty file, that something is to be mounted on, unless it exists.
pub(crate) fn make_place(path: &CStr, folder: bool) -> io::Result<()> {
    // SAFETY: `path` is a C string.
    let made = check(unsafe {
        libc::c_long::from(if folder {
            libc::mkdir(path.as_ptr(), 0o755)
        } else {
            libc::mknod(path.as_ptr(), libc::S_IFREG | 0o644, 0)
        })
    });
    match made {
        Err(error) if error.raw_os_error() != Some(libc::EEXIST) => Err(error),
        _ => Ok(()),
    }
}
