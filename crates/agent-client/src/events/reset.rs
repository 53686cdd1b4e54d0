//! That events cannot be resumed from a position.

use serde::Deserialize;
use std::fmt;

/// Events cannot be resumed from the position that was given: what is known from before does not lead on to what comes.
/// Load the snapshot, and follow behind the position that it stands at.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Reset {
    /// The topic, `plan_<id>` or `all`.
    pub topic: String,
    /// Why not.
    pub reason: ResetReason,
    /// The server's present epoch.
    #[serde(default)]
    pub epoch: Option<String>,
    /// The oldest position in the log.
    #[serde(default)]
    pub oldest: Option<i64>,
    /// The newest position in the log.
    #[serde(default)]
    pub head: Option<i64>,
    /// Where to load the present state, as a path below the server's address.
    #[serde(default)]
    pub snapshot: Option<String>,
}

/// Why events cannot be resumed from a position.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResetReason {
    /// Nothing has that position yet.
    Future,
    /// What followed it is no longer kept.
    Pruned,
    /// It belongs to another history, such as that before a backup was restored.
    Epoch,
    /// It is no position.
    Malformed,
    /// Something that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl Reset {
    /// A reset of a server that says nothing more about it.
    pub(crate) fn of(topic: String, reason: ResetReason) -> Self {
        Self { topic, reason, epoch: None, oldest: None, head: None, snapshot: None }
    }
}

impl fmt::Display for ResetReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Future => "nothing has that position yet",
            Self::Pruned => "what followed it is no longer kept",
            Self::Epoch => "it belongs to another history",
            Self::Malformed => "it is no position",
            Self::Other(word) => word,
        })
    }
}

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be resumed from that position: {}; ", self.topic, self.reason)?;
        match &self.snapshot {
            Some(path) => write!(f, "load {path} and follow from there"),
            None => f.write_str("load its present state and follow from there"),
        }
    }
}

impl std::error::Error for Reset {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_reset_says_why_and_what_to_do() {
        let sent = json!({"type": "reset", "topic": "plan_1", "reason": "pruned", "epoch": "e1", "oldest": 30,
                          "head": 41, "snapshot": "/plans/1"});
        let reset: Reset = serde_json::from_value(sent).unwrap();
        assert_eq!(
            (reset.reason.clone(), reset.oldest, reset.head),
            (ResetReason::Pruned, Some(30), Some(41))
        );
        assert_eq!(
            reset.to_string(),
            "plan_1 cannot be resumed from that position: what followed it is no longer kept; \
             load /plans/1 and follow from there"
        );
        let sent = json!({"topic": "all", "reason": "tide"});
        let reset: Reset = serde_json::from_value(sent).unwrap();
        assert_eq!(reset.reason, ResetReason::Other("tide".to_owned()));
    }
}
