//! `agent plans events`: what happened to a plan, and what happens to it, here or at a server.

use super::PAGE;
use crate::embedded::Embedded;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{Terminal, short};
use crate::plan_view::exit_of;
use crate::signals::interrupted;
use agent_client::{Client, EventBody, Topic};
use agent_core::event::{EVENT_NAMES, Event};
use agent_core::ids::PlanId;
use agent_events::envelope_json;
use agent_runtime::EventQuery;
use clap::Args;
use clap::builder::PossibleValuesParser;
use futures_util::{Stream, StreamExt};
use serde_json::Value;
use std::pin::pin;
use std::time::Duration;

const EXAMPLES: &str = "\
Examples:
  agent plans events 7
  agent plans events 7 --follow
  agent plans events 7 --follow --only task_completed,plan_updated --json
  AGENT_TOKEN=… agent plans events 7 --follow --server https://agent.example

With --server the token comes from AGENT_TOKEN or the key from AGENT_API_KEY; a broken connection is opened again, and goes on
where it was. Following ends with the plan.";

/// How long to wait for the next event of a plan in the user's data folder before the plan is looked at again.
const WAIT: Duration = Duration::from_secs(30);

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
    /// Ask this server instead of the user's data folder
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The access token for the server
    #[arg(long, value_name = "TOKEN", env = "AGENT_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The API key for the server, where there is no token
    #[arg(long, value_name = "KEY", env = "AGENT_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
}

impl Events {
    /// Whether it asks a server, and needs nothing of the user's data folder.
    pub(super) fn is_remote(&self) -> bool {
        self.server.is_some()
    }

    /// Reads the events of a plan in the user's data folder.
    pub(super) async fn run(&self, embedded: &Embedded, terminal: Terminal) -> Outcome {
        let (plans, id) = (embedded.agent.plans(), PlanId(self.plan_id));
        let mut after = self.after;
        loop {
            let wait = if self.follow { WAIT } else { Duration::ZERO };
            let query = EventQuery { after, limit: PAGE, wait };
            let page = tokio::select! {
                page = plans.events(&embedded.me, id, query) => page?,
                () = interrupted() => return Ok(Exit::Done),
            };
            for event in &page.events {
                self.show(event, terminal)?;
            }
            if page.events.is_empty() {
                let status = plans.state(&embedded.me, id).await?.plan.status;
                if !self.follow {
                    return Ok(Exit::Done);
                }
                if status.is_terminal() {
                    return Ok(exit_of(status));
                }
            }
            after = page.next_after;
        }
    }

    /// Reads them at a server.
    pub(super) async fn run_remote(&self, terminal: Terminal) -> Outcome {
        let client = self.client()?;
        let topic = Topic::Plan(PlanId(self.plan_id));
        if self.follow {
            let events = client.events().topic(topic).after(self.after).until_ended();
            let events = pin!(events.follow());
            return self.show_all(events, terminal).await;
        }
        let mut after = self.after;
        loop {
            let page = client.plans().events(PlanId(self.plan_id)).after(after).limit(PAGE).fetch().await?;
            for event in &page.events {
                self.show(event, terminal)?;
            }
            if page.next_after == after {
                return Ok(Exit::Done);
            }
            after = page.next_after;
        }
    }

    fn client(&self) -> Result<Client, Failure> {
        let mut builder = Client::builder(self.server.as_deref().unwrap_or_default());
        builder = match (&self.token, &self.api_key) {
            (Some(token), _) => builder.token(token.as_str()),
            (None, Some(key)) => builder.api_key(key.as_str()),
            (None, None) => builder,
        };
        Ok(builder.build()?)
    }

    async fn show_all(
        &self,
        mut events: impl Stream<Item = agent_client::Result<Event>> + Unpin,
        terminal: Terminal,
    ) -> Outcome {
        let mut status = None;
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                () = interrupted() => return Ok(Exit::Done),
            };
            let Some(event) = event.transpose()? else { break };
            if let EventBody::PlanUpdated { status: now, .. } = &event.body {
                status = Some(*now);
            }
            self.show(&event, terminal)?;
        }
        Ok(status.map_or(Exit::Done, exit_of))
    }

    fn show(&self, event: &Event, terminal: Terminal) -> Result<(), Failure> {
        if !self.only.is_empty() && !self.only.iter().any(|name| name == event.body.name()) {
            return Ok(());
        }
        let json = envelope_json(event);
        if self.json {
            terminal.line(json);
        } else {
            terminal.line(told(&serde_json::from_str(&json)?));
        }
        Ok(())
    }
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
    format!(
        "{:>4} {} {}{task} {}",
        event["seq"],
        text("timestamp"),
        text("event"),
        short(&own.join(" "), 120)
    )
}
