//! What client and server say to each other on a WebSocket.

use crate::error::Error;
use crate::events::{Reset, Told, Transient};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is asked, for messages.
pub(super) const REQUEST: &str = "GET /ws";

/// Wants the events of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename = "subscribe")]
pub(super) struct Subscribe {
    pub(super) topic: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) epoch: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) events: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) transient: bool,
}

/// What the server says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ServerFrame {
    /// Events with positions above `seq` follow.
    Subscribed { topic: String, seq: i64, epoch: Option<String> },
    /// An event of a topic.
    Event { topic: String, told: Told },
    /// What happens at this moment.
    Transient { topic: String, transient: Transient },
    /// Events cannot be resumed from the position; nothing is subscribed.
    Reset(Reset),
    /// The message before was not done.
    Refused { code: String, detail: String },
    /// Something that is not about subscriptions.
    Other,
}

#[derive(Deserialize)]
struct Subscribed {
    topic: String,
    seq: i64,
    #[serde(default)]
    epoch: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    code: String,
    #[serde(default)]
    detail: String,
}

impl ServerFrame {
    /// Reads a frame.
    ///
    /// # Errors
    /// `Protocol` for what no server of this protocol says.
    pub(super) fn read(text: &str) -> Result<Self, Error> {
        let odd = |detail: String| Error::protocol(REQUEST, detail);
        let whole: Value =
            serde_json::from_str(text).map_err(|error| odd(format!("a frame that is no JSON: {error}")))?;
        let topic = || whole["topic"].as_str().unwrap_or_default().to_owned();
        let broken = |error: serde_json::Error| odd(format!("a frame that cannot be read: {error}"));
        if whole["event"].is_string() {
            return Ok(Self::Event { topic: topic(), told: Told::read(whole).map_err(odd)? });
        }
        match whole["type"].as_str() {
            Some("subscribed") => {
                let Subscribed { topic, seq, epoch } = Deserialize::deserialize(&whole).map_err(broken)?;
                Ok(Self::Subscribed { topic, seq, epoch })
            }
            Some("transient") => {
                let mut transient = Transient::deserialize(&whole).map_err(broken)?;
                transient.fields.retain(|name, _| name != "type" && name != "topic");
                Ok(Self::Transient { topic: topic(), transient })
            }
            Some("reset") => Reset::deserialize(&whole).map(Self::Reset).map_err(broken),
            Some("error") => {
                let Refused { code, detail } = Deserialize::deserialize(&whole).map_err(broken)?;
                Ok(Self::Refused { code, detail })
            }
            Some(_) => Ok(Self::Other),
            None => Err(odd("a frame that is neither an event nor an answer".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_is_wanted_is_said_so_that_older_servers_understand_it() {
        let plain = Subscribe {
            topic: "plan_1".to_owned(),
            after: Some(0),
            epoch: None,
            events: Vec::new(),
            transient: false,
        };
        let written = serde_json::to_value(&plain).unwrap();
        assert_eq!(written, json!({"action": "subscribe", "topic": "plan_1", "after": 0}));
        let full = Subscribe {
            epoch: Some("e1".to_owned()),
            events: vec!["task_completed".to_owned()],
            transient: true,
            ..plain
        };
        assert_eq!(
            serde_json::to_value(&full).unwrap(),
            json!({"action": "subscribe", "topic": "plan_1", "after": 0, "epoch": "e1",
                   "events": ["task_completed"], "transient": true})
        );
    }

    #[test]
    fn what_the_server_says_is_told_apart() {
        let read = |value: Value| ServerFrame::read(&value.to_string());
        let subscribed =
            read(json!({"type": "subscribed", "topic": "all", "seq": 41, "epoch": "e1"})).unwrap();
        let expected =
            ServerFrame::Subscribed { topic: "all".to_owned(), seq: 41, epoch: Some("e1".to_owned()) };
        assert_eq!(subscribed, expected);
        let transient = read(json!({"type": "transient", "topic": "plan_1", "plan_id": 1, "task_id": 3,
                                    "kind": "output", "text": "ok"}));
        let Ok(ServerFrame::Transient { topic, transient }) = transient else { panic!("{transient:?}") };
        assert_eq!((topic.as_str(), transient.kind.as_str()), ("plan_1", "output"));
        assert_eq!(Value::from(transient.fields), json!({"text": "ok"}));
        let refused = read(json!({"type": "error", "code": "plan_not_found", "detail": "plan 7"})).unwrap();
        assert!(matches!(refused, ServerFrame::Refused { code, .. } if code == "plan_not_found"));
        let reset = read(json!({"type": "reset", "topic": "plan_1", "reason": "future"})).unwrap();
        assert!(matches!(reset, ServerFrame::Reset(_)));
        assert_eq!(read(json!({"type": "pong", "timestamp": "x"})).unwrap(), ServerFrame::Other);
        assert!(ServerFrame::read("nonsense").is_err() && read(json!({"seq": 1})).is_err());
    }
}
