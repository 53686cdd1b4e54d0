//! What holds for every plan and every order of facts.

use crate::memory::{Bench, answer_to, asks, plan_of, policy, scan};
use agent_core::Error;
use agent_core::approval::Resolution;
use agent_core::executor::fact::{Effect, Fact, Outcome};
use agent_core::executor::{machine, schedule};
use agent_core::plan::{
    EditOperation, NewPlan, OnUnknown, PlanEdit, PlanState, PlanStatus, Priority, RetryPolicy, Task,
    TaskKind, TaskPatch, TaskSpec, TaskStatus,
};
use agent_core::policy::{ApprovalMode, OnFailure, Policy};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use std::time::Duration;

fn task(position: u32) -> impl Strategy<Value = TaskSpec> {
    let kinds = vec![
        TaskKind::Scan,
        TaskKind::argv(["ok"]),
        TaskKind::Agent { verify: None },
        TaskKind::Patch { patch: "a patch".into() },
        TaskKind::Approval,
    ];
    let unknowns = vec![None, Some(OnUnknown::Retry), Some(OnUnknown::Fail), Some(OnUnknown::Ask)];
    let priorities = vec![Priority::High, Priority::Medium, Priority::Low];
    let edges = any::<u16>();
    (select(kinds), edges, select(priorities), 1..4_u32, any::<bool>(), select(unknowns)).prop_map(
        move |(kind, edges, priority, max_attempts, requires_approval, on_unknown)| {
            let depends_on = (1..position).filter(|earlier| edges >> earlier & 3 == 3).collect();
            let retry = RetryPolicy { max_attempts, backoff_ms: 50, max_backoff_ms: 500 };
            let mut spec = TaskSpec::new("work", kind);
            (spec.depends_on, spec.priority, spec.retry) = (depends_on, priority, retry);
            (spec.requires_approval, spec.on_unknown) = (requires_approval, on_unknown);
            spec
        },
    )
}

fn rules() -> impl Strategy<Value = Policy> {
    let budgets = vec![None, None, Some(400), Some(5_000)];
    let ways = vec![OnFailure::Stop, OnFailure::Continue, OnFailure::Replan];
    (select(ways), any::<bool>(), proptest::option::of(1..4_u32), select(budgets)).prop_map(
        |(on_failure, watched, max_parallel, budget)| {
            policy(|policy| {
                policy.on_failure = on_failure;
                policy.approval = if watched { ApprovalMode::Always } else { ApprovalMode::Never };
                policy.max_parallel = max_parallel;
                policy.budget.max_duration_ms = budget;
            })
        },
    )
}

fn plans() -> impl Strategy<Value = NewPlan> {
    let tasks = (1..=12_u32).prop_flat_map(|count| (1..=count).map(task).collect::<Vec<_>>());
    (tasks, rules()).prop_map(|(tasks, rules)| plan_of(tasks, rules))
}

/// A fact, chosen by numbers so that it often fits the state.
fn fact((what, which, how): (u8, u8, u8), state: &PlanState) -> Fact {
    let pick = |wanted: TaskStatus| {
        let fitting: Vec<_> = state.tasks.iter().filter(|task| task.status == wanted).collect();
        let anything = &state.tasks[usize::from(which) % state.tasks.len()];
        (if fitting.is_empty() { anything } else { fitting[usize::from(which) % fitting.len()] }).clone()
    };
    match what % 16 {
        0 => Fact::PauseRequested,
        1 | 2 => Fact::ResumeRequested,
        3 if how % 4 == 0 => Fact::CancelRequested,
        4 if how % 3 == 0 => {
            Fact::RetryRequested { task: Some(pick(TaskStatus::Completed).id), following: true }
        }
        4 => {
            let task = (how % 2 == 0).then(|| pick(TaskStatus::Failed).id);
            Fact::RetryRequested { task, following: false }
        }
        14 => Fact::EditRequested { edit: edit(which, how, state), by: "ada".into() },
        5 => Fact::ExecuteRequested { task: (how % 2 == 0).then(|| pick(TaskStatus::Pending).id) },
        6 => Fact::Recovered { generation: i64::from(how), max_recoveries: 3 },
        7 | 8 => answer(&pick(TaskStatus::AwaitingApproval), how),
        9 => Fact::TimeReached,
        10..=12 => Fact::SlotsGranted { slots: u32::from(how % 5) },
        _ => {
            let task = pick(TaskStatus::Running);
            let attempt = task.attempts + u32::from(how == 255);
            let jitter = f64::from(which) / 255.0;
            Fact::AttemptFinished { task: task.id, attempt, outcome: outcome(how), jitter }
        }
    }
}

