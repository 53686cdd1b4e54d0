//! A language model whose every call on behalf of the planner is reserved, recorded and settled like any other.

use crate::error::{Error, Result};
use crate::event::{EventBody, NewEvent};
use crate::executor::gate::{Meter, Worst, may_have_cost};
use crate::executor::shared::{Shared, Signals};
use crate::ids::TaskId;
use crate::model::{Completion, ModelDescription, ModelError, Prompt, TokenSink, Usage};
use crate::plan::PlanState;
use crate::ports::{
    Fence, LanguageModel, ModelUsage, Step, StepIntent, StepKey, StepKind, StepResult, StepStatus, Told,
};
use crate::tool::EffectClass;
use async_trait::async_trait;
use serde_json::{Value, json};
use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The task under which the making of plans is recorded.
const PLANNING: TaskId = TaskId(0);
/// How long is waited before a store that is away is tried again.
const PATIENCE: Duration = Duration::from_millis(200);
/// Bytes of a token, rather too few.
const BYTES_PER_TOKEN: u64 = 3;

/// What the making of a plan needs beside the plan.
#[derive(Clone)]
pub(in crate::executor) struct Books {
    pub(in crate::executor) fence: Fence,
    pub(in crate::executor) meter: Arc<Meter>,
    pub(in crate::executor) signals: Arc<Signals>,
}

pub(super) struct RecordedModel {
    inner: Arc<dyn LanguageModel>,
    shared: Arc<Shared>,
    state: Arc<PlanState>,
    books: Books,
    recorded: Vec<Step>,
    calls: AtomicU32,
}

impl RecordedModel {
    /// One whose answers for this version of the plan are taken from the record as far as they are there.
    pub(super) async fn open(
        inner: Arc<dyn LanguageModel>,
        shared: Arc<Shared>,
        state: Arc<PlanState>,
        books: Books,
    ) -> Result<Self> {
        let recorded = shared.ports.journal.recorded(&state.plan, PLANNING, state.plan.version).await?;
        Ok(Self { inner, shared, state, books, recorded, calls: AtomicU32::new(0) })
    }

    fn next_key(&self) -> StepKey {
        StepKey {
            plan_id: self.state.plan.id,
            task_id: PLANNING,
            attempt: self.state.plan.version,
            position: self.calls.fetch_add(1, Ordering::Relaxed) + 1,
        }
    }

    /// Writes to the record, however long the store needs to come back. Who has lost the plan waits to be stopped.
    async fn write<F: Future<Output = Result<()>>>(
        &self,
        work: impl Fn() -> F,
    ) -> std::result::Result<(), ModelError> {
        loop {
            match work().await {
                Ok(()) => return Ok(()),
                Err(Error::Unavailable(error) | Error::StorageFull(error)) => {
                    tracing::warn!(plan = %self.state.plan.id, %error, "the store is away; trying again");
                    tokio::time::sleep(PATIENCE).await;
                }
                Err(Error::LeaseLost(_)) => {
                    self.books.signals.lost.cancel();
                    pending::<()>().await;
                }
                Err(error) => return Err(ModelError::Refused(error.to_string())),
            }
        }
    }

    async fn begin(
        &self,
        key: StepKey,
        worst: &Worst,
        prompt: &Prompt,
    ) -> std::result::Result<(), ModelError> {
        let mut input = json!({"messages": prompt.messages.len(), "tools": 0});
        worst.note(&mut input);
        let (kind, name, effect) = (StepKind::Model, self.inner.describe().model, EffectClass::Pure);
        let intent = StepIntent { kind, name, effect, input, prepared: Value::Null };
        let (journal, clock) = (&self.shared.ports.journal, &self.shared.ports.clock);
        let call = ModelUsage { model: intent.name.clone(), usage: worst.usage };
        let limits = self.shared.settings.daily_limits;
        let allowance = limits.allowance(self.state.plan.owner, call, &self.shared.ports.prices, clock.now());
        self.write(|| {
            journal.begin(key, &intent, Vec::new(), clock.now(), &self.books.fence, allowance.as_ref())
        })
        .await
    }

    async fn finish(
        &self,
        key: StepKey,
        answered: &std::result::Result<Completion, ModelError>,
    ) -> std::result::Result<(), ModelError> {
        let (result, events) = match answered {
            Ok(completion) => {
                let body = EventBody::model_called(completion, &self.shared.ports.prices);
                let output = serde_json::to_value(completion).unwrap_or(Value::Null);
                let result = StepResult { status: StepStatus::Ok, output, usage: completion.usage };
                (result, vec![NewEvent { task_id: None, body }])
            }
            Err(error) => {
                let output = json!(error.to_string());
                (StepResult { status: StepStatus::Error, output, usage: Usage::default() }, Vec::new())
            }
        };
        let (journal, clock) = (&self.shared.ports.journal, &self.shared.ports.clock);
        self.write(|| {
            let told = Told::from(events.clone());
            journal.finish(key, &result, told, clock.now(), &self.books.fence)
        })
        .await
    }

    fn recorded(&self, key: StepKey) -> Option<Completion> {
        let step = self.recorded.iter().find(|step| step.key == key)?;
        let result = step.result.as_ref().filter(|result| result.status == StepStatus::Ok)?;
        serde_json::from_value(result.output.clone()).ok()
    }
}

#[async_trait]
impl LanguageModel for RecordedModel {
    fn describe(&self) -> ModelDescription {
        self.inner.describe()
    }

    fn context_window(&self) -> Option<u64> {
        self.inner.context_window()
    }

    async fn complete(
        &self,
        prompt: &Prompt,
        sink: &mut dyn TokenSink,
    ) -> std::result::Result<Completion, ModelError> {
        let key = self.next_key();
        if let Some(completion) = self.recorded(key) {
            return Ok(completion);
        }
        let bytes = prompt.system.len() + prompt.messages.iter().map(|m| m.text().len()).sum::<usize>();
        let price = self.shared.ports.prices.of(&self.inner.describe().model);
        let worst = Worst::new(bytes as u64 / BYTES_PER_TOKEN, prompt.max_output_tokens, price);
        let reserved = self.books.meter.reserve_or_tell(&worst, &self.state.plan.policy.budget).await;
        let reservation = reserved.map_err(ModelError::Refused)?;
        if !self.recorded.iter().any(|step| step.key == key) {
            self.begin(key, &worst, prompt).await?;
        }
        let answered = self.inner.complete(prompt, sink).await;
        match &answered {
            Ok(completion) => {
                let answered_by = self.shared.ports.prices.of(&completion.model);
                reservation.settle(worst.actual(completion.usage, answered_by));
            }
            Err(error) if !may_have_cost(error) => {
                reservation.settle(worst.actual(Usage::default(), None));
            }
            Err(_) => {}
        }
        self.finish(key, &answered).await?;
        answered
    }
}
