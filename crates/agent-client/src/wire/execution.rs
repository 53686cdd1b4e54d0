//! Attempts at tasks, with what they did.

use agent_core::ids::{PlanId, TaskId};
use agent_core::plan::TaskStatus;
use agent_core::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// All attempts at a task, oldest first.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Executions {
    /// The plan.
    pub plan_id: PlanId,
    /// The task.
    pub task_id: TaskId,
    /// The attempts.
    pub executions: Vec<Execution>,
}

/// One attempt at a task.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Execution {
    /// 1 for the first.
    pub attempt: u32,
    /// `running`, `completed`, `failed` or `cancelled`.
    pub status: TaskStatus,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<String>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// Model tokens used.
    #[serde(default)]
    pub tokens: u64,
    /// What it did, in order; empty for attempts that are a single step themselves.
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// A recorded call of a tool or of a model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Step {
    /// 1 for the first of the attempt.
    pub position: u32,
    /// `model` or `tool`.
    pub kind: String,
    /// Which one.
    pub name: String,
    /// What it was given.
    #[serde(default)]
    pub input: Value,
    /// `in_flight`, `ok`, `error` or `outcome_unknown`.
    pub status: String,
    /// What it answered.
    #[serde(default)]
    pub output: Option<Value>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
}
