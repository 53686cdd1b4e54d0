//! `agent keys`: API keys for programs, at a server.

use crate::backend::{Place, Server};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{Terminal, moment, plain};
use crate::table::{Table, number, text, word};
use agent_client::{CreateKey, CreatedKey, KeyList, Timestamp};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret;
use serde_json::json;

const EXAMPLES: &str = "\
Examples:
  agent keys create --name ci --scope plans:read --scope plans:write
  agent keys list
  agent keys revoke 3

Keys belong to a server: name one with --server URL, or log in with `agent login URL`.";

const CREATE_EXAMPLES: &str = "\
Examples:
  agent keys create --name ci
  agent keys create --name dashboard --scope plans:read --expires-at 2027-01-01T00:00:00Z
  agent keys create --name ci | agent login https://agent.example --key-stdin

The key alone is written to standard output, this once; the server keeps a hash of it.";

const LIST_EXAMPLES: &str = "\
Examples:
  agent keys list
  agent keys list --json | jq '.keys[] | select(.revoked_at == null)'";

const REVOKE_EXAMPLES: &str = "\
Examples:
  agent keys revoke 3";

/// Arguments of `agent keys`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Keys {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key that may do what you may, or less
    #[command(after_help = CREATE_EXAMPLES)]
    Create {
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        name: Option<String>,
        /// What it may be used for, such as plans:read; may be given several times [default: all that you may do]
        #[arg(long, value_name = "SCOPE")]
        scope: Vec<String>,
        /// When it ends, such as 2027-01-01T00:00:00Z [default: never]
        #[arg(long, value_name = "TIME", value_parser = time)]
        expires_at: Option<Timestamp>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List your keys, revoked ones too
    #[command(after_help = LIST_EXAMPLES)]
    List {
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key; it is refused from now on
    #[command(after_help = REVOKE_EXAMPLES)]
    Revoke {
        /// The key, by its id
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        key_id: i64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

fn time(text: &str) -> Result<Timestamp, String> {
    let quoted = serde_json::Value::String(text.to_owned());
    serde_json::from_value(quoted).map_err(|_error| "must be a time such as 2027-01-01T00:00:00Z".to_owned())
}

impl Keys {
    pub(super) async fn run(self, terminal: Terminal) -> Outcome {
        let server = self.place.at_server("API keys")?;
        match self.action {
            Action::Create { name, scope, expires_at, json } => {
                let scopes = (!scope.is_empty()).then_some(scope);
                let created = server.client.keys().create(&CreateKey { name, scopes, expires_at }).await?;
                show_created(&terminal, &created, json)?;
            }
            Action::List { json } => list(&server, &terminal, json).await?,
            Action::Revoke { key_id, json } => {
                server.client.keys().revoke(key_id).await?;
                if json {
                    terminal.json(&json!({"key_id": key_id, "revoked": true}))?;
                } else {
                    terminal.line(format_args!("key {key_id} is refused from now on"));
                }
            }
        }
        Ok(Exit::Done)
    }
}

fn show_created(terminal: &Terminal, created: &CreatedKey, json: bool) -> Result<(), Failure> {
    let CreatedKey { api_key, key_id, prefix, name, scopes, created_at, expires_at, .. } = created;
    if json {
        return terminal.json(&json!({
            "api_key": api_key.expose_secret(), "key_id": key_id, "prefix": prefix, "name": name,
            "scopes": scopes, "created_at": created_at, "expires_at": expires_at,
        }));
    }
    terminal.line(plain(api_key.expose_secret()));
    terminal.note(format_args!(
        "key {key_id} is shown this once; it may be used for {}",
        plain(&scopes.join(", "))
    ));
    Ok(())
}

async fn list(server: &Server, terminal: &Terminal, json: bool) -> Result<(), Failure> {
    let found = server.get::<KeyList>(&["auth", "keys"], &()).await?;
    if json {
        return terminal.json(&found.json);
    }
    let columns = [
        number("id"),
        word("key"),
        text("name"),
        word("state"),
        word("made"),
        word("last used"),
        text("scopes"),
    ];
    let mut table = Table::new(columns);
    for key in &found.value.keys {
        let state = match (key.revoked_at, key.expires_at) {
            (Some(_), _) => "revoked".to_owned(),
            (None, Some(end)) => format!("until {}", moment(end)),
            (None, None) => "without end".to_owned(),
        };
        table.row([
            key.key_id.into(),
            format!("{}…", key.prefix).into(),
            key.name.as_str().into(),
            state.into(),
            moment(key.created_at).into(),
            key.last_used_at.map(moment).unwrap_or_default().into(),
            key.scopes.join(", ").into(),
        ]);
    }
    if table.is_empty() {
        terminal.note("no keys; `agent keys create` makes one");
    } else {
        table.show(terminal);
    }
    Ok(())
}
