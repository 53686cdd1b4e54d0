//! Edits of a plan, whatever it is doing: what is refused, what stands, what is done again.

use crate::memory::{Bench, command, new_plan, scan};
use agent_core::Error;
use agent_core::approval::Resolution;
use agent_core::executor::fact::{Effect, Fact, Outcome};
use agent_core::ids::TaskId;
use agent_core::plan::{
    DefinitionFate, EditOperation, PlanEdit, PlanStatus, Priority, TaskKind, TaskPatch, TaskSpec, TaskStatus,
    WorkFate,
};
use agent_core::policy::Policy;
use serde_json::json;

fn edit(operations: Vec<EditOperation>) -> Fact {
    Fact::EditRequested { edit: PlanEdit { operations, ..PlanEdit::default() }, by: "ada".into() }
}

fn other_words(task: TaskId) -> EditOperation {
    let description = Some("run something else".into());
    EditOperation::Update(task, Box::new(TaskPatch { description, ..TaskPatch::default() }))
}

fn add(task: TaskSpec) -> EditOperation {
    EditOperation::Add(Box::new(task))
}

/// The tasks of the plan, of which the first few are completed.
fn completed(tasks: Vec<TaskSpec>, count: u32) -> Bench {
    let mut bench = Bench::executed(tasks, Policy::default());
    for position in 1..=count {
        bench.start(1);
        bench.complete(position);
    }
    bench
}

/// What the latest edit meant for definition and work, task by task.
fn fates(bench: &Bench) -> Vec<(DefinitionFate, WorkFate)> {
    let versions = bench.core.versions(bench.plan);
    versions.last().unwrap().changes.iter().map(|change| (change.definition, change.work)).collect()
}

fn pointers(error: Error) -> Vec<String> {
    match error {
        Error::InvalidPlan(defects) => defects.into_iter().map(|defect| defect.pointer).collect(),
        other => panic!("{other}"),
    }
}

#[test]
fn an_edit_of_another_version_than_the_present_is_refused() {
    let mut bench = Bench::created(vec![command(&[])], Policy::default());
    bench.take(edit(vec![other_words(bench.id(1))]));
    let stale = PlanEdit { seen: Some(1), operations: vec![other_words(bench.id(1))], ..PlanEdit::default() };
    let error = bench.refused(Fact::EditRequested { edit: stale, by: "ada".into() });
    assert!(matches!(error, Error::VersionMismatch { seen: 1, present: 2, .. }), "{error}");
}

#[test]
fn a_plan_without_its_tasks_and_one_that_is_stopping_are_not_edited() {
    let mut planning = Bench::at(&new_plan(Vec::new()), PlanStatus::Planning);
    let error = planning.refused(edit(vec![add(command(&[]))]));
    assert!(matches!(error, Error::IllegalPlanMove { status: PlanStatus::Planning, .. }), "{error}");
    let mut stopping = Bench::executed(vec![command(&[])], Policy::default());
    stopping.start(1);
    stopping.take(Fact::CancelRequested);
    let error = stopping.refused(edit(vec![add(command(&[]))]));
    assert!(matches!(error, Error::IllegalPlanMove { .. }), "{error}");
}

#[test]
fn an_edit_that_changes_nothing_makes_no_version() {
    let mut bench = Bench::created(vec![command(&[])], Policy::default());
    let same = TaskPatch { description: Some("run it".into()), ..TaskPatch::default() };
    assert!(!bench.changes(edit(vec![EditOperation::Update(bench.id(1), Box::new(same))])));
    assert_eq!((bench.state().plan.version, bench.core.versions(bench.plan).len()), (1, 0));
}

#[test]
fn the_first_edit_keeps_the_version_before_it_too() {
    let mut bench = Bench::created(vec![command(&[])], Policy::default());
    bench.take(edit(vec![other_words(bench.id(1))]));
    bench.take(edit(vec![add(scan(&[1]))]));
    let versions = bench.core.versions(bench.plan);
    let numbers: Vec<u32> = versions.iter().map(|version| version.definition.version).collect();
    let authors: Vec<Option<&str>> = versions.iter().map(|version| version.by.as_deref()).collect();
    assert_eq!((numbers, authors), (vec![1, 2, 3], vec![None, Some("ada"), Some("ada")]));
    assert_eq!(versions[0].definition.tasks[0].spec.description, "run it");
    assert_eq!(versions[1].definition.tasks[0].spec.description, "run something else");
    assert_eq!(versions[2].definition.tasks.len(), 2);
    assert_eq!(versions[2].changes[1].definition, DefinitionFate::Added);
}

