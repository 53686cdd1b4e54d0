//! What this crate needs read: finished attempts.

use agent_core::Result;
use agent_core::ids::{PlanId, TaskId, TenantId};
use agent_core::time::Timestamp;
use async_trait::async_trait;

/// A finished attempt.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptRecord {
    /// Its plan.
    pub plan_id: PlanId,
    /// Its task.
    pub task_id: TaskId,
    /// The task's description.
    pub description: String,
    /// Whether it completed.
    pub succeeded: bool,
    /// Why it failed.
    pub error: Option<String>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Length of its result as JSON text, in bytes.
    pub result_length: u64,
    /// Model tokens.
    pub tokens: u64,
}

/// Which attempts to read.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptFilter {
    /// Only of this tenant.
    pub tenant: TenantId,
    /// Only of this task.
    pub task_id: Option<TaskId>,
    /// Only of this plan.
    pub plan_id: Option<PlanId>,
    /// Only those that ended at or after.
    pub since: Option<Timestamp>,
}

impl AttemptFilter {
    /// All of a tenant.
    pub fn all_of(tenant: TenantId) -> Self {
        Self { tenant, task_id: None, plan_id: None, since: None }
    }
}

/// Reads finished attempts (completed or failed; cancelled ones do not count), oldest first.
#[async_trait]
pub trait AttemptSource: Send + Sync {
    /// The attempts that match.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn finished(&self, filter: &AttemptFilter) -> Result<Vec<AttemptRecord>>;
}