/// An answer, now and then to a question before the present one, or one that ends the plan.
fn answer(task: &Task, how: u8) -> Fact {
    let mut fact = answer_to(task, !how.is_multiple_of(4), None);
    if let Fact::ApprovalDecided { sequence, decision, .. } = &mut fact {
        *sequence = sequence.saturating_sub(u32::from(how % 8 == 5));
        match how % 16 {
            7 => *decision = Resolution::ApproveForPlan,
            15 => *decision = Resolution::Cancel,
            _ => {}
        }
    }
    fact
}

/// An edit of one or two tasks, chosen by numbers.
fn edit(which: u8, how: u8, state: &PlanState) -> PlanEdit {
    let task = &state.tasks[usize::from(which) % state.tasks.len()];
    let added = TaskSpec::new("more work", TaskKind::Scan).after(&[task.position]);
    let other_words = TaskPatch { description: Some(format!("other work {how}")), ..TaskPatch::default() };
    let other_rules = TaskPatch { priority: Some(Priority::High), ..TaskPatch::default() };
    let operations = match how % 5 {
        0 => vec![EditOperation::Add(Box::new(added))],
        1 => vec![EditOperation::Update(task.id, Box::new(other_words))],
        2 => vec![EditOperation::Update(task.id, Box::new(other_rules))],
        3 => vec![EditOperation::Remove(task.id)],
        _ => vec![EditOperation::Add(Box::new(added)), EditOperation::Update(task.id, Box::new(other_words))],
    };
    PlanEdit { seen: Some(state.plan.version), operations, ..PlanEdit::default() }
}

fn outcome(how: u8) -> Outcome {
    match how % 8 {
        0 => Outcome::Failed { error: "exit code 1".into(), retryable: true },
        1 => Outcome::Failed { error: "no such tool".into(), retryable: false },
        2 => Outcome::Unknown { detail: "the server stopped.".into() },
        3 => Outcome::Cancelled,
        4 => asks("May I?"),
        _ => Outcome::Completed { result: json!(how) },
    }
}

/// What every reachable state keeps to.
fn check(state: &PlanState) {
    let running = state.tasks.iter().filter(|task| task.status == TaskStatus::Running);
    let ceiling = state.plan.policy.max_parallel.unwrap_or(u32::MAX) as usize;
    assert!(running.clone().count() <= ceiling, "more run than may");
    for task in &state.tasks {
        let begun = matches!(task.status, TaskStatus::Running | TaskStatus::Ready | TaskStatus::Completed);
        let met = |&position: &u32| state.at(position).unwrap().status == TaskStatus::Completed;
        assert!(!begun || task.spec.depends_on.iter().all(met), "task {} came too early", task.position);
        let waits = matches!(task.status, TaskStatus::AwaitingApproval);
        assert!(!waits || task.wake_at.is_some(), "a question without an end");
        assert!(!task.status.is_terminal() || task.wake_at.is_none(), "a timer of a task that is over");
        assert!(task.attempts <= task.attempt_limit, "more attempts than allowed");
    }
    if state.plan.status.is_terminal() {
        let over = state.tasks.iter().all(|task| !task.selected || task.status.is_terminal());
        assert!(over, "a plan ended before its tasks");
        assert!(schedule::outstanding(state).is_empty());
    }
}

