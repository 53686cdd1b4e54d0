//! A plan as it is asked for: over HTTP, and in the plan files of the command line.

use super::kind_fields::KindFields;
use super::policy::PolicyView;
use super::task::{CommandView, RetryView};
use super::words::{EffectView, KindView, OnUnknownView, PriorityView};
use agent_core::error::Defect;
use agent_core::plan::TaskSpec;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A plan to be created: from explicit tasks, from a template, or by a language model from the goal alone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "goal": "Make the tests pass",
    "repo_path": "shop",
    "tasks": [
        {"description": "Look around", "kind": "scan"},
        {"description": "Run the tests", "kind": "command", "command": ["cargo", "test"], "depends_on": [1]}
    ],
    "policy": {"sandbox": "workspace_write"},
    "auto_execute": true
}))]
pub struct CreatePlan {
    /// What is to be reached, in plain words; with `template_id` it may be empty, and is that of the template then.
    #[schema(max_length = 32_768)]
    pub goal: String,
    /// The repository, below one of the roots; the first root when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repo_path: Option<String>,
    /// A template to take the tasks from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_id: Option<String>,
    /// The template's parameters.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    pub parameters: Map<String, Value>,
    /// The tasks; a template or a language model gives them when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 10_000)]
    pub tasks: Option<Vec<CreateTask>>,
    /// The rules.
    #[serde(default)]
    pub policy: PolicyView,
    /// Whether it starts as soon as it has tasks.
    #[serde(default)]
    pub auto_execute: bool,
}

/// A task to be created. Which fields it may have depends on its kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"description": "Run the tests", "kind": "command", "command": ["cargo", "test"], "depends_on": [1]}))]
pub struct CreateTask {
    /// What is to be done, for a person and for the model.
    #[schema(min_length = 1, max_length = 32_768)]
    pub description: String,
    /// The kind of work.
    pub kind: KindView,
    /// Which of several ready tasks starts first; `medium` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<PriorityView>,
    /// Positions (1 to n) of the tasks that must be completed before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<u32>,
    /// Files and folders that it is expected to look at, relative to the repository.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
    /// Files and folders that it is expected to change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub writes: Vec<String>,
    /// Retries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryView>,
    /// Ceiling of one attempt in milliseconds; the server's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 86_400_000)]
    pub timeout_ms: Option<u64>,
    /// Whether a person must approve before it starts.
    #[serde(default)]
    pub requires_approval: bool,
    /// Whether it may run again when a crash caught it in flight; by kind when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<EffectView>,
    /// What happens when it may not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_unknown: Option<OnUnknownView>,
    /// `agent` only: must exit 0 before the task counts as done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<CommandView>,
    /// `command` only: what to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandView>,
    /// `command` only: additional environment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<BTreeMap<String, String>>,
    /// `command` only: folder relative to the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// `patch` only: a unified diff, the envelope format, or search/replace blocks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<String>,
    /// `tool` only: the tool to call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// `tool` only: what it is called with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub input: Option<Value>,
}

/// A plan that was asked for in a way that makes no sense; every defect found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defects(pub Vec<Defect>);

impl TryFrom<CreatePlan> for agent_runtime::CreatePlan {
    type Error = Defects;

    fn try_from(view: CreatePlan) -> Result<Self, Defects> {
        let mut defects = Vec::new();
        if view.tasks.as_ref().is_some_and(Vec::is_empty) {
            defects.push(Defect::new(
                "/tasks",
                "a plan needs at least one task; leave the field out to have it planned",
            ));
        }
        let tasks = view.tasks.unwrap_or_default().into_iter().enumerate();
        let tasks: Vec<Option<TaskSpec>> =
            tasks.map(|(index, task)| task.into_spec(&format!("/tasks/{index}"), &mut defects)).collect();
        if !defects.is_empty() {
            return Err(Defects(defects));
        }
        Ok(Self {
            goal: view.goal,
            repo_path: view.repo_path,
            template_id: view.template_id,
            parameters: view.parameters,
            tasks: tasks.into_iter().flatten().collect(),
            policy: view.policy.into(),
            auto_execute: view.auto_execute,
            idempotency: None,
        })
    }
}

