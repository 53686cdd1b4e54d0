//! What the rules say of a call that nobody has made yet.

use super::policy::PolicyView;
use super::rule::RuleView;
use super::words::{LayerView, PermissionView, RiskView};
use agent_core::plan::CommandLine;
use agent_core::policy::{Demand, Verdict};
use agent_core::tool::name;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A call to be judged: exactly one of `command`, `write` and `domain`.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"command": "cargo test && git push", "policy": {"approval": "commands"}}))]
pub struct CheckPolicy {
    /// A command: a line for `sh -c`, or program and arguments.
    #[serde(default)]
    #[schema(value_type = Option<Value>)]
    pub command: Option<CommandLine>,
    /// Files that are written, relative to the repository.
    #[serde(default)]
    #[schema(max_items = 1000)]
    pub write: Option<Vec<String>>,
    /// A host that commands reach; `*` is the whole network.
    #[serde(default)]
    pub domain: Option<String>,
    /// The policy of the plan that the call would belong to.
    #[serde(default)]
    pub policy: PolicyView,
}

impl CheckPolicy {
    /// The tool and what the call would do; `None` unless exactly one is named.
    pub fn demand(&self) -> Option<(&'static str, Demand)> {
        match (&self.command, &self.write, &self.domain) {
            (Some(command), None, None) => Some((name::RUN_COMMAND, Demand::Command(command.argv()))),
            (None, Some(paths), None) => Some((name::WRITE_FILE, Demand::Write(paths.clone()))),
            (None, None, Some(host)) => Some((name::RUN_COMMAND, Demand::Domain(host.clone()))),
            _ => None,
        }
    }
}

/// What the rules say.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "permission": "ask", "layer": "plan", "reason": "the plan's approval mode is commands", "risk": "high", "rule": null
}))]
pub struct VerdictView {
    /// What may be done.
    pub permission: PermissionView,
    /// Whose rules decided.
    pub layer: LayerView,
    /// Why.
    pub reason: String,
    /// How much harm it could do if nothing held it.
    pub risk: RiskView,
    /// The rule that decided; null where none matched.
    pub rule: Option<RuleView>,
}

impl From<Verdict> for VerdictView {
    fn from(verdict: Verdict) -> Self {
        Self {
            permission: verdict.permission.into(),
            layer: verdict.layer.into(),
            reason: verdict.reason,
            risk: verdict.risk.into(),
            rule: verdict.rule.map(Into::into),
        }
    }
}
