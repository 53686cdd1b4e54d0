//! What to do about everything that happens while a topic is followed: decisions without clock and connection.
//!
//! The position is that of the last event that was handed out, and only an event that comes right behind it is. So whatever
//! connections do, the consumer gets the log: once, and in order.

mod loss;
#[cfg(test)]
mod tests;

pub(super) use loss::Loss;

use super::frames::{REQUEST, ServerFrame, Subscribe};
use crate::error::{Error, Result};
use crate::events::{Reset, ResetReason, Told, Topic, Update, Wanted};
use crate::retry::{Retries, backoff, is_temporary};
use agent_core::event::{Event, EventBody};
use std::time::Duration;

/// A line that stood for so long was a good one: what comes after it begins anew.
const STEADY: Duration = Duration::from_secs(60);
/// Pauses between lines grow to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A server is not left alone for longer, whatever it asks for.
const LONGEST_WISH: Duration = Duration::from_secs(300);
/// So often in a row the server may tell something that does not follow from what it told before.
const MAX_STRIKES: u32 = 3;

/// Where the following of a topic stands.
pub(super) struct Machine {
    wanted: Wanted,
    first_pause: Duration,
    first_attempts: u32,
    /// The last event that was handed out; before the first, where to begin. `None` is wherever the log ends.
    position: Option<i64>,
    epoch: Option<String>,
    /// Whether a subscription was asked for and not answered; what comes then belongs to an earlier one.
    awaits: bool,
    /// The server at the other end refuses what is new in the protocol: events are picked out here.
    is_old_server: bool,
    /// Whether there ever was a subscription.
    has_stood: bool,
    /// Lines lost in a row without anything gained.
    failures: u32,
    /// Whether the credential was renewed since the last subscription.
    was_renewed: bool,
    strikes: u32,
}

/// What follows from a frame.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing.
    Nothing,
    /// The consumer gets this.
    HandOut(Update),
    /// The consumer gets this, and that was all.
    HandOutLast(Update),
    /// Subscribe on the same line.
    Subscribe,
    /// The line is of no use; it counts as lost.
    Leave(Loss),
}

/// What follows from the loss of a line.
#[derive(Debug)]
pub(super) enum Next {
    /// Another one, after the pause.
    Open {
        /// The pause.
        pause: Duration,
    },
    /// Another one, after the pause and with another credential.
    Renew {
        /// The pause.
        pause: Duration,
        /// The end, where there is nothing to renew it with; without one, the same credential is shown again.
        otherwise: Option<Error>,
    },
}

/// How long things took.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Times {
    /// How long the line was subscribed.
    pub(super) lived: Duration,
    /// How long nothing was subscribed before this moment.
    pub(super) outage: Duration,
}

impl Machine {
    pub(super) fn new(wanted: Wanted, retries: &Retries) -> Self {
        Self {
            first_pause: retries.first_pause,
            first_attempts: retries.attempts,
            position: wanted.after,
            epoch: wanted.epoch.clone(),
            wanted,
            awaits: false,
            is_old_server: false,
            has_stood: false,
            failures: 0,
            was_renewed: false,
            strikes: 0,
        }
    }

    /// What to say so that events come from the right place on; on a new line, or in place of an earlier subscription.
    pub(super) fn subscribe(&mut self) -> Subscribe {
        self.awaits = true;
        let asks_new = !self.is_old_server;
        Subscribe {
            topic: self.wanted.topic.to_string(),
            after: self.position,
            epoch: self.epoch.clone().filter(|_| asks_new),
            events: if asks_new { self.wanted.only.clone() } else { Vec::new() },
            transient: self.wanted.transient && asks_new,
        }
    }

    /// Whether the answer to a subscription is still to come.
    pub(super) fn awaits(&self) -> bool {
        self.awaits
    }

    /// What follows from a frame.
    ///
    /// # Errors
    /// The end of following, in place of what follows.
    pub(super) fn hear(&mut self, frame: ServerFrame) -> Result<Step> {
        let mine = self.wanted.topic.to_string();
        match frame {
            ServerFrame::Subscribed { topic, seq, epoch } if topic == mine => Ok(self.subscribed(seq, epoch)),
            ServerFrame::Event { topic, told } if topic == mine && !self.awaits => self.told(told),
            ServerFrame::Transient { topic, transient } if topic == mine && self.wanted.transient => {
                Ok(Step::HandOut(Update::Transient(transient)))
            }
            ServerFrame::Reset(reset) if reset.topic == mine => Err(reset.into()),
            ServerFrame::Refused { code, detail } if self.awaits => self.refused(code, detail),
            _ => Ok(Step::Nothing),
        }
    }

    fn subscribed(&mut self, seq: i64, epoch: Option<String>) -> Step {
        (self.awaits, self.has_stood, self.was_renewed) = (false, true, false);
        let after = *self.position.get_or_insert(seq);
        if epoch.is_some() {
            self.epoch.clone_from(&epoch);
        }
        Step::HandOut(Update::Connected { after, epoch })
    }

