//! Counts the calls of language models, whatever they are made for.

use agent_core::model::{Completion, ModelDescription, ModelError, Prompt, TokenSink, Usage};
use agent_core::ports::LanguageModel;
use agent_core::pricing::PriceList;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Models that are counted by name; the calls of further ones are counted together.
const MOST_MODELS: usize = 32;
/// What those are called.
const OTHERS: &str = "other";

/// What was asked of one language model since the start.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModelFigures {
    /// The model, as the provider names it.
    pub model: String,
    /// Calls that were answered.
    pub answered: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Calls that were given up before there was an answer.
    pub cancelled: u64,
    /// Tokens read.
    pub input_tokens: u64,
    /// Tokens written.
    pub output_tokens: u64,
    /// What the answers cost in US dollars, as far as prices are known.
    pub cost: f64,
}

/// What was asked of all models.
#[derive(Default)]
pub(crate) struct ModelTallies(Mutex<BTreeMap<String, ModelFigures>>);

impl ModelTallies {
    fn of(&self, model: &str, add: impl FnOnce(&mut ModelFigures)) {
        // A panic while the figures are held leaves each of them whole.
        let mut models = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = models.len() < MOST_MODELS || models.contains_key(model);
        let name = if known { model } else { OTHERS };
        let fresh = || ModelFigures { model: name.to_owned(), ..ModelFigures::default() };
        add(models.entry(name.to_owned()).or_insert_with(fresh));
    }

    /// What was counted so far.
    pub(crate) fn read(&self) -> Vec<ModelFigures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

/// A model whose calls are counted.
pub(crate) struct MeteredModel {
    pub(crate) model: Arc<dyn LanguageModel>,
    pub(crate) prices: PriceList,
    pub(crate) tallies: Arc<ModelTallies>,
}

/// A call under way. Dropped before it is settled, it was given up.
struct Call<'c> {
    metered: &'c MeteredModel,
    settled: bool,
}

impl Call<'_> {
    fn settle(mut self, answered: &Result<Completion, ModelError>) {
        self.settled = true;
        let MeteredModel { model, prices, tallies } = self.metered;
        match answered {
            Ok(Completion { model, usage, .. }) => tallies.of(model, |figures| {
                let Usage { input_tokens, output_tokens, .. } = *usage;
                figures.answered += 1;
                figures.input_tokens += input_tokens;
                figures.output_tokens += output_tokens;
                figures.cost += prices.cost(model, *usage).unwrap_or_default();
            }),
            Err(_) => tallies.of(&model.describe().model, |figures| figures.failed += 1),
        }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.settled {
            let model = self.metered.model.describe().model;
            self.metered.tallies.of(&model, |figures| figures.cancelled += 1);
        }
    }
}

#[async_trait]
impl LanguageModel for MeteredModel {
    fn describe(&self) -> ModelDescription {
        self.model.describe()
    }

    fn context_window(&self) -> Option<u64> {
        self.model.context_window()
    }

    async fn complete(&self, prompt: &Prompt, sink: &mut dyn TokenSink) -> Result<Completion, ModelError> {
        let call = Call { metered: self, settled: false };
        let answered = self.model.complete(prompt, sink).await;
        call.settle(&answered);
        answered
    }
}
