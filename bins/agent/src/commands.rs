//! The commands: what each takes, and which function does it.

mod analytics;
mod approvals;
mod audit;
mod backup;
mod chat;
mod completions;
mod demo;
mod doctor;
mod history;
mod keys;
mod login;
mod man;
mod patch;
mod plan;
mod plans;
mod policy;
mod run;
mod scan;
mod serve;
mod templates;
mod users;

use crate::output::Terminal;
use clap::builder::ValueParser;
use clap::{ArgAction, Parser, Subcommand};
use std::convert::Infallible;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

const EXAMPLES: &str = "\
Examples:
  agent doctor                                    what this machine offers
  agent demo                                      see everything work, on a throwaway repository
  agent scan .                                    what is in this repository
  agent run \"Make the failing tests pass\" --repo .
  agent run --plan plan.yaml --repo .             explicit tasks, no language model
  agent chat --repo .                             a goal, its plan and the work, step by step
  agent approvals list                            what waits for an answer
  agent history                                   what was done, with outcome, duration and tokens
  agent templates search api                      reusable plans
  agent login https://agent.example               ask a server from now on; --local means this machine's data
  agent policy check 'git push'                   what the rules say of a command
  agent patch check fix.patch --repo .            would this patch fit?
  agent serve --dev                               REST API, WebSocket and docs on 127.0.0.1:8000

Exit codes: 0 done, 1 the work failed, 2 wrong usage, 3 needs approval or login, 4 cannot reach the server.";

/// Turns a goal into a plan and the plan into finished, verified work on a real repository.
#[derive(Debug, Parser)]
#[command(name = "agent", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Log warnings to standard error; twice for progress, three times for everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Write no colours (also when NO_COLOR is set)
    #[arg(long, global = true, env = "NO_COLOR", hide_env = true, action = ArgAction::SetTrue,
          value_parser = ValueParser::new(is_said))]
    no_color: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// See everything work: a broken program, a plan, parallel work, a diff and green tests
    Demo(demo::Demo),
    /// Reach a goal in a repository, or carry out an explicit plan, in this process
    Run(Box<run::Run>),
    /// Make a plan for a goal and print it, without carrying it out
    Plan(plan::Plan),
    /// Talk: a goal, its plan, and the work on it
    Chat(chat::Chat),
    /// Look at plans, move and change them
    Plans(plans::Plans),
    /// See what waits for a person, and answer it
    Approvals(approvals::Approvals),
    /// Look through reusable plans
    Templates(templates::Templates),
    /// See what was done, and how it went
    History(history::History),
    /// See figures: how often, how long, what fails, what is slow
    Analytics(analytics::Analytics),
    /// Ask a server from now on, and store the login
    Login(login::Login),
    /// End the session at the server, and forget the login
    Logout(login::Logout),
    /// Say who asks, where, with which roles, and until when
    Whoami(login::Whoami),
    /// Make, list and revoke API keys at a server
    Keys(keys::Keys),
    /// Look after the accounts of a server
    Users(users::Users),
    /// Prove that an exported audit trail is as it was recorded
    Audit(audit::AuditCommand),
    /// Say what the rules allow, ask and deny
    Policy(policy::PolicyCommand),
    /// Look at what this machine offers, and how to mend what it does not
    Doctor(doctor::Doctor),
    /// Describe a repository: languages, sizes, tree, what builds and tests it
    Scan(scan::Scan),
    /// Check or apply a patch: all of it, or nothing; or patch texts in memory
    Patch(patch::Patch),
    /// Serve the REST API, the WebSocket and the documentation
    Serve(serve::Serve),
    /// Copy what a server keeps into one file, while it goes on
    Backup(backup::Backup),
    /// Put a backup where a server finds it
    Restore(backup::Restore),
    /// Print a script that completes commands in a shell
    Completions(completions::Completions),
    /// Print the manual page, or write one for each command
    Man(man::Manual),
}

/// NO_COLOR counts when it is set to anything but the empty text.
fn is_said(text: &str) -> Result<bool, Infallible> {
    Ok(!matches!(text, "" | "false"))
}

impl Cli {
    /// The terminal as the arguments want it used.
    pub(crate) fn terminal(&self) -> Terminal {
        Terminal::detect(self.no_color)
    }
}

/// Does what was asked and answers with the exit code.
pub(crate) async fn run(cli: Cli, terminal: Terminal) -> ExitCode {
    if !matches!(cli.command, Command::Serve(_)) {
        log(cli.verbose);
    }
    let outcome = match cli.command {
        Command::Serve(command) => return Box::pin(command.run()).await,
        Command::Demo(command) => Box::pin(command.run(terminal)).await,
        Command::Run(command) => Box::pin(command.run(terminal)).await,
        Command::Plan(command) => Box::pin(command.run(terminal)).await,
        Command::Chat(command) => Box::pin(command.run(terminal)).await,
        Command::Plans(command) => Box::pin(command.run(terminal)).await,
        Command::Approvals(command) => Box::pin(command.run(terminal)).await,
        Command::Templates(command) => Box::pin(command.run(terminal)).await,
        Command::History(command) => Box::pin(command.run(terminal)).await,
        Command::Analytics(command) => Box::pin(command.run(terminal)).await,
        Command::Login(command) => Box::pin(command.run(terminal)).await,
        Command::Logout(command) => Box::pin(command.run(terminal)).await,
        Command::Whoami(command) => Box::pin(command.run(terminal)).await,
        Command::Keys(command) => Box::pin(command.run(terminal)).await,
        Command::Users(command) => Box::pin(command.run(terminal)).await,
        Command::Audit(command) => command.run(terminal),
        Command::Policy(command) => command.run(terminal),
        Command::Doctor(command) => Box::pin(command.run(terminal)).await,
        Command::Scan(command) => command.run(terminal),
        Command::Patch(command) => command.run(terminal),
        Command::Backup(command) => command.run(terminal),
        Command::Restore(command) => Box::pin(command.run(terminal)).await,
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(terminal),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => {
            terminal.complain(&failure);
            failure.exit.into()
        }
    }
}

/// A command's answer is its output; what the machinery logs is for those who ask for it.
fn log(verbose: u8) {
    let filter = match verbose {
        0 => return,
        1 => "warn",
        2 => "info",
        _ => "debug",
    };
    tracing_subscriber::fmt().with_env_filter(EnvFilter::new(filter)).with_writer(std::io::stderr).init();
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