/// Whether a live plan waits for something that comes: an attempt, room, a timer, or a person.
fn is_owned(state: &PlanState) -> bool {
    let has = |status| state.tasks.iter().any(|task| task.status == status);
    let timer = |effect: &Effect| matches!(effect, Effect::WakeAt(_) | Effect::Replan);
    let timer = schedule::outstanding(state).iter().any(timer);
    let cancelling = state.plan.cancel_requested;
    has(TaskStatus::Running)
        || !cancelling
            && (schedule::startable(state) > 0
                || timer
                || has(TaskStatus::AwaitingApproval)
                || state.plan.status == PlanStatus::Paused)
}

/// What the planner makes of a plan in which a task has failed: new tasks, or nothing.
fn replanned(state: &PlanState, choice: u8) -> Fact {
    if choice.is_multiple_of(4) {
        return Fact::Replanned { edit: Err("the model is silent".into()) };
    }
    let open = state.tasks.iter().filter(|task| task.status != TaskStatus::Completed);
    let removed = open.map(|task| EditOperation::Remove(task.id));
    let added = (0..choice % 3 + 1).map(|_| EditOperation::Add(Box::new(scan(&[]))));
    let operations = removed.chain(added).collect();
    Fact::Replanned {
        edit: Ok(PlanEdit { seen: Some(state.plan.version), operations, ..PlanEdit::default() }),
    }
}

/// Takes a fact and checks what must hold before, after, and on a second delivery.
fn deliver(bench: &mut Bench, fact: &Fact) {
    let before = bench.state();
    let once = machine::advance(&before, fact.clone(), bench.now);
    let again = machine::advance(&before, fact.clone(), bench.now);
    assert_eq!(format!("{once:?}"), format!("{again:?}"), "the same fact, another decision");
    if bench.try_take(fact.clone()).is_err() {
        return;
    }
    if matches!(fact, Fact::EditRequested { .. } | Fact::Replanned { .. }) {
        // What follows from tasks that were added is settled once they have their ids.
        bench.take(Fact::TimeReached);
    }
    let after = bench.state();
    check(&after);
    match fact {
        Fact::AttemptFinished { .. } | Fact::TimeReached => {
            let second = machine::advance(&after, fact.clone(), bench.now).unwrap();
            assert_eq!(second.change, None, "the second delivery of {fact:?} changed something");
        }
        Fact::ApprovalDecided { .. } => {
            let second = machine::advance(&after, fact.clone(), bench.now);
            assert!(matches!(second, Err(Error::IllegalTaskMove { .. })), "answered twice");
        }
        _ => {}
    }
    let redefines = matches!(fact, Fact::EditRequested { .. } | Fact::Replanned { .. });
    if redefines || matches!(fact, Fact::RetryRequested { following: true, .. }) {
        return;
    }
    for (old, new) in before.tasks.iter().zip(&after.tasks) {
        let undone =
            old.status == TaskStatus::Completed && (new.status, &new.result) != (old.status, &old.result);
        assert!(!undone, "a result was lost");
    }
}

fn wander(plan: &NewPlan, choices: &[(u8, u8, u8)]) -> Bench {
    let mut bench = Bench::at(plan, PlanStatus::Created);
    deliver(&mut bench, &Fact::ExecuteRequested { task: None });
    for &choice in choices {
        bench.now = bench.now.plus(Duration::from_millis(u64::from(choice.2)));
        let fact = fact(choice, &bench.state());
        deliver(&mut bench, &fact);
    }
    bench
}

