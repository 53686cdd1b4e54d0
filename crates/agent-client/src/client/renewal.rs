//! Renewing the session: near its end, when its token is refused, and alone.

use super::Inner;
use crate::credential::{Held, Shown};
use crate::error::{Error, Result};
use crate::http::Call;
use crate::session_store::SessionStore;
use crate::wire::account::{Refresh, Session};
use agent_core::BoxError;
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;
use tokio::task::JoinError;
use tokio::time::Instant;

/// What renewing came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// There is nothing to renew it with.
    None,
    /// Another token is shown now; whoever got it knows how old it is.
    Another,
    /// A token is shown now that was made this moment.
    New,
}

const REFRESH: &str = "POST /auth/refresh";

impl Inner {
    /// What to show now: renewed before, when it is near its end.
    pub(crate) async fn credential(self: &Arc<Self>) -> Held {
        let held = self.credentials.held();
        if held.is_due(Instant::now())
            && let Err(error) = self.renew(held.number).await
        {
            // The token is still good for a while; when it is not, its refusal says more than this.
            tracing::debug!(%error, "the session could not be renewed in advance");
        }
        self.credentials.held()
    }

    /// Renews what is held, unless it is another one already than that of this number.
    ///
    /// # Errors
    /// `Problem` when the refresh token is not accepted, `SessionStore`, and what any request may end with.
    pub(crate) async fn renew(self: &Arc<Self>, number: u64) -> Result<Renewal> {
        let inner = Arc::clone(self);
        // In a task of its own: a caller that is dropped meanwhile must not take the new tokens with it.
        let renewing = tokio::spawn(async move {
            let _alone = inner.credentials.renewing.lock().await;
            let held = inner.credentials.held();
            match held.refresh {
                _ if held.number != number => Ok(Renewal::Another),
                None => Ok(Renewal::None),
                Some(token) => match inner.session_store.clone() {
                    Some(store) => inner.renew_shared(store, &held.shown, number).await,
                    None => inner.refresh(&token, number).await.map(|_session| Renewal::New),
                },
            }
        });
        let broken =
            |error: JoinError| Error::Unanswered { request: REFRESH.to_owned(), source: error.into() };
        renewing.await.map_err(broken)?
    }

    /// Renews a session that other programs use too, while none of them can; takes over what one of them got meanwhile.
    async fn renew_shared(
        &self,
        store: Arc<dyn SessionStore>,
        shown: &Shown,
        number: u64,
    ) -> Result<Renewal> {
        let mut taken = blocking(move || store.take()).await?;
        let Some(kept) = taken.tokens().map_err(Error::SessionStore)? else {
            self.credentials.spent(number);
            return Ok(Renewal::None);
        };
        if !shown.is_token(&kept.access_token) {
            self.credentials.adopt(kept);
            return Ok(Renewal::Another);
        }
        let session = self.refresh(&kept.refresh_token, number).await?;
        blocking(move || taken.replace(&session)).await?;
        Ok(Renewal::New)
    }

    async fn refresh(&self, token: &SecretString, number: u64) -> Result<Session> {
        let body = Refresh { refresh_token: token.expose_secret() };
        let call = Call::post(self.address.below(&["auth", "refresh"])).json(&body)?;
        let now = Instant::now();
        let answer = self.http.exchange(&call, &Shown::Nothing).await?;
        if answer.status == 401 {
            self.credentials.spent(number);
        }
        let session: Session = answer.json(&call)?;
        self.credentials.keep(&session, now);
        Ok(session)
    }
}

/// Does what may block on a thread where that is no harm.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BoxError> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|broken| Error::SessionStore(broken.into()))?.map_err(Error::SessionStore)
}
