//! The server as a program of its own; all it does is in [`agent_server::ServerArguments`].

use agent_server::ServerArguments;
use clap::Parser;
use std::process::ExitCode;

/// Less memory than the system's allocator keeps for the same work.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EXAMPLES: &str = "Examples:
  agent-server --dev
      A server on http://127.0.0.1:8000 with the demo accounts demo/demo123 and admin/admin123.
  agent-server --bind 127.0.0.1:0 --repository-root ~/projects --database-url sqlite:///var/lib/agent/agent.db
  AGENT_LLM_PROVIDER=openai AGENT_LLM_BASE_URL=http://127.0.0.1:8080/v1 AGENT_LLM_MODEL=qwen agent-server --dev

Every flag has an AGENT_… variable and a key in agent.toml; see docs/operations.md.";

/// Turns goals into plans and plans into finished, verified work, over REST and WebSocket.
#[derive(Debug, Parser)]
#[command(name = "agent-server", version, after_help = EXAMPLES)]
struct Arguments {
    #[command(flatten)]
    server: ServerArguments,
}

#[tokio::main]
async fn main() -> ExitCode {
    Arguments::parse().server.run().await
}
