//! `agent plans conversation|say`: what was said about a plan, and more of it.

use crate::backend::Backend;
use crate::exit::{Exit, Outcome};
use crate::output::Terminal;
use crate::plan_view;
use agent_client::MessageFilter;
use agent_core::ids::PlanId;
use clap::Args;
use clap::builder::PossibleValuesParser;

const EXAMPLES: &str = "\
Examples:
  agent plans conversation 7                     all of it, oldest first
  agent plans conversation 7 --role assistant    what the models said
  agent plans conversation 7 --search parser
  agent plans conversation 7 --json > talk.jsonl one message a line";

const SAY_EXAMPLES: &str = "\
Examples:
  agent plans say 7 \"Leave the tests alone\"";

/// Messages read at once.
const PAGE: u32 = 200;

/// Arguments of `agent plans conversation`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Show {
    /// The plan
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    plan_id: i64,
    /// Only what this role said
    #[arg(long, value_parser = PossibleValuesParser::new(["system", "user", "assistant", "tool"]))]
    role: Option<String>,
    /// Only messages that have all of these words
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Print each message as a line of JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `agent plans say`.
#[derive(Debug, Args)]
#[command(after_help = SAY_EXAMPLES)]
pub(super) struct Say {
    /// The plan
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    plan_id: i64,
    /// What is said
    text: String,
}

impl Show {
    pub(super) async fn run(self, backend: &dyn Backend, terminal: Terminal) -> Outcome {
        let plan = PlanId(self.plan_id);
        // A plan that is not there has no messages; that it is not there is what is to be said.
        backend.tasks(plan).await?;
        let mut wanted = MessageFilter {
            plan_id: Some(plan),
            role: self.role,
            text: self.search,
            limit: Some(PAGE),
            cursor: None,
        };
        loop {
            let page = backend.messages(&wanted).await?;
            if self.json {
                for message in page.json["messages"].as_array().map(Vec::as_slice).unwrap_or_default() {
                    terminal.json_line(message)?;
                }
            } else {
                plan_view::show_messages(&terminal, &page.value.messages);
            }
            wanted.cursor = page.value.next_cursor;
            if wanted.cursor.is_none() {
                return Ok(Exit::Done);
            }
        }
    }
}

impl Say {
    pub(super) async fn run(self, backend: &dyn Backend, terminal: Terminal) -> Outcome {
        backend.say(PlanId(self.plan_id), &self.text).await?;
        terminal.note("said; the next call to the plan's model hears it");
        Ok(Exit::Done)
    }
}
