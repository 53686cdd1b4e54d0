//! What a command needs to be started, for either way of confining it.

use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::child::{self, Confinement, Launch};
use super::identity::Identity;
use super::namespaces::{self, Mounts, Namespaces, UserMap};
use super::{Platform, Reach, ruleset};
use crate::proxy::PORT;
use crate::start::Start;
use crate::{Error, SandboxLevel};

impl Platform {
    /// The launch of the program itself, with all layers of our own.
    pub(super) fn direct(
        &self,
        start: &Start<'_>,
        reach: Reach,
        identity: Identity,
        link: &OwnedFd,
    ) -> io::Result<Launch> {
        let level = start.request.level;
        let sockets = self.sockets(level, reach);
        let confined = level.is_confined();
        let namespaces = (confined && self.effective.namespaces)
            .then(|| self.namespaces(start, reach, &identity))
            .transpose()?;
        let confinement = confined.then(|| self.confinement(start, reach)).transpose()?;
        Ok(Launch {
            link: link.as_raw_fd(),
            identity,
            groups: Vec::new(),
            confinement,
            limits: child::resource_limits(&start.request.limits, namespaces.is_some()),
            namespaces,
            filters: if confined {
                self.filters.confined(sockets)
            } else {
                self.filters.full_access(sockets)
            },
            inherited: Vec::new(),
            working_directory: c_path(&start.workspace.working_directory)?,
        })
    }

    fn namespaces(&self, start: &Start<'_>, reach: Reach, identity: &Identity) -> io::Result<Namespaces> {
        let shared = if reach == Reach::Anywhere { namespaces::NETWORK } else { 0 };
        Ok(Namespaces {
            flags: self.flags & !shared,
            users: UserMap::new(identity.ids()),
            mounts: Some(self.mounts(start)?),
            door: (reach == Reach::NamedHosts).then_some(PORT),
        })
    }

    fn mounts(&self, start: &Start<'_>) -> io::Result<Mounts> {
        let guard = &start.guard;
        let mut writable = vec![c_path(start.scratch.path())?];
        let mut ways = Vec::new();
        if start.request.level == SandboxLevel::WorkspaceWrite {
            writable.push(c_path(&start.workspace.root)?);
            ways = c_paths(&guard.ways(&start.workspace.root))?;
        }
        let (folders, files): (Vec<_>, Vec<_>) = guard.hidden.iter().partition(|path| path.is_dir());
        Ok(Mounts {
            writable,
            ways,
            read_only: c_paths(&guard.read_only)?,
            covered_files: c_paths(files)?,
            covered_folders: c_paths(folders)?,
            own_proc: self.effective.own_proc,
        })
    }

    fn confinement(&self, start: &Start<'_>, reach: Reach) -> io::Result<Confinement> {
        let mut writable = vec![start.scratch.path().to_owned()];
        let mut readable = start.readable.clone();
        readable.insert(start.workspace.root.clone());
        if start.request.level == SandboxLevel::WorkspaceWrite {
            if self.effective.namespaces {
                writable.push(start.workspace.root.clone());
            } else {
                writable.extend(start.guard.writable_parts(&start.workspace.root));
            }
        }
        if !self.effective.own_proc {
            readable.insert(PathBuf::from("/proc"));
        }
        let ruleset = ruleset::build(&readable, &writable, reach == Reach::Nowhere)?;
        Ok(Confinement::new(ruleset, self.effective.landlock_abi, self.effective.own_proc))
    }

    /// The launch of bubblewrap, which confines the program, and where it tells how it went.
    pub(super) fn wrapped(
        &self,
        start: &Start<'_>,
        reach: Reach,
        identity: Identity,
        link: &OwnedFd,
    ) -> Result<(Command, Launch, Option<File>), Error> {
        let level = start.request.level;
        let refused = |reason: &str| Error::unavailable(level, reason.to_owned());
        let bubblewrap = self.bubblewrap.as_ref().ok_or_else(|| refused("bubblewrap is missing"))?;
        if identity.is_root() {
            return Err(refused(
                "bubblewrap started by root leaves the command root's, and it cannot become another user here",
            ));
        }
        if bubblewrap.program().starts_with(&start.workspace.root) {
            return Err(refused("the bubblewrap on the path lies inside the workspace"));
        }
        let filters = self.filters.confined(self.sockets(level, reach));
        let unprepared = |error: io::Error| refused(&format!("bubblewrap could not be prepared ({error})"));
        let wrapping = bubblewrap.wrap(start, reach, &filters).map_err(unprepared)?;
        let namespaces = (reach == Reach::NamedHosts).then(|| Namespaces {
            flags: libc::CLONE_NEWUSER | namespaces::NETWORK,
            users: UserMap::new(identity.ids()),
            mounts: None,
            door: Some(PORT),
        });
        let launch = Launch {
            link: link.as_raw_fd(),
            identity,
            namespaces,
            groups: Vec::new(),
            confinement: None,
            limits: child::resource_limits(&start.request.limits, false),
            filters: std::sync::Arc::default(),
            inherited: wrapping.inherited,
            working_directory: c"/".to_owned(),
        };
        let mut command = Command::new(bubblewrap.program());
        command.args(wrapping.arguments);
        Ok((command, launch, Some(wrapping.status)))
    }
}

fn c_paths<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> io::Result<Vec<CString>> {
    paths.into_iter().map(|path| c_path(path)).collect()
}

pub(super) fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::from)
}