/// Grants what can be granted, finishes what runs, answers what is asked, and lets time pass.
fn drive_to_end(bench: &mut Bench, outcomes: &[u8]) {
    let mut outcomes = outcomes.iter().copied();
    for _ in 0..2_000 {
        let state = bench.state();
        if !state.plan.status.is_live() {
            return;
        }
        let next = |status| state.tasks.iter().find(|task| task.status == status);
        let fact = if let Some(task) = next(TaskStatus::Running) {
            // Once the prepared outcomes are used up, everything succeeds.
            let outcome = outcome(outcomes.next().unwrap_or(7));
            Fact::AttemptFinished { task: task.id, attempt: task.attempts, outcome, jitter: 1.0 }
        } else if state.plan.status == PlanStatus::Paused {
            Fact::ResumeRequested
        } else if schedule::startable(&state) > 0 {
            Fact::SlotsGranted { slots: 2 }
        } else if schedule::outstanding(&state).contains(&Effect::Replan) {
            replanned(&state, outcomes.next().unwrap_or(7))
        } else if let Some(task) = next(TaskStatus::AwaitingApproval) {
            answer_to(task, true, None)
        } else {
            let due = schedule::outstanding(&state).into_iter().find_map(|effect| match effect {
                Effect::WakeAt(at) => Some(at),
                Effect::MakePlan | Effect::Replan | Effect::RunAttempt { .. } => None,
            });
            bench.now = bench.now.max(due.expect("a plan that waits for nothing"));
            Fact::TimeReached
        };
        deliver(bench, &fact);
    }
    panic!("the plan does not come to an end: {:#?}", bench.state());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_facts_keeps_the_rules_and_leads_to_an_end(
        plan in plans(),
        choices in proptest::collection::vec(any::<(u8, u8, u8)>(), 0..60),
        outcomes in proptest::collection::vec(any::<u8>(), 0..30),
    ) {
        let mut bench = wander(&plan, &choices);
        drive_to_end(&mut bench, &outcomes);
    }

    #[test]
    fn no_reachable_state_is_without_an_owner_a_timer_or_a_person_it_waits_for(
        plan in plans(),
        choices in proptest::collection::vec(any::<(u8, u8, u8)>(), 0..60),
        outcomes in proptest::collection::vec(any::<u8>(), 0..30),
    ) {
        let mut bench = wander(&plan, &choices);
        drive_to_end(&mut bench, &outcomes);
        for (change, state) in &bench.past {
            // Added tasks are looked at once they have ids; that look is what such a state waits for.
            let at_rest = change.new_tasks.is_empty() && state.plan.status.is_live();
            prop_assert!(!at_rest || is_owned(state), "nothing will ever move this plan: {state:#?}");
        }
    }

    #[test]
    fn every_prefix_of_the_committed_changes_replays_to_the_state_that_is_stored(
        plan in plans(),
        choices in proptest::collection::vec(any::<(u8, u8, u8)>(), 0..60),
    ) {
        let bench = wander(&plan, &choices);
        let mut replayed = Bench::at(&plan, PlanStatus::Created).state();
        for (change, stored) in &bench.past {
            replayed = machine::apply(&replayed, change);
            // The ids of added tasks are the store's.
            prop_assert_eq!(replayed.tasks.len() + change.new_tasks.len(), stored.tasks.len());
            replayed.tasks.extend(stored.tasks[replayed.tasks.len()..].iter().cloned());
            prop_assert_eq!(&replayed, stored);
        }
    }

    #[test]
    fn the_same_facts_lead_to_the_same_state_and_the_same_story(
        plan in plans(),
        choices in proptest::collection::vec(any::<(u8, u8, u8)>(), 0..60),
    ) {
        let (one, other) = (wander(&plan, &choices), wander(&plan, &choices));
        prop_assert_eq!(one.state(), other.state());
        prop_assert_eq!(one.story(), other.story());
    }

    #[test]
    fn facts_taken_together_lead_where_they_lead_one_by_one(
        plan in plans(),
        choices in proptest::collection::vec(any::<(u8, u8, u8)>(), 0..30),
        outcomes in proptest::collection::vec(any::<u8>(), 1..4),
    ) {
        let mut bench = wander(&plan, &choices);
        let state = bench.state();
        let running = state.tasks.iter().filter(|task| task.status == TaskStatus::Running);
        let mut facts: Vec<Fact> = running.zip(outcomes).map(|(task, how)| Fact::AttemptFinished {
            task: task.id,
            attempt: task.attempts,
            outcome: outcome(how),
            jitter: 0.5,
        }).collect();
        facts.push(Fact::SlotsGranted { slots: 3 });
        let together = machine::advance_all(&state, facts.clone(), bench.now).unwrap();
        let together = together.change.map_or(state.clone(), |change| machine::apply(&state, &change));
        for fact in &facts {
            deliver(&mut bench, fact);
        }
        prop_assert_eq!(together.tasks, bench.state().tasks);
        prop_assert_eq!(together.plan.status, bench.state().plan.status);
    }
}
