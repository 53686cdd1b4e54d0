//! Plans and tasks as they are answered.

use agent_core::ids::{ExecutionId, PlanId, Revision, TaskId};
use agent_core::plan::{PlanStatus, TaskSpec, TaskStatus};
use agent_core::policy::Policy;
use agent_core::time::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A plan just created, or found again under its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CreatedPlan {
    /// Its id.
    pub plan_id: PlanId,
    /// The goal.
    pub goal: String,
    /// How many tasks it has; 0 while a language model is finding them.
    pub tasks: u64,
    /// Where it stands.
    pub status: PlanStatus,
}

/// A plan without its tasks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// Identifier.
    pub id: PlanId,
    /// What is to be reached.
    pub goal: String,
    /// The repository it works on.
    pub repo_path: String,
    /// Where it stands.
    pub status: PlanStatus,
    /// One sentence on how it ended, once it has.
    #[serde(default)]
    pub summary: Option<String>,
    /// The rules, as far as this version knows them.
    #[serde(deserialize_with = "known_policy")]
    pub policy: Policy,
    /// Whether it starts as soon as it has tasks.
    pub auto_execute: bool,
    /// The template it was made from.
    #[serde(default)]
    pub template_id: Option<String>,
    /// Which edition of goal, rules and tasks it follows: 1 as it was made, one more per edit.
    pub version: u32,
    /// Grows with each change.
    pub revision: Revision,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When its first task started.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
}

/// A task and where it stands.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Task {
    /// Identifier; unique over all plans.
    pub id: TaskId,
    /// Its plan.
    pub plan_id: PlanId,
    /// 1 to n within the plan.
    pub position: u32,
    /// What it is.
    #[serde(flatten)]
    pub spec: TaskSpec,
    /// Ids of the tasks that must be completed before.
    #[serde(default)]
    pub depends_on_ids: Vec<TaskId>,
    /// Where it stands.
    pub status: TaskStatus,
    /// How many attempts were started.
    pub attempts: u32,
    /// Whether it is done.
    pub completed: bool,
    /// What it yielded; `None` before.
    #[serde(default)]
    pub result: Option<Value>,
    /// Why it failed; `None` unless it did.
    #[serde(default)]
    pub error: Option<String>,
    /// When its latest attempt started.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
}

/// Figures of one plan.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Statistics {
    /// How many tasks it has.
    pub total_tasks: u64,
    /// How many are completed.
    pub completed_tasks: u64,
    /// How many failed for good.
    pub failed_tasks: u64,
    /// How many attempts were started.
    pub total_executions: u64,
    /// Share of completed tasks, 0 to 100.
    pub progress: f64,
    /// Model tokens used.
    #[serde(default)]
    pub tokens: u64,
    /// Cost in US dollars; `None` while no prices are known.
    #[serde(default)]
    pub cost: Option<f64>,
}

/// A plan with its tasks and figures.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct PlanDetails {
    /// The plan.
    pub plan: Plan,
    /// Its tasks, by position.
    pub tasks: Vec<Task>,
    /// Its figures.
    pub statistics: Statistics,
}

/// A plan in a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PlanSummary {
    /// Identifier.
    pub id: PlanId,
    /// What is to be reached.
    pub goal: String,
    /// The repository it works on.
    pub repo_path: String,
    /// Where it stands.
    pub status: PlanStatus,
    /// One sentence on how it ended, once it has.
    #[serde(default)]
    pub summary: Option<String>,
    /// How many tasks it has.
    pub tasks: u32,
    /// How many of them are completed.
    pub completed_tasks: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A page of plans, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PlanPage {
    /// The plans.
    pub plans: Vec<PlanSummary>,
    /// How many match in all.
    pub total: u64,
    /// The `cursor` of the next page; `None` on the last.
    #[serde(default)]
    pub next_cursor: Option<String>,
}

/// Which plans to list; the default is all that the caller may see.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PlanFilter {
    /// Only plans that stand here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<PlanStatus>,
    /// Only plans whose goal has all of these words; the last may be the beginning of one.
    #[serde(rename = "q", skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// At most so many in a page, 1 to 200; the server's 50 when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// An accepted request to move a plan. Follow its events for the outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Accepted {
    /// What happens now, in words.
    pub result: String,
    /// Names this request; `None` where nothing had to be started.
    #[serde(default)]
    pub execution_id: Option<ExecutionId>,
    /// The plan.
    pub plan_id: PlanId,
    /// Where it stands now.
    pub status: PlanStatus,
}

/// The tasks of a plan.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct PlanTasks {
    /// Its tasks, by position.
    pub tasks: Vec<Task>,
}

/// All changes that a plan made to files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PlanDiff {
    /// As one unified diff.
    pub diff: String,
}

#[derive(Serialize)]
pub(crate) struct SelectTask {
    pub(crate) task_id: TaskId,
}

#[derive(Serialize)]
pub(crate) struct RetryTask {
    pub(crate) task_id: TaskId,
    pub(crate) following: bool,
}

/// The fields of a policy, and of its budget, that this version knows.
const POLICY: &[&str] = &[
    "approval",
    "max_parallel",
    "on_failure",
    "workspace",
    "sandbox",
    "network",
    "domains",
    "secret_files",
    "approval_timeout_ms",
    "on_expiry",
    "rules",
    "budget",
];
const BUDGET: &[&str] = &["max_tokens", "max_cost", "max_duration_ms", "max_model_calls"];

/// Reads a policy that may have fields of a later version: the domain refuses what it does not know, as a request must.
fn known_policy<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Policy, D::Error> {
    let mut fields = Map::deserialize(deserializer)?;
    fields.retain(|name, _| POLICY.contains(&name.as_str()));
    if let Some(Value::Object(budget)) = fields.get_mut("budget") {
        budget.retain(|name, _| BUDGET.contains(&name.as_str()));
    }
    serde_json::from_value(Value::Object(fields)).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_core::policy::{ApprovalMode, Budget};
    use serde_json::json;

    fn names(text: &str) -> Vec<&str> {
        text.split('`').skip(1).step_by(2).filter(|name| *name != "?").collect()
    }

    #[test]
    fn every_field_of_a_policy_is_known_here() {
        let error = serde_json::from_value::<Policy>(json!({"?": 1})).unwrap_err().to_string();
        assert_eq!(names(&error), POLICY);
        let error = serde_json::from_value::<Budget>(json!({"?": 1})).unwrap_err().to_string();
        assert_eq!(names(&error), BUDGET);
    }

    #[test]
    fn fields_of_a_later_version_are_left_out_and_words_of_one_are_not_guessed() {
        let sent =
            json!({"approval": "writes", "colour": "red", "budget": {"max_tokens": 7, "max_colours": 3}});
        let policy = known_policy(sent).unwrap();
        assert_eq!((policy.approval, policy.budget.max_tokens), (ApprovalMode::Writes, Some(7)));
        assert!(known_policy(json!({"approval": "sometimes"})).is_err());
    }
}
