//! Attempts as rows.

use super::{PlanKey, instant, large, named, small};
use crate::schema::attempts;
use agent_core::Result;
use agent_core::ids::{PlanId, TaskId};
use agent_core::plan::{Attempt, TaskStatus};
use agent_core::time::Timestamp;
use diesel::prelude::*;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = attempts, treat_none_as_default_value = false)]
pub(crate) struct AttemptRow {
    pub(crate) task_id: i64,
    pub(crate) attempt: i64,
    pub(crate) plan_id: i64,
    pub(crate) status: String,
    pub(crate) started_at: i64,
    pub(crate) finished_at: Option<i64>,
    pub(crate) result_length: i64,
    pub(crate) tokens: i64,
    pub(crate) error: Option<String>,
    pub(crate) tenant_id: i64,
}

impl AttemptRow {
    /// The attempt that a running task is at.
    pub(crate) fn running(plan: PlanKey, (task, attempt, started_at): (i64, i64, Option<i64>)) -> Self {
        Self {
            task_id: task,
            attempt,
            plan_id: plan.id.get(),
            status: TaskStatus::Running.to_string(),
            started_at: started_at.unwrap_or_default(),
            finished_at: None,
            result_length: 0,
            tokens: 0,
            error: None,
            tenant_id: plan.tenant.get(),
        }
    }

    pub(crate) fn into_attempt(self) -> Result<Attempt> {
        Ok(Attempt {
            plan_id: PlanId(self.plan_id),
            task_id: TaskId(self.task_id),
            attempt: small("attempts.attempt", self.attempt)?,
            status: named("attempts.status", &self.status)?,
            error: self.error,
            started_at: Timestamp::from_micros(self.started_at),
            finished_at: instant(self.finished_at),
            result_length: large("attempts.result_length", self.result_length)?,
            tokens: large("attempts.tokens", self.tokens)?,
        })
    }
}
