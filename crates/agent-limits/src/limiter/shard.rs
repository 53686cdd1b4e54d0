//! A bounded part of the keys.

use agent_core::time::Timestamp;
use std::cmp::Ordering;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, HashMap};
use std::hash::Hash;
use std::time::Duration;

/// Times that are this much older than the newest are the usual disorder among threads; older ones come from a clock
/// that was set back.
const DISORDER: Duration = Duration::from_secs(1);

/// A part of the keys. Times are ticks since the beginning of its own clock, which never goes back.
#[derive(Debug)]
pub(super) struct Shard<K> {
    seen: Timestamp,
    elapsed_micros: u128,
    max_keys: usize,
    /// When each key will have everything back.
    recovers_at: HashMap<K, u128>,
    /// Each key once, with the moment that was known when it was last put in order: never later than the true one.
    queue: BinaryHeap<Queued<K>>,
}

impl<K: Hash + Eq + Clone> Shard<K> {
    pub(super) fn new(max_keys: usize) -> Self {
        Self {
            seen: Timestamp::default(),
            elapsed_micros: 0,
            max_keys,
            recovers_at: HashMap::new(),
            queue: BinaryHeap::new(),
        }
    }

    /// Lets the clock run up to now; the microseconds that it has run.
    pub(super) fn advance(&mut self, now: Timestamp) -> u128 {
        if now > self.seen {
            self.elapsed_micros += now.since(self.seen).as_micros();
            self.seen = now;
        } else if self.seen.since(now) > DISORDER {
            self.seen = now;
        }
        self.elapsed_micros
    }

    /// When the key will have everything back; a key that is not remembered has.
    pub(super) fn recovers_at(&self, key: &K) -> u128 {
        self.recovers_at.get(key).copied().unwrap_or(0)
    }

    /// Remembers a moment for the key that is not earlier than the one before.
    pub(super) fn put(&mut self, key: &K, recovers_at: u128) {
        if let Some(known) = self.recovers_at.get_mut(key) {
            *known = recovers_at;
            return;
        }
        if self.recovers_at.len() >= self.max_keys {
            self.forget_the_first_to_recover();
        }
        self.recovers_at.insert(key.clone(), recovers_at);
        self.queue.push(Queued { recovers_at, key: key.clone() });
    }

    /// Puts keys in order that were used since, until the first one is where it belongs. Each use of a key is paid for
    /// once.
    fn forget_the_first_to_recover(&mut self) {
        while let Some(mut first) = self.queue.peek_mut() {
            match self.recovers_at.get(&first.key) {
                Some(recovers_at) if *recovers_at > first.recovers_at => first.recovers_at = *recovers_at,
                _ => {
                    let forgotten = PeekMut::pop(first);
                    self.recovers_at.remove(&forgotten.key);
                    return;
                }
            }
        }
    }
}

impl<K> Shard<K> {
    pub(super) fn len(&self) -> usize {
        self.recovers_at.len()
    }
}

/// A key in the queue; the greatest is the first to recover.
#[derive(Debug)]
struct Queued<K> {
    recovers_at: u128,
    key: K,
}

impl<K> Ord for Queued<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.recovers_at.cmp(&self.recovers_at)
    }
}

impl<K> PartialOrd for Queued<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> PartialEq for Queued<K> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<K> Eq for Queued<K> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_holds_each_key_once_however_often_it_is_used_and_forgotten() {
        let mut shard = Shard::new(100);
        for number in 0..100_000_u64 {
            let key = number * 7919 % 331;
            shard.put(&key, shard.recovers_at(&key).max(u128::from(number)) + 50);
            assert_eq!(shard.queue.len(), shard.recovers_at.len());
        }
        assert_eq!(shard.len(), 100);
        assert!(shard.queue.capacity() <= 256 && shard.recovers_at.capacity() <= 256);
    }

    #[test]
    fn the_clock_stands_still_when_it_is_set_back_and_then_runs_on() {
        let mut shard: Shard<u8> = Shard::new(1);
        let start = shard.advance(Timestamp::from_micros(100_000_000));
        assert_eq!(shard.advance(Timestamp::from_micros(99_500_000)), start);
        assert_eq!(shard.advance(Timestamp::from_micros(100_000_000)), start, "disorder is no time");
        assert_eq!(shard.advance(Timestamp::from_micros(5_000_000)), start);
        assert_eq!(shard.advance(Timestamp::from_micros(6_000_000)), start + 1_000_000);
    }
}
