//! Asks again when a provider was busy, unreachable or broke off.

use crate::shown::Remembering;
use agent_core::model::{Completion, ModelDescription, ModelError, Prompt, TokenSink};
use agent_core::ports::{LanguageModel, Randomness};
use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBuilder};
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

/// How often and how patiently to ask again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Repetitions after the first request.
    pub max_retries: u32,
    /// Ceiling of the first pause; each further one doubles it.
    pub first_pause: Duration,
    /// Ceiling of every pause that we choose ourselves.
    pub longest_pause: Duration,
    /// Longest pause that a provider may ask for. Beyond it the error is handed on at once:
    /// asking earlier than told would only be refused again.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 4,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(20),
            longest_wait: Duration::from_secs(120),
        }
    }
}

/// Randomness from the keys that the standard library draws from the operating system.
pub(crate) struct HasherRandomness;

impl Randomness for HasherRandomness {
    fn fraction(&self) -> f64 {
        let bits = std::hash::RandomState::new().hash_one(0_u8) >> 11;
        bits as f64 / (1_u64 << 53) as f64
    }
}

/// A language model that is asked again after transient errors, with exponential pauses and full
/// jitter, so that many tasks do not come back at the same moment. Where part of a broken answer
/// was shown, the sink is told that the next one begins anew.
pub struct Retrying {
    inner: Arc<dyn LanguageModel>,
    policy: RetryPolicy,
    randomness: Arc<dyn Randomness>,
}

impl Retrying {
    /// Puts retries around a model.
    pub fn new(inner: Arc<dyn LanguageModel>, policy: RetryPolicy, randomness: Arc<dyn Randomness>) -> Self {
        Self { inner, policy, randomness }
    }

    /// The pause before the next try; `None` when waiting makes no sense.
    fn pause(&self, error: &ModelError, ceiling: Duration) -> Option<Duration> {
        let own = ceiling.mul_f64(self.randomness.fraction().clamp(0.0, 1.0));
        match error {
            ModelError::RateLimited { retry_after: Some(told), .. } if *told > self.policy.longest_wait => {
                None
            }
            // The jitter comes on top: everybody was told the same moment.
            ModelError::RateLimited { retry_after: Some(told), .. } => {
                Some(told.saturating_add(own.min(*told / 4)))
            }
            _ => Some(own),
        }
    }
}

#[async_trait]
impl LanguageModel for Retrying {
    fn describe(&self) -> ModelDescription {
        self.inner.describe()
    }

    fn context_window(&self) -> Option<u64> {
        self.inner.context_window()
    }

    async fn complete(&self, prompt: &Prompt, sink: &mut dyn TokenSink) -> Result<Completion, ModelError> {
        let mut ceilings = ExponentialBuilder::new()
            .with_min_delay(self.policy.first_pause)
            .with_max_delay(self.policy.longest_pause)
            .with_max_times(self.policy.max_retries as usize)
            .build();
        let mut sink = Remembering::new(sink);
        loop {
            let error = match self.inner.complete(prompt, &mut sink).await {
                Ok(completion) => return Ok(completion),
                Err(error) if error.is_transient() => error,
                Err(error) => return Err(error),
            };
            let Some(pause) = ceilings.next().and_then(|ceiling| self.pause(&error, ceiling)) else {
                return Err(error);
            };
            tracing::warn!(%error, pause_ms = pause.as_millis() as u64, "asking the language model again");
            tokio::time::sleep(pause).await;
            sink.begin_anew();
        }
    }
}
