//! `agent login|logout|whoami`: which server is asked, and who asks it.

mod leave;
mod who;

pub(super) use leave::Logout;
pub(super) use who::Whoami;

use crate::exit::{Exit, Failure, Outcome};
use crate::logins::{Credential, Login as StoredLogin, Logins};
use crate::output::{Terminal, plain};
use crate::password;
use crate::signals::interrupted;
use agent_client::Client;
use clap::Args;
use secrecy::ExposeSecret;
use serde_json::json;
use std::net::IpAddr;

const EXAMPLES: &str = "\
Examples:
  agent login https://agent.example                     asks for name and password
  agent login https://agent.example --username ada
  agent login --username demo --password-stdin < file   http://127.0.0.1:8000
  agent login https://agent.example --key-stdin < file  with an API key
  agent login https://agent.example --tenant acme       to work in another tenant than one's own

From then on `plans`, `approvals`, `templates`, `history`, `analytics`, `keys` and `users` ask that server; --local says that
this machine's data is meant, and --server URL another server. `plan`, `chat`, `scan` and `patch` always work here, `run` unless it names a server.
The login is stored in $XDG_CONFIG_HOME/agent/logins.json (~/.config/agent/logins.json), for nobody else to read; its
session is renewed as needed. The password is not stored.
Exit codes: 0 done, 2 wrong usage, 3 the server does not accept the password or key, 4 cannot reach the server.";

/// Arguments of `agent login`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Login {
    /// The server
    #[arg(value_name = "URL", env = "AGENT_SERVER", default_value = "http://127.0.0.1:8000")]
    url: String,
    /// Who logs in [default: asked on the terminal]
    #[arg(long, short, value_name = "NAME", conflicts_with = "key_stdin")]
    username: Option<String>,
    /// The tenant to work in [default: the one that the account belongs to]
    #[arg(long, value_name = "NAME", conflicts_with = "key_stdin")]
    tenant: Option<String>,
    /// Read the password from standard input
    #[arg(long, requires = "username")]
    password_stdin: bool,
    /// Read an API key from standard input, and store it in place of a session
    #[arg(long, conflicts_with = "password_stdin")]
    key_stdin: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Login {
    pub(super) async fn run(self, terminal: Terminal) -> Outcome {
        // Once somebody has listened to the signals they end nothing by themselves any more.
        tokio::select! {
            done = self.log_in(terminal) => done,
            () = interrupted() => Err(Failure::work("interrupted")),
        }
    }

    async fn log_in(&self, terminal: Terminal) -> Outcome {
        let logins = Logins::required()?;
        let url = Client::builder(&self.url).build()?.address();
        warn_of_eavesdroppers(&url, &terminal);
        let login =
            if self.key_stdin { self.with_key(&url).await? } else { self.with_password(&url).await? };
        let username = login.username.clone();
        // Renewals of other programs are short; waiting for them here holds up nobody.
        let mut locked = logins.lock()?;
        locked.stored.logins.insert(url.clone(), login);
        locked.stored.current = Some(url.clone());
        locked.save()?;
        drop(locked);
        if self.json {
            terminal.json(&json!({"server": url, "username": username}))?;
        } else {
            let username = plain(&username);
            terminal
                .line(format_args!("logged in to {url} as {username}; commands ask that server from now on"));
        }
        Ok(Exit::Done)
    }

    async fn with_key(&self, url: &str) -> Result<StoredLogin, Failure> {
        let key = password::from_standard_input("API key")?;
        let client = Client::builder(url).api_key(key.clone()).build()?;
        let who = client.validate().await?;
        let api_key = key.expose_secret().to_owned();
        Ok(StoredLogin { username: who.username, credential: Credential::ApiKey { api_key } })
    }

    async fn with_password(&self, url: &str) -> Result<StoredLogin, Failure> {
        let advice = "name yourself with --username, and hand in the password with --password-stdin";
        let username = match &self.username {
            Some(username) => username.clone(),
            None => password::ask_line("User name", advice).await?,
        };
        let password = if self.password_stdin {
            password::from_standard_input("password")?
        } else {
            password::ask_secret("Password", "hand in the password with --password-stdin").await?
        };
        let client = Client::builder(url).build()?;
        let session = match &self.tenant {
            Some(tenant) => client.log_in_to(tenant, &username, password.expose_secret()).await?,
            None => client.log_in(&username, password.expose_secret()).await?,
        };
        Ok(StoredLogin { username: session.username.clone(), credential: Credential::from(&session) })
    }
}

/// A password that crosses a network in the clear is everybody's.
fn warn_of_eavesdroppers(url: &str, terminal: &Terminal) {
    let host = url.strip_prefix("http://").map(host_of);
    let within =
        |host: &str| host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if host.is_some_and(|host| !within(host)) {
        terminal.note(
            "warning: http:// sends passwords and tokens so that the network can read them; use https://",
        );
    }
}

/// The host of an address behind its scheme, without brackets and port.
fn host_of(rest: &str) -> &str {
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}
