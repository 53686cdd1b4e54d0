//! `agent doctor`: what this machine offers, and how to mend what it does not.

use crate::exit::{Exit, Outcome};
use crate::output::{Style, Terminal, plain};
use agent_runtime::doctor::{self, Check, CheckStatus};
use agent_runtime::{Overrides, Settings};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  agent doctor
  agent doctor --json
  AGENT_DATABASE_URL=postgres://agent@db/agent agent doctor

Looks, and changes nothing; no language model is asked anything.
Exit codes: 0 everything works, 1 something will be refused or fail.";

/// Arguments of `agent doctor`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Doctor {
    /// Settings file [default: agent.toml, if there is one]
    #[arg(long, value_name = "FILE", env = "AGENT_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(super) async fn run(self, terminal: Terminal) -> Outcome {
        let mut overrides = Overrides::default();
        overrides.config = self.config;
        let settings = Settings::load(overrides)?;
        let checks = doctor::examine(&settings).await;
        let worst = checks.iter().map(|check| check.status).max().unwrap_or(CheckStatus::Ok);
        if self.json {
            terminal.json(&json!({"status": worst, "checks": checks}))?;
        } else {
            checks.iter().for_each(|check| show(&terminal, check));
        }
        Ok(if worst == CheckStatus::Problem { Exit::WorkFailed } else { Exit::Done })
    }
}

fn show(terminal: &Terminal, check: &Check) {
    let mark = match check.status {
        CheckStatus::Ok => terminal.paint(Style::Green, "ok     "),
        CheckStatus::Warning => terminal.paint(Style::Yellow, "warning"),
        CheckStatus::Problem => terminal.paint(Style::Red, "problem"),
    };
    terminal.line(format_args!("{mark} {}: {}", check.name, plain(&check.detail)));
    if let Some(advice) = &check.advice {
        terminal.line(format_args!("        → {}", plain(advice)));
    }
}
