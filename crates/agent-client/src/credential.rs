//! What the client shows to the server, and when that is to be renewed.

use crate::error::{Error, Result};
use crate::session_store::KeptTokens;
use crate::wire::account::Session;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// What is shown with a request.
#[derive(Debug, Clone)]
pub(crate) enum Shown {
    /// Nothing.
    Nothing,
    /// An access token, or an API key in its place.
    Bearer(SecretString),
    /// An API key.
    ApiKey(SecretString),
}

impl Shown {
    /// Whether it is this access token.
    pub(crate) fn is_token(&self, token: &SecretString) -> bool {
        matches!(self, Self::Bearer(own) if own.expose_secret() == token.expose_secret())
    }

    /// As headers of a request.
    ///
    /// # Errors
    /// `InvalidSetting` where a header cannot hold it.
    pub(crate) fn headers(&self) -> Result<HeaderMap> {
        let (name, text, setting) = match self {
            Self::Nothing => return Ok(HeaderMap::new()),
            Self::Bearer(token) => (AUTHORIZATION, format!("Bearer {}", token.expose_secret()), "the token"),
            Self::ApiKey(key) => {
                (HeaderName::from_static("x-api-key"), key.expose_secret().to_owned(), "the API key")
            }
        };
        let refuse = |_invalid| Error::setting(setting, "must be one line of visible ASCII characters");
        let mut value = HeaderValue::from_str(&text).map_err(refuse)?;
        value.set_sensitive(true);
        Ok(HeaderMap::from_iter([(name, value)]))
    }
}

/// What is held at a moment.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    /// What is shown.
    pub(crate) shown: Shown,
    /// Which one it is: one more with each change.
    pub(crate) number: u64,
    /// What buys the next access token.
    pub(crate) refresh: Option<SecretString>,
    /// The session that it comes from.
    session: Option<Session>,
    /// From when on the access token counts as near its end; `None` where its end is not known.
    due: Option<Instant>,
}

impl Held {
    /// Whether it is to be renewed before it is shown again.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.refresh.is_some() && self.due.is_some_and(|due| now >= due)
    }
}

/// The credential of a client, shared by its clones.
#[derive(Debug)]
pub(crate) struct Credentials {
    held: Mutex<Held>,
    /// How long before its end an access token is renewed.
    margin: Duration,
    /// Held by whoever renews, so that a refresh token, which is good once, is used once.
    pub(crate) renewing: Arc<tokio::sync::Mutex<()>>,
}

impl Credentials {
    /// Begins with this.
    pub(crate) fn new(shown: Shown, refresh: Option<SecretString>, margin: Duration) -> Self {
        let held = Held { shown, number: 0, refresh, session: None, due: None };
        Self { held: Mutex::new(held), margin, renewing: Arc::default() }
    }

    /// What is held at this moment.
    pub(crate) fn held(&self) -> Held {
        self.lock().clone()
    }

    /// The session that is open, if there is one.
    pub(crate) fn session(&self) -> Option<Session> {
        self.lock().session.clone()
    }

    /// Shows the token of a session from now on.
    pub(crate) fn keep(&self, session: &Session, now: Instant) {
        let mut held = self.lock();
        *held = Held {
            shown: Shown::Bearer(session.access_token.clone()),
            number: held.number + 1,
            refresh: Some(session.refresh_token.clone()),
            session: Some(session.clone()),
            due: Some(now + session.expires_in.saturating_sub(self.margin)),
        };
    }

    /// Shows the token that somebody else got for the session which is shared with them.
    pub(crate) fn adopt(&self, tokens: KeptTokens) {
        let mut held = self.lock();
        *held = Held {
            shown: Shown::Bearer(tokens.access_token),
            number: held.number + 1,
            refresh: Some(tokens.refresh_token),
            session: None,
            due: None,
        };
    }

    /// Shows nothing from now on.
    pub(crate) fn forget(&self) {
        let mut held = self.lock();
        let number = held.number + 1;
        *held = Held { shown: Shown::Nothing, number, refresh: None, session: None, due: None };
    }

    /// Notes that a refresh token is not accepted any more.
    pub(crate) fn spent(&self, number: u64) {
        let mut held = self.lock();
        if held.number == number {
            held.refresh = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(seconds: u64) -> Session {
        serde_json::from_value(serde_json::json!({
            "access_token": "a", "refresh_token": "r", "expires_in": seconds, "user_id": 1, "username": "demo"
        }))
        .unwrap()
    }

    #[tokio::test]
    async fn a_session_is_due_within_the_margin_before_its_end() {
        let credentials = Credentials::new(Shown::Nothing, None, Duration::from_secs(60));
        let now = Instant::now();
        credentials.keep(&session(3600), now);
        let held = credentials.held();
        assert!(!held.is_due(now + Duration::from_secs(3539)));
        assert!(held.is_due(now + Duration::from_secs(3540)));
        credentials.spent(held.number);
        assert!(
            !credentials.held().is_due(now + Duration::from_secs(3600)),
            "there is nothing to renew with"
        );
        credentials.keep(&session(30), now);
        assert!(credentials.held().is_due(now), "a session shorter than the margin is renewed each time");
    }

    #[test]
    fn a_secret_is_shown_in_a_header_and_nowhere_else() {
        let shown = Shown::Bearer("topsecret".into());
        let headers = shown.headers().unwrap();
        assert_eq!(headers[AUTHORIZATION], "Bearer topsecret");
        assert!(!format!("{shown:?} {headers:?}").contains("topsecret"));
        assert!(Shown::ApiKey("a\nb".into()).headers().is_err());
        assert!(Shown::Nothing.headers().unwrap().is_empty());
    }
}
