//! Rules about single calls, as data: what they match, and what they say of it.

use serde::{Deserialize, Serialize};

/// What may be done about a call, from the mildest answer to the strictest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// It is made.
    Allow,
    /// A person decides first.
    Ask,
    /// It is not made.
    Deny,
}

impl Permission {
    /// The word used in JSON, events and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }
}

/// One place in the beginning of a command: a word, or any of several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Words {
    /// This word.
    One(String),
    /// One of these words.
    OneOf(Vec<String>),
}

/// A rule about calls. It names exactly one of `command`, `write`, `tool` and `domain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The words that a command begins with, program first, such as `["git", ["push", "fetch"]]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<Words>,
    /// Pattern of paths that are written, relative to the repository: `*` within a name, `**` over folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<String>,
    /// Name of a tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Name of a host that commands reach, such as `crates.io` or `*.npmjs.org`; `*` is the whole network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// What it says.
    pub permission: Permission,
    /// Why, told to the model and to whoever is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Examples that it must match; checked when it is loaded.
    #[serde(default, rename = "match", skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<String>,
    /// Examples that it must not match; checked when it is loaded.
    #[serde(default, rename = "not_match", skip_serializing_if = "Vec::is_empty")]
    pub excludes: Vec<String>,
}

impl Rule {
    /// A rule that matches nothing yet.
    pub fn new(permission: Permission) -> Self {
        Self {
            command: Vec::new(),
            write: None,
            tool: None,
            domain: None,
            permission,
            reason: None,
            matches: Vec::new(),
            excludes: Vec::new(),
        }
    }

    /// A rule about commands that begin with these words.
    pub fn command<W: Into<String>>(permission: Permission, words: impl IntoIterator<Item = W>) -> Self {
        let command = words.into_iter().map(|word| Words::One(word.into())).collect();
        Self { command, ..Self::new(permission) }
    }
}
