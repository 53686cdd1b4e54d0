//! Which backend: flags, then the environment, then the stored login, then the user's own data.

use super::{Backend, Server};
use crate::embedded::Embedded;
use crate::exit::{Failure, Outcome};
use crate::logins::{Credential, Logins, StoredSession};
use crate::output::{Style, Terminal, paint};
use agent_client::{Client, ClientBuilder};
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;

/// Where to work.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Where")]
pub(crate) struct Place {
    /// Ask this server [default: the one of `agent login`; without a login, the data of this machine's user]
    #[arg(long, global = true, value_name = "URL", env = "AGENT_SERVER", hide_env_values = true)]
    server: Option<String>,
    /// Work on the data of this machine's user, whatever server is named or logged in to
    #[arg(long, global = true)]
    local: bool,
    /// The access token for the server, in place of a stored login
    #[arg(long, global = true, value_name = "TOKEN", env = "AGENT_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// The API key for the server, in place of a stored login
    #[arg(long, global = true, value_name = "KEY", env = "AGENT_API_KEY", hide_env_values = true)]
    api_key: Option<String>,
    /// Settings file for this machine's data; without it only AGENT_… variables count
    #[arg(long, global = true, value_name = "FILE", env = "AGENT_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
}

impl Place {
    /// At this server, with these in place of a stored login.
    pub(crate) fn at(url: &str, token: Option<String>, api_key: Option<String>) -> Self {
        Self { server: Some(url.to_owned()), token, api_key, ..Self::default() }
    }

    /// Does something there; plans are only carried out on this machine's data where the action `works`.
    pub(crate) async fn during(
        self,
        works: bool,
        action: impl AsyncFnOnce(&dyn Backend) -> Outcome,
    ) -> Outcome {
        match self.choose()? {
            Some(server) => action(&server).await,
            None => Embedded::during(self.config, works, async |embedded| action(embedded).await).await,
        }
    }

    /// Does something that only this machine's data knows. A server that is named or logged in to is refused: its plans have the
    /// same numbers as others here.
    pub(crate) async fn during_here(
        self,
        what: &str,
        works: bool,
        action: impl AsyncFnOnce(&Embedded) -> Outcome,
    ) -> Outcome {
        if let Some(server) = self.choose()? {
            let url = server.url;
            return Err(Failure::usage(format!(
                "{what} works on the data of this machine's user, not at {url}; say --local if that is what you mean"
            )));
        }
        Embedded::during(self.config, works, action).await
    }

    /// The server, for what exists at servers only.
    pub(crate) fn at_server(&self, what: &str) -> Result<Server, Failure> {
        self.choose()?.ok_or_else(|| {
            Failure::usage(format!(
                "{what} belong to a server: name one with --server URL, or log in with `agent login URL`; \
                 the data of this machine's user needs none"
            ))
        })
    }

    /// The server that is meant; `None` for this machine's data.
    pub(crate) fn choose(&self) -> Result<Option<Server>, Failure> {
        if self.local {
            return Ok(None);
        }
        let logins = Logins::of_user();
        let Some(url) = self.url(logins.as_ref())? else { return Ok(None) };
        // The address as the client writes it is what logins are stored under.
        let url = Client::builder(url).build()?.address();
        let builder = self.with_credential(Client::builder(&url), &url, logins)?;
        let client = builder.client_id("agent").build()?;
        Ok(Some(Server { client, url }))
    }

    fn url(&self, logins: Option<&Logins>) -> Result<Option<String>, Failure> {
        match (self.server.as_deref(), logins) {
            // Such as a variable of a script that was never set: it must not mean another server.
            (Some(""), _) => {
                Err(Failure::usage("--server or AGENT_SERVER is empty; name a server, or leave it out"))
            }
            (Some(url), _) => Ok(Some(url.to_owned())),
            (None, Some(logins)) => Ok(logins.read()?.current),
            (None, None) => Ok(None),
        }
    }

    fn with_credential(
        &self,
        builder: ClientBuilder,
        url: &str,
        logins: Option<Logins>,
    ) -> Result<ClientBuilder, Failure> {
        // A variable that is set to nothing names nothing.
        let said = |credential: &&String| !credential.is_empty();
        if let Some(token) = self.token.as_ref().filter(said) {
            return Ok(builder.token(token.as_str()));
        }
        if let Some(key) = self.api_key.as_ref().filter(said) {
            return Ok(builder.api_key(key.as_str()));
        }
        let Some(logins) = logins else { return Ok(builder) };
        let Some(login) = logins.read()?.logins.remove(url) else { return Ok(builder) };
        let username = login.username;
        Ok(match login.credential {
            Credential::ApiKey { api_key } => builder.api_key(api_key),
            Credential::Session { access_token, refresh_token, .. } => {
                let store = StoredSession::new(logins, url, &username);
                builder.token(access_token).refresh_token(refresh_token).session_store(Arc::new(store))
            }
        })
    }
}

/// Says to a person that a server is asked: what they see is not what is on their machine.
pub(crate) fn introduce(backend: &dyn Backend, terminal: &Terminal) {
    if let Some(url) = backend.server().filter(|_| terminal.live && terminal.width.is_some()) {
        terminal.note(paint(terminal.error_colours, Style::Dim, format_args!("at {url}")));
    }
}
