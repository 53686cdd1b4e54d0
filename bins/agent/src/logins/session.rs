//! The stored session of a server, as the client renews it.

use super::{Credential, LockedLogins, Logins};
use crate::exit::Failure;
use agent_client::{KeptTokens, Session, SessionStore, TakenSession};
use agent_core::BoxError;

/// The stored session of a server.
pub(crate) struct StoredSession {
    logins: Logins,
    url: String,
}

impl StoredSession {
    pub(crate) fn new(logins: Logins, url: &str) -> Self {
        Self { logins, url: url.to_owned() }
    }
}

impl SessionStore for StoredSession {
    fn take(&self) -> Result<Box<dyn TakenSession>, BoxError> {
        let locked = self.logins.lock().map_err(told)?;
        Ok(Box::new(Taken { locked, url: self.url.clone() }))
    }
}

struct Taken {
    locked: LockedLogins,
    url: String,
}

impl TakenSession for Taken {
    fn tokens(&self) -> Result<Option<KeptTokens>, BoxError> {
        let credential = self.locked.stored.logins.get(&self.url).map(|login| &login.credential);
        Ok(match credential {
            Some(Credential::Session { access_token, refresh_token, .. }) => Some(KeptTokens {
                access_token: access_token.clone().into(),
                refresh_token: refresh_token.clone().into(),
            }),
            Some(Credential::ApiKey { .. }) | None => None,
        })
    }

    fn replace(&mut self, session: &Session) -> Result<(), BoxError> {
        if let Some(login) = self.locked.stored.logins.get_mut(&self.url) {
            login.credential = session.into();
        }
        Ok(self.locked.save()?)
    }
}

fn told(failure: Failure) -> BoxError {
    failure.message.into()
}
