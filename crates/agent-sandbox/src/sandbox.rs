//! The front door: what can be enforced is found out once, then commands are run or refused.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::environment::{find_program, of_command};
use crate::guard::Guard;
use crate::linux::{Platform, Running};
use crate::readable::Readable;
use crate::start::Start;
use crate::workspace::Workspace;
use crate::{Backend, CommandOutcome, CommandRequest, Effective, Error, HostEnvironment, OutputSink};
use crate::{drive, scratch};

/// Runs commands. Cheap to clone; all clones share what was found out at the start.
#[derive(Debug, Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    host: HostEnvironment,
    inherited: BTreeMap<String, String>,
    readable: Readable,
    effective: Effective,
    platform: Platform,
}

impl Sandbox {
    /// Finds out what this machine can enforce by trying it, and which directories the toolchains of `host` need.
    /// Takes some milliseconds; do it once.
    #[must_use]
    pub fn probe(host: HostEnvironment) -> Self {
        Self::probe_hiding(host, &[])
    }

    /// As [`Sandbox::probe`], keeping `hidden` (the data and settings of the server) unreadable even where
    /// they lie below a directory that commands may read, such as `/opt`, or in a workspace.
    #[must_use]
    pub fn probe_hiding(host: HostEnvironment, hidden: &[PathBuf]) -> Self {
        Self::probe_with(host, hidden, Backend::Auto)
    }

    /// As [`Sandbox::probe_hiding`], confining commands in the way that is named.
    #[must_use]
    pub fn probe_with(host: HostEnvironment, hidden: &[PathBuf], backend: Backend) -> Self {
        let inherited = host.inherited();
        let readable = Readable::new(host.home(), &inherited, hidden);
        let (platform, effective) = Platform::probe(&host, backend);
        Self { inner: Arc::new(Inner { host, inherited, readable, effective, platform }) }
    }

    /// What this machine can enforce.
    #[must_use]
    pub fn effective(&self) -> &Effective {
        &self.inner.effective
    }

    /// Runs a command to its end. Output goes to `on_output` as it comes and, bounded, into the outcome.
    /// When `cancel` fires or the future is dropped, the command and all it started are killed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if the level or the lack of network cannot be enforced, [`Error::EmptyCommand`],
    /// [`Error::NotFound`], [`Error::WorkingDirectory`], [`Error::Scratch`], [`Error::Spawn`]. The command has
    /// not run in any of these cases. A command that fails is an outcome.
    pub async fn run(
        &self,
        mut request: CommandRequest,
        cancel: CancellationToken,
        on_output: &mut (dyn OutputSink + Send),
    ) -> Result<CommandOutcome, Error> {
        let (level, network) = (request.level, request.network);
        if let Some(reason) = self.effective().obstacle(level, network) {
            return Err(Error::unavailable(level, reason));
        }
        let limits = request.limits.clone();
        let stdin = request.stdin.take();
        let program = request.program_and_args.first().cloned().unwrap_or_default();
        let inner = Arc::clone(&self.inner);
        // Starting waits for the new process to take its restrictions on, so it must not hold up a reactor.
        let running =
            tokio::task::spawn_blocking(move || inner.start(&request, stdin.is_some()).map(|it| (it, stdin)))
                .await
                .map_err(|gone| Error::Spawn { program, source: std::io::Error::other(gone) })?;
        let (running, stdin) = running?;
        drive::to_end(running, stdin, &limits, cancel, on_output).await
    }
}

impl Inner {
    fn start(&self, request: &CommandRequest, with_stdin: bool) -> Result<Running, Error> {
        let name = request.program_and_args.first().ok_or(Error::EmptyCommand)?;
        let workspace = Workspace::resolve(request)?;
        let scratch = scratch::create(&self.host.temporary()).map_err(Error::Scratch)?;
        let variables = of_command(&self.inherited, request, scratch.path());
        let program = find_program(name, &variables, &workspace.working_directory)?;
        let (mut readable, mut guard) = Default::default();
        if request.level.is_confined() {
            readable = self.readable.of_command();
            let server_data = self.readable.hidden_in(&workspace.root);
            if !server_data.is_empty() && !self.effective.hidden_paths {
                return Err(uncovered(request));
            }
            guard = Guard::of_command(request, &workspace, server_data)?;
        }
        self.platform.start(Start {
            request,
            with_stdin,
            workspace,
            scratch,
            variables,
            program,
            readable,
            guard,
        })
    }
}

/// Without namespaces nothing can be laid over a file of the workspace.
fn uncovered(request: &CommandRequest) -> Error {
    Error::Unavailable {
        asked: request.level,
        reason: "the workspace holds the server's own data, which cannot be kept from the command here"
            .into(),
        advice: "Keep the database outside of the repository (AGENT_DATABASE_URL), or permit user namespaces"
            .into(),
    }
}
