//! The stored session of a server, as the client renews it.

use super::{Credential, LockedLogins, Logins};
use crate::exit::Failure;
use agent_client::{KeptTokens, Session, SessionStore, TakenSession};
use agent_core::BoxError;

/// The stored session of a server.
pub(crate) struct StoredSession {
    logins: Logins,
    url: String,
    username: String,
}

impl StoredSession {
    /// Of this person: whoever logs in meanwhile does not take over what is under way.
    pub(crate) fn new(logins: Logins, url: &str, username: &str) -> Self {
        Self { logins, url: url.to_owned(), username: username.to_owned() }
    }
}

impl SessionStore for StoredSession {
    fn take(&self) -> Result<Box<dyn TakenSession>, BoxError> {
        let locked = self.logins.lock().map_err(told)?;
        Ok(Box::new(Taken { locked, url: self.url.clone(), username: self.username.clone() }))
    }
}

struct Taken {
    locked: LockedLogins,
    url: String,
    username: String,
}

impl TakenSession for Taken {
    fn tokens(&self) -> Result<Option<KeptTokens>, BoxError> {
        let login = self.locked.stored.logins.get(&self.url).filter(|login| login.username == self.username);
        let credential = login.map(|login| &login.credential);
        Ok(match credential {
            Some(Credential::Session { access_token, refresh_token, .. }) => Some(KeptTokens {
                access_token: access_token.clone().into(),
                refresh_token: refresh_token.clone().into(),
            }),
            Some(Credential::ApiKey { .. }) | None => None,
        })
    }

    fn replace(&mut self, session: &Session) -> Result<(), BoxError> {
        let login = self.locked.stored.logins.get_mut(&self.url);
        if let Some(login) = login.filter(|login| login.username == self.username) {
            login.credential = session.into();
        }
        Ok(self.locked.save()?)
    }
}

fn told(failure: Failure) -> BoxError {
    failure.message.into()
}
