//! `agent plans events`: what happened to a plan, and what happens to it, here or at a server.

use crate::backend::Backend;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{Terminal, one_line};
use crate::plan_view::exit_of;
use crate::signals::interrupted;
use crate::table::cut;
use agent_client::EventBody;
use agent_core::event::{EVENT_NAMES, Event};
use agent_core::ids::PlanId;
use agent_events::envelope_json;
use clap::Args;
use clap::builder::PossibleValuesParser;
use futures_util::StreamExt;
use serde_json::Value;

const EXAMPLES: &str = "\
Examples:
  agent plans events 7
  agent plans events 7 --follow
  agent plans events 7 --follow --only task_completed,plan_updated --json
  AGENT_TOKEN=… agent plans events 7 --follow --server https://agent.example

A broken connection to a server is opened again, and goes on where it was. Following ends with the plan.";

/// Arguments of `agent plans events`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Events {
    /// The plan
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    plan_id: i64,
    /// Go on until the plan has ended
    #[arg(long, short)]
    follow: bool,
    /// Only events behind this position
    #[arg(long, value_name = "SEQ", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    after: i64,
    /// Only events of these names
    #[arg(long, value_name = "EVENTS", value_delimiter = ',', value_parser = PossibleValuesParser::new(EVENT_NAMES))]
    only: Vec<String>,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

impl Events {
    pub(super) async fn run(&self, backend: &dyn Backend, terminal: Terminal) -> Outcome {
        let id = PlanId(self.plan_id);
        let mut after = self.after;
        loop {
            // Looked at before the log is read: what ended the plan is in the log then.
            let status = backend.plan(id).await?.value.plan.status;
            let (position, ended) = self.show_recorded(backend, id, after, terminal).await?;
            after = position;
            if !self.follow {
                return Ok(Exit::Done);
            }
            if status.is_terminal() {
                return Ok(exit_of(status));
            }
            if ended {
                // It ended after it was looked at, or goes on after an end.
                continue;
            }
            let Some(position) = self.show_coming(backend, id, after, terminal).await? else {
                return Ok(Exit::Done);
            };
            after = position;
        }
    }

    /// Shows what is recorded behind a position; says where that ends, and whether the plan ended in it.
    async fn show_recorded(
        &self,
        backend: &dyn Backend,
        id: PlanId,
        mut after: i64,
        terminal: Terminal,
    ) -> Result<(i64, bool), Failure> {
        let mut ended = false;
        loop {
            let (events, next) = backend.events(id, after).await?;
            for event in &events {
                self.show(event, terminal)?;
                ended |= ends_plan(event);
            }
            if next == after {
                return Ok((after, ended));
            }
            after = next;
        }
    }

    /// Shows what happens up to the next end of the plan, and says where that is; `None` when the person has seen enough.
    async fn show_coming(
        &self,
        backend: &dyn Backend,
        id: PlanId,
        after: i64,
        terminal: Terminal,
    ) -> Result<Option<i64>, Failure> {
        let mut events = backend.follow(id, after).await?;
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                () = interrupted() => return Ok(None),
            };
            let Some(event) = event.transpose()? else { return Ok(None) };
            self.show(&event, terminal)?;
            if ends_plan(&event) {
                return Ok(Some(event.seq));
            }
        }
    }

    fn show(&self, event: &Event, terminal: Terminal) -> Result<(), Failure> {
        if !self.only.is_empty() && !self.only.iter().any(|name| name == event.body.name()) {
            return Ok(());
        }
        let json = envelope_json(event);
        if self.json {
            terminal.json_text(&json);
        } else {
            let line = told(&serde_json::from_str(&json)?);
            terminal.line(terminal.width.map_or_else(|| line.clone(), |width| cut(&line, width)));
        }
        Ok(())
    }
}

fn ends_plan(event: &Event) -> bool {
    matches!(&event.body, EventBody::PlanUpdated { status, .. } if status.is_terminal())
}

/// An event in one line: when, what, which task, and its own fields.
fn told(event: &Value) -> String {
    const COMMON: [&str; 6] = ["seq", "cursor", "event", "plan_id", "task_id", "timestamp"];
    let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
    let own = event.as_object().into_iter().flatten().filter(|(name, _)| !COMMON.contains(&name.as_str()));
    let own: Vec<String> = own
        .map(|(name, value)| {
            format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        })
        .collect();
    let task = event["task_id"].as_i64().map(|id| format!(" task {id}")).unwrap_or_default();
    format!("{:>4} {} {}{task} {}", event["seq"], text("timestamp"), text("event"), one_line(&own.join(" ")))
}
