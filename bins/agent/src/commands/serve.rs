//! `agent serve`: the server as a command, with the flags and the behaviour of `agent-server`.

use crate::exit::{Exit, Failure, Outcome};
use crate::output::Terminal;
use crate::signals::interrupted;
use agent_runtime::{Agent, LogFormat, Overrides, Settings};
use agent_server::{ServeOptions, serve};
use clap::Args;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

const EXAMPLES: &str = "\
Examples:
  agent serve --dev
      A server on http://127.0.0.1:8000 with the demo accounts demo/demo123 and admin/admin123.
  agent serve --bind 127.0.0.1:0 --repository-root ~/projects --database-url sqlite:///var/lib/agent/agent.db
  AGENT_LLM_PROVIDER=openai AGENT_LLM_BASE_URL=http://127.0.0.1:8080/v1 agent serve --dev

Every flag has an AGENT_… variable and a key in agent.toml.";

/// Running tasks may finish within this time after the server was told to stop.
const GRACE: Duration = Duration::from_secs(6);

/// Arguments of `agent serve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
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
    /// Print the effective settings, secrets masked, and exit
    #[arg(long)]
    print_config: bool,
}

impl Serve {
    pub(super) async fn run(self, terminal: Terminal) -> Outcome {
        let print_config = self.print_config;
        let settings = Settings::load(self.overrides())?;
        if print_config {
            terminal.line(settings.to_masked_toml().trim_end());
            return Ok(Exit::Done);
        }
        start_logging(&settings)?;
        let bind = settings.bind;
        let listener = TcpListener::bind(bind).map_err(|error| {
            Failure::work(format!("cannot listen on {bind}: {error}; choose another address with --bind"))
        })?;
        let agent = Agent::start(settings).await?;
        if let Some(password) = agent.first_password() {
            terminal.note(format_args!(
                "The account `admin` was created with the one-time password {password}\n\
                 It is not shown again; change it with PUT /auth/password."
            ));
        }
        let server = serve(agent.clone(), listener, ServeOptions::default()).await?;
        terminal.line(format_args!("agent-server ready on {}", server.url()));
        interrupted().await;
        tracing::info!("stopping: no new work is taken");
        server.stop().await;
        agent.stop_within(GRACE).await;
        Ok(Exit::Done)
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

fn start_logging(settings: &Settings) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&settings.log)
        .map_err(|error| Failure::usage(format!("log: {:?} is not a filter: {error}", settings.log)))?;
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match settings.log_format {
        LogFormat::Text => subscriber.try_init(),
        LogFormat::Json => subscriber.json().try_init(),
    };
    started.map_err(|error| Failure::work(format!("logging cannot be started: {error}")))
}