    fn told(&mut self, told: Told) -> Result<Step> {
        let last = self.position.unwrap_or_default();
        let (position, is_dense) = match self.wanted.topic {
            Topic::Plan(_) => (told.seq(), self.wanted.only.is_empty() || self.is_old_server),
            Topic::All => (told.cursor(), false),
        };
        if position <= last || (is_dense && position != last + 1) {
            return self.strike(last, position);
        }
        (self.position, self.strikes, self.failures) = (Some(position), 0, 0);
        let is_last = self.wanted.until_ended && ends_plan(&told);
        let is_wanted =
            self.wanted.only.is_empty() || self.wanted.only.iter().any(|name| name == told.name());
        if !is_wanted {
            return Ok(Step::Nothing);
        }
        let update = match told {
            Told::Known(event) => Update::Event(event),
            Told::Unknown(event) => Update::Unknown(event),
        };
        Ok(if is_last { Step::HandOutLast(update) } else { Step::HandOut(update) })
    }

    /// The server tells something twice, or leaves something out: it is asked again for what follows.
    fn strike(&mut self, last: i64, position: i64) -> Result<Step> {
        self.strikes += 1;
        if self.strikes < MAX_STRIKES {
            return Ok(Step::Subscribe);
        }
        let topic = self.wanted.topic;
        let detail =
            format!("event {position} of {topic} was told behind {last}, {MAX_STRIKES} times in a row");
        Err(Error::protocol(REQUEST, detail))
    }

    fn refused(&mut self, code: String, detail: String) -> Result<Step> {
        let asked_new = self.epoch.is_some() || !self.wanted.only.is_empty() || self.wanted.transient;
        match code.as_str() {
            "malformed_message" if asked_new && !self.is_old_server => {
                self.is_old_server = true;
                Ok(Step::Subscribe)
            }
            "unavailable" | "busy" => Ok(Step::Leave(Loss::Unavailable(detail))),
            // What servers say that know no reset.
            "after_beyond_head" => Err(Reset::of(self.wanted.topic.to_string(), ResetReason::Future).into()),
            _ => Err(Error::Refused { code, detail }),
        }
    }

    /// What follows from the loss of a line; `chance` lies between 0 and 1.
    ///
    /// # Errors
    /// The end of following, where another line is pointless.
    pub(super) fn lose(&mut self, loss: Loss, times: Times, chance: f64) -> Result<Next> {
        // The next line may lead to a server of another version.
        (self.awaits, self.is_old_server) = (false, false);
        if times.lived >= STEADY {
            self.failures = 0;
        }
        self.failures += 1;
        let pause = self.pause(&loss, chance);
        let hopeless = if self.has_stood {
            self.wanted.give_up_after.is_some_and(|limit| times.outage >= limit)
        } else {
            self.failures >= self.first_attempts
        };
        match loss {
            Loss::Foreign(detail) => Err(Error::protocol(REQUEST, detail)),
            Loss::Closed { code: 4401, reason } => {
                self.renewal(pause, None, Error::Unauthenticated { reason })
            }
            Loss::Closed { code, reason } if is_final(code) => Err(Error::Closed { code, reason }),
            Loss::Answered(problem) if problem.status == 401 => {
                self.renewal(pause, Some(problem.clone().into()), problem.into())
            }
            Loss::Answered(problem) if hopeless || !is_temporary(problem.status) => Err(problem.into()),
            loss if hopeless => Err(self.unreachable(&loss)),
            _ => Ok(Next::Open { pause }),
        }
    }

    /// Renews the credential, unless that was done already and did not help.
    fn renewal(&mut self, pause: Duration, otherwise: Option<Error>, error: Error) -> Result<Next> {
        if self.was_renewed {
            return Err(error);
        }
        self.was_renewed = true;
        Ok(Next::Renew { pause, otherwise })
    }

    /// The credential could not be renewed at the moment.
    pub(super) fn not_renewed(&mut self) {
        self.was_renewed = false;
    }

    /// The first time at once, then with growing pauses; but never before the server wishes.
    fn pause(&self, loss: &Loss, chance: f64) -> Duration {
        let own = match self.failures.checked_sub(2) {
            None => Duration::ZERO,
            Some(doublings) => backoff(self.first_pause, LONGEST_PAUSE, doublings, chance),
        };
        match loss.wish() {
            // Everybody is told the same: between half and the whole of it on top spreads them.
            Some(wish) => {
                let wish = wish.min(LONGEST_WISH);
                own.max(wish + backoff(wish, wish, 0, chance))
            }
            None => own,
        }
    }

    fn unreachable(&self, loss: &Loss) -> Error {
        let (request, attempts) = (REQUEST.to_owned(), self.failures);
        Error::Unreachable { request, attempts, source: loss.to_string().into() }
    }
}

/// Close codes that say that the client is wrong, which another connection does not mend.
fn is_final(code: u16) -> bool {
    matches!(code, 1002 | 1003 | 1007 | 1008 | 1009 | 1010)
}

fn ends_plan(told: &Told) -> bool {
    let Told::Known(event) = told else { return false };
    let Event { body: EventBody::PlanUpdated { status, .. }, .. } = &**event else { return false };
    status.is_terminal()
}
