//! What commands can and cannot do, tried with real processes on the machine the tests run on.
//!
//! Where the kernel cannot enforce a level, the tests of that level print why and check the refusal instead.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests fail and tell like tests")]

mod confinement;
mod ending;
mod escape;
mod guarded;
mod limits;
mod network;
mod proxy;
mod refusal;
mod rounds;
mod running;
mod toolchains;
mod without_namespaces;

use std::path::{Path, PathBuf};
use std::time::Duration;

use agent_sandbox::{
    Backend, CommandOutcome, CommandRequest, Confiner, Error, HostEnvironment, Limits, Sandbox, SandboxLevel,
    Silent,
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// A sandbox and a workspace for one test, beside a place that is nobody's business.
struct Bench {
    sandbox: Sandbox,
    outside: TempDir,
    workspace: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self::with_host(host())
    }

    fn with_host(host: HostEnvironment) -> Self {
        Self::on(Sandbox::probe_with(host, &[], backend()))
    }

    fn on(sandbox: Sandbox) -> Self {
        let directory = || tempfile::tempdir().unwrap();
        Self { sandbox, outside: directory(), workspace: directory() }
    }

    /// Whether bubblewrap does it, which tells some things in another way.
    fn is_wrapped(&self) -> bool {
        self.sandbox.effective().backend == Confiner::Bubblewrap
    }

    /// `None`, after checking that commands are refused, where the level cannot be enforced.
    async fn enforcing(level: SandboxLevel) -> Option<Self> {
        let bench = Self::new();
        let support = bench.sandbox.effective().levels.iter().find(|support| support.level == level).unwrap();
        let Some(reason) = support.reason.clone() else { return Some(bench) };
        println!("not enforceable here: {reason}");
        let canary = bench.workspace.path().join("canary");
        let refused = bench.run(bench.request(["touch", "canary"]).level(level)).await;
        assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
        assert!(!canary.exists(), "a refused command has run");
        None
    }

    fn request<const N: usize>(&self, command: [&str; N]) -> CommandRequest {
        CommandRequest::new(self.workspace.path(), command)
            .limits(Limits { wall: Duration::from_secs(60), ..Limits::default() })
    }

    fn shell(&self, script: &str) -> CommandRequest {
        self.request(["sh", "-c", script])
    }

    async fn run(&self, request: CommandRequest) -> Result<CommandOutcome, Error> {
        self.sandbox.run(request, CancellationToken::new(), &mut Silent).await
    }

    async fn outcome(&self, request: CommandRequest) -> CommandOutcome {
        self.run(request).await.unwrap()
    }

    fn write(&self, path: &str, text: &str) -> PathBuf {
        write(&self.workspace.path().join(path), text)
    }
}

fn write(path: &Path, text: &str) -> PathBuf {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
    path.to_owned()
}

#[expect(clippy::disallowed_methods, reason = "the tests run with the toolchains of whoever runs them")]
fn host() -> HostEnvironment {
    std::env::vars().collect()
}

/// Whether a program can be started at all here, so that a test of it means something.
async fn has(bench: &Bench, program: &str) -> bool {
    let request = bench.request([program, "--version"]).level(SandboxLevel::FullAccess).network(true);
    let found = bench.run(request).await.is_ok_and(|outcome| outcome.succeeded());
    if !found {
        println!("{program} is not installed here");
    }
    found
}

/// Tells a copy of this test program that was started by a test what it is for.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    NoNamespaces,
    DyingServer,
    ProtectedServer,
    /// One more round of all tests, as another user or with another way of confining commands.
    Round,
}

impl Inside {
    const VARIABLE: &str = "AGENT_SANDBOX_TEST_INSIDE";

    #[expect(clippy::disallowed_methods, reason = "the test program talks to its own copy")]
    fn current() -> Option<Self> {
        let name = std::env::var(Self::VARIABLE).ok()?;
        let all = [Self::NoNamespaces, Self::DyingServer, Self::ProtectedServer, Self::Round];
        all.into_iter().find(|inside| inside.name() == name)
    }

    #[expect(clippy::disallowed_methods, reason = "the test program starts its own copy, unconfined")]
    fn rerun(self, program: impl AsRef<std::ffi::OsStr>) -> std::process::Command {
        let mut command = std::process::Command::new(program);
        command.env(Self::VARIABLE, self.name());
        command
    }

    fn name(self) -> &'static str {
        match self {
            Self::NoNamespaces => "no-namespaces",
            Self::DyingServer => "dying-server",
            Self::ProtectedServer => "protected-server",
            Self::Round => "round",
        }
    }
}

/// Set for a round with bubblewrap.
const BACKEND_VARIABLE: &str = "AGENT_SANDBOX_TEST_BACKEND";

#[expect(clippy::disallowed_methods, reason = "the test program talks to its own copy")]
fn backend() -> Backend {
    match std::env::var(BACKEND_VARIABLE).as_deref() {
        Ok("bubblewrap") => Backend::Bubblewrap,
        _ => Backend::Auto,
    }
}
