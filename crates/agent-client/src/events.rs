//! Following events: what is wanted, and what comes.

mod list;
mod reset;
mod told;

pub use list::{EventPage, ListEvents};
pub use reset::{Reset, ResetReason};
pub(crate) use told::Told;
pub use told::{Transient, UnknownEvent};

use crate::client::Inner;
use crate::error::Error;
use crate::follow;
use agent_core::event::Event;
use agent_core::ids::PlanId;
use futures_util::Stream;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// How many updates wait for a consumer that is slower than the server.
const QUEUE: usize = 256;

/// What is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// One plan; positions are [`Event::seq`].
    Plan(PlanId),
    /// All plans that the caller may see; positions are [`Event::cursor`].
    All,
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan(id) => write!(f, "plan_{id}"),
            Self::All => f.write_str("all"),
        }
    }
}

/// What is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) topic: Topic,
    pub(crate) after: Option<i64>,
    pub(crate) epoch: Option<String>,
    pub(crate) only: Vec<String>,
    pub(crate) transient: bool,
    pub(crate) until_ended: bool,
    pub(crate) give_up_after: Option<Duration>,
}

/// Events as they are committed: which are wanted, and from where on.
#[derive(Clone)]
#[must_use = "nothing is followed until `follow` or `updates`"]
pub struct Events {
    inner: Arc<Inner>,
    wanted: Wanted,
}

/// What comes while a topic is followed.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Update {
    /// An event.
    Event(Box<Event>),
    /// An event of a kind that this version does not know; its position counts like that of any other.
    Unknown(UnknownEvent),
    /// What a task does at this moment; kept nowhere, without a position, and lost where the connection is.
    Transient(Transient),
    /// The topic is subscribed.
    Connected {
        /// Events behind this position follow.
        after: i64,
        /// Which history positions belong to; see [`Events::epoch`]. `None` from servers that do not say.
        epoch: Option<String>,
    },
    /// The connection is lost, and another one is tried after the pause.
    Lost {
        /// Why, for a person.
        why: String,
        /// The pause.
        retry_in: Duration,
    },
}

impl Events {
    pub(crate) fn new(inner: Arc<Inner>) -> Self {
        let wanted = Wanted {
            topic: Topic::All,
            after: None,
            epoch: None,
            only: Vec::new(),
            transient: false,
            until_ended: false,
            give_up_after: None,
        };
        Self { inner, wanted }
    }

    /// Of this topic; of everything that the caller may see unless said otherwise.
    pub fn topic(mut self, topic: Topic) -> Self {
        self.wanted.topic = topic;
        self
    }

    /// First those that stand behind this position in the log, 0 for all of them; only what comes from now on unless said
    /// otherwise.
    pub fn after(mut self, position: i64) -> Self {
        self.wanted.after = Some(position);
        self
    }

    /// The position is one of this epoch, as an earlier [`Update::Connected`] named it: a server whose history is another
    /// one by now answers with [`Error::Reset`] in place of events that do not follow.
    pub fn epoch(mut self, epoch: impl Into<String>) -> Self {
        self.wanted.epoch = Some(epoch.into());
        self
    }

    /// Only events of these names, see [`crate::EVENT_NAMES`].
    pub fn only<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.wanted.only = names.into_iter().map(Into::into).collect();
        self
    }

    /// Also what tasks do at this moment, as [`Update::Transient`]; only [`Events::updates`] hands it out.
    pub fn with_transient(mut self) -> Self {
        self.wanted.transient = true;
        self
    }

    /// Up to and with the event that says that the plan has ended (`plan_updated`, which [`Events::only`] must let through).
    pub fn until_ended(mut self) -> Self {
        self.wanted.until_ended = true;
        self
    }

    /// Ends with `Unreachable` once a connection that stood could not be had again for so long; tries for ever unless said
    /// otherwise. The first connection is tried as often as [`crate::Retries::attempts`] says.
    pub fn give_up_after(mut self, outage: Duration) -> Self {
        self.wanted.give_up_after = Some(outage);
        self
    }

    /// Follows the events: each of them once and in order, whatever becomes of the connection. Begins at once, in a task
    /// that ends with the stream; must be called within a Tokio runtime.
    ///
    /// The stream ends after its first error: [`Error::Reset`] when events cannot be resumed from the position,
    /// [`Error::Refused`] when the topic may not be followed, [`Error::Problem`] and [`Error::Unauthenticated`] when the
    /// credential is not accepted any more, [`Error::Unreachable`] when there is no server, [`Error::Protocol`] and
    /// [`Error::Closed`] when it speaks another language.
    pub fn follow(self) -> Follow {
        Follow { updates: self.updates() }
    }

    /// As [`Events::follow`], with everything else that is worth knowing, such as whether there is a connection.
    pub fn updates(self) -> Updates {
        let (out, incoming) = mpsc::channel(QUEUE);
        let task = tokio::spawn(follow::run(self.inner, self.wanted, out));
        Updates { incoming, task }
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

/// Everything that comes while a topic is followed.
#[derive(Debug)]
pub struct Updates {
    incoming: mpsc::Receiver<Result<Update, Error>>,
    task: JoinHandle<()>,
}

impl Stream for Updates {
    type Item = Result<Update, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.incoming.poll_recv(context)
    }
}

impl Drop for Updates {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The events of a topic, each once and in order. Events of kinds that this version does not know are left out.
#[derive(Debug)]
pub struct Follow {
    updates: Updates,
}

impl Stream for Follow {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(Pin::new(&mut self.updates).poll_next(context)) {
                Some(Ok(Update::Event(event))) => return Poll::Ready(Some(Ok(*event))),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}
