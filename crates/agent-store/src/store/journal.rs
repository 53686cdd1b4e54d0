//! The journal of steps.

use super::{Store, read, transact};
use crate::rows::PlanKey;
use crate::rows::event::PendingEvent;
use crate::rows::step::{NewStepRow, StepResultRow};
use crate::writer::Written;
use agent_core::Result;
use agent_core::event::NewEvent;
use agent_core::ids::TaskId;
use agent_core::plan::Plan;
use agent_core::ports::{Allowance, Fence, Journal, Step, StepIntent, StepKey, StepResult, Told};
use agent_core::time::Timestamp;
use async_trait::async_trait;

#[async_trait]
impl Journal for Store {
    async fn recorded(&self, plan: &Plan, task: TaskId, attempt: u32) -> Result<Vec<Step>> {
        let plan = PlanKey::of(plan);
        read!(self, plan.tenant, db, |conn| db::steps::of_attempt(conn, plan, task, attempt))
    }

    async fn begin(
        &self,
        key: StepKey,
        intent: &StepIntent,
        events: Vec<NewEvent>,
        at: Timestamp,
        fence: &Fence,
        allowance: Option<&Allowance>,
    ) -> Result<()> {
        let row = NewStepRow::new(fence.tenant, key, intent, at)?;
        let (pending, fence) = (PendingEvent::all(events)?, fence.clone());
        let allowance = allowance.cloned();
        let written = transact!(self, fence.tenant, db, |conn| {
            if let Some(allowance) = &allowance {
                db::steps::admit(conn, allowance)?;
            }
            let events = db::steps::begin(conn, key.plan_id, &row, pending, at, &fence)?;
            Ok(Written { value: (), events })
        });
        written.map(|written| written.value)
    }

    async fn finish(
        &self,
        key: StepKey,
        result: &StepResult,
        told: Told,
        at: Timestamp,
        fence: &Fence,
    ) -> Result<()> {
        let row = StepResultRow::new(result, at)?;
        let (pending, fence) = (PendingEvent::all(told.events)?, fence.clone());
        let messages = told.messages;
        let written = transact!(self, fence.tenant, db, |conn| {
            let events = db::steps::finish(conn, key, &row, (pending, &messages), at, &fence)?;
            Ok(Written { value: (), events })
        });
        written.map(|written| written.value)
    }
}
