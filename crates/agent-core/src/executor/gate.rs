//! The one way to a tool or a model: recorded before, recorded after, never repeated once recorded.

use super::job::BROKE_OFF;
use super::wiring::ExecutorPorts;
use crate::error::Error;
use crate::event::{EventBody, NewEvent};
use crate::failpoint;
use crate::ids::{PlanId, TaskId};
use crate::model::{Completion, ModelError, Prompt, Silent, Usage};
use crate::ports::{Fence, LanguageModel, Step, StepIntent, StepKey, StepKind, StepResult, StepStatus};
use crate::tool::{AnyTool, EffectClass, Recovery, ToolContext, ToolError};
use futures_util::FutureExt;
use serde_json::{Value, json};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Abandon(error)
    }
}

/// What a tool answered, as recorded.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    Ok(Value),
    Error(String),
    Unknown(String),
}

impl Answer {
    /// The output, where the whole task is this one call.
    pub(super) fn into_output(self) -> Result<Value, Stop> {
        match self {
            Self::Ok(output) => Ok(output),
            Self::Error(error) => Err(Stop::Fail { error, retryable: false }),
            Self::Unknown(detail) => Err(Stop::Unknown(detail)),
        }
    }
}

/// The record of one attempt while it is worked on.
pub(super) struct Gate<'a> {
    ports: &'a ExecutorPorts,
    fence: Fence,
    plan_id: PlanId,
    task_id: TaskId,
    attempt: u32,
    recorded: Vec<Step>,
    position: u32,
    /// What every tool call works under.
    pub(super) context: ToolContext,
    /// Tokens of this attempt so far.
    pub(super) usage: Usage,
    /// What the whole plan has used so far.
    pub(super) meter: Arc<Meter>,
}

/// What a plan has used of its budget, over all its attempts.
#[derive(Debug, Default)]
pub(super) struct Meter {
    pub(super) tokens: AtomicU64,
    pub(super) model_calls: AtomicU64,
}

impl<'a> Gate<'a> {
    /// Opens the record of an attempt; what is in it already will be answered from it.
    pub(super) async fn open(
        ports: &'a ExecutorPorts,
        fence: Fence,
        ids: (PlanId, TaskId, u32),
        context: ToolContext,
        meter: Arc<Meter>,
    ) -> Result<Self, Stop> {
        let (plan_id, task_id, attempt) = ids;
        let recorded = ports.journal.recorded(plan_id, task_id, attempt).await?;
        let (usage, position) = (Usage::default(), 0);
        Ok(Self { ports, fence, plan_id, task_id, attempt, recorded, position, context, usage, meter })
    }

    fn next_key(&mut self) -> StepKey {
        self.position += 1;
        StepKey {
            plan_id: self.plan_id,
            task_id: self.task_id,
            attempt: self.attempt,
            position: self.position,
        }
    }

    fn take_recorded(&mut self, key: StepKey, kind: StepKind, name: &str) -> Result<Option<Step>, Stop> {
        let Some(step) = self.recorded.iter().find(|step| step.key == key).cloned() else { return Ok(None) };
        let renamed_model = kind == StepKind::Model && step.result.is_some();
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
        let step = self.take_recorded(key, StepKind::Tool, name)?;
        if let Some(result) = step.as_ref().and_then(|step| step.result.clone()) {
            return Ok(answer_of(&result));
        }
        let Some(tool) = self.ports.tools.get(name).cloned() else {
            return Ok(Answer::Error(format!(
                "there is no tool {name:?}; the tools are: {}",
                self.ports.tools.names().join(", ")
            )));
        };
        self.context.idempotency_key = key.idempotency_key();
        let called = match step {
            Some(step) => self.settle_in_flight(&tool, step).await,
            None => self.fresh_call(key, name, &tool, input, effect).await,
        };
        let answer = match called {
            Ok(answer) => answer,
            Err(stop) => return Err(self.settle_stopped(key, name, stop).await),
        };
        failpoint::reach(failpoint::GATE_AFTER_CALL);
        self.finish_tool(key, name, &answer).await?;
        failpoint::reach(failpoint::GATE_AFTER_RESULT);
        Ok(answer)
    }

    /// A call that ends the attempt is settled too: no record keeps an intent without a result.
    async fn settle_stopped(&self, key: StepKey, name: &str, stop: Stop) -> Stop {
        let why = match &stop {
            Stop::Abandon(_) => return stop,
            Stop::Fail { error, .. } => error.clone(),
            Stop::Unknown(detail) => detail.clone(),
            Stop::Cancelled => "cancelled while it ran".to_owned(),
        };
        match self.finish_tool(key, name, &Answer::Error(why)).await {
            Ok(()) => stop,
            Err(abandoned) => abandoned,
        }
    }

