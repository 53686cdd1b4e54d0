//! The namespaces of a command and what is set up in them, all of it between fork and exec.

use std::ffi::CString;
use std::io;
use std::os::fd::RawFd;

use super::calls::{self, mounts, network};
use super::report::Stage;

/// Processes, mounts and System V objects of its own, and the user namespace that permits them.
pub(crate) const BASE: i32 =
    libc::CLONE_NEWUSER | libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_NEWIPC;
/// Host name and control groups: cheap, and no command has to know those of the host.
pub(crate) const NAMES: i32 = libc::CLONE_NEWUTS | libc::CLONE_NEWCGROUP;
/// A network with nothing in it but a loopback interface.
pub(crate) const NETWORK: i32 = libc::CLONE_NEWNET;

/// The namespaces of one command.
pub(crate) struct Namespaces {
    pub(crate) flags: i32,
    pub(crate) users: UserMap,
    /// `None` if a program that is started next makes its own.
    pub(crate) mounts: Option<Mounts>,
    /// Where the first process listens on behalf of the server.
    pub(crate) door: Option<u16>,
}

/// One user and one group, as they are outside and inside.
pub(crate) struct UserMap {
    users: String,
    groups: String,
}

/// What is mounted for a command.
#[derive(Default)]
pub(crate) struct Mounts {
    pub(crate) writable: Vec<CString>,
    /// Folders that cannot be moved, since something below them is guarded.
    pub(crate) ways: Vec<CString>,
    pub(crate) read_only: Vec<CString>,
    /// What is kept from the command by something empty mounted over it.
    pub(crate) covered_files: Vec<CString>,
    pub(crate) covered_folders: Vec<CString>,
    pub(crate) own_proc: bool,
}

impl Namespaces {
    /// Whether the first process in them ends all others when it ends.
    pub(crate) fn end_together(&self) -> bool {
        self.flags & libc::CLONE_NEWPID != 0
    }

    /// Makes them what the command is to find; says which step failed.
    pub(crate) fn set_up(&self, link: RawFd) -> Result<(), (Stage, io::Error)> {
        self.users.write().map_err(|error| (Stage::UserMap, error))?;
        self.open_network(link).map_err(|error| (Stage::Network, error))?;
        self.mounts.as_ref().map_or(Ok(()), Mounts::make).map_err(|error| (Stage::Mounts, error))
    }

    /// Switches the loopback interface on and hands the door to the server.
    fn open_network(&self, link: RawFd) -> io::Result<()> {
        if self.flags & NETWORK == 0 {
            return Ok(());
        }
        network::raise_loopback()?;
        match self.door {
            Some(port) => network::send_descriptor(link, network::listen(port)?),
            None => Ok(()),
        }
    }
}

impl UserMap {
    /// The map for who the process is, or will have become before the namespaces are made.
    pub(crate) fn new(identity: Option<(u32, u32)>) -> Self {
        const NOBODY: u32 = 65_534;
        let (user, group) = identity.unwrap_or_else(calls::user_and_group);
        // Programs that find themselves to be root try what only root can.
        let seen_as = |id: u32| if id == 0 { NOBODY } else { id };
        Self { users: format!("{} {user} 1", seen_as(user)), groups: format!("{} {group} 1", seen_as(group)) }
    }

    /// Makes the new user namespace usable.
    fn write(&self) -> io::Result<()> {
        // A server that closes its memory to others closes `/proc/self` for its children with it.
        calls::prctl(libc::PR_SET_DUMPABLE, 1)?;
        calls::write_file(c"/proc/self/setgroups", b"deny")?;
        calls::write_file(c"/proc/self/uid_map", self.users.as_bytes())?;
        calls::write_file(c"/proc/self/gid_map", self.groups.as_bytes())?;
        // This process still holds the memory of the server; nobody else may look into it.
        calls::prctl(libc::PR_SET_DUMPABLE, 0)
    }
}

impl Mounts {
    /// Makes all read-only but what is to be writable, covers what is hidden, and hides the processes of the host.
    fn make(&self) -> io::Result<()> {
        const BIND: libc::c_ulong = libc::MS_BIND | libc::MS_REC;
        mounts::mount(c"none", c"/", None, libc::MS_REC | libc::MS_PRIVATE, None)?;
        for path in &self.writable {
            mounts::mount(path, path, None, BIND, None)?;
        }
        mounts::set_read_only(c"/", true, true)?;
        for path in &self.writable {
            mounts::set_read_only(path, false, false)?;
        }
        for path in &self.ways {
            mounts::mount(path, path, None, BIND, None)?;
        }
        for path in &self.read_only {
            mounts::mount(path, path, None, BIND, None)?;
            mounts::set_read_only(path, true, true)?;
        }
        for path in &self.covered_files {
            mounts::mount(c"/dev/null", path, None, libc::MS_BIND, None)?;
        }
        let plain = libc::MS_NOSUID | libc::MS_NODEV;
        for path in &self.covered_folders {
            mounts::mount(c"tmpfs", path, Some(c"tmpfs"), plain | libc::MS_RDONLY, Some(c"size=4k"))?;
        }
        if self.own_proc {
            mounts::mount(c"proc", c"/proc", Some(c"proc"), plain | libc::MS_NOEXEC, None)?;
            mounts::mount(c"tmpfs", c"/dev/shm", Some(c"tmpfs"), plain, Some(c"mode=1777,size=256m"))?;
        }
        Ok(())
    }
}
