//! What a new worker announces and does about attempts that a crash caught in flight.

use crate::memory::{Bench, command, scan};
use agent_core::event::{EventBody, RecoveryAction, RecoveryKind};
use agent_core::executor::fact::{Fact, Outcome};
use agent_core::plan::{PlanStatus, RetryPolicy, TaskKind, TaskSpec, TaskStatus};
use agent_core::policy::Policy;
use agent_core::tool::EffectClass;
use serde_json::json;

fn recover(bench: &mut Bench, generation: i64) -> Vec<RecoveryAction> {
    bench.take(Fact::Recovered { generation, max_recoveries: 3 });
    let events = bench.core.events(bench.plan).iter().rev();
    let told = events.filter_map(|event| match &event.body {
        EventBody::RunRecovered { generation: told, actions, .. } if *told == generation => {
            Some(actions.clone())
        }
        _ => None,
    });
    told.into_iter().next().expect("a recovery is told")
}

#[test]
fn each_attempt_in_flight_is_named_with_what_becomes_of_it() {
    let tool = |effect| TaskSpec {
        effect: Some(effect),
        ..TaskSpec::new("call it", TaskKind::tool("any", json!({})))
    };
    let tasks = vec![
        scan(&[]),
        tool(EffectClass::Idempotent),
        TaskSpec::new("patch it", TaskKind::Patch { patch: "a patch".into() }),
        tool(EffectClass::Compensatable),
        command(&[]),
        tool(EffectClass::Opaque),
        TaskSpec::new("mend it", TaskKind::Agent { verify: None }),
        tool(EffectClass::Pure),
        command(&[1]),
    ];
    let mut bench = Bench::executed(tasks, Policy::default());
    bench.start(9);
    let actions = recover(&mut bench, 2);
    let how: Vec<RecoveryKind> = actions.iter().map(|action| action.how).collect();
    let expected = [
        RecoveryKind::Repeat,
        RecoveryKind::Repeat,
        RecoveryKind::Compare,
        RecoveryKind::Compare,
        RecoveryKind::OutcomeUnknown,
        RecoveryKind::OutcomeUnknown,
        RecoveryKind::Continue,
        RecoveryKind::Repeat,
    ];
    assert_eq!(how, expected, "what waits was not in flight");
    assert!(actions.iter().zip(1..).all(|(it, n)| (it.task_id, it.attempt) == (bench.id(n), 1)));
}

#[test]
fn an_attempt_that_crash_after_crash_catches_fails_as_a_crash_loop() {
    let mut task = scan(&[]);
    task.retry = RetryPolicy { max_attempts: 9, backoff_ms: 1, max_backoff_ms: 1 };
    let mut bench = Bench::executed(vec![task], Policy::default());
    bench.start(1);
    for generation in [2, 3] {
        assert_eq!(recover(&mut bench, generation)[0].how, RecoveryKind::Repeat);
        assert_eq!(bench.task(1).status, TaskStatus::Running);
    }
    assert_eq!(recover(&mut bench, 4)[0].how, RecoveryKind::CrashLoop);
    assert_eq!((bench.status(), bench.task(1).attempts), (PlanStatus::Failed, 1));
    assert!(bench.reason(1).starts_with("crash_loop: 3 crashes in a row"), "{}", bench.reason(1));
    assert_eq!(bench.core.attempts(bench.plan)[0].status, TaskStatus::Failed);
}

#[test]
fn a_new_attempt_starts_with_a_clean_slate() {
    let mut task = scan(&[]);
    task.retry = RetryPolicy { max_attempts: 2, backoff_ms: 0, max_backoff_ms: 0 };
    let mut bench = Bench::executed(vec![task], Policy::default());
    bench.start(1);
    recover(&mut bench, 2);
    recover(&mut bench, 3);
    bench.fail(1);
    bench.start(1);
    assert_eq!((bench.task(1).attempts, bench.task(1).recoveries), (2, 0));
    recover(&mut bench, 4);
    assert_eq!(bench.task(1).status, TaskStatus::Running, "it is the first crash of this attempt");
    bench.finish(1, Outcome::Completed { result: json!("done") });
    assert_eq!(bench.status(), PlanStatus::Completed);
}
