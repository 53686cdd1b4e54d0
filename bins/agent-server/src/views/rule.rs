//! Rules about single calls.

use super::words::PermissionView;
use agent_core::policy::{Rule, Words};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A rule about calls. It names exactly one of `command`, `write`, `tool` and `domain`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "command": ["git", ["push", "fetch"]], "permission": "ask", "reason": "leaves this machine",
    "match": ["git push origin main"], "not_match": ["git pull"]
}))]
pub struct RuleView {
    /// The words that a command begins with, program first; a list is any of its words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub command: Vec<WordsView>,
    /// Pattern of paths that are written, relative to the repository: `*` within a name, `**` over folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<String>,
    /// Name of a tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Name of a host, such as `crates.io` or `*.npmjs.org`; `*` is the whole network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// What it says.
    pub permission: PermissionView,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Examples that it must match.
    #[serde(default, rename = "match", skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub matches: Vec<String>,
    /// Examples that it must not match.
    #[serde(default, rename = "not_match", skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 50)]
    pub excludes: Vec<String>,
}

/// One place in the beginning of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(example = json!(["push", "fetch"]))]
pub enum WordsView {
    /// This word.
    One(String),
    /// One of these words.
    OneOf(Vec<String>),
}

impl From<RuleView> for Rule {
    fn from(view: RuleView) -> Self {
        let words = |words| match words {
            WordsView::One(word) => Words::One(word),
            WordsView::OneOf(words) => Words::OneOf(words),
        };
        Self {
            command: view.command.into_iter().map(words).collect(),
            write: view.write,
            tool: view.tool,
            domain: view.domain,
            permission: view.permission.into(),
            reason: view.reason,
            matches: view.matches,
            excludes: view.excludes,
        }
    }
}

impl From<Rule> for RuleView {
    fn from(rule: Rule) -> Self {
        let words = |words| match words {
            Words::One(word) => WordsView::One(word),
            Words::OneOf(words) => WordsView::OneOf(words),
        };
        Self {
            command: rule.command.into_iter().map(words).collect(),
            write: rule.write,
            tool: rule.tool,
            domain: rule.domain,
            permission: rule.permission.into(),
            reason: rule.reason,
            matches: rule.matches,
            excludes: rule.excludes,
        }
    }
}
