//! What a new worker does with what its predecessor had under way.

use super::attempts;
use crate::event::{EventBody, RecoveryAction, RecoveryKind};
use crate::executor::draft::Draft;
use crate::plan::{TaskKind, TaskSpec, TaskStatus};
use crate::tool::EffectClass;

/// Tells what becomes of everything in flight, and ends what crash after crash has caught.
pub(super) fn recovered(draft: &mut Draft, generation: i64, max_recoveries: u32) {
    let in_flight: Vec<usize> =
        (0..draft.tasks.len()).filter(|&i| draft.tasks[i].status == TaskStatus::Running).collect();
    let actions = in_flight.iter().map(|&index| {
        let task = draft.touch(index);
        task.recoveries += 1;
        let how = if task.recoveries >= max_recoveries { RecoveryKind::CrashLoop } else { kind(&task.spec) };
        RecoveryAction { task_id: task.id, attempt: task.attempts, how }
    });
    let actions: Vec<RecoveryAction> = actions.collect();
    let tasks_in_flight = u32::try_from(actions.len()).unwrap_or(u32::MAX);
    let looping: Vec<bool> = actions.iter().map(|action| action.how == RecoveryKind::CrashLoop).collect();
    draft.tell(None, EventBody::RunRecovered { generation, tasks_in_flight, actions });
    for (index, _) in in_flight.into_iter().zip(looping).filter(|(_, looping)| *looping) {
        let crashes = draft.tasks[index].recoveries;
        let error = format!(
            "crash_loop: {crashes} crashes in a row of the server caught this attempt in flight; it is not tried again by itself"
        );
        attempts::failed(draft, index, error, false, 0.0);
    }
}

fn kind(spec: &TaskSpec) -> RecoveryKind {
    match (&spec.kind, spec.effect_class()) {
        (TaskKind::Agent { .. }, _) => RecoveryKind::Continue,
        (_, EffectClass::Pure | EffectClass::Idempotent) => RecoveryKind::Repeat,
        (_, EffectClass::Compensatable) => RecoveryKind::Compare,
        (_, EffectClass::Opaque) => RecoveryKind::OutcomeUnknown,
    }
}
