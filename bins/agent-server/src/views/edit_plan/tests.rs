//! What becomes of an edit on its way from the wire to the domain.

use super::*;
use agent_core::ids::{PlanId, Revision, UserId};
use agent_core::plan::{CommandLine, Plan, PlanStatus, Task, TaskSpec, TaskStatus};
use agent_core::policy::Policy;
use agent_core::time::Timestamp;
use serde_json::json;

/// A plan of one command task in the folder `src`; the task has id 3.
fn state() -> PlanState {
    let now = Timestamp::from_micros(0);
    let command = CommandLine::Shell("make".to_owned());
    let kind = TaskKind::Command { command, env: BTreeMap::new(), working_directory: Some("src".to_owned()) };
    let plan = Plan {
        id: PlanId(1),
        owner: agent_core::ids::Owner::in_default_tenant(UserId(1)),
        goal: "g".to_owned(),
        repo_path: "/".to_owned(),
        status: PlanStatus::Created,
        summary: None,
        policy: Policy::default(),
        auto_execute: false,
        cancel_requested: false,
        template_id: None,
        version: 1,
        revision: Revision(1),
        created_at: now,
        updated_at: now,
        started_at: None,
        finished_at: None,
    };
    let task = Task {
        id: TaskId(3),
        plan_id: PlanId(1),
        position: 1,
        spec: TaskSpec::new("build", kind).into(),
        status: TaskStatus::Pending,
        selected: false,
        attempts: 0,
        attempt_limit: 1,
        recoveries: 0,
        approved: false,
        questions: 0,
        wake_at: None,
        result: None,
        error: None,
        kept: None,
        started_at: None,
        finished_at: None,
    };
    PlanState { plan, tasks: vec![task] }
}

fn read(operations: Value) -> Result<Vec<EditOperation>, Vec<String>> {
    let view: EditPlan = serde_json::from_value(json!({"operations": operations})).unwrap();
    let edit = view.into_edit(&state()).map_err(|defects| defects.into_iter().map(|d| d.pointer));
    edit.map(|edit| edit.operations).map_err(Iterator::collect)
}

fn patch_of(task: Value) -> TaskPatch {
    let operations = read(json!([{"op": "update", "task_id": 3, "task": task}])).unwrap();
    let Some(EditOperation::Update(_, patch)) = operations.into_iter().next() else { unreachable!() };
    *patch
}

#[test]
fn fields_of_the_present_kind_change_it_and_leave_the_others() {
    let Some(TaskKind::Command { command, working_directory, .. }) =
        patch_of(json!({"command": ["ls"]})).kind
    else {
        unreachable!()
    };
    assert_eq!(command, CommandLine::Argv(vec!["ls".to_owned()]));
    assert_eq!(working_directory.as_deref(), Some("src"));
    let Some(TaskKind::Command { working_directory, .. }) = patch_of(json!({"working_directory": null})).kind
    else {
        unreachable!()
    };
    assert_eq!(working_directory, None);
}

#[test]
fn a_kind_is_given_whole() {
    let Some(TaskKind::Command { working_directory, .. }) =
        patch_of(json!({"kind": "command", "command": "ls"})).kind
    else {
        unreachable!()
    };
    assert_eq!(working_directory, None);
    let update = |task: Value| read(json!([{"op": "update", "task_id": 3, "task": task}])).unwrap_err();
    assert_eq!(update(json!({"kind": "command"})), ["/operations/0/task/command"]);
    assert_eq!(update(json!({"patch": "x"})), ["/operations/0/task/patch"]);
}

#[test]
fn absent_and_null_are_told_apart() {
    assert_eq!(patch_of(json!({})), TaskPatch::default());
    let patch = patch_of(json!({"timeout_ms": null, "effect": null, "on_unknown": null}));
    assert_eq!((patch.timeout_ms, patch.effect, patch.on_unknown), (Some(None), Some(None), Some(None)));
    assert!(serde_json::from_value::<UpdateTask>(json!({"description": null})).is_err());
}

#[test]
fn later_operations_go_by_what_earlier_ones_made_of_a_task() {
    let operations = read(json!([
        {"op": "update", "task_id": 3, "task": {"kind": "patch", "patch": "x"}},
        {"op": "update", "task_id": 3, "task": {"patch": "y"}}
    ]));
    assert!(operations.is_ok(), "{operations:?}");
}

#[test]
fn all_defects_of_the_shape_are_named_at_once() {
    let defects = read(json!([
        {"op": "add", "task_id": 3},
        {"op": "add", "task": {"priority": "high"}},
        {"op": "update"},
        {"op": "remove", "task_id": 3, "task": {}},
        {"op": "add", "task": {"description": "a", "kind": "scan", "command": "ls"}}
    ]));
    let expected = [
        "/operations/0/task_id",
        "/operations/0/task",
        "/operations/1/task/description",
        "/operations/1/task/kind",
        "/operations/2/task_id",
        "/operations/2/task",
        "/operations/3/task",
        "/operations/4/task/command",
    ];
    assert_eq!(defects.unwrap_err(), expected);
}