#[test]
fn a_plan_that_waits_is_edited_in_every_way_at_once() {
    let mut bench = Bench::created(vec![scan(&[]), command(&[1]), command(&[2])], Policy::default());
    let (first, third) = (bench.id(1), bench.id(3));
    let operations = vec![EditOperation::Remove(bench.id(2)), other_words(first), add(scan(&[3]))];
    bench.take(edit(operations));
    let state = bench.state();
    let ids: Vec<TaskId> = state.tasks[..2].iter().map(|task| task.id).collect();
    assert_eq!((state.plan.status, ids), (PlanStatus::Created, vec![first, third]));
    let edges: Vec<&[u32]> = state.tasks.iter().map(|task| task.spec.depends_on.as_slice()).collect();
    assert_eq!(edges, [&[][..], &[], &[2]], "what is gone holds nobody up, and positions close up");
    let positions: Vec<u32> = state.tasks.iter().map(|task| task.position).collect();
    assert_eq!(positions, [1, 2, 3]);
    assert!(state.tasks.iter().all(|task| task.status == TaskStatus::Pending && !task.selected));
}

#[test]
fn what_is_done_stands_and_the_changed_task_with_all_that_follows_runs_again() {
    let tasks = vec![scan(&[]), command(&[1]), command(&[2]), command(&[1])];
    let mut bench = completed(tasks, 4);
    assert_eq!(bench.status(), PlanStatus::Completed);
    bench.take(edit(vec![other_words(bench.id(2))]));
    assert_eq!(bench.status(), PlanStatus::Created, "it waits to be executed again");
    let expected = [TaskStatus::Completed, TaskStatus::Pending, TaskStatus::Pending, TaskStatus::Completed];
    assert_eq!(bench.statuses(), expected);
    let (unchanged, invalidated) = (DefinitionFate::Unchanged, WorkFate::Invalidated);
    let kept = (unchanged, WorkFate::Kept);
    assert_eq!(fates(&bench), [kept, (DefinitionFate::Changed, invalidated), (unchanged, invalidated), kept]);
    bench.take(Fact::ExecuteRequested { task: None });
    bench.start(9);
    assert_eq!(bench.task(2).attempts, 2);
    assert_eq!(bench.task(1).attempts, 1, "done is done");
}

#[test]
fn a_task_whose_inputs_come_out_the_same_takes_its_result_again_without_running() {
    let mut bench = completed(vec![scan(&[]), command(&[1])], 0);
    let result =
        |words: &str, took: u32| Outcome::Completed { result: json!({"stdout": words, "duration_ms": took}) };
    bench.start(1);
    bench.finish(1, result("3 files", 12));
    bench.start(1);
    bench.finish(2, result("built", 900));
    let before = bench.task(2).result;
    bench.take(edit(vec![other_words(bench.id(1))]));
    bench.take(Fact::ExecuteRequested { task: None });
    bench.start(1);
    bench.finish(1, result("3 files", 4_711));
    assert_eq!((bench.status(), bench.task(2).attempts), (PlanStatus::Completed, 1));
    assert_eq!((bench.task(2).result, bench.task(2).kept), (before, None));
    bench.take(edit(vec![add(scan(&[])), EditOperation::Update(bench.id(1), Box::new(again()))]));
    bench.take(Fact::ExecuteRequested { task: None });
    bench.start(1);
    bench.finish(1, result("4 files", 12));
    assert_eq!(bench.task(2).status, TaskStatus::Ready, "other inputs, other work");
}

fn again() -> TaskPatch {
    TaskPatch { description: Some("look again".into()), ..TaskPatch::default() }
}

#[test]
fn how_a_task_is_done_changes_nothing_about_what_is_done() {
    let mut bench = completed(vec![scan(&[]), command(&[1])], 2);
    let patch =
        TaskPatch { priority: Some(Priority::High), timeout_ms: Some(Some(5)), ..TaskPatch::default() };
    bench.take(edit(vec![EditOperation::Update(bench.id(1), Box::new(patch))]));
    assert_eq!(bench.status(), PlanStatus::Completed);
    assert_eq!(fates(&bench)[0], (DefinitionFate::Changed, WorkFate::Kept));
    assert_eq!(bench.task(1).spec.priority, Priority::High);
}

