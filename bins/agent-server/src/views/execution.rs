//! Attempts at a task with their recorded steps.

use super::words::TaskStatusView;
use agent_core::plan::Attempt;
use agent_core::ports::Step;
use agent_core::time::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// All attempts at a task, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ExecutionsView {
    /// The plan.
    pub plan_id: i64,
    /// The task.
    pub task_id: i64,
    /// The attempts.
    pub executions: Vec<ExecutionView>,
}

/// One attempt at a task.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "attempt": 1, "status": "completed", "error": null, "started_at": "2026-01-01T12:00:00.000Z",
    "finished_at": "2026-01-01T12:00:01.000Z", "tokens": 0, "steps": [{
        "position": 1, "kind": "tool", "name": "run_command", "effect": "opaque",
        "input": {"command": ["cargo", "test"]}, "status": "ok", "output": {"exit_code": 0}, "tokens": 0,
        "started_at": "2026-01-01T12:00:00.000Z", "finished_at": "2026-01-01T12:00:01.000Z"
    }]
}))]
pub struct ExecutionView {
    /// 1 for the first.
    pub attempt: u32,
    /// `running`, `completed`, `failed` or `cancelled`.
    pub status: TaskStatusView,
    /// Why it failed.
    pub error: Option<String>,
    /// When it started.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// Model tokens used.
    pub tokens: u64,
    /// What it did, in order. Empty for attempts that are a single step themselves (commands and scans): there
    /// the attempt is the record, and its result is the task's.
    pub steps: Vec<StepView>,
}

/// One recorded step: a call of a tool or of a model.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "position": 1, "kind": "tool", "name": "read_file", "effect": "pure", "input": {"path": "src/lib.rs"}, "status": "ok",
    "output": {"text": "pub mod cart;"}, "tokens": 0, "started_at": "2026-01-01T12:00:01.000Z",
    "finished_at": "2026-01-01T12:00:01.012Z"
}))]
pub struct StepView {
    /// 1 for the first step of the attempt.
    pub position: u32,
    /// `model` or `tool`.
    pub kind: &'static str,
    /// Which one.
    pub name: String,
    /// What recovery may do with it.
    pub effect: super::words::EffectView,
    /// What it was given.
    #[schema(value_type = Object)]
    pub input: Value,
    /// `in_flight`, `ok`, `error` or `outcome_unknown`.
    pub status: &'static str,
    /// What it answered; null while in flight.
    #[schema(value_type = Option<Object>)]
    pub output: Option<Value>,
    /// Model tokens used.
    pub tokens: u64,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
}

impl From<(Attempt, Vec<Step>)> for ExecutionView {
    fn from((attempt, steps): (Attempt, Vec<Step>)) -> Self {
        Self {
            attempt: attempt.attempt,
            status: attempt.status.into(),
            error: attempt.error,
            started_at: attempt.started_at,
            finished_at: attempt.finished_at,
            tokens: attempt.tokens,
            steps: steps.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<Step> for StepView {
    fn from(step: Step) -> Self {
        let tokens = step.result.as_ref().map_or(0, |result| result.usage.total());
        Self {
            position: step.key.position,
            kind: match step.intent.kind {
                agent_core::ports::StepKind::Model => "model",
                agent_core::ports::StepKind::Tool => "tool",
            },
            name: step.intent.name,
            effect: step.intent.effect.into(),
            input: step.intent.input,
            status: step.result.as_ref().map_or("in_flight", |result| result.status.as_str()),
            output: step.result.map(|result| result.output),
            tokens,
            started_at: step.started_at,
            finished_at: step.finished_at,
        }
    }
}