    async fn fresh_call(
        &self,
        key: StepKey,
        name: &str,
        tool: &Arc<dyn AnyTool>,
        input: Value,
        effect: Option<EffectClass>,
    ) -> Result<Answer, Stop> {
        let prepared = tool.prepare_json(&input, &self.context).await;
        let intent = StepIntent {
            kind: StepKind::Tool,
            name: name.to_owned(),
            effect: effect.unwrap_or_else(|| tool.effect()),
            input: input.clone(),
            prepared: prepared.as_ref().map_or(Value::Null, Clone::clone),
        };
        let called = EventBody::ToolCalled { tool: name.to_owned(), summary: tool.summary_json(&input) };
        let events = vec![NewEvent { task_id: Some(self.task_id), body: called }];
        self.ports.journal.begin(key, &intent, events, self.ports.clock.now(), &self.fence).await?;
        failpoint::reach(failpoint::GATE_AFTER_INTENT);
        match prepared {
            Ok(_) => outcome_of(self.call(tool, input).await),
            Err(error) => outcome_of(Err(error)),
        }
    }

    /// A call that breaks off because of a defect of the tool is settled like any other that fails.
    async fn call(&self, tool: &Arc<dyn AnyTool>, input: Value) -> Result<Value, ToolError> {
        let called = AssertUnwindSafe(tool.call_json(input, &self.context)).catch_unwind().await;
        called.unwrap_or_else(|_panic| Err(ToolError::fatal(BROKE_OFF)))
    }

    /// A call that a crash caught in flight.
    async fn settle_in_flight(&self, tool: &Arc<dyn AnyTool>, step: Step) -> Result<Answer, Stop> {
        let StepIntent { name, effect, input, prepared, .. } = step.intent;
        let recovery = match effect {
            EffectClass::Pure | EffectClass::Idempotent => Recovery::Redo,
            EffectClass::Compensatable => tool.recover_json(input.clone(), prepared, &self.context).await,
            EffectClass::Opaque => Recovery::Unknown(format!(
                "the server stopped while {name} ran; whether it took effect is unverified, so check before repeating it"
            )),
        };
        match recovery {
            Recovery::Redo => outcome_of(self.call(tool, input).await),
            Recovery::Done(output) => Ok(Answer::Ok(output)),
            Recovery::Unknown(detail) => Ok(Answer::Unknown(detail)),
        }
    }

    async fn finish_tool(&self, key: StepKey, name: &str, answer: &Answer) -> Result<(), Stop> {
        let (status, output, summary) = match answer {
            Answer::Ok(output) => (StepStatus::Ok, output.clone(), summarise(output)),
            Answer::Error(text) => (StepStatus::Error, json!(text), first_line(text)),
            Answer::Unknown(text) => (StepStatus::OutcomeUnknown, json!(text), first_line(text)),
        };
        let finished =
            EventBody::ToolFinished { tool: name.to_owned(), status: status.as_str().to_owned(), summary };
        let result = StepResult { status, output, usage: Usage::default() };
        self.finish(key, &result, vec![finished]).await
    }

    async fn finish(&self, key: StepKey, result: &StepResult, bodies: Vec<EventBody>) -> Result<(), Stop> {
        let task_id = Some(self.task_id);
        let events = bodies.into_iter().map(|body| NewEvent { task_id, body }).collect();
        let now = self.ports.clock.now();
        self.ports.journal.finish(key, result, events, now, &self.fence).await?;
        Ok(())
    }

    /// Whether the result of the next step is recorded, so that taking it costs nothing.
    pub(super) fn next_is_recorded(&self) -> bool {
        self.recorded.iter().any(|step| step.key.position == self.position + 1 && step.result.is_some())
    }

