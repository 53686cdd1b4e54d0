//! What client and server say to each other.

use crate::views::approval::{DecideApproval, DecidedView};
use agent_core::time::Timestamp;
use agent_core::transient::Transient;
use agent_websocket::{CloseFrame, Fault};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A message of a client.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ClientMessage {
    /// Says who it is; later, brings a newer token of the same user.
    Authenticate {
        /// Access token or API key.
        token: String,
    },
    /// Wants the events of a topic.
    Subscribe(Subscribe),
    /// Wants them no more.
    Unsubscribe {
        /// The topic.
        topic: String,
    },
    /// Answers a question to a person, as `POST /approvals/{id}` does.
    Decide {
        /// The question.
        approval_id: i64,
        /// The answer, and what goes with it.
        answer: DecideApproval,
    },
    /// Wants an answer.
    Ping {},
}

/// What is wanted of a topic.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subscribe {
    /// `plan_<id>` or `all`.
    pub(super) topic: String,
    /// Replays what stands behind this position first. Anything else than a position is answered by `reset`.
    #[serde(default)]
    pub(super) after: Option<Value>,
    /// The log that the position is of, as `subscribed` named it.
    #[serde(default)]
    pub(super) epoch: Option<String>,
    /// Only events of these names.
    #[serde(default)]
    pub(super) events: Option<Vec<String>>,
    /// What passes, too.
    #[serde(default)]
    pub(super) transient: bool,
}

/// Why a position cannot be resumed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ResetReason {
    /// It lies behind the newest event.
    Future,
    /// It is of another log: the database is not the one it was.
    Epoch,
    /// It is no position.
    Malformed,
}

/// An answer of the server; events come beside these, as envelopes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerMessage<'a> {
    /// The connection is now this user's.
    Authenticated {
        /// Who.
        user_id: i64,
        /// Their name.
        username: &'a str,
    },
    /// Events with positions above `seq` follow.
    Subscribed {
        /// The topic.
        topic: &'a str,
        /// The position.
        seq: i64,
        /// The log that it is of.
        epoch: &'a str,
    },
    /// The position cannot be resumed from, and nothing is subscribed: read `snapshot`, then subscribe from `head`.
    Reset {
        /// The topic.
        topic: &'a str,
        /// Why.
        reason: ResetReason,
        /// The log there is.
        epoch: &'a str,
        /// The oldest position that can be resumed from: nothing is ever pruned.
        oldest: i64,
        /// The newest.
        head: i64,
        /// Where the present state is.
        snapshot: &'a str,
    },
    /// No more events follow.
    Unsubscribed {
        /// The topic.
        topic: &'a str,
    },
    /// Something that passes: without a position, never repeated, and dropped where the client is slow.
    Transient {
        /// The topic.
        topic: &'a str,
        /// What it is.
        #[serde(flatten)]
        passing: &'a Transient,
    },
    /// The answer is taken.
    Decided(DecidedView),
    /// Here.
    Pong {
        /// The server's time.
        timestamp: Timestamp,
    },
    /// The message before was not done; the connection goes on.
    Error {
        /// Stable word for programs.
        code: &'a str,
        /// What is wrong, and what would be right.
        detail: &'a str,
    },
}

impl ServerMessage<'_> {
    /// As text.
    pub(super) fn to_json(&self) -> String {
        // Plain text and numbers cannot fail to be JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Why the server closes a connection: the code on the wire and the words with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Closing {
    /// The client said goodbye.
    Goodbye,
    /// It did not say in time who it is, or its token is no longer accepted.
    Unauthenticated(&'static str),
    /// It does not take its events; these are the last positions it was sent.
    TooSlow(String),
    /// It broke the rules of frames and messages, or is gone.
    Fault(Fault),
    /// It sends more messages than it may.
    TooMany,
    /// It said nothing for too long.
    Silent,
    /// The server is stopping; come back with `after`, after so many milliseconds.
    Restart(u64),
}

impl Closing {
    /// What the client is told; `None` where nobody is left to read it.
    pub(super) fn frame(&self) -> Option<CloseFrame> {
        let (code, words) = match self {
            Self::Goodbye => (1000, String::new()),
            Self::Unauthenticated(why) => (4401, (*why).to_owned()),
            Self::TooSlow(positions) => (4408, format!("too slow; last sent: {positions}")),
            Self::Fault(fault) => return fault.close_frame(),
            Self::TooMany => (1008, "too many messages".to_owned()),
            Self::Silent => (1001, "no sign of life".to_owned()),
            Self::Restart(pause) => {
                (1012, format!("the server is stopping; come back with `after`; retry_after_ms={pause}"))
            }
        };
        Some(CloseFrame::new(code, words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_the_contract_has_them() {
        let read = |text: &str| serde_json::from_str::<ClientMessage>(text);
        let subscribe = ClientMessage::Subscribe(Subscribe {
            topic: "plan_1".to_owned(),
            after: Some(Value::from(0)),
            ..Subscribe::default()
        });
        assert_eq!(read(r#"{"action":"subscribe","topic":"plan_1","after":0}"#).unwrap(), subscribe);
        assert_eq!(read(r#"{"action":"ping"}"#).unwrap(), ClientMessage::Ping {});
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"action":"dance"}"#,
            r#"{"action":"subscribe"}"#,
            r#"{"action":"ping","x":1}"#,
            r#"{"action":"subscribe","topic":"all","x":1}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn answers_have_their_type_first() {
        let subscribed = ServerMessage::Subscribed { topic: "plan_1", seq: 41, epoch: "e" };
        assert_eq!(subscribed.to_json(), r#"{"type":"subscribed","topic":"plan_1","seq":41,"epoch":"e"}"#);
    }
}