#[test]
fn a_running_task_that_is_edited_ends_in_the_record_and_starts_anew() {
    let mut bench = completed(vec![command(&[])], 0);
    bench.start(1);
    let effects = bench.take(edit(vec![other_words(bench.id(1))]));
    assert_eq!(effects, [], "the attempt shall not be under way any more");
    assert_eq!((bench.status(), bench.task(1).status), (PlanStatus::Running, TaskStatus::Ready));
    assert_eq!(fates(&bench), [(DefinitionFate::Changed, WorkFate::Cancelled)]);
    let attempts = bench.core.attempts(bench.plan);
    assert_eq!(
        (attempts[0].status, attempts[0].error.as_deref()),
        (TaskStatus::Cancelled, Some("the plan was edited"))
    );
    let effects = bench.start(1);
    assert_eq!(effects, [Effect::RunAttempt { task: bench.id(1), attempt: 2 }]);
    let late = Outcome::Completed { result: json!("of the old definition") };
    let task = bench.id(1);
    assert!(!bench.changes(Fact::AttemptFinished { task, attempt: 1, outcome: late, jitter: 0.0 }));
}

#[test]
fn a_running_task_that_is_removed_ends_in_the_record_and_the_plan_goes_on() {
    let mut bench = completed(vec![command(&[]), scan(&[1])], 0);
    bench.start(1);
    let effects = bench.take(edit(vec![EditOperation::Remove(bench.id(1))]));
    assert_eq!(effects, []);
    assert_eq!((bench.statuses(), bench.task(1).position), (vec![TaskStatus::Ready], 1));
    assert_eq!(bench.core.attempts(bench.plan)[0].status, TaskStatus::Cancelled);
    bench.start(1);
    bench.complete(1);
    assert_eq!(bench.status(), PlanStatus::Completed);
}

#[test]
fn a_plan_of_which_all_that_is_left_is_done_ends_with_the_edit() {
    let mut bench = completed(vec![scan(&[]), command(&[])], 1);
    bench.take(edit(vec![EditOperation::Remove(bench.id(2))]));
    assert_eq!(bench.status(), PlanStatus::Completed);
}

#[test]
fn a_paused_plan_stays_paused_when_it_is_edited() {
    let mut bench = completed(vec![scan(&[]), command(&[1])], 1);
    bench.take(Fact::PauseRequested);
    bench.take(edit(vec![other_words(bench.id(1)), add(scan(&[2]))]));
    bench.take(Fact::TimeReached);
    assert_eq!((bench.status(), bench.task(1).status), (PlanStatus::Paused, TaskStatus::Ready));
    bench.take(Fact::ResumeRequested);
    for position in 1..=3 {
        bench.start(1);
        bench.complete(position);
    }
    assert_eq!(bench.status(), PlanStatus::Completed);
}

#[test]
fn the_question_of_an_edited_task_is_withdrawn_and_asked_anew() {
    let question = TaskSpec::new("Shall it go on?", TaskKind::Approval);
    let mut bench = completed(vec![question, command(&[1])], 0);
    assert_eq!(bench.status(), PlanStatus::AwaitingApproval);
    bench.take(edit(vec![other_words(bench.id(1))]));
    assert_eq!(bench.status(), PlanStatus::AwaitingApproval);
    let questions = bench.questions();
    let seen: Vec<(&str, Option<&str>)> = questions
        .iter()
        .map(|q| (q.question.subject.as_str(), q.decision.as_ref().map(Resolution::as_str)))
        .collect();
    assert_eq!(seen, [("Shall it go on?", Some("withdrawn")), ("run something else", None)]);
    bench.take(edit(vec![EditOperation::Remove(bench.id(1))]));
    assert_eq!((bench.status(), bench.task(1).status), (PlanStatus::Running, TaskStatus::Ready));
}

