//! `agent serve`: the server as a command, with the flags and the behaviour of `agent-server`.

use agent_server::ServerArguments;
use clap::Args;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  agent serve --dev
      A server on http://127.0.0.1:8000 with the demo accounts demo/demo123 and admin/admin123.
  agent serve --bind 127.0.0.1:0 --repository-root ~/projects --database-url sqlite:///var/lib/agent/agent.db
  AGENT_LLM_PROVIDER=openai AGENT_LLM_BASE_URL=http://127.0.0.1:8080/v1 AGENT_LLM_MODEL=qwen agent serve --dev

Every flag has an AGENT_… variable and a key in agent.toml.";

/// Arguments of `agent serve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    #[command(flatten)]
    server: ServerArguments,
}

impl Serve {
    pub(super) async fn run(self) -> ExitCode {
        self.server.run().await
    }
}
