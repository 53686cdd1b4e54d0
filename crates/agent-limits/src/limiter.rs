//! One quota for each of many keys.

mod pace;
mod shard;

use crate::decision::Decision;
use crate::quota::Quota;
use agent_core::time::Timestamp;
use pace::Pace;
use shard::Shard;
use std::fmt;
use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most parts that are locked one by one.
const MAX_SHARDS: usize = 64;
/// Fewer keys than this are not worth a part of their own, and would fill parts unevenly.
const MIN_KEYS_IN_SHARD: usize = 64;

/// Allows each key its quota, by the generic cell rate algorithm (ITU-T I.371): of each key only the moment is kept at
/// which all its requests will have been given back.
///
/// *Memory* is bounded by the number of keys given to [`RateLimiter::new`]. Keys are spread by a random hash over up to
/// 64 parts with a lock each; a full part forgets, to take in a new key, the one that is the first to have everything
/// back: one that rests already if there is any (nothing is lost with it), else the busy one that is nearest to it.
///
/// *Who has many keys* (a network of hijacked machines) and so fills a part makes it forget the busy keys that are
/// nearest to rest. A forgotten key starts anew: with the full burst, never more. To have a key forgotten, every other
/// key of its part must have used at least as much, so it takes more requests from other keys than it frees, and a key
/// that is held back is the last to go. Against somebody with so many addresses a limit by address does little anyway.
///
/// *Time* of a check: of a known key, a look-up; of a new key in a full part besides, a step in a heap as deep as the
/// logarithm of the keys of a part.
///
/// *A clock that is set back* stands still for the limiter and then runs on: nobody waits longer for it than the
/// second that is taken for the usual disorder among threads, and nobody is given anything twice for that disorder.
pub struct RateLimiter<K> {
    quota: Quota,
    pace: Pace,
    hasher: RandomState,
    shards: Box<[Mutex<Shard<K>>]>,
}

impl<K: Hash + Eq + Clone> RateLimiter<K> {
    /// A limiter that remembers at most so many keys; the memory is taken as they come.
    pub fn new(quota: Quota, max_keys: NonZeroUsize) -> Self {
        let n_shards = (max_keys.get() / MIN_KEYS_IN_SHARD).clamp(1, MAX_SHARDS);
        let shards = (0..n_shards).map(|_| Mutex::new(Shard::new(max_keys.get() / n_shards))).collect();
        Self { quota, pace: Pace::new(quota), hasher: RandomState::new(), shards }
    }

    /// Judges a request, and counts it when it is allowed. `now` is to be read right before.
    pub fn check(&self, key: &K, now: Timestamp) -> Decision {
        let held = self.hold(key, now);
        let decision = held.decision();
        if decision.is_allowed() {
            held.take();
        }
        decision
    }

    /// What [`RateLimiter::check`] would answer, counting nothing.
    pub fn peek(&self, key: &K, now: Timestamp) -> Decision {
        self.hold(key, now).decision()
    }

    /// How many keys are remembered.
    pub fn remembered(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    /// Keeps everybody else from the key until its request is judged and taken.
    pub(crate) fn hold<'a>(&'a self, key: &'a K, now: Timestamp) -> Held<'a, K> {
        let hash = self.hasher.hash_one(key);
        let at = usize::try_from(hash % self.shards.len() as u64).unwrap_or(0);
        let mut shard = lock(&self.shards[at]);
        let now = self.pace.ticks(shard.advance(now));
        let debt = shard.recovers_at(key).saturating_sub(now);
        Held { shard, pace: &self.pace, key, now, debt }
    }
}

impl<K> fmt::Debug for RateLimiter<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter").field("quota", &self.quota).finish_non_exhaustive()
    }
}

/// A key whose request is being judged.
pub(crate) struct Held<'a, K> {
    shard: MutexGuard<'a, Shard<K>>,
    pace: &'a Pace,
    key: &'a K,
    now: u128,
    debt: u128,
}

impl<K: Hash + Eq + Clone> Held<'_, K> {
    /// Whether the request may pass.
    pub(crate) fn decision(&self) -> Decision {
        self.pace.decide(self.debt)
    }

    /// Counts the request.
    pub(crate) fn take(mut self) {
        let recovers_at = self.now + self.debt + self.pace.interval();
        self.shard.put(self.key, recovers_at);
    }
}

/// What a thread left that panicked is as good as any: each step keeps the bound, and at worst a key is forgotten.
fn lock<K>(shard: &Mutex<Shard<K>>) -> MutexGuard<'_, Shard<K>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
