//! Steps and messages.

use super::core::{Made, MemoryCore, mismatch};
use crate::error::{Error, Result};
use crate::event::{Event, EventBody, NewEvent};
use crate::ids::{MessageId, PlanId, TaskId};
use crate::ports::{
    Allowance, ConversationMessage, ModelUsage, NewMessage, Step, StepIntent, StepKey, StepKind, StepResult,
    Told, reserved_in,
};
use crate::time::Timestamp;

impl MemoryCore {
    /// The steps recorded for an attempt, by position.
    pub fn steps_of(&self, plan: PlanId, task: TaskId, attempt: u32) -> impl Iterator<Item = &Step> {
        let at = |position| StepKey { plan_id: plan, task_id: task, attempt, position };
        self.steps.range(at(0)..=at(u32::MAX)).map(|(_, step)| step)
    }

    /// Records an intent with its events.
    ///
    /// # Errors
    /// `PlanNotFound`, `AllowanceExceeded`; `Damaged` when the step has begun already.
    pub fn begin(
        &mut self,
        key: StepKey,
        intent: &StepIntent,
        events: Vec<NewEvent>,
        at: Timestamp,
        allowance: Option<&Allowance>,
    ) -> Result<Vec<Event>> {
        self.row(key.plan_id)?;
        if let Some(why) = allowance.and_then(|allowance| allowance.refusal(&self.used_by(allowance))) {
            return Err(Error::AllowanceExceeded(why));
        }
        if self.steps.contains_key(&key) {
            return Err(Error::Damaged(format!("step {} begins once", key.idempotency_key())));
        }
        let step = Step { key, intent: intent.clone(), result: None, started_at: at, finished_at: None };
        self.steps.insert(key, step);
        self.tell(key.plan_id, events, at)
    }

    /// What the calls of an owner to models have used and reserved.
    fn used_by(&self, allowance: &Allowance) -> Vec<ModelUsage> {
        let owned = |step: &&Step| {
            self.row(step.key.plan_id).is_ok_and(|row| row.state.plan.owner == allowance.owner)
        };
        let calls = self.steps.values().filter(|step| step.intent.kind == StepKind::Model);
        let calls = calls.filter(|step| step.started_at >= allowance.since).filter(owned);
        calls
            .map(|step| ModelUsage {
                model: step.intent.name.clone(),
                usage: step
                    .result
                    .as_ref()
                    .map_or_else(|| reserved_in(&step.intent.input), |result| result.usage),
            })
            .collect()
    }

    /// Records a result with what is told of it. When there already is one, nothing changes and nothing is told.
    ///
    /// # Errors
    /// `Damaged` when the step never began.
    pub fn finish(
        &mut self,
        key: StepKey,
        result: &StepResult,
        told: Told,
        at: Timestamp,
    ) -> Result<Vec<Event>> {
        let Some(step) = self.steps.get_mut(&key) else {
            let step = key.idempotency_key();
            return Err(Error::Damaged(format!("step {step} has a result and was never begun")));
        };
        if step.result.is_some() {
            return Ok(Vec::new());
        }
        step.result = Some(result.clone());
        step.finished_at = Some(at);
        let mut events = self.tell(key.plan_id, told.events, at)?;
        for message in told.messages {
            let unkeyed = NewMessage { idempotency: None, ..message };
            events.extend(self.say(&unkeyed, at)?.1);
        }
        Ok(events)
    }

    /// Adds a message, and tells the listeners of its plan.
    ///
    /// # Errors
    /// `PlanNotFound` when the plan is not the owner's.
    pub fn say(&mut self, message: &NewMessage, at: Timestamp) -> Result<(MessageId, Vec<Event>)> {
        if let Some(plan) = message.plan_id
            && self.row(plan)?.state.plan.owner != message.owner
        {
            return Err(Error::PlanNotFound(plan));
        }
        let idempotency = message.idempotency.as_ref();
        match self.find_by_key(message.owner, idempotency, at)? {
            Some(Made::Message(id)) => return Ok((id, Vec::new())),
            Some(Made::Plan(_)) => return Err(mismatch(idempotency)),
            None => {}
        }
        let id = MessageId(self.next_id());
        self.keep_key(message.owner, idempotency, Made::Message(id), at);
        let kept = ConversationMessage {
            id,
            role: message.role.clone(),
            content: message.content.clone(),
            plan_id: message.plan_id,
            created_at: at,
        };
        self.messages.push((message.owner, kept));
        let Some(plan) = message.plan_id else { return Ok((id, Vec::new())) };
        let body = EventBody::MessageAdded { message_id: id, role: message.role.clone() };
        Ok((id, self.tell(plan, vec![NewEvent { task_id: None, body }], at)?))
    }
}
