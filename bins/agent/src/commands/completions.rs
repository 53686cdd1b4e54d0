//! `agent completions`: a script that completes commands in a shell.

use super::Cli;
use crate::exit::{Exit, Outcome};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  agent completions bash > ~/.local/share/bash-completion/completions/agent
  agent completions zsh > \"${fpath[1]}/_agent\"
  agent completions fish > ~/.config/fish/completions/agent.fish";

/// Arguments of `agent completions`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Outcome {
        clap_complete::generate(self.shell, &mut Cli::command(), "agent", &mut std::io::stdout());
        Ok(Exit::Done)
    }
}