#[test]
fn a_failed_plan_is_mended_by_an_edit_and_goes_on_where_it_failed() {
    let mut bench = completed(vec![scan(&[]), command(&[1]), command(&[2])], 1);
    bench.start(1);
    bench.fail(2);
    assert_eq!(bench.status(), PlanStatus::Failed);
    bench.take(edit(vec![other_words(bench.id(2))]));
    let expected = [TaskStatus::Completed, TaskStatus::Pending, TaskStatus::Pending];
    assert_eq!((bench.status(), bench.statuses()), (PlanStatus::Created, expected.to_vec()));
    bench.take(Fact::ExecuteRequested { task: None });
    bench.start(1);
    bench.complete(2);
    bench.start(1);
    bench.complete(3);
    assert_eq!(bench.status(), PlanStatus::Completed);
}

#[test]
fn tasks_added_while_all_runs_join_and_those_added_while_one_was_asked_for_do_not() {
    let mut whole = completed(vec![scan(&[])], 0);
    whole.start(1);
    whole.take(edit(vec![add(scan(&[]))]));
    assert!(whole.task(2).selected);
    let mut partial = Bench::created(vec![scan(&[]), scan(&[])], Policy::default());
    partial.take(Fact::ExecuteRequested { task: Some(partial.id(1)) });
    partial.take(edit(vec![add(scan(&[]))]));
    assert!(!partial.task(3).selected);
    partial.start(1);
    partial.complete(1);
    assert_eq!(partial.status(), PlanStatus::Created);
}

#[test]
fn a_cycle_is_refused_with_the_operation_that_closes_it() {
    let mut bench = Bench::created(vec![scan(&[]), command(&[1])], Policy::default());
    let patch = TaskPatch { depends_on: Some(vec![2]), ..TaskPatch::default() };
    let operations = vec![other_words(bench.id(2)), EditOperation::Update(bench.id(1), Box::new(patch))];
    let error = bench.refused(edit(operations));
    assert_eq!(pointers(error), ["/operations/1/task/depends_on"]);
}

#[test]
fn every_defect_of_an_edit_is_named_at_its_operation() {
    let mut bench = Bench::created(vec![scan(&[]), command(&[1])], Policy::default());
    let stranger = TaskId(4_711);
    let error = bench.refused(edit(vec![add(scan(&[])), EditOperation::Remove(stranger)]));
    assert_eq!(pointers(error), ["/operations/1/task_id"]);
    let error = bench.refused(edit(vec![EditOperation::Remove(bench.id(1)), add(scan(&[1]))]));
    assert_eq!(pointers(error), ["/operations/1/task/depends_on"], "it names a task that is gone on purpose");
    let all = vec![EditOperation::Remove(bench.id(1)), EditOperation::Remove(bench.id(2))];
    assert_eq!(pointers(bench.refused(edit(all))), ["/operations"], "a plan needs at least one task");
}

#[test]
fn a_retry_of_what_follows_runs_a_completed_task_and_its_descendants_again() {
    let mut bench = completed(vec![scan(&[]), command(&[1]), command(&[2]), command(&[1])], 4);
    bench.take(Fact::RetryRequested { task: Some(bench.id(2)), following: true });
    let expected = [TaskStatus::Completed, TaskStatus::Ready, TaskStatus::Pending, TaskStatus::Completed];
    assert_eq!((bench.status(), bench.statuses()), (PlanStatus::Running, expected.to_vec()));
    bench.start(1);
    bench.complete(2);
    bench.start(1);
    assert_eq!(bench.task(3).attempts, 2, "nothing is kept here: everything was asked to run again");
    let error = bench.refused(Fact::RetryRequested { task: Some(bench.id(2)), following: true });
    assert!(matches!(error, Error::IllegalTaskMove { status: TaskStatus::Running, .. }), "{error}");
}

#[test]
fn what_a_task_of_a_partial_execution_needs_since_an_edit_runs_too() {
    let mut bench = Bench::created(vec![command(&[]), scan(&[]), scan(&[])], Policy::default());
    bench.take(Fact::ExecuteRequested { task: Some(bench.id(1)) });
    let patch = TaskPatch { depends_on: Some(vec![2, 4]), ..TaskPatch::default() };
    let update = EditOperation::Update(bench.id(1), Box::new(patch));
    bench.take(edit(vec![update, add(scan(&[3]))]));
    bench.take(Fact::TimeReached);
    assert!(bench.state().tasks.iter().all(|task| task.selected), "each is needed, the added one included");
    for position in [2, 3, 4, 1] {
        bench.start(1);
        bench.complete(position);
    }
    assert_eq!(bench.status(), PlanStatus::Completed);
}
