//! Tickets: a browser cannot send headers when it opens a WebSocket, and a token in an address is written into logs.

use super::identity::Opened;
use agent_auth::ports::RandomBytes;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How long a ticket is good.
pub(crate) const GOOD_FOR: Duration = Duration::from_secs(30);
/// The most tickets that wait to be used.
const MAX_WAITING: usize = 10_000;
/// What tickets begin with, so that one is known when it is seen in a log.
const PREFIX: &str = "wst_";

/// Tickets that were given and not used yet, in this process: each is good once.
#[derive(Default)]
pub(crate) struct Tickets(Mutex<HashMap<[u8; 32], Waiting>>);

struct Waiting {
    opened: Opened,
    ends: Instant,
}

impl Tickets {
    /// A ticket for whoever shows it first; `None` where too many wait already.
    ///
    /// # Errors
    /// When there is no chance to be had.
    pub(crate) fn give(
        &self,
        opened: Opened,
        random: &dyn RandomBytes,
    ) -> agent_auth::Result<Option<String>> {
        let ticket = format!("{PREFIX}{}", agent_auth::secret(random)?);
        let mut waiting = self.lock();
        let now = Instant::now();
        if waiting.len() >= MAX_WAITING {
            waiting.retain(|_, ticket| ticket.ends > now);
        }
        if waiting.len() >= MAX_WAITING {
            return Ok(None);
        }
        waiting.insert(digest(&ticket), Waiting { opened, ends: now + GOOD_FOR });
        Ok(Some(ticket))
    }

    /// Whose ticket it is; it is used up by that.
    pub(crate) fn take(&self, ticket: &str) -> Option<Opened> {
        let waiting = self.lock().remove(&digest(ticket))?;
        (waiting.ends > Instant::now()).then_some(waiting.opened)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 32], Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looked up by digest, so that how long a look takes says nothing about tickets.
fn digest(ticket: &str) -> [u8; 32] {
    Sha256::digest(ticket).into()
}