impl CreateTask {
    /// The task of the domain, or every reason why there is none. `place` is the pointer of the task.
    pub(super) fn into_spec(self, place: &str, defects: &mut Vec<Defect>) -> Option<TaskSpec> {
        let fields = KindFields {
            command: self.command,
            env: self.env,
            working_directory: self.working_directory,
            patch: self.patch,
            tool: self.tool,
            input: self.input,
            verify: self.verify,
        };
        let mut spec = TaskSpec::new(self.description, fields.into_kind(self.kind, place, defects)?);
        spec.priority = self.priority.map(Into::into).unwrap_or_default();
        spec.depends_on = self.depends_on;
        (spec.reads, spec.writes) = (self.reads, self.writes);
        spec.retry = self.retry.map(Into::into).unwrap_or_default();
        spec.timeout_ms = self.timeout_ms;
        spec.requires_approval = self.requires_approval;
        spec.effect = self.effect.map(Into::into);
        spec.on_unknown = self.on_unknown.map(Into::into);
        Some(spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<agent_runtime::CreatePlan, Vec<String>> {
        let view: CreatePlan = serde_json::from_value(value).unwrap();
        view.try_into().map_err(|Defects(defects)| defects.into_iter().map(|d| d.pointer).collect())
    }

    #[test]
    fn every_kind_of_task_is_read_from_flat_fields() {
        let plan = read(json!({"goal": "g", "tasks": [
            {"description": "a", "kind": "agent", "verify": "make test"},
            {"description": "b", "kind": "command", "command": ["ls", "-l"], "env": {"A": "1"},
             "working_directory": "src", "depends_on": [1], "priority": "high", "timeout_ms": 10,
             "retry": {"max_attempts": 3}, "effect": "pure", "on_unknown": "retry", "requires_approval": true},
            {"description": "c", "kind": "patch", "patch": "*** Begin Patch"},
            {"description": "d", "kind": "scan"},
            {"description": "e", "kind": "approval"}
        ]}))
        .unwrap();
        let kinds: Vec<&str> = plan.tasks.iter().map(|task| task.kind.name()).collect();
        assert_eq!(kinds, ["agent", "command", "patch", "scan", "approval"]);
        assert_eq!(plan.tasks[1].retry.max_attempts, 3);
        assert_eq!(plan.tasks[1].retry.backoff_ms, 1_000);
        assert!(plan.tasks[1].requires_approval);
    }

    #[test]
    fn all_defects_are_named_at_once() {
        let defects = read(json!({"goal": "g", "tasks": [
            {"description": "a", "kind": "scan", "command": ["ls"], "patch": "x"},
            {"description": "b", "kind": "command"},
            {"description": "c", "kind": "patch", "verify": "true"}
        ]}))
        .unwrap_err();
        assert_eq!(
            defects,
            ["/tasks/0/command", "/tasks/0/patch", "/tasks/1/command", "/tasks/2/verify", "/tasks/2/patch"]
        );
    }

    #[test]
    fn an_empty_list_of_tasks_is_not_taken_for_none() {
        assert_eq!(read(json!({"goal": "g", "tasks": []})).unwrap_err(), ["/tasks"]);
    }

    #[test]
    fn a_plan_file_survives_being_written_and_read() {
        let text = json!({"goal": "g", "tasks": [{"description": "a", "kind": "command", "command": "ls"}]});
        let view: CreatePlan = serde_json::from_value(text).unwrap();
        let again: CreatePlan = serde_json::from_str(&serde_json::to_string(&view).unwrap()).unwrap();
        assert_eq!(view, again);
    }
}
