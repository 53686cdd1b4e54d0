//! Who a command of a root server is.
//!
//! In a workspace of another user it becomes that user. In one of root it becomes a user without rights, and
//! sees what it needs through mounts that show files of root as its own, so that what it writes is root's on disk.
//! Toolchains below a home directory that is closed to others are brought out from there for either.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::calls::{self, mounts};
use super::launch::c_path;
use crate::start::Start;

/// The user and group without rights.
const NOBODY: u32 = 65_534;

/// What the supervisor of a command becomes before anything else.
#[derive(Debug)]
pub(crate) enum Identity {
    /// Whoever the server is.
    Server,
    /// Another user, with this group and no other, and what is brought into that user's reach.
    Other { user: u32, group: u32, view: View },
}

impl Identity {
    /// Who a confined command is to be.
    pub(crate) fn of_command(start: &Start<'_>, map: Option<&IdMap>) -> io::Result<Self> {
        if !calls::is_root() {
            return Ok(Self::Server);
        }
        let owner = start.workspace.root.metadata()?;
        if owner.uid() == 0 {
            let Some(map) = map else { return Ok(Self::Server) };
            let view = View::of_command(start, Some(map));
            return Ok(view.map_or_else(
                |error| {
                    tracing::info!(%error, "a command stays root's: its files cannot be shown as another's");
                    Self::Server
                },
                |view| Self::Other { user: NOBODY, group: NOBODY, view },
            ));
        }
        std::os::unix::fs::chown(start.scratch.path(), Some(owner.uid()), Some(owner.gid()))?;
        let view = View::of_command(start, None).unwrap_or_else(|error| {
            tracing::info!(%error, "folders closed to others stay closed to a command");
            View::default()
        });
        Ok(Self::Other { user: owner.uid(), group: owner.gid(), view })
    }

    /// Whether the command will be root, capabilities aside.
    pub(crate) fn is_root(&self) -> bool {
        matches!(self, Self::Server) && calls::is_root()
    }

    /// User and group, if they are others than those of the server.
    pub(crate) fn ids(&self) -> Option<(u32, u32)> {
        match self {
            Self::Server => None,
            Self::Other { user, group, .. } => Some((*user, *group)),
        }
    }

    /// Becomes it, for good.
    pub(crate) fn assume(&self) -> io::Result<()> {
        match self {
            Self::Server => Ok(()),
            Self::Other { user, group, view } => {
                view.open()?;
                calls::become_user(*user, *group)
            }
        }
    }
}

/// How owners on disk and owners as seen relate: root is nobody, all others are themselves.
#[derive(Debug)]
pub(crate) struct IdMap {
    namespace: OwnedFd,
}

impl IdMap {
    /// Makes the map and tries it on a folder.
    pub(crate) fn probe(folder: &Path) -> Option<Self> {
        if !calls::is_root() {
            return None;
        }
        let made = Self::make().and_then(|map| map.mount(folder).map(|_| map));
        made.inspect_err(|error| tracing::info!(%error, "owners of files cannot be mapped here")).ok()
    }

    /// A user namespace exists as long as something refers to it; no process has to stay in it.
    fn make() -> io::Result<Self> {
        const MAP: &str = "0 65534 1\n1 1 65533\n65535 65535 4294901760\n";
        let process = match calls::fork(libc::CLONE_NEWUSER)? {
            0 => {
                // A server that is killed at this moment leaves nothing behind. Nothing to do if it is refused.
                let _ = calls::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong);
                calls::pause()
            }
            process => process,
        };
        let place = |name: &str| format!("/proc/{process}/{name}");
        let made = std::fs::write(place("uid_map"), MAP)
            .and_then(|()| std::fs::write(place("gid_map"), MAP))
            .and_then(|()| std::fs::File::open(place("ns/user")));
        calls::kill(process);
        calls::wait(process);
        Ok(Self { namespace: made?.into() })
    }

    fn mount(&self, path: &Path) -> io::Result<OwnedFd> {
        let copy = mounts::detached_copy(&c_path(path)?)?;
        mounts::map_owners(copy.as_raw_fd(), self.namespace.as_raw_fd())?;
        Ok(copy)
    }
}

