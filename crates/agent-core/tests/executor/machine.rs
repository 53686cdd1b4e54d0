//! The moves of a plan that nobody has to decide on: from its creation to its end.

use crate::memory::{Bench, command, new_plan, policy, scan};
use agent_core::Error;
use agent_core::executor::fact::{Effect, Fact, Outcome};
use agent_core::plan::{PlanStatus, Priority, RetryPolicy, TaskSpec, TaskStatus};
use agent_core::policy::{OnFailure, Policy};
use agent_core::time::Timestamp;
use std::time::Duration;

fn retrying(max_attempts: u32) -> TaskSpec {
    let mut task = command(&[]);
    task.retry = RetryPolicy { max_attempts, backoff_ms: 100, max_backoff_ms: 10_000 };
    task
}

#[test]
fn a_plan_tells_the_whole_story_of_its_execution() {
    let mut bench = Bench::executed(vec![scan(&[]), command(&[1])], Policy::default());
    bench.start(8);
    bench.complete(1);
    bench.start(8);
    bench.complete(2);
    let story = [
        "1 plan plan_updated: created, plan created with 2 tasks",
        "2 plan plan_updated: running, running",
        "3 task 1 task_started 1",
        "4 task 1 task_completed",
        "5 task 2 task_started 1",
        "6 task 2 task_completed",
        "7 plan plan_updated: completed, completed: 2 of 2 tasks",
    ];
    assert_eq!(bench.story(), story);
    assert_eq!(bench.task(2).result.unwrap()["task"], 2);
    assert_eq!(bench.state().plan.finished_at, Some(bench.now));
}

#[test]
fn a_created_plan_does_nothing_by_itself() {
    let mut bench = Bench::created(vec![scan(&[])], Policy::default());
    assert_eq!(bench.start(1), []);
    assert!(!bench.changes(Fact::TimeReached));
    assert_eq!(bench.statuses(), [TaskStatus::Pending]);
}

#[test]
fn what_the_planner_found_is_executed_when_it_was_asked_for() {
    let mut bench = Bench::at(&new_plan(Vec::new()), PlanStatus::Planning);
    assert_eq!(bench.take(Fact::TimeReached), [Effect::MakePlan]);
    bench.take(Fact::Planned { tasks: vec![scan(&[]), command(&[1])] });
    assert_eq!(bench.status(), PlanStatus::Running);
    bench.take(Fact::TimeReached);
    assert_eq!(bench.statuses(), [TaskStatus::Ready, TaskStatus::Pending]);
    assert!(!bench.changes(Fact::Planned { tasks: vec![scan(&[])] }), "a second answer is no answer");
}

#[test]
fn what_the_planner_found_waits_when_nobody_asked_to_execute_it() {
    let mut plan = new_plan(Vec::new());
    plan.auto_execute = false;
    let mut bench = Bench::at(&plan, PlanStatus::Planning);
    bench.take(Fact::Planned { tasks: vec![scan(&[])] });
    assert_eq!((bench.status(), bench.statuses()), (PlanStatus::Created, vec![TaskStatus::Pending]));
}

#[test]
fn a_plan_that_cannot_be_made_fails_and_says_why() {
    let mut bench = Bench::at(&new_plan(Vec::new()), PlanStatus::Planning);
    bench.take(Fact::PlanningFailed { error: "the model is silent".into() });
    assert_eq!(bench.status(), PlanStatus::Failed);
    assert_eq!(bench.state().plan.summary.unwrap(), "the model is silent");
}

#[test]
fn a_failed_task_stops_the_plan_and_lets_what_runs_finish() {
    let tasks = vec![command(&[]), command(&[]), command(&[1]), command(&[])];
    let mut bench = Bench::executed(tasks, policy(|p| p.max_parallel = Some(2)));
    bench.start(9);
    bench.fail(1);
    assert_eq!(bench.task(2).status, TaskStatus::Running);
    assert_eq!(bench.reason(3), "task 1, which it depends on, is failed");
    assert_eq!(bench.reason(4), "the plan stops because task 1 failed");
    assert_eq!(bench.status(), PlanStatus::Running);
    bench.complete(2);
    assert_eq!(bench.status(), PlanStatus::Failed);
    assert_eq!(bench.state().plan.summary.unwrap(), "task 1 failed: exit code 1");
}

