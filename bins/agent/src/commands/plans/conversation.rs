//! `agent plans conversation|say`: what was said about a plan, and more of it.

use crate::embedded::Embedded;
use crate::exit::{Exit, Outcome};
use crate::output::Terminal;
use crate::plan_view;
use agent_core::ids::PlanId;
use agent_runtime::WantedMessages;
use agent_server::views::conversation::MessageView;
use clap::Args;
use clap::builder::PossibleValuesParser;

const EXAMPLES: &str = "\
Examples:
  agent plans conversation 7                     all of it, oldest first
  agent plans conversation 7 --role assistant    what the models said
  agent plans conversation 7 --search parser
  agent plans conversation 7 --json > talk.jsonl one message a line";

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
pub(super) struct Say {
    /// The plan
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    plan_id: i64,
    /// What is said
    text: String,
}

impl Show {
    pub(super) async fn run(self, embedded: &Embedded, terminal: Terminal) -> Outcome {
        let Embedded { agent, me } = embedded;
        let plan = agent.plans().state(me, PlanId(self.plan_id)).await?.plan.id;
        let mut wanted = WantedMessages {
            plan_id: Some(plan),
            role: self.role,
            text: self.search,
            after: None,
            limit: PAGE,
        };
        loop {
            let page = agent.conversation().list(me, wanted.clone()).await?;
            if self.json {
                for message in page.messages {
                    terminal.line(serde_json::to_string(&MessageView::from(message))?);
                }
            } else {
                plan_view::show_messages(&terminal, &page.messages);
            }
            wanted.after = page.next;
            if wanted.after.is_none() {
                return Ok(Exit::Done);
            }
        }
    }
}

impl Say {
    pub(super) async fn run(self, embedded: &Embedded, terminal: Terminal) -> Outcome {
        let Embedded { agent, me } = embedded;
        let plan = Some(PlanId(self.plan_id));
        agent.conversation().add(me, "user".to_owned(), self.text, plan, None).await?;
        terminal.note("said; the next call to the plan's model hears it");
        Ok(Exit::Done)
    }
}
