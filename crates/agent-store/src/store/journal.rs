//! The journal of steps.

use super::Store;
use crate::rows::event::PendingEvent;
use crate::rows::step::{NewStepRow, StepResultRow};
use crate::sqlite::steps;
use crate::writer::Written;
use agent_core::Result;
use agent_core::event::NewEvent;
use agent_core::ids::{PlanId, TaskId};
use agent_core::ports::{Fence, Journal, Step, StepIntent, StepKey, StepResult};
use agent_core::time::Timestamp;
use async_trait::async_trait;

#[async_trait]
impl Journal for Store {
    async fn recorded(&self, plan: PlanId, task: TaskId, attempt: u32) -> Result<Vec<Step>> {
        self.read(move |conn| steps::of_attempt(conn, plan, task, attempt)).await
    }

    async fn begin(
        &self,
        key: StepKey,
        intent: &StepIntent,
        events: Vec<NewEvent>,
        at: Timestamp,
        fence: &Fence,
    ) -> Result<()> {
        let row = NewStepRow::new(key, intent, at)?;
        let (pending, fence) = (PendingEvent::all(events)?, fence.clone());
        let begun = self.write(move |conn| {
            let events = steps::begin(conn, key.plan_id, &row, pending, at, &fence)?;
            Ok(Written { value: (), events })
        });
        begun.await.map(|written| written.value)
    }

    async fn finish(
        &self,
        key: StepKey,
        result: &StepResult,
        events: Vec<NewEvent>,
        at: Timestamp,
        fence: &Fence,
    ) -> Result<()> {
        let row = StepResultRow::new(result, at)?;
        let (pending, fence) = (PendingEvent::all(events)?, fence.clone());
        let finished = self.write(move |conn| {
            let events = steps::finish(conn, key, &row, pending, at, &fence)?;
            Ok(Written { value: (), events })
        });
        finished.await.map(|written| written.value)
    }
}