    /// One model call. An answer that is recorded is never asked for again.
    pub(super) async fn model(
        &mut self,
        model: &Arc<dyn LanguageModel>,
        prompt: &Prompt,
    ) -> Result<Completion, Stop> {
        let key = self.next_key();
        let name = model.describe().model;
        if let Some(step) = self.take_recorded(key, StepKind::Model, &name)? {
            if let Some(result) = step.result {
                return self.recorded_completion(&result);
            }
        } else {
            let input = json!({"messages": prompt.messages.len(), "tools": prompt.tools.len()});
            let intent = StepIntent {
                kind: StepKind::Model,
                name,
                effect: EffectClass::Pure,
                input,
                prepared: Value::Null,
            };
            self.ports.journal.begin(key, &intent, Vec::new(), self.ports.clock.now(), &self.fence).await?;
        }
        failpoint::reach(failpoint::GATE_AFTER_INTENT);
        self.meter.model_calls.fetch_add(1, Ordering::Relaxed);
        let mut sink = Silent;
        let answered = tokio::select! {
            biased;
            () = self.context.cancel.cancelled() => {
                let output = json!("cancelled while the model answered");
                let result = StepResult { status: StepStatus::Error, output, usage: Usage::default() };
                self.finish(key, &result, Vec::new()).await?;
                return Err(Stop::Cancelled);
            }
            answered = model.complete(prompt, &mut sink) => answered,
        };
        failpoint::reach(failpoint::GATE_AFTER_CALL);
        match answered {
            Ok(completion) => {
                self.finish_model(key, &completion).await?;
                failpoint::reach(failpoint::GATE_AFTER_RESULT);
                Ok(completion)
            }
            Err(error) => Err(self.model_failed(key, &error).await?),
        }
    }

    async fn finish_model(&mut self, key: StepKey, completion: &Completion) -> Result<(), Stop> {
        self.usage = self.usage.plus(completion.usage);
        self.meter.tokens.fetch_add(completion.usage.total(), Ordering::Relaxed);
        let output = serde_json::to_value(completion).unwrap_or(Value::Null);
        let result = StepResult { status: StepStatus::Ok, output, usage: completion.usage };
        let mut bodies = vec![EventBody::ModelCalled {
            model: completion.model.clone(),
            input_tokens: completion.usage.input_tokens,
            output_tokens: completion.usage.output_tokens,
        }];
        let message = first_line(&completion.content);
        if !message.is_empty() {
            bodies.push(EventBody::TaskProgress { progress: None, message });
        }
        self.finish(key, &result, bodies).await
    }

    async fn model_failed(&self, key: StepKey, error: &ModelError) -> Result<Stop, Stop> {
        let output = json!(error.to_string());
        let result = StepResult { status: StepStatus::Error, output, usage: Usage::default() };
        self.finish(key, &result, Vec::new()).await?;
        Ok(Stop::Fail { error: error.to_string(), retryable: error.is_transient() })
    }

    fn recorded_completion(&mut self, result: &StepResult) -> Result<Completion, Stop> {
        if result.status != StepStatus::Ok {
            let error = result.output.as_str().unwrap_or("the model call failed").to_owned();
            return Err(Stop::Fail { error, retryable: true });
        }
        self.usage = self.usage.plus(result.usage);
        serde_json::from_value(result.output.clone()).map_err(|error| Stop::Fail {
            error: format!("the recorded answer of the model cannot be read: {error}"),
            retryable: true,
        })
    }
}

fn answer_of(result: &StepResult) -> Answer {
    let text = || result.output.as_str().map_or_else(|| result.output.to_string(), str::to_owned);
    match result.status {
        StepStatus::Ok => Answer::Ok(result.output.clone()),
        StepStatus::Error => Answer::Error(text()),
        StepStatus::OutcomeUnknown => Answer::Unknown(text()),
    }
}

/// What a tool's result means for the attempt: an answer to record, or the end of the work.
pub(super) fn outcome_of(result: Result<Value, ToolError>) -> Result<Answer, Stop> {
    match result {
        Ok(output) => Ok(Answer::Ok(output)),
        Err(ToolError::Report(text)) => Ok(Answer::Error(text)),
        Err(ToolError::Cancelled) => Err(Stop::Cancelled),
        Err(ToolError::Fatal { message, retryable, source }) => {
            if let Some(source) = source {
                tracing::warn!(error = %source, "{message}");
            }
            Err(Stop::Fail { error: message, retryable })
        }
    }
}

/// The first line that says something, cut to a length that fits a list.
pub(super) fn first_line(text: &str) -> String {
    const LONGEST: usize = 160;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match line.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line.to_owned(),
    }
}

fn summarise(output: &Value) -> String {
    match output {
        Value::String(text) => first_line(text),
        Value::Object(fields) => match fields.get("exit_code") {
            Some(code) => format!("exit code {code}"),
            None => first_line(fields.get("summary").and_then(Value::as_str).unwrap_or("done")),
        },
        _ => "done".to_owned(),
    }
}