#[test]
fn other_branches_go_on_where_the_policy_says_so() {
    let tasks = vec![command(&[]), command(&[1]), command(&[2]), command(&[]), command(&[4])];
    let mut bench = Bench::executed(tasks, policy(|p| p.on_failure = OnFailure::Continue));
    bench.start(9);
    bench.fail(1);
    assert_eq!(bench.reason(2), "task 1, which it depends on, is failed");
    assert_eq!(bench.reason(3), "task 2, which it depends on, is skipped");
    bench.complete(4);
    bench.start(9);
    bench.complete(5);
    assert_eq!(bench.status(), PlanStatus::Failed);
    assert_eq!(bench.task(5).status, TaskStatus::Completed);
}

#[test]
fn a_failed_attempt_is_tried_again_after_a_growing_pause_until_the_limit() {
    let mut bench = Bench::executed(vec![retrying(3)], Policy::default());
    for pause in [100, 200] {
        bench.start(1);
        bench.fail(1);
        assert_eq!(bench.task(1).status, TaskStatus::Pending);
        bench.pass(Duration::from_millis(pause - 1));
        assert_eq!(bench.task(1).status, TaskStatus::Pending, "not before {pause} ms");
        bench.pass(Duration::from_millis(1));
        assert_eq!(bench.task(1).status, TaskStatus::Ready);
    }
    bench.start(1);
    bench.fail(1);
    assert_eq!((bench.status(), bench.task(1).attempts), (PlanStatus::Failed, 3));
    let story = bench.story().join("\n");
    assert!(story.contains("task_failed: exit code 1, will_retry true"), "{story}");
    assert!(story.contains("task_retrying 3 in 200 ms"), "{story}");
    assert!(story.contains("task_failed: exit code 1, will_retry false"), "{story}");
}

#[test]
fn a_task_that_waits_for_its_next_attempt_wakes_the_driver() {
    let mut bench = Bench::executed(vec![retrying(2)], Policy::default());
    bench.start(1);
    bench.fail(1);
    assert_eq!(bench.take(Fact::TimeReached), [Effect::WakeAt(bench.now.plus(Duration::from_millis(100)))]);
    assert_eq!(bench.status(), PlanStatus::Running);
}

#[test]
fn what_cannot_get_better_is_not_tried_again() {
    let mut bench = Bench::executed(vec![retrying(5)], Policy::default());
    bench.start(1);
    bench.finish(1, Outcome::Failed { error: "no such tool".into(), retryable: false });
    assert_eq!((bench.status(), bench.task(1).attempts), (PlanStatus::Failed, 1));
}

#[test]
fn a_plan_runs_no_more_at_once_than_it_may() {
    let mut bench = Bench::executed(vec![command(&[]); 5], policy(|p| p.max_parallel = Some(2)));
    let running = |bench: &Bench| bench.statuses().iter().filter(|s| **s == TaskStatus::Running).count();
    assert_eq!(bench.start(9).len(), 2);
    bench.complete(1);
    assert_eq!(running(&bench), 1);
    bench.start(9);
    assert_eq!(running(&bench), 2);
}

#[test]
fn even_a_plan_that_may_run_nothing_comes_to_its_end() {
    let mut bench = Bench::executed(vec![command(&[])], policy(|p| p.max_parallel = Some(0)));
    bench.start(1);
    bench.complete(1);
    assert_eq!(bench.status(), PlanStatus::Completed);
}

#[test]
fn slots_go_to_the_highest_priority_and_then_to_the_first_in_line() {
    let with = |priority| TaskSpec { priority, ..command(&[]) };
    let tasks = [Priority::Low, Priority::Medium, Priority::High, Priority::Medium].map(with);
    let mut bench = Bench::executed(tasks.to_vec(), Policy::default());
    for _ in 0..4 {
        bench.start(1);
    }
    let started: Vec<String> = bench.story().into_iter().filter(|l| l.contains("task_started")).collect();
    let order: Vec<&str> = started.iter().map(|line| line.split(' ').nth(2).unwrap()).collect();
    assert_eq!(order, ["3", "2", "4", "1"]);
}

