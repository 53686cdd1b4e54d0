//! Goes to the next provider when one cannot answer.

mod rest;

use crate::shown::Remembering;
use agent_core::model::{Completion, ModelDescription, ModelError, Prompt, TokenSink};
use agent_core::ports::LanguageModel;
use async_trait::async_trait;
use rest::{Rest, Turn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// One of several ways to an answer.
pub struct Profile {
    /// What the log calls it.
    pub name: String,
    /// Who is asked, with retries of its own.
    pub model: Arc<dyn LanguageModel>,
}

/// How long a profile that failed is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailoverPolicy {
    /// After the first failure; each further one in a row doubles it.
    pub first_rest: Duration,
    /// Ceiling, also for pauses that a provider asks for. An account that is used up and a key that
    /// is refused rest this long at once.
    pub longest_rest: Duration,
}

impl Default for FailoverPolicy {
    /// 30 seconds to 15 minutes.
    fn default() -> Self {
        Self { first_rest: Duration::from_secs(30), longest_rest: Duration::from_secs(15 * 60) }
    }
}

/// A language model made of several, the preferred one first.
///
/// A call goes to the first profile that does not rest. Where it fails in a way that need not
/// concern another provider (rate limit, account used up, refused key, unreachable, too late, or an
/// answer that broke off or could not be read), it rests and the next one is asked. Whatever concerns
/// the request itself (too long, faulty) is handed on at once.
///
/// An answer is never continued by another model: the next one begins anew, and where part of an
/// answer was shown already, [`TokenSink::restart`] is called first.
///
/// When a rest is over, one call tries the profile again while the others still go past it. When all
/// rest, those that failed are asked all the same, the one whose rest ends first at the head; only a
/// pause that a provider asked for is kept.
pub struct FailingOver {
    profiles: Vec<Profile>,
    rests: Mutex<Vec<Rest>>,
    policy: FailoverPolicy,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
}

impl FailingOver {
    /// Puts profiles together, the preferred one first.
    ///
    /// # Errors
    /// [`ModelError::Misconfigured`] when there is none.
    pub fn new(profiles: Vec<Profile>, policy: FailoverPolicy) -> Result<Self, ModelError> {
        Self::with_clock(profiles, policy, Instant::now)
    }

    /// Like [`FailingOver::new`], with the clock by which profiles rest passed in; it must never go back.
    ///
    /// # Errors
    /// As [`FailingOver::new`].
    pub fn with_clock(
        profiles: Vec<Profile>,
        policy: FailoverPolicy,
        clock: impl Fn() -> Instant + Send + Sync + 'static,
    ) -> Result<Self, ModelError> {
        if profiles.is_empty() {
            return Err(ModelError::Misconfigured("no language model profile is given".into()));
        }
        let rests = Mutex::new(profiles.iter().map(|_| Rest::default()).collect());
        Ok(Self { profiles, rests, policy, clock: Box::new(clock) })
    }

    fn rests(&self) -> MutexGuard<'_, Vec<Rest>> {
        // Every change is a single assignment, so the list is whole even if its holder panicked.
        self.rests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The profile that is asked next, of those not yet asked by this call.
    fn next(&self, asked: &[bool]) -> Option<usize> {
        rest::choose(&mut self.rests(), asked, (self.clock)(), self.policy.first_rest)
    }

    fn send_to_rest(&self, place: usize, error: &ModelError) {
        let pause = self.rests()[place].begin(error, (self.clock)(), &self.policy);
        tracing::warn!(
            profile = self.profiles[place].name,
            %error,
            rest_ms = pause.as_millis() as u64,
            "this language model rests, the next one is asked"
        );
    }

    /// Why nobody could be asked: all keep a pause that they asked for.
    fn all_rest(&self) -> ModelError {
        let now = (self.clock)();
        let soonest = self.rests().iter().map(|rest| rest.left(now)).min().unwrap_or_default();
        ModelError::RateLimited {
            detail: "every configured language model asked for a pause".into(),
            retry_after: Some(soonest),
        }
    }
}

/// Whether another provider may do better.
fn is_of_the_provider(error: &ModelError) -> bool {
    error.is_transient() || matches!(error, ModelError::Unauthorized(_) | ModelError::QuotaExhausted(_))
}

#[async_trait]
impl LanguageModel for FailingOver {
    /// The profile that the next call would begin with.
    fn describe(&self) -> ModelDescription {
        let turn = rest::look(&self.rests(), &vec![false; self.profiles.len()], (self.clock)());
        let place = turn.map_or(0, Turn::place);
        self.profiles[place].model.describe()
    }

    /// The smallest that is known: what fits there fits everywhere.
    fn context_window(&self) -> Option<u64> {
        self.profiles.iter().filter_map(|profile| profile.model.context_window()).min()
    }

    async fn complete(&self, prompt: &Prompt, sink: &mut dyn TokenSink) -> Result<Completion, ModelError> {
        let mut sink = Remembering::new(sink);
        let mut asked = vec![false; self.profiles.len()];
        let mut last = None;
        while let Some(place) = self.next(&asked) {
            asked[place] = true;
            sink.begin_anew();
            match self.profiles[place].model.complete(prompt, &mut sink).await {
                Ok(completion) => {
                    self.rests()[place] = Rest::default();
                    if last.is_some() {
                        tracing::info!(
                            profile = self.profiles[place].name,
                            model = completion.model,
                            "another language model answered"
                        );
                    }
                    return Ok(completion);
                }
                Err(error) if is_of_the_provider(&error) => {
                    self.send_to_rest(place, &error);
                    last = Some(error);
                }
                Err(error) => {
                    // It looked at the request, so it is there again.
                    self.rests()[place] = Rest::default();
                    return Err(error);
                }
            }
        }
        Err(last.unwrap_or_else(|| self.all_rest()))
    }
}
