//! Steps of an attempt as the journal records them.

use super::NewMessage;
use crate::event::NewEvent;
use crate::ids::{PlanId, TaskId};
use crate::model::Usage;
use crate::time::Timestamp;
use crate::tool::EffectClass;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Names a step: the n-th of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepKey {
    /// The plan.
    pub plan_id: PlanId,
    /// The task.
    pub task_id: TaskId,
    /// The attempt.
    pub attempt: u32,
    /// 1 for the first step.
    pub position: u32,
}

impl StepKey {
    /// The key under which outside effects of this step are the same effect.
    pub fn idempotency_key(&self) -> String {
        format!("plan-{}/task-{}/attempt-{}/step-{}", self.plan_id, self.task_id, self.attempt, self.position)
    }
}

/// What a step is about to do; recorded before it is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepIntent {
    /// `model` or `tool`.
    pub kind: StepKind,
    /// The tool, or the model.
    pub name: String,
    /// What recovery may do with it.
    pub effect: EffectClass,
    /// The input, or what identifies it.
    pub input: Value,
    /// What the tool computed beforehand for recovery to compare with.
    pub prepared: Value,
}

/// Who performs a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// A language model.
    Model,
    /// A tool.
    Tool,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepResult {
    /// `ok`, `error` or `outcome_unknown`.
    pub status: StepStatus,
    /// The output, or the error text.
    pub output: Value,
    /// Model tokens.
    pub usage: Usage,
}

/// What is told beside the result of a step, in one transaction with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Told {
    /// To listeners, in order.
    pub events: Vec<NewEvent>,
    /// In the plan's conversation, in order; listeners hear of each after the events. Their idempotency keys do not
    /// count: the step itself happens once.
    pub messages: Vec<NewMessage>,
}

impl From<Vec<NewEvent>> for Told {
    fn from(events: Vec<NewEvent>) -> Self {
        Self { events, messages: Vec::new() }
    }
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// It yielded its output.
    Ok,
    /// It failed in a way that is part of the record.
    Error,
    /// A crash caught it in flight and nobody can tell.
    OutcomeUnknown,
}

impl StepStatus {
    /// The word used in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::OutcomeUnknown => "outcome_unknown",
        }
    }
}

/// A step as recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Which one.
    pub key: StepKey,
    /// What it was about to do.
    pub intent: StepIntent,
    /// What became of it; `None` while in flight.
    pub result: Option<StepResult>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}