#[test]
fn one_task_is_executed_with_what_it_needs_and_the_plan_is_there_for_more() {
    let tasks = vec![scan(&[]), command(&[1]), command(&[1]), command(&[2, 3])];
    let mut bench = Bench::created(tasks, Policy::default());
    bench.take(Fact::ExecuteRequested { task: Some(bench.id(2)) });
    let selected: Vec<bool> = bench.state().tasks.iter().map(|task| task.selected).collect();
    assert_eq!(selected, [true, true, false, false]);
    bench.start(9);
    bench.complete(1);
    bench.start(9);
    bench.complete(2);
    assert_eq!(bench.status(), PlanStatus::Created);
    assert!(bench.story().last().unwrap().ends_with("the tasks asked for are done: 2 of 4 completed"));
    bench.take(Fact::ExecuteRequested { task: None });
    assert_eq!(bench.task(2).status, TaskStatus::Completed, "done is done");
    bench.start(9);
    bench.complete(3);
    bench.start(9);
    bench.complete(4);
    assert_eq!(bench.status(), PlanStatus::Completed);
}

#[test]
fn a_task_can_be_added_to_an_execution_that_is_under_way() {
    let mut bench = Bench::created(vec![command(&[]), command(&[])], Policy::default());
    bench.take(Fact::ExecuteRequested { task: Some(bench.id(1)) });
    bench.start(1);
    bench.take(Fact::ExecuteRequested { task: Some(bench.id(2)) });
    assert_eq!(bench.statuses(), [TaskStatus::Running, TaskStatus::Ready]);
    let error = bench.refused(Fact::ExecuteRequested { task: Some(bench.id(2)) });
    assert!(matches!(error, Error::IllegalTaskMove { .. }), "{error}");
}

#[test]
fn a_plan_whose_time_is_used_up_starts_nothing_more() {
    let rules = policy(|p| p.budget.max_duration_ms = Some(1_000));
    let mut bench = Bench::executed(vec![command(&[]), command(&[1])], rules);
    assert_eq!(bench.take(Fact::TimeReached), [], "the time runs from the first start");
    let start = bench.now;
    let deadline: Timestamp = start.plus(Duration::from_secs(1));
    assert!(bench.start(1).contains(&Effect::WakeAt(deadline)));
    bench.pass(Duration::from_secs(1));
    assert_eq!(bench.reason(2), "the plan's max_duration_ms is used up");
    bench.complete(1);
    assert_eq!(bench.status(), PlanStatus::Failed);
}

#[test]
fn a_retry_of_one_task_brings_back_what_waited_for_it_and_nothing_else() {
    let tasks = vec![command(&[]), command(&[1]), command(&[]), command(&[3])];
    let mut bench = Bench::executed(tasks, Policy::default());
    bench.start(9);
    bench.fail(1);
    bench.fail(3);
    assert_eq!(bench.status(), PlanStatus::Failed);
    bench.take(Fact::RetryRequested { task: Some(bench.id(1)), following: false });
    assert_eq!(
        bench.statuses(),
        [TaskStatus::Ready, TaskStatus::Pending, TaskStatus::Failed, TaskStatus::Skipped],
        "the failure of task 3 does not stop what was asked for"
    );
    bench.start(9);
    bench.complete(1);
    bench.start(9);
    bench.complete(2);
    assert_eq!(bench.state().plan.summary.unwrap(), "task 3 failed: exit code 1");
    bench.take(Fact::RetryRequested { task: None, following: false });
    assert_eq!(bench.task(3).status, TaskStatus::Ready);
    assert_eq!(bench.task(1).status, TaskStatus::Completed);
}

#[test]
fn a_retry_gives_as_many_attempts_as_before() {
    let mut bench = Bench::executed(vec![retrying(2)], Policy::default());
    for round in 1..=2_u32 {
        for _ in 0..2 {
            bench.start(1);
            bench.fail(1);
            bench.pass(Duration::from_secs(1));
        }
        assert_eq!((bench.status(), bench.task(1).attempts), (PlanStatus::Failed, 2 * round));
        if round == 1 {
            bench.take(Fact::RetryRequested { task: None, following: false });
        }
    }
}

#[test]
fn a_report_about_an_attempt_that_is_over_changes_nothing() {
    let mut bench = Bench::executed(vec![retrying(2)], Policy::default());
    bench.start(1);
    let late = |outcome| Fact::AttemptFinished { task: bench.id(1), attempt: 1, outcome, jitter: 0.0 };
    let (failed, cancelled) =
        (late(Outcome::Failed { error: "exit code 1".into(), retryable: true }), late(Outcome::Cancelled));
    assert!(bench.changes(failed.clone()));
    assert!(!bench.changes(failed.clone()));
    bench.pass(Duration::from_secs(1));
    bench.start(1);
    assert!(!bench.changes(failed), "the second attempt is not the first");
    assert!(!bench.changes(cancelled));
    assert_eq!(bench.task(1).status, TaskStatus::Running);
}
