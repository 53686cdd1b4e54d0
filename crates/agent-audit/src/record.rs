//! An entry at its place in a chain.

use crate::chain::Head;
use crate::encoding;
use crate::entry::Entry;
use crate::hash::Hash;
use crate::limits;
use crate::line::Line;
use agent_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An entry at its place in a chain. In JSON it is one flat object; a store that reads one back sets the fields as they
/// were kept and mends nothing, so that the verifier sees what was altered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Line", into = "Line")]
pub struct Record {
    /// Its place in its chain, counted from 1 without gaps.
    pub sequence: i64,
    /// When it was recorded, in whole milliseconds. Servers' clocks differ: the order is that of the sequence.
    pub at: Timestamp,
    /// What is recorded.
    pub entry: Entry,
    /// The hash of the record before it; zero for the first.
    pub previous_hash: Hash,
    /// The hash of everything above.
    pub hash: Hash,
}

impl Record {
    /// Its place and hash, after which the next record follows.
    pub fn head(&self) -> Head {
        Head { sequence: self.sequence, hash: self.hash }
    }

    /// Whether its hash is that of what it says. The chain it claims to stand in is the [`Verifier`](crate::Verifier)'s
    /// matter.
    pub fn is_intact(&self) -> bool {
        self.hash == encoding::hash_of(self)
    }
}

impl Entry {
    /// Gives it its place after the head of its chain, cut to the limits of an entry; the instant is cut to
    /// milliseconds. Whoever calls makes sure that nothing else follows the same head.
    pub fn chain_after(self, head: &Head, at: Timestamp) -> Record {
        let mut record = Record {
            sequence: head.sequence.saturating_add(1),
            at: limits::showable(at),
            entry: limits::within_limits(self),
            previous_hash: head.hash,
            hash: Hash::ZERO,
        };
        record.hash = encoding::hash_of(&record);
        record
    }
}
