//! The one way to a tool or a model: recorded before, recorded after, never repeated once recorded.

mod answer;
mod meter;
mod model;
mod permission;
mod question;

pub(super) use answer::{Answer, first_line, outcome_of};
pub(super) use meter::{Meter, Worst};
pub(super) use model::may_have_cost;
pub(super) use permission::{Refusal, Wanted};

use super::assignment::Assignment;
use super::job::BROKE_OFF;
use super::wiring::ExecutorPorts;
use crate::approval::Question;
use crate::error::Error;
use crate::event::{EventBody, NewEvent};
use crate::failpoint;
use crate::model::{ToolCall, Usage};
use crate::ports::{
    Allowance, NewMessage, Step, StepIntent, StepKey, StepKind, StepResult, StepStatus, Told,
};
use crate::text::cut;
use crate::tool::{AnyTool, EffectClass, Recovery, ToolContext, ToolError};
use answer::{answer_of, summarise};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use serde_json::{Value, json};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use tracing::Instrument;

/// Calls that change nothing and are made at the same time.
const MOST_AT_ONCE: usize = 8;
/// How much of an answer is kept in the conversation, in bytes; the record of the step has all of it.
const LONGEST_MESSAGE: usize = 4_096;

/// Why the work on an attempt cannot go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// Another worker holds the plan, or the store is gone: say nothing, write nothing.
    Abandon(Error),
    /// The attempt failed.
    Fail { error: String, retryable: bool },
    /// A crash caught the one step that mattered, and nobody can tell.
    Unknown(String),
    /// The plan was cancelled.
    Cancelled,
    /// A person is to answer before the attempt goes on.
    Ask(Box<Question>),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Abandon(error)
    }
}

/// The record of one attempt while it is worked on.
pub(super) struct Gate<'a> {
    ports: &'a ExecutorPorts,
    assignment: &'a Assignment,
    recorded: Vec<Step>,
    position: u32,
    /// Tokens of this attempt so far.
    pub(super) usage: Usage,
}

/// A tool call and what is to be known of it.
struct Call<'c> {
    key: StepKey,
    name: &'c str,
    input: Value,
    /// In place of the tool's own.
    effect: Option<EffectClass>,
    /// Whether the answer is part of the conversation with a model.
    said: bool,
}

impl<'a> Gate<'a> {
    /// Opens the record of an attempt; what is in it already will be answered from it.
    pub(super) async fn open(ports: &'a ExecutorPorts, assignment: &'a Assignment) -> Result<Self, Stop> {
        let (plan, task, attempt) = (&assignment.state.plan, assignment.task, assignment.attempt);
        let recorded = ports.journal.recorded(plan, task, attempt).await?;
        Ok(Self { ports, assignment, recorded, position: 0, usage: Usage::default() })
    }

    fn next_key(&mut self) -> StepKey {
        self.position += 1;
        StepKey {
            plan_id: self.assignment.state.plan.id,
            task_id: self.assignment.task,
            attempt: self.assignment.attempt,
            position: self.position,
        }
    }

    fn take_recorded(&self, key: StepKey, kind: StepKind, name: &str) -> Result<Option<Step>, Stop> {
        let Some(step) = self.recorded.iter().find(|step| step.key == key).cloned() else { return Ok(None) };
        // Another model may have been configured meanwhile, or answer in the place of the first.
        let renamed_model = kind == StepKind::Model;
        if step.intent.kind != kind || (step.intent.name != name && !renamed_model) {
            let error = format!(
                "the record of this attempt says step {} was {}, not {name}; it cannot be continued",
                key.position, step.intent.name
            );
            return Err(Stop::Fail { error, retryable: true });
        }
        Ok(Some(step))
    }

    /// One tool call.
    pub(super) async fn tool(
        &mut self,
        name: &str,
        input: Value,
        effect: Option<EffectClass>,
    ) -> Result<Answer, Stop> {
        let key = self.next_key();
        self.make(Call { key, name, input, effect, said: false }).await
    }

