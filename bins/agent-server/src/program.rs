//! The server as a program: flags, logging, the ready line, signals, exit codes. `agent-server` and
//! `agent serve` are both this.

use crate::masked_log::MaskedLog;
use crate::server::{ServeOptions, serve};
use crate::traces::Traces;
use agent_runtime::{Agent, LogFormat, Overrides, Settings};
use anyhow::Context;
use clap::Args;
use std::io::{IsTerminal, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

/// Running tasks may finish within this time after the server was told to stop.
const GRACE: Duration = Duration::from_secs(6);
/// How long the last spans may take to reach their collector.
const LAST_SPANS: Duration = Duration::from_secs(1);
/// Why a server ends by itself.
const STORAGE_FAILED: &str = "the storage failed while it was written to, so nothing more can be promised. \
    What was acknowledged before is kept. Check the disk, then start the server again.";
/// How often free memory is returned to the system.
const TIDY_EVERY: Duration = Duration::from_secs(5);
/// An allocation that is large enough to make the allocator look after its free memory.
const OCCASION: usize = 8 * 1024 * 1024;
/// The web server tells at `info` how it starts its threads, which is of use to nobody else; the client of NATS tells of
/// every attempt to connect, where once is enough (`agent_events` does).
const QUIET: &str = "actix_server=warn,async_nats=off";

/// The flags of a server. Each has an `AGENT_…` variable and a key in `agent.toml`, too.
#[derive(Debug, Args)]
pub struct ServerArguments {
    /// Address to listen on; port 0 picks a free one [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<String>,
    /// Where the data is: sqlite://PATH or postgres://USER@HOST/DATABASE [default: sqlite://agent.db]
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Demo accounts; only on a loopback address
    #[arg(long)]
    dev: bool,
    /// The settings file [default: agent.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A folder below which repositories must lie; may be given several times [default: the current folder]
    #[arg(long = "repository-root", value_name = "FOLDER")]
    repository_roots: Vec<PathBuf>,
    /// The language model's provider: openai, anthropic, gemini, ollama or scripted [default: detected]
    #[arg(long, value_name = "NAME")]
    llm_provider: Option<String>,
    /// The scripted model's file
    #[arg(long, value_name = "FILE")]
    llm_script: Option<PathBuf>,
    /// What is logged, such as info or agent_server=debug [default: info]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
    /// Print the effective settings, secrets masked, and exit
    #[arg(long)]
    print_config: bool,
}

impl ServerArguments {
    /// Runs the server until SIGTERM or SIGINT. Answers with the exit code: 0 after an orderly stop, 2 for
    /// wrong settings, 1 for anything else, and says on standard error what it is.
    ///
    /// Must be called in a Tokio runtime with several threads.
    pub async fn run(self) -> ExitCode {
        let print_config = self.print_config;
        let settings = match Settings::load(self.overrides()) {
            Ok(settings) => settings,
            Err(error) => return fail(2, &error.to_string()),
        };
        if print_config {
            let printed = write!(std::io::stdout(), "{}", settings.to_masked_toml());
            return if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        let traces = match start_logging(&settings) {
            Ok(traces) => traces,
            Err(reason) => return fail(2, &reason),
        };
        if let Err(error) = agent_runtime::protect_own_memory() {
            tracing::warn!(%error, "other processes of this user can read the memory of the server");
        }
        match serve_until_told(settings, traces).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(if is_settings(&error) { 2 } else { 1 }, &format!("{error:#}")),
        }
    }

    fn overrides(self) -> Overrides {
        let roots = (!self.repository_roots.is_empty()).then_some(self.repository_roots);
        let mut overrides = Overrides::default()
            .bind(self.bind)
            .database_url(self.database_url)
            .dev(self.dev)
            .repository_roots(roots)
            .llm(self.llm_provider, self.llm_script)
            .log(self.log);
        overrides.config = self.config;
        overrides
    }
}

fn fail(code: u8, reason: &str) -> ExitCode {
    // Where even standard error is gone, the exit code still tells.
    let _ = writeln!(std::io::stderr(), "agent-server: {reason}");
    ExitCode::from(code)
}

/// Whether the start failed because of what the settings say.
fn is_settings(error: &anyhow::Error) -> bool {
    use agent_core::model::ModelError::Misconfigured;
    use agent_runtime::{Error, StoreError};
    match error.downcast_ref() {
        Some(Error::Settings(_) | Error::Model(Misconfigured(_))) => true,
        Some(Error::Auth(agent_auth::Error::WeakSecret(_) | agent_auth::Error::RepeatedSecret)) => true,
        Some(Error::Core(agent_core::Error::RepositoryRefused { .. })) => true,
        Some(Error::Store(error)) => matches!(
            error,
            StoreError::UnknownScheme(_)
                | StoreError::InMemory
                | StoreError::OptionsRefused
                | StoreError::Address(_)
                | StoreError::Certificates(_)
                | StoreError::MissingFolder(_)
        ),
        _ => false,
    }
}

/// Begins to log, and to send traces where the settings name a collector.
fn start_logging(settings: &Settings) -> Result<Option<Traces>, String> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", settings.log))
        .map_err(|error| format!("log: {:?} is not a filter: {error}", settings.log))?;
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(MaskedLog::new(agent_runtime::redactor(settings)));
    let lines = match settings.log_format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().with_filter(filter).boxed(),
    };
    let traces = settings.observing.otlp_endpoint.as_deref().map(Traces::start).transpose()?;
    let spans = traces.as_ref().map(Traces::layer);
    let started = tracing_subscriber::registry().with(lines).with(spans).try_init();
    started.map_err(|error| error.to_string())?;
    Ok(traces)
}

async fn serve_until_told(settings: Settings, traces: Option<Traces>) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let bind = settings.bind;
    let options = ServeOptions {
        cors_origins: settings.cors_origins.clone(),
        traces: traces.clone(),
        ..ServeOptions::default()
    };
    let listener =
        TcpListener::bind(bind).with_context(|| format!("cannot listen on {bind}; choose another --bind"))?;
    let agent = Agent::start(settings).await?;
    if let Some(password) = agent.first_password() {
        let text = format!("The account `admin` has the one-time password {password}");
        writeln!(
            std::io::stderr(),
            "{text}\nIt is not shown again, and is good for one login within an hour: set a password of yours with PUT /auth/password."
        )?;
    }
    let server = serve(agent.clone(), listener, options).await?;
    writeln!(std::io::stdout(), "agent-server ready on {}", server.url())?;
    std::io::stdout().flush()?;
    let tidying = tokio::spawn(give_memory_back());
    let failed = tokio::select! {
        _ = terminate.recv() => false,
        _ = interrupt.recv() => false,
        () = agent.storage_failed() => true,
    };
    tracing::info!("stopping: no new work is taken");
    tidying.abort();
    server.stop().await;
    // What could not be recorded any more is not worth waiting for.
    agent.stop_within(if failed { Duration::ZERO } else { GRACE }).await;
    if let Some(traces) = traces {
        traces.stop(LAST_SPANS).await;
    }
    anyhow::ensure!(!failed, STORAGE_FAILED);
    Ok(())
}

/// Lets go of memory that is free. The allocator returns what was freed a while ago (19 MiB for each password
/// checked at once) only on the occasion of a later large allocation, which an idle server never makes.
async fn give_memory_back() {
    let mut ticks = tokio::time::interval(TIDY_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        drop(std::hint::black_box(Vec::<u8>::with_capacity(OCCASION)));
    }
}
