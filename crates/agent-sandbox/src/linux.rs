//! Linux: namespaces, Landlock, capabilities and seccomp, put together for one command.

mod calls;
mod child;
mod filter;
mod probe;
mod ruleset;
mod running;
mod supervise;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::process::Command;

use crate::effective::ADVICE;
use crate::workspace::Workspace;
use crate::{CommandRequest, Effective, Error, SandboxLevel};
use child::{Confinement, Covered, Launch, Namespaces, Report};
use filter::Filters;
pub(crate) use running::Running;

/// What was found out and built at the start.
#[derive(Debug)]
pub(crate) struct Platform {
    effective: Effective,
    filters: Filters,
}

/// One command, resolved and ready to be started.
pub(crate) struct Start<'a> {
    pub(crate) request: &'a CommandRequest,
    pub(crate) with_stdin: bool,
    pub(crate) workspace: Workspace,
    pub(crate) scratch: TempDir,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) program: PathBuf,
    pub(crate) readable: BTreeSet<PathBuf>,
    /// What lies in the workspace and is none of the command's business.
    pub(crate) covered: Vec<PathBuf>,
}

impl Platform {
    pub(crate) fn probe() -> (Self, Effective) {
        let (effective, filters) = probe::probe();
        (Self { effective: effective.clone(), filters }, effective)
    }

    /// Starts a command. Returns when it runs under all its restrictions, or has been refused.
    pub(crate) fn start(&self, start: Start<'_>) -> Result<Running, Error> {
        let level = start.request.level;
        let spawn_failed = |source| Error::Spawn { program: start.program.display().to_string(), source };
        let (ours, theirs) = UnixStream::pair().map_err(spawn_failed)?;
        let theirs = OwnedFd::from(theirs);
        let mut command = Command::new(&start.program);
        let launch = self.launch(&start, &theirs).map_err(|source| match source {
            LaunchError::Refused(error) => error,
            LaunchError::Failed(source) => Error::Unavailable {
                asked: level,
                reason: format!("the restrictions could not be prepared ({source})"),
                advice: ADVICE.into(),
            },
        })?;
        command
            .arg0(&start.request.program_and_args[0])
            .args(&start.request.program_and_args[1..])
            .env_clear()
            .envs(&start.variables)
            .stdin(if start.with_stdin { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        calls::before_exec(&mut command, move || child::enter(&launch));
        let spawned = command.spawn();
        drop(command);
        drop(theirs);
        match spawned {
            Ok(child) => Ok(Running::new(child, ours, start.scratch)),
            Err(source) => Err(match running::read_report(&ours) {
                Some(Report::Failed { stage, errno }) => Error::Unavailable {
                    asked: level,
                    reason: format!("{} failed ({})", stage.name(), io::Error::from_raw_os_error(errno)),
                    advice: ADVICE.into(),
                },
                _ => spawn_failed(source),
            }),
        }
    }

    fn launch(&self, start: &Start<'_>, link: &OwnedFd) -> Result<Launch, LaunchError> {
        let level = start.request.level;
        let confined = level.is_confined();
        let identity = if confined { workspace_owner(start)? } else { None };
        let namespaces = if confined && self.effective.namespaces {
            Some(self.namespaces(start, identity)?)
        } else {
            None
        };
        let confinement = if confined { Some(self.confinement(start)?) } else { None };
        Ok(Launch {
            link: link.as_raw_fd(),
            identity,
            confinement,
            limits: child::resource_limits(&start.request.limits, namespaces.is_some()),
            namespaces,
            filters: self.filters.of(confined, start.request.network),
            working_directory: c_path(&start.workspace.working_directory)?,
        })
    }

    fn namespaces(&self, start: &Start<'_>, identity: Option<(u32, u32)>) -> Result<Namespaces, LaunchError> {
        let mut writable = Vec::new();
        let mut read_only = Vec::new();
        if start.request.level == SandboxLevel::WorkspaceWrite {
            writable.push(c_path(&start.workspace.root)?);
            let git = start.workspace.git(start.request.level).map_err(LaunchError::Refused)?;
            if let Some(git) = git {
                read_only.push(c_path(&git)?);
            }
        }
        writable.push(c_path(start.scratch.path())?);
        let (folders, files): (Vec<_>, Vec<_>) = start.covered.iter().partition(|path| path.is_dir());
        let covered = Covered {
            files: files.into_iter().map(|path| c_path(path)).collect::<io::Result<_>>()?,
            folders: folders.into_iter().map(|path| c_path(path)).collect::<io::Result<_>>()?,
        };
        Ok(Namespaces::new(identity, writable, read_only, covered, self.effective.own_proc))
    }

    fn confinement(&self, start: &Start<'_>) -> Result<Confinement, LaunchError> {
        if !self.effective.namespaces && !start.covered.is_empty() {
            return Err(LaunchError::Refused(uncovered(start)));
        }
        let mut writable = vec![start.scratch.path().to_owned()];
        let mut readable = start.readable.clone();
        readable.insert(start.workspace.root.clone());
        if start.request.level == SandboxLevel::WorkspaceWrite {
            if self.effective.namespaces {
                writable.push(start.workspace.root.clone());
            } else {
                let git = start.workspace.git(start.request.level).map_err(LaunchError::Refused)?;
                writable.extend(start.workspace.writable_entries(git.as_deref()));
            }
        }
        if !self.effective.own_proc {
            readable.insert(PathBuf::from("/proc"));
        }
        let ruleset =
            ruleset::build(&readable, &writable, start.request.network).map_err(LaunchError::Failed)?;
        Ok(Confinement::new(ruleset, self.effective.landlock_abi, self.effective.own_proc))
    }
}

enum LaunchError {
    Refused(Error),
    Failed(io::Error),
}

impl From<io::Error> for LaunchError {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// Without namespaces nothing can be laid over a file of the workspace.
fn uncovered(start: &Start<'_>) -> Error {
    Error::Unavailable {
        asked: start.request.level,
        reason: "the workspace holds the server's own data, which cannot be kept from the command here"
            .into(),
        advice: "Keep the database outside of the repository (AGENT_DATABASE_URL), or permit user namespaces"
            .into(),
    }
}

/// The user a command of a root server becomes: the owner of the workspace, unless that is root.
fn workspace_owner(start: &Start<'_>) -> io::Result<Option<(u32, u32)>> {
    if !calls::is_root() {
        return Ok(None);
    }
    let owner = start.workspace.root.metadata()?;
    if owner.uid() == 0 {
        return Ok(None);
    }
    std::os::unix::fs::chown(start.scratch.path(), Some(owner.uid()), Some(owner.gid()))?;
    Ok(Some((owner.uid(), owner.gid())))
}

fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::from)
}

/// The filters of a command, shared with all other commands of its kind.
type SharedFilters = Arc<[seccompiler::BpfProgram]>;