/// What another user gets to see of files that are closed to others.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// Folders closed to others, which are laid over with empty ones to get at what lies below them.
    opened: Vec<CString>,
    /// Places to make in those, and whether they are folders.
    places: Vec<(CString, bool)>,
    /// What is shown, and where.
    shown: Vec<(OwnedFd, CString)>,
}

impl View {
    /// With a map, workspace and temporary directory are shown as the command's own, and so is what is closed.
    fn of_command(start: &Start<'_>, map: Option<&IdMap>) -> io::Result<Self> {
        let own = [start.workspace.root.as_path(), start.scratch.path()];
        let needed: BTreeSet<&Path> = start.readable.iter().map(PathBuf::as_path).chain(own).collect();
        let mut view = Self::default();
        let mut opened = BTreeSet::new();
        let mut done: Vec<&Path> = Vec::new();
        for path in needed {
            let Ok(found) = path.metadata() else { continue };
            let inside = done.iter().any(|shown| path.starts_with(shown));
            let closed = closed_above(path).filter(|_| !inside);
            let reading = if found.is_dir() { 0o5 } else { 0o4 };
            let unreadable = found.mode() & reading != reading;
            let mapped = map.is_some() && (own.contains(&path) || (unreadable && !inside));
            if closed.is_none() && !mapped {
                continue;
            }
            if let Some(closed) = closed {
                view.reserve(closed, path, found.is_dir())?;
                opened.insert(closed);
            }
            let mount = match map {
                Some(map) => map.mount(path)?,
                None => mounts::detached_copy(&c_path(path)?)?,
            };
            view.shown.push((mount, c_path(path)?));
            done.push(path);
        }
        view.opened = opened.into_iter().map(c_path).collect::<io::Result<_>>()?;
        Ok(view)
    }

    /// Has the way from a folder that is laid over to a path be made anew.
    fn reserve(&mut self, closed: &Path, path: &Path, folder: bool) -> io::Result<()> {
        let between: Vec<_> = path.ancestors().skip(1).take_while(|above| *above != closed).collect();
        for above in between.into_iter().rev() {
            self.places.push((c_path(above)?, true));
        }
        self.places.push((c_path(path)?, folder));
        Ok(())
    }

    /// Makes it, in mounts of its own.
    fn open(&self) -> io::Result<()> {
        if self.shown.is_empty() {
            return Ok(());
        }
        mounts::separate()?;
        let plain = libc::MS_NOSUID | libc::MS_NODEV;
        for folder in &self.opened {
            mounts::mount(c"tmpfs", folder, Some(c"tmpfs"), plain, Some(c"mode=755,size=1m"))?;
        }
        for (place, folder) in &self.places {
            mounts::make_place(place, *folder)?;
        }
        self.shown.iter().try_for_each(|(mount, path)| mounts::attach(mount.as_raw_fd(), path))
    }
}

/// The outermost folder above a path that others may not enter.
fn closed_above(path: &Path) -> Option<&Path> {
    let folders: Vec<_> = path.ancestors().skip(1).collect();
    folders.into_iter().rev().find(|folder| folder.metadata().is_ok_and(|found| found.mode() & 0o1 == 0))
}

/// Runs a program to its end, or for some seconds; as nobody if the server is root.
pub(crate) fn run_as_nobody(program: &Path, arguments: &[&str]) -> io::Result<std::process::Output> {
    const PATIENCE: u32 = 5;
    #[expect(clippy::disallowed_methods, reason = "this is the crate that starts processes")]
    let mut command = std::process::Command::new(program);
    command.args(arguments).env_clear().env("PATH", "/usr/bin:/bin").current_dir("/");
    calls::before_exec(&mut command, || {
        calls::end_after(PATIENCE);
        if calls::is_root() { calls::become_user(NOBODY, NOBODY) } else { Ok(()) }
    });
    command.output()
}
