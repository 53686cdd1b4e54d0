//! What callers hand to the writer, and how they are answered.

use super::Written;
use crate::database::Scope;
use crate::error::{Answer, Error, Failure, is_full};
use agent_core::event::Event;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Why a whole group of transactions failed.
#[derive(Debug, Clone)]
pub(super) enum Refusal {
    /// None of it is kept.
    NotCommitted(Arc<diesel::result::Error>),
    /// All of it is kept, or nothing.
    OutcomeUnknown(Arc<diesel::result::Error>),
    /// It was not begun.
    Disconnected(Arc<Error>),
}

impl Refusal {
    /// What the database said when it refused.
    pub(super) fn cause(&self) -> Option<&Arc<diesel::result::Error>> {
        match self {
            Self::NotCommitted(error) | Self::OutcomeUnknown(error) => Some(error),
            Self::Disconnected(_) => None,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotCommitted(error) if is_full(&error) => Self::Full(error),
            Refusal::NotCommitted(error) => Self::NotCommitted(error),
            Refusal::OutcomeUnknown(error) => Self::OutcomeUnknown(error),
            Refusal::Disconnected(error) => Self::Disconnected(error),
        }
    }
}

/// A transaction whose result type the thread need not know.
pub(super) trait Job<C>: Send {
    /// Whose rows it is about.
    fn scope(&self) -> Scope;
    /// Does the work; whether it may be kept.
    fn run(&mut self, conn: &mut C) -> bool;
    /// What listeners are told when it was kept.
    fn events(&self) -> &[Event];
    /// The error of the database, when it found the disk full: SQLite may give up all that share the commit.
    fn found_no_room(&mut self) -> Option<diesel::result::Error>;
    /// Tells the caller, after the commit or after its failure.
    fn answer(self: Box<Self>, refusal: Option<&Refusal>);
}

pub(super) struct Transaction<T, W> {
    scope: Scope,
    work: Option<W>,
    outcome: Option<Answer<Written<T>>>,
    reply: oneshot::Sender<agent_core::Result<Written<T>>>,
}

impl<T, W> Transaction<T, W> {
    pub(super) fn new(scope: Scope, work: W, reply: oneshot::Sender<agent_core::Result<Written<T>>>) -> Self {
        Self { scope, work: Some(work), outcome: None, reply }
    }
}

impl<C, T, W> Job<C> for Transaction<T, W>
where
    T: Send,
    W: FnOnce(&mut C) -> Answer<Written<T>> + Send,
{
    fn scope(&self) -> Scope {
        self.scope
    }

    fn run(&mut self, conn: &mut C) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        // A panic in one caller's query must not take the writer away from all others.
        let outcome = catch_unwind(AssertUnwindSafe(|| work(conn)));
        let outcome = outcome.unwrap_or_else(|_panic| Err(Error::Panicked.into()));
        let kept = outcome.is_ok();
        self.outcome = Some(outcome);
        kept
    }

    fn events(&self) -> &[Event] {
        match &self.outcome {
            Some(Ok(written)) => &written.events,
            _ => &[],
        }
    }

    fn found_no_room(&mut self) -> Option<diesel::result::Error> {
        match self.outcome.take_if(|outcome| matches!(outcome, Err(Failure::Database(e)) if is_full(e))) {
            Some(Err(Failure::Database(error))) => Some(error),
            _ => None,
        }
    }

    fn answer(self: Box<Self>, refusal: Option<&Refusal>) {
        let result = match (refusal, self.outcome) {
            (None, Some(outcome)) => outcome.map_err(agent_core::Error::from),
            (Some(refusal), _) => Err(Error::from(refusal.clone()).into()),
            (None, None) => Err(Error::Closed.into()),
        };
        // A caller that went away is no concern of the writer.
        drop(self.reply.send(result));
    }
}
