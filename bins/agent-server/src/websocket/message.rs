//! What client and server say to each other.

use crate::views::approval::{DecideApproval, DecidedView};
use agent_core::time::Timestamp;
use serde::{Deserialize, Serialize};

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
    Subscribe {
        /// `plan_<id>` or `all`.
        topic: String,
        /// Replays what stands behind this position first.
        #[serde(default)]
        after: Option<i64>,
    },
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
    },
    /// No more events follow.
    Unsubscribed {
        /// The topic.
        topic: &'a str,
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
    /// The client left, or the network did.
    Gone,
    /// The client said goodbye.
    Goodbye,
    /// It did not say in time who it is, or its token is no longer accepted.
    Unauthenticated(&'static str),
    /// It does not take its events; these are the last positions it was sent.
    TooSlow(String),
    /// It broke the protocol.
    Protocol,
    /// It sent a message that is too large.
    TooLarge,
    /// It said nothing for too long.
    Silent,
    /// The server is stopping; come back with `after`.
    Restart,
}

impl Closing {
    /// Code and words; `None` where nobody is left to read them.
    pub(super) fn frame(&self) -> Option<(u16, String)> {
        match self {
            Self::Gone => None,
            Self::Goodbye => Some((1000, String::new())),
            Self::Unauthenticated(why) => Some((4401, (*why).to_owned())),
            Self::TooSlow(positions) => Some((4408, format!("too slow; last sent: {positions}"))),
            Self::Protocol => Some((1002, "protocol error".to_owned())),
            Self::TooLarge => Some((1009, "message too large".to_owned())),
            Self::Silent => Some((1001, "no sign of life".to_owned())),
            Self::Restart => Some((1012, "the server is stopping; come back with `after`".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_the_contract_has_them() {
        let read = |text: &str| serde_json::from_str::<ClientMessage>(text);
        let subscribe = ClientMessage::Subscribe { topic: "plan_1".to_owned(), after: Some(0) };
        assert_eq!(read(r#"{"action":"subscribe","topic":"plan_1","after":0}"#).unwrap(), subscribe);
        assert_eq!(read(r#"{"action":"ping"}"#).unwrap(), ClientMessage::Ping {});
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"action":"dance"}"#,
            r#"{"action":"subscribe"}"#,
            r#"{"action":"ping","x":1}"#,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn answers_have_their_type_first() {
        let subscribed = ServerMessage::Subscribed { topic: "plan_1", seq: 41 };
        assert_eq!(subscribed.to_json(), r#"{"type":"subscribed","topic":"plan_1","seq":41}"#);
    }
}
