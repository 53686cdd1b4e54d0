//! Systems other than Linux: full access with network only, everything else is refused before it gets here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use tempfile::TempDir;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use crate::workspace::Workspace;
use crate::{CommandRequest, Effective, Error, Exit, scratch};

/// Nothing to find out here.
#[derive(Debug)]
pub(crate) struct Platform;

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
        let effective = Effective {
            platform: std::env::consts::OS,
            landlock_abi: 0,
            seccomp: false,
            namespaces: false,
            own_proc: false,
            network_isolation: false,
            process_limit: false,
            running_as_root: false,
            levels: Vec::new(),
        };
        (Self, effective)
    }

    pub(crate) fn start(&self, start: Start<'_>) -> Result<Running, Error> {
        debug_assert!(start.readable.is_empty(), "confined levels are refused before");
        let child = Command::new(&start.program)
            .args(&start.request.program_and_args[1..])
            .current_dir(&start.workspace.working_directory)
            .env_clear()
            .envs(&start.variables)
            .stdin(if start.with_stdin { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|source| Error::Spawn { program: start.program.display().to_string(), source })?;
        Ok(Running { child, status: None, scratch: start.scratch })
    }
}

/// A command that was started.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    status: Option<ExitStatus>,
    scratch: TempDir,
}

impl Running {
    pub(crate) fn take_streams(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdin.take(), self.child.stdout.take(), self.child.stderr.take())
    }

    pub(crate) async fn ended(&mut self) {
        self.status = self.child.wait().await.ok();
    }

    pub(crate) fn stop(&mut self) {
        // Fails only if it is gone.
        let _ = self.child.start_kill();
    }

    pub(crate) fn force(&mut self) {
        self.stop();
    }

    pub(crate) fn exit(&self) -> Exit {
        const KILLED: i32 = 9;
        self.status.and_then(|status| status.code()).map_or(Exit::Signal(KILLED), Exit::Code)
    }

    pub(crate) async fn clean_up(self) {
        let Self { scratch, .. } = self;
        // A panic in there leaves the directory behind, and nothing else.
        let _ = tokio::task::spawn_blocking(move || scratch::remove(scratch)).await;
    }
}
