//! `agent whoami`: who asks, where, with which roles, and until when.

use crate::backend::{Place, Server};
use crate::embedded::Embedded;
use crate::exit::{Exit, Outcome};
use crate::output::{Terminal, plain};
use agent_client::Validation;
use agent_server::views::account::ValidationView;
use clap::Args;
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  agent whoami
  agent whoami --json | jq -r .username
  agent whoami --server https://agent.example

Without a server and a login, commands work on this machine's data, for which nobody logs in.
Exit codes: 0 somebody is known, 3 the server does not accept the login, 4 cannot reach the server.";

/// Arguments of `agent whoami`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::commands) struct Whoami {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

impl Whoami {
    pub(in crate::commands) async fn run(self, terminal: Terminal) -> Outcome {
        let Self { json, place } = self;
        match place.choose()? {
            Some(server) => at(&server, json, terminal).await,
            None => {
                place.during_here("`agent whoami`", false, async |here| at_home(here, json, terminal)).await
            }
        }
    }
}

async fn at(server: &Server, json: bool, terminal: Terminal) -> Outcome {
    let who = server.get::<Validation>(&["auth", "validate"], &()).await?;
    if json {
        terminal.json(&placed(who.json, Some(&server.url)))?;
        return Ok(Exit::Done);
    }
    let who = who.value;
    terminal.line(format_args!("{} at {}", plain(&who.username), server.url));
    let operator = if who.operator { ", operator of the server" } else { "" };
    terminal.line(format_args!(
        "roles: {}{operator}; tenant {}",
        plain(&who.roles.join(", ")),
        who.tenant_id
    ));
    match who.expires_at {
        Some(end) => terminal.line(format_args!("until {end}; a session is renewed as needed")),
        None => terminal.line("without an end"),
    }
    Ok(Exit::Done)
}

fn at_home(here: &Embedded, json: bool, terminal: Terminal) -> Outcome {
    if json {
        let who = serde_json::to_value(ValidationView::from(&here.me))?;
        terminal.json(&placed(who, None))?;
        return Ok(Exit::Done);
    }
    let database = plain(&here.agent.settings().shown_database_url());
    terminal.line(format_args!("{} on this machine, with the data in {database}", plain(&here.me.username)));
    terminal.line("nobody is logged in to a server; `agent login URL` does it");
    Ok(Exit::Done)
}

fn placed(mut who: Value, server: Option<&str>) -> Value {
    who["server"] = json!(server);
    who
}
