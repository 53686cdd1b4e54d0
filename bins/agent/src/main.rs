//! The command line: what a person types.
//!
//! Knows the terminal, the arguments and the exit codes. Never knows how plans are executed, stored or
//! served: that is asked of `agent-runtime`, in this process, or of a server over `agent-client`.
//!
//! Exit codes: 0 done, 1 the work failed, 2 wrong usage, 3 needs approval or login, 4 cannot reach the server.

mod backend;
mod commands;
mod demo;
mod diff;
mod embedded;
mod exit;
mod follow;
mod logins;
mod output;
mod password;
mod plan_file;
mod plan_view;
mod progress;
mod questions;
mod signals;
mod sparkline;
mod table;
mod watch;

use clap::Parser;
use commands::Cli;
use exit::{Exit, Failure};
use std::process::ExitCode;
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long work on other threads may take to end once the answer is out.
const LAST_WORK: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let cli = Cli::parse();
    let terminal = cli.terminal();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            terminal.complain(&Failure::work(format!("threads cannot be started: {error}")));
            return Exit::WorkFailed.into();
        }
    };
    let code = runtime.block_on(commands::run(cli, terminal));
    runtime.shutdown_timeout(LAST_WORK);
    code
}
