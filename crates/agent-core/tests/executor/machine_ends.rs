//! Pause, resume, cancel, and the moves that are refused.

use crate::memory::{Bench, answer_to, command, new_plan, scan};
use agent_core::Error;
use agent_core::executor::fact::{Effect, Fact, Outcome};
use agent_core::ids::TaskId;
use agent_core::plan::{PlanStatus, RetryPolicy, Task, TaskStatus};
use agent_core::policy::Policy;
use std::time::Duration;

#[test]
fn a_pause_lets_what_runs_finish_and_starts_nothing() {
    let mut bench = Bench::executed(vec![command(&[]), command(&[1])], Policy::default());
    bench.start(1);
    let effects = bench.take(Fact::PauseRequested);
    assert!(matches!(effects[..], [Effect::RunAttempt { .. }]), "{effects:?}");
    bench.complete(1);
    assert_eq!((bench.status(), bench.task(2).status), (PlanStatus::Paused, TaskStatus::Ready));
    assert_eq!(bench.start(9), []);
    assert!(!bench.changes(Fact::PauseRequested), "it is paused already");
    bench.take(Fact::ResumeRequested);
    assert!(!bench.changes(Fact::ResumeRequested), "it runs already");
    bench.start(9);
    bench.complete(2);
    assert_eq!(bench.status(), PlanStatus::Completed);
}

#[test]
fn a_paused_plan_of_which_the_last_task_finishes_is_completed() {
    let mut bench = Bench::executed(vec![command(&[])], Policy::default());
    bench.start(1);
    bench.take(Fact::PauseRequested);
    bench.complete(1);
    assert_eq!(bench.status(), PlanStatus::Completed);
}

#[test]
fn a_cancelled_plan_ends_when_the_last_of_it_has_stopped() {
    let tasks = vec![command(&[]), command(&[]), command(&[1])];
    let mut bench = Bench::executed(tasks, Policy::default());
    bench.start(2);
    assert_eq!(bench.take(Fact::CancelRequested), [], "nothing shall be under way any more");
    assert_eq!(bench.status(), PlanStatus::Running);
    assert_eq!(bench.reason(3), "the plan was cancelled");
    bench.finish(1, Outcome::Cancelled);
    assert_eq!(bench.status(), PlanStatus::Running);
    bench.complete(2);
    assert_eq!(bench.status(), PlanStatus::Cancelled);
    let expected = [TaskStatus::Cancelled, TaskStatus::Completed, TaskStatus::Cancelled];
    assert_eq!(bench.statuses(), expected, "what was done in time stays done");
}

#[test]
fn a_failure_during_the_cancellation_is_not_tried_again() {
    let mut task = command(&[]);
    task.retry = RetryPolicy { max_attempts: 5, backoff_ms: 1, max_backoff_ms: 1 };
    let mut bench = Bench::executed(vec![task], Policy::default());
    bench.start(1);
    bench.take(Fact::CancelRequested);
    bench.fail(1);
    assert_eq!((bench.status(), bench.task(1).status), (PlanStatus::Cancelled, TaskStatus::Failed));
}

#[test]
fn a_plan_that_has_not_begun_is_cancelled_at_once() {
    let mut created = Bench::created(vec![command(&[])], Policy::default());
    created.take(Fact::CancelRequested);
    assert_eq!((created.status(), created.task(1).status), (PlanStatus::Cancelled, TaskStatus::Cancelled));
    assert!(!created.changes(Fact::CancelRequested), "it is cancelled already");
    let mut planning = Bench::at(&new_plan(Vec::new()), PlanStatus::Planning);
    assert_eq!(planning.take(Fact::CancelRequested), []);
    assert_eq!(planning.status(), PlanStatus::Cancelled);
    assert!(!planning.changes(Fact::Planned { tasks: vec![scan(&[])] }), "the answer comes too late");
}

