//! Calls to a language model: reserved, recorded, asked, settled.

use super::super::showing::{Stage, Words};
use super::meter::{Reservation, USUAL_ANSWER, Worst, note_abandoned};
use super::{Gate, Stop, first_line};
use crate::event::EventBody;
use crate::executor::conversation::{Conversation, Remark};
use crate::failpoint;
use crate::model::{Completion, ModelError, Prompt, ToolCall, Usage};
use crate::ports::{
    DailyLimits, LanguageModel, MessageFilter, ModelUsage, NewMessage, Step, StepIntent, StepKey, StepKind,
    StepResult, StepStatus, Visibility,
};
use crate::text::cut;
use crate::tool::EffectClass;
use serde_json::{Value, json};
use std::sync::Arc;
use tracing::Instrument;

/// Remarks of a person that one call takes up; the next takes those that follow.
const MOST_REMARKS: u32 = 20;
/// Under which name the record of a call keeps the remarks that it took up.
const REMARKS: &str = "remarks";

impl Gate<'_> {
    /// The next answer of the model. One that is recorded is never asked for again.
    pub(in crate::executor) async fn model(
        &mut self,
        model: &Arc<dyn LanguageModel>,
        conversation: &mut Conversation,
    ) -> Result<Completion, Stop> {
        let key = self.next_key();
        let name = model.describe().model;
        let step = self.take_recorded(key, StepKind::Model, &name)?;
        let remarks = match &step {
            Some(step) => remarks_in(step),
            None => self.remarks_after(conversation).await?,
        };
        conversation.hear(&remarks);
        if let Some(result) = step.as_ref().and_then(|step| step.result.as_ref()) {
            return self.recorded_completion(result);
        }
        let mut prompt = conversation.view();
        let (worst, reservation) = self.reserve(&name, conversation, &mut prompt).await?;
        if step.is_none() {
            self.begin_model(key, name, conversation, &prompt, (&worst, &remarks)).await?;
        }
        failpoint::reach(failpoint::GATE_AFTER_INTENT);
        let span = tracing::info_span!("model", model = model.describe().model, position = key.position);
        let answered = self.ask(model, conversation, prompt).instrument(span).await;
        failpoint::reach(failpoint::GATE_AFTER_CALL);
        match answered {
            Some(Ok(mut completion)) => {
                // What a model repeats of a secret that a person told it is not kept.
                completion.content = self.assignment.redactor.redact(&completion.content).into_owned();
                let answered_by = self.ports.prices.of(&completion.model);
                reservation.settle(worst.actual(completion.usage, answered_by));
                self.finish_model(key, step.as_ref(), &completion, conversation).await?;
                failpoint::reach(failpoint::GATE_AFTER_RESULT);
                Ok(completion)
            }
            Some(Err(error)) => {
                if !may_have_cost(&error) {
                    reservation.settle(worst.actual(Usage::default(), None));
                }
                Err(self.model_failed(key, &error).await?)
            }
            None => Err(self.model_cancelled(key).await),
        }
    }

    /// What the person has said to the plan since the conversation last took that up. The goal is no remark.
    async fn remarks_after(&self, conversation: &Conversation) -> Result<Vec<Remark>, Stop> {
        let plan = &self.assignment.state.plan;
        let filter = MessageFilter {
            visibility: Visibility::Owner(plan.owner),
            plan_id: Some(plan.id),
            role: Some("user".to_owned()),
            text: None,
            after: conversation.heard(),
            limit: MOST_REMARKS,
        };
        let (messages, _total) = self.ports.conversations.messages(&filter).await?;
        let remarks = messages.into_iter().filter(|message| message.content != plan.goal);
        Ok(remarks.map(|message| Remark { id: message.id, content: message.content }).collect())
    }

    /// Sets aside what the call may cost, and limits the answer to what the budget leaves room for.
    async fn reserve(
        &self,
        name: &str,
        conversation: &Conversation,
        prompt: &mut Prompt,
    ) -> Result<(Worst, Reservation), Stop> {
        let budget = &self.assignment.state.plan.policy.budget;
        let (meter, price) = (&self.assignment.meter, self.ports.prices.of(name));
        let input = conversation.worst_input(prompt);
        let daily = (self.assignment.limits != DailyLimits::default()).then_some(USUAL_ANSWER);
        if let Some(room) = meter.room_for_answer(budget, input, price).or(daily) {
            prompt.max_output_tokens = Some(u32::try_from(room).unwrap_or(u32::MAX));
        }
        let worst = Worst::new(input, prompt.max_output_tokens, price);
        let reserved = meter.reserve_or_tell(&worst, budget).await;
        let reservation = reserved.map_err(|error| Stop::Fail { error, retryable: false })?;
        Ok((worst, reservation))
    }

    async fn begin_model(
        &self,
        key: StepKey,
        name: String,
        conversation: &Conversation,
        prompt: &Prompt,
        (worst, remarks): (&Worst, &[Remark]),
    ) -> Result<(), Stop> {
        let mut input = json!({"messages": prompt.messages.len(), "tools": prompt.tools.len()});
        if conversation.left_out() > 0 {
            input["left_out"] = json!(conversation.left_out());
        }
        if !remarks.is_empty() {
            input[REMARKS] = json!(remarks);
        }
        worst.note(&mut input);
        let call = ModelUsage { model: name.clone(), usage: worst.usage };
        let (owner, now) = (self.assignment.state.plan.owner, self.ports.clock.now());
        let allowance = self.assignment.limits.allowance(owner, call, &self.ports.prices, now);
        let (kind, effect, prepared) = (StepKind::Model, EffectClass::Pure, Value::Null);
        let intent = StepIntent { kind, name, effect, input, prepared };
        self.begin(key, &intent, Vec::new(), allowance.as_ref()).await
    }

    /// Asks, and asks again with less where that was too long; `None` when the attempt is cancelled meanwhile.
    async fn ask(
        &self,
        model: &Arc<dyn LanguageModel>,
        conversation: &mut Conversation,
        mut prompt: Prompt,
    ) -> Option<Result<Completion, ModelError>> {
        loop {
            let mut words = Words::new(Stage::of(self.ports, self.assignment));
            let answered = tokio::select! {
                biased;
                () = self.assignment.context.cancel.cancelled() => return None,
                answered = model.complete(&prompt, &mut words) => answered,
            };
            words.end();
            match answered {
                Err(ModelError::ContextOverflow(detail)) => {
                    let most_output = prompt.max_output_tokens;
                    let Some(smaller) = conversation.shrink(&prompt) else {
                        let detail =
                            format!("context_exhausted: although all that may be was left out, {detail}");
                        return Some(Err(ModelError::ContextOverflow(detail)));
                    };
                    tracing::info!(task = %self.assignment.task, "the model's window is smaller than thought");
                    prompt = Prompt { max_output_tokens: most_output, ..smaller };
                }
                Ok(completion) => {
                    conversation.learn(&prompt, completion.usage);
                    return Some(Ok(completion));
                }
                failed => return Some(failed),
            }
        }
    }

    async fn finish_model(
        &mut self,
        key: StepKey,
        redone: Option<&Step>,
        completion: &Completion,
        conversation: &Conversation,
    ) -> Result<(), Stop> {
        self.usage = self.usage.plus(completion.usage);
        let mut output = serde_json::to_value(completion).unwrap_or(Value::Null);
        if let Some(step) = redone {
            note_abandoned(step, self.assignment.crashes(), &mut output);
        }
        let result = StepResult { status: StepStatus::Ok, output, usage: completion.usage };
        let mut bodies = vec![EventBody::model_called(completion, &self.ports.prices)];
        let message = first_line(&completion.content);
        if !message.is_empty() {
            bodies.push(EventBody::TaskProgress { progress: None, message });
        }
        self.finish(key, &result, bodies, self.said(completion, conversation)).await
    }

    /// What becomes part of the plan's conversation: how the attempt opens, and what the model says.
    fn said(&self, completion: &Completion, conversation: &Conversation) -> Vec<NewMessage> {
        let opening = conversation.is_new().then(|| self.message("system", conversation.opening()));
        let words = in_words(&completion.content, &completion.tool_calls);
        let answer = (!words.is_empty()).then(|| self.message("assistant", words));
        opening.into_iter().chain(answer).collect()
    }

    /// The call of an attempt that does not go on is settled; that of one that another worker goes on with stays open
    /// and is made again.
    async fn model_cancelled(&self, key: StepKey) -> Stop {
        let stop = self.assignment.cancelled();
        if matches!(stop, Stop::Abandon(_)) {
            return stop;
        }
        let output = json!("cancelled while the model answered");
        let result = StepResult { status: StepStatus::Error, output, usage: Usage::default() };
        self.finish(key, &result, Vec::new(), Vec::new()).await.map_or_else(|abandoned| abandoned, |()| stop)
    }

    async fn model_failed(&self, key: StepKey, error: &ModelError) -> Result<Stop, Stop> {
        let output = json!(error.to_string());
        let result = StepResult { status: StepStatus::Error, output, usage: Usage::default() };
        self.finish(key, &result, Vec::new(), Vec::new()).await?;
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

/// Whether a call that failed may be on the bill nevertheless: the provider had begun, as far as anybody knows.
pub(in crate::executor) fn may_have_cost(error: &ModelError) -> bool {
    matches!(error, ModelError::TimedOut(_) | ModelError::Malformed(_))
}

fn remarks_in(step: &Step) -> Vec<Remark> {
    let remarks = step.intent.input.get(REMARKS).cloned().unwrap_or(Value::Null);
    serde_json::from_value(remarks).unwrap_or_default()
}

/// An answer as a person reads it.
fn in_words(content: &str, calls: &[ToolCall]) -> String {
    const LONGEST_CALL: usize = 2_000;
    let called = calls.iter().map(|call| {
        let arguments = cut(&call.arguments.to_string(), LONGEST_CALL);
        format!("→ {} {arguments}", call.name)
    });
    let said = Some(content.trim().to_owned()).filter(|text| !text.is_empty());
    said.into_iter().chain(called).collect::<Vec<_>>().join("\n")
}
