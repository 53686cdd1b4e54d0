//! Chance that can be had again.

use agent_core::ids::{Owner, UserId};
use agent_core::plan::{
    EditOperation, NewPlan, OnUnknown, PlanEdit, PlanState, RetryPolicy, TaskKind, TaskPatch, TaskSpec,
};
use agent_core::policy::{OnFailure, Policy};
use agent_core::tool::EffectClass;

/// A small generator of numbers (SplitMix64, Steele et al. 2014).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }

    pub(super) fn small(&mut self, sides: u64) -> u32 {
        u32::try_from(self.roll(sides)).unwrap()
    }

    pub(super) fn pick<T: Clone>(&mut self, among: &[T]) -> Option<T> {
        if among.is_empty() { None } else { among.get(self.roll(among.len() as u64) as usize).cloned() }
    }

    /// A task that depends on some of those before it.
    pub(super) fn task(&mut self, position: u32) -> TaskSpec {
        let after: Vec<u32> = (1..position).filter(|_| self.chance(35)).collect();
        let kind = match self.roll(6) {
            0 => TaskKind::Approval,
            1 | 2 => TaskKind::Scan,
            3 => TaskKind::tool("tidy", serde_json::json!({})),
            _ => TaskKind::argv(["ok"]),
        };
        let mut task = TaskSpec::new("work", kind).after(&after);
        if matches!(task.kind, TaskKind::Tool { .. }) {
            task.effect = Some(EffectClass::Idempotent);
        }
        task.retry = RetryPolicy { max_attempts: 1 + self.small(3), backoff_ms: 500, max_backoff_ms: 4_000 };
        task.requires_approval = self.chance(10);
        task.on_unknown = [None, Some(OnUnknown::Retry), Some(OnUnknown::Ask)][self.roll(3) as usize];
        task
    }

    pub(super) fn plan(&mut self) -> NewPlan {
        let count = 1 + self.small(5);
        let tasks: Vec<TaskSpec> = (1..=count).map(|position| self.task(position)).collect();
        let mut plan = crate::memory::plan_of(tasks, Policy::default());
        plan.owner = Owner::in_default_tenant(UserId(1 + i64::from(self.small(2))));
        plan.policy.max_parallel = self.chance(50).then(|| 1 + self.small(3));
        plan.policy.on_failure = if self.chance(50) { OnFailure::Stop } else { OnFailure::Continue };
        plan
    }

    /// An edit of one task, or a further one; now and then of a version that is not the present one.
    pub(super) fn edit(&mut self, state: &PlanState) -> PlanEdit {
        let Some(task) = self.pick(&state.tasks) else { return PlanEdit::default() };
        let positions = state.tasks.len() as u64;
        let operation = match self.roll(4) {
            0 => EditOperation::Remove(task.id),
            1 => EditOperation::Add(Box::new(self.task(u32::try_from(positions).unwrap() + 1))),
            2 => {
                let depends_on = Some(vec![1 + self.small(positions)]);
                EditOperation::Update(task.id, Box::new(TaskPatch { depends_on, ..TaskPatch::default() }))
            }
            _ => {
                let description = Some(format!("other work {}", self.roll(3)));
                EditOperation::Update(task.id, Box::new(TaskPatch { description, ..TaskPatch::default() }))
            }
        };
        let seen = Some(state.plan.version + u32::from(self.chance(5)));
        PlanEdit { seen, operations: vec![operation], ..PlanEdit::default() }
    }
}
