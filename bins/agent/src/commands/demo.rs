//! `agent demo`: see everything work.

use crate::demo::{self, Options};
use crate::embedded::EmbeddedArguments;
use crate::exit::Outcome;
use crate::output::Terminal;
use clap::Args;

const EXAMPLES: &str = "\
Examples:
  agent demo                  takes some seconds, needs no key, leaves nothing behind
  agent demo --keep           stays up afterwards, to look at /docs and /redoc
  agent demo --json           one JSON document in place of the story

Makes a small Python program whose tests fail, starts the server on a loopback port, and has the tests
mended: a plan from the language model, two tasks in parallel, patches, a sandboxed test run. Without a
language model a script says what a model would say; everything else is real.
Exit code 0 only if the tests are green at the end.";

/// Arguments of `agent demo`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Demo {
    /// Stay up until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Print one JSON document in place of the story
    #[arg(long)]
    json: bool,
    /// Port to listen on, on 127.0.0.1; 0 picks a free one
    #[arg(long, default_value_t = 0, value_name = "N")]
    port: u16,
    /// Use the script even where a language model is configured
    #[arg(long)]
    scripted: bool,
    #[command(flatten)]
    embedded: EmbeddedArguments,
}

impl Demo {
    pub(super) async fn run(self, terminal: Terminal) -> Outcome {
        let Self { keep, json, port, scripted, embedded } = self;
        demo::run(Options { keep, json, port, scripted, embedded }, terminal).await
    }
}
