//! What the rules say of one call.

use super::{Permission, Policy, Rule};
use crate::policy::ApprovalMode;
use serde::{Deserialize, Serialize};

/// What a call would do, as the rules see it. Every tool says it of each of its calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Demand {
    /// It only looks.
    Read,
    /// It runs this program with these arguments.
    Command(Vec<String>),
    /// It changes these files, relative to the workspace.
    Write(Vec<String>),
    /// It reaches this host; `*` is the whole network.
    Domain(String),
    /// Something else that changes the world.
    Other,
}

/// How much harm a call could do if it were not held by anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Looks, builds, tests.
    Low,
    /// Changes files of the workspace, or does what nobody has judged.
    Medium,
    /// Deletes, publishes, changes history or permissions, or cannot be read.
    High,
    /// Runs what it fetched, writes to devices, deletes beyond the workspace.
    Critical,
}

impl Risk {
    /// The word used in JSON, events and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// The risk of that word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High, Self::Critical].into_iter().find(|risk| risk.as_str() == text)
    }
}

/// Whose rules decided. A lower one may only tighten what a higher one says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// What holds everywhere.
    Builtin,
    /// Whoever runs the server.
    Server,
    /// The plan's own policy.
    Plan,
}

impl Layer {
    /// The word used in JSON and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Builtin => "builtin",
            Self::Server => "server",
            Self::Plan => "plan",
        }
    }
}

/// The answer of the rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// What may be done.
    pub permission: Permission,
    /// Whose rules decided.
    pub layer: Layer,
    /// Why, in one sentence for the model and for whoever is asked.
    pub reason: String,
    /// The rule that decided, as written; `None` where no rule matched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
    /// How much harm it could do.
    pub risk: Risk,
}

/// One call to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// The tool.
    pub tool: &'a str,
    /// What the call would do.
    pub demand: &'a Demand,
    /// The plan's policy.
    pub policy: &'a Policy,
}

/// A rule that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("rule {}: {detail}", index + 1)]
pub struct RuleProblem {
    /// Which of the rules, counted from 0.
    pub index: usize,
    /// What is wrong, and what would be right.
    pub detail: String,
}

/// Judges calls by rules.
pub trait Judge: Send + Sync {
    /// What may be done about a call: the strictest that any layer says.
    fn judge(&self, call: Judged<'_>) -> Verdict;

    /// What is wrong with the rules of a plan; examples included.
    fn problems(&self, rules: &[Rule]) -> Vec<RuleProblem>;

    /// Whether a rule that a person accepts along with a call covers that very call.
    fn covers(&self, rule: &Rule, call: Judged<'_>) -> bool;
}

/// What the plan's approval mode alone says of a demand.
fn by_mode(mode: ApprovalMode, demand: &Demand) -> Permission {
    let (writes, commands) = match demand {
        Demand::Read | Demand::Domain(_) => (false, false),
        Demand::Write(_) => (true, false),
        Demand::Command(_) => (false, true),
        Demand::Other => (true, true),
    };
    let asks = match mode {
        ApprovalMode::Never => false,
        ApprovalMode::Writes => writes,
        ApprovalMode::Commands => commands,
        ApprovalMode::Always => writes || commands,
    };
    if asks { Permission::Ask } else { Permission::Allow }
}

/// Judges by the plan's approval mode alone: for programs that bring no rules. Plans that bring some are refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct ModeJudge;

impl Judge for ModeJudge {
    fn judge(&self, call: Judged<'_>) -> Verdict {
        let mode = call.policy.approval;
        let permission = by_mode(mode, call.demand);
        let reason = match permission {
            Permission::Ask => format!("the plan's approval mode is {}", mode.as_str()),
            Permission::Allow | Permission::Deny => "nothing speaks against it".to_owned(),
        };
        Verdict { permission, layer: Layer::Plan, reason, rule: None, risk: Risk::Medium }
    }

    fn problems(&self, rules: &[Rule]) -> Vec<RuleProblem> {
        let detail = "this program judges by the approval mode alone; leave the rules out".to_owned();
        (0..rules.len()).map(|index| RuleProblem { index, detail: detail.clone() }).collect()
    }

    fn covers(&self, _rule: &Rule, _call: Judged<'_>) -> bool {
        false
    }
}
