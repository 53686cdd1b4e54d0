//! An edit of a plan as it is asked for: over HTTP, and in the files of the command line.

use super::create_plan::CreateTask;
use super::kind_fields::{self, KindFields};
use super::policy::PolicyView;
use super::task::{CommandView, RetryView};
use super::words::{EffectView, KindView, OnUnknownView, PriorityView};
use agent_core::error::Defect;
use agent_core::ids::TaskId;
use agent_core::plan::{EditOperation, PlanEdit, PlanState, TaskKind, TaskPatch};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A change of a plan's goal, rules and tasks, taken whole or not at all.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"operations": [
    {"op": "update", "task_id": 3, "task": {"command": ["cargo", "test", "--workspace"], "timeout_ms": null}},
    {"op": "add", "task": {"description": "Look around again", "kind": "scan", "depends_on": [2]}},
    {"op": "remove", "task_id": 4}
]}))]
pub struct EditPlan {
    /// The new goal; it stays when absent.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 32_768)]
    pub goal: Option<String>,
    /// The new rules, all of them; they stay when absent.
    #[serde(default, deserialize_with = "given")]
    pub policy: Option<PolicyView>,
    /// What happens to tasks, in this order.
    #[serde(default)]
    #[schema(max_items = 10_000)]
    pub operations: Vec<EditOperationView>,
}

/// One change of the list of tasks.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"op": "update", "task_id": 3, "task": {"command": ["make", "test"]}}))]
pub struct EditOperationView {
    /// What happens.
    pub op: OperationView,
    /// The task that is changed or removed; not with `add`.
    #[serde(default)]
    #[schema(minimum = 1)]
    pub task_id: Option<i64>,
    /// With `add` the whole task as in `POST /plans`, with `update` the fields that change; not with `remove`.
    #[serde(default)]
    pub task: Option<UpdateTask>,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationView {
    /// A further task after those that are there.
    Add,
    /// Other fields for a task.
    Update,
    /// The task and every edge to it are gone.
    Remove,
}

/// The fields of a task that are given anew. Those of a kind change the task within its present kind, unless
/// `kind` is given too: then they are the whole of the new kind. Where null is allowed, it takes the value away.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"description": "Run the tests", "command": ["make", "test"], "timeout_ms": 60000}))]
pub struct UpdateTask {
    /// What is to be done, for a person and for the model.
    #[serde(deserialize_with = "given")]
    #[schema(min_length = 1, max_length = 32_768)]
    pub description: Option<String>,
    /// The kind of work.
    #[serde(deserialize_with = "given")]
    pub kind: Option<KindView>,
    /// Which of several ready tasks starts first.
    #[serde(deserialize_with = "given")]
    pub priority: Option<PriorityView>,
    /// Positions of the tasks that must be completed before: those of the plan before this edit, additions following.
    #[serde(deserialize_with = "given")]
    pub depends_on: Option<Vec<u32>>,
    /// Files and folders that it is expected to look at, relative to the repository.
    #[serde(deserialize_with = "given")]
    pub reads: Option<Vec<String>>,
    /// Files and folders that it is expected to change.
    #[serde(deserialize_with = "given")]
    pub writes: Option<Vec<String>>,
    /// Retries.
    #[serde(deserialize_with = "given")]
    pub retry: Option<RetryView>,
    /// Ceiling of one attempt in milliseconds; null: the server's.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 86_400_000)]
    pub timeout_ms: Option<Option<u64>>,
    /// Whether a person must approve before it starts.
    #[serde(deserialize_with = "given")]
    pub requires_approval: Option<bool>,
    /// Whether it may run again when a crash caught it in flight; null: by kind.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<EffectView>)]
    pub effect: Option<Option<EffectView>>,
    /// What happens when it may not; null: by policy.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<OnUnknownView>)]
    pub on_unknown: Option<Option<OnUnknownView>>,
    /// `agent` only: must exit 0 before the task counts as done; null: nothing has to.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<CommandView>)]
    pub verify: Option<Option<CommandView>>,
    /// `command` only: what to run.
    #[serde(deserialize_with = "given")]
    pub command: Option<CommandView>,
    /// `command` only: additional environment; null: none.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub env: Option<Option<BTreeMap<String, String>>>,
    /// `command` only: folder relative to the repository; null: its root.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub working_directory: Option<Option<String>>,
    /// `patch` only: a unified diff, the envelope format, or search/replace blocks.
    #[serde(deserialize_with = "given")]
    pub patch: Option<String>,
    /// `tool` only: the tool to call.
    #[serde(deserialize_with = "given")]
    pub tool: Option<String>,
    /// `tool` only: what it is called with; null: nothing.
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<Object>)]
    pub input: Option<Option<Value>>,
}

/// A field that is there: null is a value like others then, or none at all for types that have no null.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl EditPlan {
    /// The edit of the domain, for a plan as it stands now.
    ///
    /// # Errors
    /// Every defect that can be seen without making the edit.
    pub fn into_edit(self, state: &PlanState) -> Result<PlanEdit, Vec<Defect>> {
        let mut kinds: BTreeMap<TaskId, TaskKind> =
            state.tasks.iter().map(|task| (task.id, task.spec.kind.clone())).collect();
        let mut defects = Vec::new();
        let operations = self.operations.into_iter().enumerate();
        let operations: Vec<Option<EditOperation>> = operations
            .map(|(index, view)| {
                view.into_operation(&format!("/operations/{index}"), &mut kinds, &mut defects)
            })
            .collect();
        if !defects.is_empty() {
            return Err(defects);
        }
        let operations = operations.into_iter().flatten().collect();
        Ok(PlanEdit { seen: None, goal: self.goal, policy: self.policy.map(Into::into), operations })
    }
}

