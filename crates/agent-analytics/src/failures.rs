//! Why executions fail, in a bounded number of reasons.

use crate::ports::AttemptRecord;
use agent_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// So many reasons are told apart.
const REASONS: usize = 50;
/// So much of a message tells one reason from another, in characters.
const LENGTH: usize = 120;
/// How many reasons are named.
const NAMED: usize = 10;

/// Why executions failed, counted by reason. Messages that differ only in their numbers, or after their first line, are one
/// reason. Of more than 50 the rarest are counted together.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FailureReasons {
    reasons: BTreeMap<String, Counted>,
    others: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Counted {
    count: u64,
    last_at: Timestamp,
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FailureReason {
    /// The first line of the message, each number in it as `N`; null for the many rare ones together.
    pub reason: Option<String>,
    /// Executions that failed for it.
    pub count: u64,
    /// When the latest of them ended; null for the rare ones.
    pub last_at: Option<Timestamp>,
}

impl FailureReasons {
    /// Takes in why an execution failed; one that did not fail changes nothing.
    pub fn add(&mut self, record: &AttemptRecord) {
        if record.succeeded {
            return;
        }
        let reason = reason_of(record.error.as_deref().unwrap_or("no reason was given"));
        let counted = self.reasons.entry(reason).or_insert(Counted { count: 0, last_at: record.finished_at });
        counted.count += 1;
        counted.last_at = counted.last_at.max(record.finished_at);
        self.shorten();
    }

    fn shorten(&mut self) {
        while self.reasons.len() > REASONS {
            let rarest = self.reasons.iter().min_by_key(|(_, counted)| (counted.count, counted.last_at));
            let Some(rarest) = rarest.map(|(reason, _)| reason.clone()) else { return };
            self.others += self.reasons.remove(&rarest).map_or(0, |counted| counted.count);
        }
    }

    /// The reasons that occur most, most frequent first, and all others together behind them.
    pub fn most_frequent(&self) -> Vec<FailureReason> {
        let mut order: Vec<_> = self.reasons.iter().collect();
        order.sort_by_key(|(_, counted)| (Reverse(counted.count), Reverse(counted.last_at)));
        let rare: u64 = order.iter().skip(NAMED).map(|(_, counted)| counted.count).sum();
        let others = self.others + rare;
        let named = order.into_iter().take(NAMED).map(|(reason, counted)| FailureReason {
            reason: Some(reason.clone()),
            count: counted.count,
            last_at: Some(counted.last_at),
        });
        let others = (others > 0).then_some(FailureReason { reason: None, count: others, last_at: None });
        named.chain(others).collect()
    }
}

/// What messages of the same kind have in common.
fn reason_of(message: &str) -> String {
    let line = message.trim().lines().next().unwrap_or_default();
    let mut reason = String::with_capacity(LENGTH);
    let mut in_number = false;
    for character in line.chars().take(4 * LENGTH) {
        let digit = character.is_ascii_digit();
        if !digit {
            reason.push(character);
        } else if !in_number {
            reason.push('N');
        }
        in_number = digit;
    }
    reason.chars().take(LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_that_differ_in_numbers_are_one_reason() {
        assert_eq!(reason_of("exit code 101\nlast lines"), "exit code N");
        assert_eq!(reason_of("took 3000 ms of 250"), "took N ms of N");
        assert_eq!(reason_of(&"é".repeat(1_000)).chars().count(), LENGTH);
    }
}