#[test]
fn a_cancelled_plan_can_be_taken_up_again() {
    let mut bench = Bench::executed(vec![command(&[])], Policy::default());
    bench.take(Fact::CancelRequested);
    assert_eq!(bench.status(), PlanStatus::Cancelled);
    bench.take(Fact::RetryRequested { task: None, following: false });
    bench.start(1);
    bench.complete(1);
    assert_eq!(bench.status(), PlanStatus::Completed);
}

#[test]
fn a_plan_that_is_being_cancelled_takes_no_other_wishes() {
    let mut bench = Bench::created(vec![command(&[]), command(&[])], Policy::default());
    bench.take(Fact::ExecuteRequested { task: Some(bench.id(1)) });
    bench.start(1);
    bench.take(Fact::PauseRequested);
    bench.take(Fact::CancelRequested);
    let wishes = [
        Fact::ExecuteRequested { task: Some(bench.id(2)) },
        Fact::RetryRequested { task: None, following: false },
        Fact::PauseRequested,
        Fact::ResumeRequested,
    ];
    for wish in wishes {
        // Pausing what is paused is no move at all, hence no refusal either.
        if wish == Fact::PauseRequested {
            assert!(!bench.changes(wish));
        } else {
            let error = bench.refused(wish);
            assert!(matches!(error, Error::IllegalPlanMove { .. }), "{error}");
        }
    }
    assert!(!bench.changes(Fact::CancelRequested));
    bench.finish(1, Outcome::Cancelled);
    assert_eq!(bench.status(), PlanStatus::Cancelled);
}

#[test]
fn moves_that_the_status_forbids_are_refused_by_name_and_change_nothing() {
    let mut bench = Bench::created(vec![command(&[])], Policy::default());
    for fact in
        [Fact::PauseRequested, Fact::ResumeRequested, Fact::RetryRequested { task: None, following: false }]
    {
        let error = bench.refused(fact);
        assert!(matches!(error, Error::IllegalPlanMove { status: PlanStatus::Created, .. }), "{error}");
    }
    bench.take(Fact::ExecuteRequested { task: None });
    let error = bench.refused(Fact::ExecuteRequested { task: None });
    assert!(matches!(error, Error::IllegalPlanMove { status: PlanStatus::Running, .. }), "{error}");
    bench.start(1);
    let error = bench.refused(Fact::RetryRequested { task: Some(bench.id(1)), following: false });
    assert!(matches!(error, Error::IllegalTaskMove { status: TaskStatus::Running, .. }), "{error}");
    bench.complete(1);
    let over = [
        Fact::ExecuteRequested { task: None },
        Fact::PauseRequested,
        Fact::ResumeRequested,
        Fact::CancelRequested,
        Fact::RetryRequested { task: None, following: false },
    ];
    for fact in over {
        let error = bench.refused(fact);
        assert!(matches!(error, Error::IllegalPlanMove { status: PlanStatus::Completed, .. }), "{error}");
    }
}

#[test]
fn a_task_of_another_plan_is_not_found() {
    let mut bench = Bench::created(vec![command(&[])], Policy::default());
    let stranger = TaskId(4_711);
    let facts = [
        Fact::ExecuteRequested { task: Some(stranger) },
        Fact::RetryRequested { task: Some(stranger), following: false },
        answer_to(&Task { id: stranger, ..bench.task(1) }, true, None),
    ];
    for fact in facts {
        let error = bench.refused(fact);
        assert!(matches!(error, Error::TaskNotFound { task, .. } if task == stranger), "{error}");
    }
}

#[test]
fn nothing_is_due_in_a_plan_that_is_over() {
    let mut bench = Bench::executed(vec![command(&[])], Policy::default());
    bench.start(1);
    bench.complete(1);
    bench.now = bench.now.plus(Duration::from_secs(86_400));
    assert_eq!(bench.take(Fact::TimeReached), []);
    assert!(!bench.changes(Fact::SlotsGranted { slots: 9 }));
}