impl EditOperationView {
    fn into_operation(
        self,
        place: &str,
        kinds: &mut BTreeMap<TaskId, TaskKind>,
        defects: &mut Vec<Defect>,
    ) -> Option<EditOperation> {
        let before = defects.len();
        let (needs_id, needs_task) = match self.op {
            OperationView::Add => (false, true),
            OperationView::Update => (true, true),
            OperationView::Remove => (true, false),
        };
        let shape =
            [("task_id", self.task_id.is_some(), needs_id), ("task", self.task.is_some(), needs_task)];
        for (field, is_given, is_needed) in shape {
            if is_given != is_needed {
                let detail = if is_needed { "is missing" } else { "does not belong to this operation" };
                defects.push(Defect::new(format!("{place}/{field}"), detail));
            }
        }
        if defects.len() > before {
            return None;
        }
        let id = self.task_id.map(TaskId::from);
        let place = format!("{place}/task");
        match (self.op, id, self.task) {
            (OperationView::Add, None, Some(task)) => task.into_addition(&place, defects),
            (OperationView::Update, Some(id), Some(task)) => {
                let patch = task.into_patch(&place, kinds.get(&id), defects)?;
                if let Some(kind) = &patch.kind {
                    kinds.insert(id, kind.clone());
                }
                Some(EditOperation::Update(id, Box::new(patch)))
            }
            (OperationView::Remove, Some(id), None) => Some(EditOperation::Remove(id)),
            _ => None,
        }
    }
}

impl UpdateTask {
    /// A further task; what `POST /plans` wants of a task has to be there.
    fn into_addition(self, place: &str, defects: &mut Vec<Defect>) -> Option<EditOperation> {
        let needed = [("description", self.description.is_some()), ("kind", self.kind.is_some())];
        for (field, _) in needed.iter().filter(|(_, is_given)| !is_given) {
            defects.push(Defect::new(format!("{place}/{field}"), "is missing: a new task needs it"));
        }
        let task = CreateTask {
            description: self.description?,
            kind: self.kind?,
            priority: self.priority,
            depends_on: self.depends_on.unwrap_or_default(),
            reads: self.reads.unwrap_or_default(),
            writes: self.writes.unwrap_or_default(),
            retry: self.retry,
            timeout_ms: self.timeout_ms.flatten(),
            requires_approval: self.requires_approval.unwrap_or_default(),
            effect: self.effect.flatten(),
            on_unknown: self.on_unknown.flatten(),
            verify: self.verify.flatten(),
            command: self.command,
            env: self.env.flatten(),
            working_directory: self.working_directory.flatten(),
            patch: self.patch,
            tool: self.tool,
            input: self.input.flatten(),
        };
        task.into_spec(place, defects).map(|spec| EditOperation::Add(Box::new(spec)))
    }

    /// The changes of a task of that kind. One that is not there is left for the edit itself to refuse.
    fn into_patch(
        self,
        place: &str,
        present: Option<&TaskKind>,
        defects: &mut Vec<Defect>,
    ) -> Option<TaskPatch> {
        let before = defects.len();
        let kind = self.new_kind(place, present, defects);
        if defects.len() > before {
            return None;
        }
        Some(TaskPatch {
            description: self.description,
            kind,
            priority: self.priority.map(Into::into),
            depends_on: self.depends_on,
            reads: self.reads,
            writes: self.writes,
            retry: self.retry.map(Into::into),
            timeout_ms: self.timeout_ms,
            requires_approval: self.requires_approval,
            effect: self.effect.map(|effect| effect.map(Into::into)),
            on_unknown: self.on_unknown.map(|on_unknown| on_unknown.map(Into::into)),
        })
    }

    /// The kind after the change; `None` when nothing about it changes.
    fn new_kind(
        &self,
        place: &str,
        present: Option<&TaskKind>,
        defects: &mut Vec<Defect>,
    ) -> Option<TaskKind> {
        let is_touched = self.command.is_some()
            || self.env.is_some()
            || self.working_directory.is_some()
            || self.patch.is_some()
            || self.tool.is_some()
            || self.input.is_some()
            || self.verify.is_some();
        let (kind, fields) = match (self.kind, present) {
            (Some(kind), _) => (kind, KindFields::default()),
            (None, Some(present)) if is_touched => kind_fields::of(present),
            (None, _) => return None,
        };
        let fields = KindFields {
            command: self.command.clone().or(fields.command),
            env: self.env.clone().unwrap_or(fields.env),
            working_directory: self.working_directory.clone().unwrap_or(fields.working_directory),
            patch: self.patch.clone().or(fields.patch),
            tool: self.tool.clone().or(fields.tool),
            input: self.input.clone().unwrap_or(fields.input),
            verify: self.verify.clone().unwrap_or(fields.verify),
        };
        fields.into_kind(kind, place, defects)
    }
}

#[cfg(test)]
mod tests;
