//! The server as a program: reads settings, starts the agent, serves it until it is told to stop.

use agent_runtime::{Agent, LogFormat, Overrides, Settings};
use agent_server::{ServeOptions, serve};
use anyhow::Context;
use clap::Parser;
use std::io::{IsTerminal, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Less memory than the system's allocator keeps for the same work.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Running tasks may finish within this time after the server was told to stop.
const GRACE: Duration = Duration::from_secs(6);

const EXAMPLES: &str = "Examples:
  agent-server --dev
      A server on http://127.0.0.1:8000 with the demo accounts demo/demo123 and admin/admin123.
  agent-server --bind 127.0.0.1:0 --repository-root ~/projects --database-url sqlite:///var/lib/agent/agent.db
  AGENT_LLM_PROVIDER=openai AGENT_LLM_BASE_URL=http://127.0.0.1:8080/v1 agent-server --dev

Every flag has an AGENT_… variable and a key in agent.toml; see docs/operations.md.";

/// Turns goals into plans and plans into finished, verified work, over REST and WebSocket.
#[derive(Debug, Parser)]
#[command(name = "agent-server", version, after_help = EXAMPLES)]
struct Arguments {
    /// Address to listen on; port 0 picks a free one [default: 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS")]
    bind: Option<String>,
    /// Where the data is, as sqlite://PATH [default: sqlite://agent.db]
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
    /// Prints the effective settings, secrets masked, and exits
    #[arg(long)]
    print_config: bool,
}

impl Arguments {
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

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let print_config = arguments.print_config;
    let settings = match Settings::load(arguments.overrides()) {
        Ok(settings) => settings,
        Err(error) => return fail(2, &error.to_string()),
    };
    if print_config {
        let printed = write!(std::io::stdout(), "{}", settings.to_masked_toml());
        return if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    if let Err(reason) = start_logging(&settings) {
        return fail(2, &reason);
    }
    match run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(if is_settings(&error) { 2 } else { 1 }, &format!("{error:#}")),
    }
}

fn fail(code: u8, reason: &str) -> ExitCode {
    // Where even stderr is gone, the exit code still tells.
    let _ = writeln!(std::io::stderr(), "agent-server: {reason}");
    ExitCode::from(code)
}

fn is_settings(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(agent_runtime::Error::Settings(_)))
}

fn start_logging(settings: &Settings) -> Result<(), String> {
    let filter = EnvFilter::try_new(&settings.log)
        .map_err(|error| format!("log: {:?} is not a filter: {error}", settings.log))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match settings.log_format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().try_init(),
    };
    started.map_err(|error| error.to_string())
}

#[tokio::main]
async fn run(settings: Settings) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let bind = settings.bind;
    let listener =
        TcpListener::bind(bind).with_context(|| format!("cannot listen on {bind}; choose another --bind"))?;
    let agent = Agent::start(settings).await?;
    if let Some(password) = agent.first_password() {
        let text = format!("The account `admin` was created with the one-time password {password}");
        writeln!(std::io::stderr(), "{text}\nIt is not shown again; change it with PUT /auth/password.")?;
    }
    let server = serve(agent.clone(), listener, ServeOptions::default()).await?;
    writeln!(std::io::stdout(), "agent-server ready on {}", server.url())?;
    std::io::stdout().flush()?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: no new work is taken");
    server.stop().await;
    agent.stop_within(GRACE).await;
    Ok(())
}