    /// The tool calls of one answer of a model, in order; those in a row that change nothing at the same time.
    pub(super) async fn tools(&mut self, calls: &[&ToolCall]) -> Result<Vec<Answer>, Stop> {
        let mut answers = Vec::with_capacity(calls.len());
        let tools = &self.ports.tools;
        let changes_nothing =
            |call: &ToolCall| tools.get(&call.name).is_some_and(|tool| tool.effect() == EffectClass::Pure);
        let batches = calls.chunk_by(|one, next| changes_nothing(one) && changes_nothing(next));
        for together in batches.flat_map(|batch| batch.chunks(MOST_AT_ONCE)) {
            let mut keyed = Vec::with_capacity(together.len());
            for call in together {
                let (key, input) = (self.next_key(), call.arguments.clone());
                keyed.push(Call { key, name: &call.name, input, effect: None, said: true });
            }
            let made: Vec<BoxFuture<'_, _>> = keyed.into_iter().map(|call| self.make(call).boxed()).collect();
            // All of them are brought to their end, so that none is left in flight when one stops the attempt.
            for answer in join_all(made).await {
                answers.push(answer?);
            }
        }
        Ok(answers)
    }

    async fn make(&self, call: Call<'_>) -> Result<Answer, Stop> {
        let step = self.take_recorded(call.key, StepKind::Tool, call.name)?;
        if let Some(result) = step.as_ref().and_then(|step| step.result.clone()) {
            return Ok(answer_of(&result));
        }
        let Some(tool) = self.ports.tools.get(call.name).cloned() else {
            let names = self.ports.tools.names().join(", ");
            let error = format!("there is no tool {:?}; the tools are: {names}", call.name);
            return Ok(Answer::Error(error).masked(self.assignment.redactor.as_ref()));
        };
        let mut context = self.assignment.context.clone();
        context.idempotency_key = call.key.idempotency_key();
        let called = match step {
            Some(step) => settle_in_flight(&tool, step, &context).await,
            None => self.fresh_call(&call, &tool, &context).await,
        };
        let answer = match called {
            Ok(answer) => answer.masked(self.assignment.redactor.as_ref()),
            Err(stop) => return Err(self.settle_stopped(&call, stop).await),
        };
        failpoint::reach(failpoint::GATE_AFTER_CALL);
        self.finish_tool(&call, &answer).await?;
        failpoint::reach(failpoint::GATE_AFTER_RESULT);
        Ok(answer)
    }

    /// A call that ends the attempt is settled too: no record keeps an intent without a result, unless another worker
    /// goes on with it.
    async fn settle_stopped(&self, call: &Call<'_>, stop: Stop) -> Stop {
        let stop = if matches!(stop, Stop::Cancelled) { self.assignment.cancelled() } else { stop };
        let why = match &stop {
            // A call that waits for an answer has not begun.
            Stop::Abandon(_) | Stop::Ask(_) => return stop,
            Stop::Fail { error, .. } => self.assignment.redactor.redact(error).into_owned(),
            Stop::Unknown(detail) => detail.clone(),
            Stop::Cancelled => "cancelled while it ran".to_owned(),
        };
        match self.finish_tool(call, &Answer::Error(why)).await {
            Ok(()) => stop,
            Err(abandoned) => abandoned,
        }
    }

    async fn fresh_call(
        &self,
        call: &Call<'_>,
        tool: &Arc<dyn AnyTool>,
        context: &ToolContext,
    ) -> Result<Answer, Stop> {
        let prepared = tool.prepare_json(&call.input, context).await;
        let refusal = match &prepared {
            Ok(prepared) => self.refusal(call, tool, prepared).await?,
            // It will not be made, whatever the rules say of it.
            Err(_) => None,
        };
        let recorded = match (&refusal, &prepared) {
            (Some(refusal), _) => json!({DENIED: refusal.reason, "by": refusal.by}),
            (None, Ok(prepared)) => prepared.clone(),
            (None, Err(_)) => Value::Null,
        };
        let intent = StepIntent {
            kind: StepKind::Tool,
            name: call.name.to_owned(),
            effect: call.effect.unwrap_or_else(|| tool.effect()),
            input: call.input.clone(),
            prepared: recorded,
        };
        let summary = self.assignment.redactor.redact(&tool.summary_json(&call.input)).into_owned();
        let called = EventBody::ToolCalled { tool: call.name.to_owned(), summary: summary.clone() };
        let denied = refusal.clone().map(|Refusal { reason, by, .. }| EventBody::ToolDenied {
            tool: call.name.to_owned(),
            summary,
            reason,
            by,
        });
        self.begin(call.key, &intent, std::iter::once(called).chain(denied).collect(), None).await?;
        failpoint::reach(failpoint::GATE_AFTER_INTENT);
        match prepared {
            _ if let Some(Refusal { reason, is_final, .. }) = refusal => match is_final {
                true => Err(Stop::Fail { error: reason, retryable: false }),
                false => Ok(Answer::Error(reason)),
            },
            Ok(_) => {
                let span = tracing::info_span!("tool", tool = call.name, position = call.key.position);
                outcome_of(perform(tool, call.input.clone(), context).instrument(span).await)
            }
            Err(error) => outcome_of(Err(error)),
        }
    }

