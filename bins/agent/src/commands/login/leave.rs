//! `agent logout`: ends a session at its server, and forgets the login.

use crate::exit::{Exit, Failure, Outcome};
use crate::logins::{Credential, Login, Logins, StoredSession};
use crate::output::Terminal;
use agent_client::Client;
use clap::Args;
use serde_json::json;
use std::sync::Arc;

const EXAMPLES: &str = "\
Examples:
  agent logout                          the server that is asked now
  agent logout https://agent.example

Ends all sessions of the account at the server, as logging out does there; an API key is only forgotten here, and
`agent keys revoke` ends it. A server that cannot be reached is forgotten all the same, with exit code 4.";

/// Arguments of `agent logout`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::commands) struct Logout {
    /// The server [default: the one that is asked now]
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Logout {
    pub(in crate::commands) async fn run(self, terminal: Terminal) -> Outcome {
        let logins = Logins::required()?;
        let mut stored = logins.read()?;
        let named =
            self.url.map(|url| Ok::<_, Failure>(Client::builder(url).build()?.address())).transpose()?;
        let nobody = || Failure::usage("nobody is logged in; `agent login URL` does it");
        let url = named.or(stored.current).ok_or_else(nobody)?;
        let login = stored.logins.remove(&url).ok_or_else(nobody)?;
        let ended = end(&logins, &url, login).await;
        forget(&logins, &url)?;
        match ended {
            Ok(()) if self.json => terminal.json(&json!({"server": url, "logged_out": true}))?,
            Ok(()) => terminal.line(format_args!("logged out of {url}")),
            // Tokens that the server does not accept any more need no end.
            Err(failure) if failure.exit == Exit::NeedsPerson => {
                terminal.line(format_args!("logged out of {url}; the session was over already"));
            }
            Err(failure) => {
                return Err(failure.during("the login is forgotten here, but not ended at the server"));
            }
        }
        Ok(Exit::Done)
    }
}

async fn end(logins: &Logins, url: &str, login: Login) -> Result<(), Failure> {
    let Credential::Session { access_token, refresh_token, .. } = login.credential else { return Ok(()) };
    let store = Arc::new(StoredSession::new(logins.clone(), url, &login.username));
    let client = Client::builder(url).token(access_token).refresh_token(refresh_token).session_store(store);
    Ok(client.build()?.log_out().await?)
}

fn forget(logins: &Logins, url: &str) -> Result<(), Failure> {
    let mut locked = logins.lock()?;
    locked.stored.logins.remove(url);
    if locked.stored.current.as_deref() == Some(url) {
        locked.stored.current = None;
    }
    Ok(locked.save()?)
}
