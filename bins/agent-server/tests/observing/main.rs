//! The real server as a process, watched from outside: what it sends to a collector of traces, and what it logs.

#![expect(clippy::unwrap_used, reason = "a test that meets what it did not expect fails, and says where")]

mod collector;
mod logs;
mod traces;

use agent_testkit::{Database, ServerCommand, write_script};
use serde_json::{Value, json};
use std::path::PathBuf;
use tempfile::TempDir;

/// Whoever shows it may scrape.
const SCRAPE_TOKEN: &str = "only-for-scrapes-0123456789";

/// A data folder and a repository.
struct Scene {
    _folder: TempDir,
    data: PathBuf,
    repository: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (data, repository) = (folder.path().join("data"), folder.path().join("repository"));
        std::fs::create_dir(&data).unwrap();
        std::fs::create_dir(&repository).unwrap();
        std::fs::write(repository.join("README.md"), "# Read me\n").unwrap();
        Self { _folder: folder, data, repository }
    }

    /// A server whose scripted model plays these turns.
    fn server(&self, turns: &Value) -> ServerCommand {
        let script = write_script(&self.data, turns).display().to_string();
        let program = env!("CARGO_BIN_EXE_agent-server");
        ServerCommand::new(program, &self.data, &self.repository, &Database::Sqlite)
            .env("AGENT_LLM_PROVIDER", "scripted")
            .env("AGENT_LLM_SCRIPT", script)
            .env("AGENT_METRICS_TOKEN", SCRAPE_TOKEN)
    }

    /// What it has logged.
    fn log(&self) -> String {
        std::fs::read_to_string(self.data.join("server.log")).unwrap()
    }
}

/// A model that reads a file and is done.
fn reads_a_file() -> Value {
    json!([
        {"tool_calls": [{"name": "read_file", "arguments": {"path": "README.md"}}]},
        {"tool_calls": [{"name": "finish", "arguments": {"summary": "read"}}]}
    ])
}

/// A plan that has it read, and one command that fails.
fn plan() -> Value {
    json!({"goal": "Read", "auto_execute": true, "policy": {"on_failure": "continue"}, "tasks": [
        {"description": "Read", "kind": "agent", "reads": ["README.md"], "writes": ["README.md"]},
        {"description": "Fail", "kind": "command", "command": ["false"]}
    ]})
}