    async fn refusal(
        &self,
        call: &Call<'_>,
        tool: &Arc<dyn AnyTool>,
        prepared: &Value,
    ) -> Result<Option<Refusal>, Stop> {
        let (tool, position) = (tool.as_ref(), call.key.position);
        let wanted = Wanted { tool, name: call.name, input: &call.input, prepared, position };
        wanted.refusal(self.ports, self.assignment).await
    }

    async fn finish_tool(&self, call: &Call<'_>, answer: &Answer) -> Result<(), Stop> {
        let (status, output, summary) = match answer {
            Answer::Ok(output) => (StepStatus::Ok, output.clone(), summarise(output)),
            Answer::Error(text) => (StepStatus::Error, json!(text), first_line(text)),
            Answer::Unknown(text) => (StepStatus::OutcomeUnknown, json!(text), first_line(text)),
        };
        let (tool, status_name) = (call.name.to_owned(), status.as_str().to_owned());
        let finished = EventBody::ToolFinished { tool, status: status_name, summary };
        let said = call.said.then(|| format!("{}: {}", call.name, cut(&answer.as_text(), LONGEST_MESSAGE)));
        let messages = said.map(|content| self.message("tool", content)).into_iter().collect();
        let result = StepResult { status, output, usage: Usage::default() };
        self.finish(call.key, &result, vec![finished], messages).await
    }

    async fn begin(
        &self,
        key: StepKey,
        intent: &StepIntent,
        bodies: Vec<EventBody>,
        allowance: Option<&Allowance>,
    ) -> Result<(), Stop> {
        let (events, now) = (self.events(bodies), self.ports.clock.now());
        match self.ports.journal.begin(key, intent, events, now, &self.assignment.fence, allowance).await {
            Err(error @ Error::AllowanceExceeded(_)) => {
                Err(Stop::Fail { error: error.to_string(), retryable: false })
            }
            begun => Ok(begun?),
        }
    }

    async fn finish(
        &self,
        key: StepKey,
        result: &StepResult,
        bodies: Vec<EventBody>,
        messages: Vec<NewMessage>,
    ) -> Result<(), Stop> {
        let told = Told { events: self.events(bodies), messages };
        let now = self.ports.clock.now();
        Ok(self.ports.journal.finish(key, result, told, now, &self.assignment.fence).await?)
    }

    fn events(&self, bodies: Vec<EventBody>) -> Vec<NewEvent> {
        let task_id = Some(self.assignment.task);
        bodies.into_iter().map(|body| NewEvent { task_id, body }).collect()
    }

    /// A message of the plan's conversation.
    fn message(&self, role: &str, content: String) -> NewMessage {
        let plan = &self.assignment.state.plan;
        NewMessage {
            owner: plan.owner,
            role: role.to_owned(),
            content: self.assignment.redactor.redact(&content).into_owned(),
            plan_id: Some(plan.id),
            idempotency: None,
        }
    }
}

/// A call that breaks off because of a defect of the tool is settled like any other that fails.
async fn perform(tool: &Arc<dyn AnyTool>, input: Value, context: &ToolContext) -> Result<Value, ToolError> {
    let called = AssertUnwindSafe(tool.call_json(input, context)).catch_unwind().await;
    called.unwrap_or_else(|_panic| Err(ToolError::fatal(BROKE_OFF)))
}

/// Under which name the intent of a call that is not to be made says why.
const DENIED: &str = "denied";

/// A call that a crash caught in flight.
async fn settle_in_flight(
    tool: &Arc<dyn AnyTool>,
    step: Step,
    context: &ToolContext,
) -> Result<Answer, Stop> {
    let StepIntent { name, effect, input, prepared, .. } = step.intent;
    if let Some(reason) = prepared.get(DENIED).and_then(Value::as_str) {
        return Ok(Answer::Error(reason.to_owned()));
    }
    let recovery = match effect {
        EffectClass::Pure | EffectClass::Idempotent => Recovery::Redo,
        EffectClass::Compensatable => tool.recover_json(input.clone(), prepared, context).await,
        EffectClass::Opaque => Recovery::Unknown(format!(
            "the server stopped while {name} ran; whether it took effect is unverified, so check before repeating it"
        )),
    };
    match recovery {
        Recovery::Redo => outcome_of(perform(tool, input, context).await),
        Recovery::Done(output) => Ok(Answer::Ok(output)),
        Recovery::Unknown(detail) => Ok(Answer::Unknown(detail)),
    }
}
