//! Where a person decides, and what follows when nobody knows what a crash left behind.

use crate::memory::{Bench, answer_to, command, policy, scan};
use agent_core::Error;
use agent_core::executor::fact::{Effect, Fact, Outcome};
use agent_core::plan::{OnUnknown, PlanStatus, TaskKind, TaskSpec, TaskStatus};
use agent_core::policy::{ApprovalMode, OnFailure, Policy};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn question(after: &[u32]) -> TaskSpec {
    TaskSpec::new("Shall it be released?", TaskKind::Approval).after(after)
}

fn answer(bench: &Bench, position: u32, approve: bool) -> Fact {
    answer_to(&bench.task(position), approve, Some("because"))
}

/// How each question was answered; `open` where it was not.
fn decisions(bench: &Bench) -> Vec<String> {
    let questions = bench.questions().into_iter();
    questions
        .map(|question| {
            question
                .decision
                .map_or("open", |decision| {
                    // The words outlive the decision.
                    match decision.as_str() {
                        "approve" => "approve",
                        "reject" => "reject",
                        "expired" => "expired",
                        _ => "withdrawn",
                    }
                })
                .to_owned()
        })
        .collect()
}

#[test]
fn an_approval_task_is_a_question_and_its_answer_is_its_result() {
    let mut bench = Bench::executed(vec![question(&[]), command(&[1])], Policy::default());
    assert_eq!((bench.status(), bench.task(1).attempts), (PlanStatus::AwaitingApproval, 0));
    assert_eq!(bench.start(9), [Effect::WakeAt(bench.now.plus(DAY))]);
    assert_eq!(bench.questions()[0].question.subject, "Shall it be released?");
    bench.take(answer(&bench, 1, true));
    assert_eq!(bench.task(1).result.unwrap()["approved_by"], "ada");
    assert_eq!((bench.status(), bench.task(2).status), (PlanStatus::Running, TaskStatus::Ready));
    assert_eq!(decisions(&bench), ["approve"]);
}

#[test]
fn a_rejection_fails_the_task_and_names_who_said_no() {
    let mut bench = Bench::executed(vec![question(&[]), command(&[1])], Policy::default());
    bench.take(answer(&bench, 1, false));
    assert_eq!(bench.status(), PlanStatus::Failed);
    assert_eq!(bench.reason(1), "rejected by ada: because");
    assert_eq!(decisions(&bench), ["reject"]);
}

#[test]
fn a_question_is_answered_once() {
    let mut bench = Bench::executed(vec![question(&[]), question(&[])], Policy::default());
    bench.take(answer(&bench, 1, true));
    let error = bench.refused(answer(&bench, 1, false));
    assert!(matches!(error, Error::IllegalTaskMove { status: TaskStatus::Completed, .. }), "{error}");
}

#[test]
fn a_question_that_nobody_answers_lapses_after_a_day() {
    let mut bench = Bench::executed(vec![question(&[])], Policy::default());
    bench.pass(DAY - Duration::from_micros(1));
    assert_eq!(bench.status(), PlanStatus::AwaitingApproval);
    bench.pass(Duration::from_micros(1));
    assert_eq!(
        (bench.status(), bench.reason(1).as_str()),
        (PlanStatus::Failed, "nobody approved it in time")
    );
    assert_eq!(decisions(&bench), ["expired"]);
}

#[test]
fn a_task_that_requires_approval_starts_when_it_has_it() {
    let mut guarded = command(&[1]);
    guarded.requires_approval = true;
    let mut bench = Bench::executed(vec![command(&[]), guarded], Policy::default());
    bench.start(9);
    assert_eq!(bench.task(2).status, TaskStatus::Pending, "nobody is asked before it could start");
    bench.complete(1);
    assert_eq!(bench.task(2).status, TaskStatus::AwaitingApproval);
    bench.take(answer(&bench, 2, true));
    bench.start(9);
    bench.fail(2);
    bench.take(Fact::RetryRequested { task: None, following: false });
    assert_eq!(bench.task(2).status, TaskStatus::AwaitingApproval, "a retry is asked for anew");
    assert_eq!(decisions(&bench), ["approve", "open"]);
}

