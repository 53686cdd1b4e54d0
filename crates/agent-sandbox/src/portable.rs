//! Systems other than Linux: full access with network only, everything else is refused before it gets here.

use std::process::{ExitStatus, Stdio};

use tempfile::TempDir;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use crate::start::Start;
use crate::{
    Backend, CommandRequest, Confiner, ControlGroups, Effective, Error, Exit, HostEnvironment, Isolation,
    scratch,
};

/// Nothing to find out here.
#[derive(Debug)]
pub(crate) struct Platform;

impl Platform {
    pub(crate) fn probe(_host: &HostEnvironment, _backend: Backend) -> (Self, Effective) {
        (Self, Effective { platform: std::env::consts::OS, ..Effective::default() }.with_levels())
    }

    pub(crate) fn start(&self, start: Start<'_>) -> Result<Running, Error> {
        debug_assert!(start.readable.is_empty(), "confined levels are refused before");
        if !start.request.domains.is_empty() {
            let reason = "only Linux can keep a command to named hosts".to_owned();
            return Err(Error::unavailable(start.request.level, reason));
        }
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
        let isolation = isolation(start.request);
        Ok(Running { child, status: None, scratch: start.scratch, isolation })
    }
}

/// A command that was started.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    status: Option<ExitStatus>,
    scratch: TempDir,
    isolation: Isolation,
}

/// Nothing but what every command has.
fn isolation(request: &CommandRequest) -> Isolation {
    Isolation {
        level: request.level,
        backend: Confiner::Own,
        network: request.network,
        own_network: false,
        namespaces: false,
        landlock_abi: 0,
        seccomp: false,
        as_root: false,
        hidden: false,
        process_limit: false,
        cgroup: ControlGroups::None,
        memory_limit: false,
        cpu_limit: false,
    }
}

impl Running {
    pub(crate) fn isolation(&self) -> Isolation {
        self.isolation.clone()
    }

    pub(crate) fn refused_hosts(&self) -> Vec<String> {
        Vec::new()
    }

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

    pub(crate) fn exit(&mut self, _said: &str) -> Result<Exit, Error> {
        const KILLED: i32 = 9;
        Ok(self.status.and_then(|status| status.code()).map_or(Exit::Signal(KILLED), Exit::Code))
    }

    pub(crate) async fn clean_up(self) {
        let Self { scratch, .. } = self;
        // A panic in there leaves the directory behind, and nothing else.
        let _ = tokio::task::spawn_blocking(move || scratch::remove(scratch)).await;
    }
}

pub(crate) fn protect_own_memory() -> std::io::Result<()> {
    Ok(())
}