#[test]
fn the_policy_says_before_which_kinds_of_work_a_person_is_asked() {
    let kinds = || {
        let agent = TaskKind::Agent { verify: None };
        let patch = TaskKind::Patch { patch: "a patch".into() };
        let kinds = [TaskKind::Scan, patch, TaskKind::argv(["ok"]), agent];
        kinds.map(|kind| TaskSpec::new("work", kind)).to_vec()
    };
    let cases = [
        (ApprovalMode::Never, [false, false, false, false]),
        (ApprovalMode::Writes, [false, true, false, false]),
        (ApprovalMode::Commands, [false, false, true, false]),
        (ApprovalMode::Always, [false, true, true, false]),
    ];
    for (mode, expected) in cases {
        let bench = Bench::executed(kinds(), policy(|policy| policy.approval = mode));
        let asked = bench.statuses().into_iter().map(|status| status == TaskStatus::AwaitingApproval);
        assert_eq!(asked.collect::<Vec<_>>(), expected, "{mode:?}");
    }
}

#[test]
fn other_tasks_run_while_a_question_is_open() {
    let mut bench = Bench::executed(vec![question(&[]), command(&[])], Policy::default());
    assert_eq!(bench.status(), PlanStatus::Running);
    bench.start(9);
    bench.complete(2);
    assert_eq!(bench.status(), PlanStatus::AwaitingApproval);
}

#[test]
fn an_answer_during_a_pause_counts_and_starts_nothing() {
    let mut bench = Bench::executed(vec![question(&[]), command(&[1])], Policy::default());
    bench.take(Fact::PauseRequested);
    bench.take(answer(&bench, 1, true));
    assert_eq!((bench.status(), bench.task(2).status), (PlanStatus::Paused, TaskStatus::Ready));
    assert_eq!(bench.start(9), []);
    bench.take(Fact::ResumeRequested);
    assert_eq!(bench.start(9).len(), 1);
}

#[test]
fn a_question_of_a_plan_that_ends_is_closed() {
    let mut cancelled = Bench::executed(vec![question(&[])], Policy::default());
    cancelled.take(Fact::CancelRequested);
    assert_eq!(
        (cancelled.status(), decisions(&cancelled)),
        (PlanStatus::Cancelled, vec!["withdrawn".to_owned()])
    );
    let mut stopped = Bench::executed(vec![question(&[]), command(&[])], Policy::default());
    stopped.start(9);
    stopped.fail(2);
    assert_eq!((stopped.status(), decisions(&stopped)), (PlanStatus::Failed, vec!["withdrawn".to_owned()]));
}

fn unknown(on_unknown: Option<OnUnknown>, rules: Policy) -> Bench {
    let mut task = scan(&[]);
    task.on_unknown = on_unknown;
    let mut bench = Bench::executed(vec![task, scan(&[1])], rules);
    bench.start(9);
    bench.finish(1, Outcome::Unknown { detail: "the server stopped.".into() });
    bench
}

#[test]
fn an_unknown_outcome_fails_a_task_that_nobody_watches() {
    let bench = unknown(None, Policy::default());
    assert_eq!((bench.status(), bench.reason(1).as_str()), (PlanStatus::Failed, "the server stopped."));
}

#[test]
fn an_unknown_outcome_is_a_question_where_people_are_asked() {
    let mut bench = unknown(None, policy(|p| p.approval = ApprovalMode::Commands));
    assert_eq!(bench.status(), PlanStatus::AwaitingApproval);
    assert_eq!(bench.questions()[0].question.subject, "the server stopped. Run it again?");
    bench.take(answer(&bench, 1, true));
    bench.start(1);
    assert_eq!((bench.task(1).status, bench.task(1).attempts), (TaskStatus::Running, 2));
    bench.fail(1);
    assert_eq!(bench.status(), PlanStatus::Failed, "the answer allowed one more attempt, not two");
}

#[test]
fn an_unknown_outcome_that_may_be_repeated_costs_no_attempt() {
    let mut bench = unknown(Some(OnUnknown::Retry), policy(|p| p.on_failure = OnFailure::Continue));
    assert_eq!(bench.task(1).status, TaskStatus::Pending);
    bench.pass(Duration::from_secs(1));
    bench.start(1);
    bench.complete(1);
    bench.start(1);
    bench.complete(2);
    assert_eq!(bench.status(), PlanStatus::Completed);
}

#[test]
fn an_unknown_outcome_of_a_cancelled_plan_asks_nobody() {
    let mut task = command(&[]);
    task.on_unknown = Some(OnUnknown::Ask);
    let mut bench = Bench::executed(vec![task], Policy::default());
    bench.start(1);
    bench.take(Fact::CancelRequested);
    bench.finish(1, Outcome::Unknown { detail: "the server stopped.".into() });
    assert_eq!(bench.status(), PlanStatus::Cancelled);
    assert_eq!(decisions(&bench), Vec::<String>::new(), "there is nothing to answer any more");
}
