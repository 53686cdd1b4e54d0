//! Finds the first record of a chain that is not as it was recorded.

use crate::chain::{Anchor, ChainId, Head};
use crate::hash::Hash;
use crate::record::Record;
use serde::Serialize;
use std::cmp::Ordering;

agent_core::words! {
    /// What is wrong with a chain.
    BreakKind {
        /// A record does not have the hash of what it says.
        Altered = "altered",
        /// A record is not there: it was removed, or stands further back where nobody has looked yet.
        Missing = "missing",
        /// A record stands behind others that were recorded after it, or after the beginning of a chain that begins
        /// later.
        Reordered = "reordered",
        /// A record stands there again.
        Repeated = "repeated",
        /// A record belongs to another chain.
        Foreign = "foreign",
        /// A record has the hash of what it says, but it is not the one that others vouch for: it was written anew, or
        /// everything from an earlier one to it was.
        Replaced = "replaced",
    }
}

/// The first record of a chain that is not as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{chain}, record {sequence}: {kind}: {detail}")]
pub struct Broken {
    /// The chain.
    pub chain: ChainId,
    /// The record. For one that does not belong where it stands, the place in this chain.
    pub sequence: i64,
    /// What is wrong.
    pub kind: BreakKind,
    /// The same in words.
    pub detail: String,
}

/// What was verified of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The chain.
    pub chain: ChainId,
    /// Where it begins.
    pub anchor: Anchor,
    /// Whether the beginning was known, and not taken from the first record that was there. A known beginning is given
    /// by the caller, or is record 1.
    pub beginning_known: bool,
    /// Where it ends.
    pub head: Head,
    /// How many records there are.
    pub records: u64,
    /// Up to where a head that was known from elsewhere vouches for the chain. What follows is intact in itself, but
    /// somebody who can write to the log may have written it anew.
    pub proven_to: Option<i64>,
}

/// Is fed the records of one chain in order, and names the first that is not as it was recorded. Takes the same memory
/// for any number of records.
#[derive(Debug, Clone)]
pub struct Verifier {
    chain: ChainId,
    anchor: Option<Anchor>,
    beginning_known: bool,
    known: Vec<Head>,
    /// The last record that held.
    head: Head,
    records: u64,
    proven_to: Option<i64>,
    begun: bool,
    broken: Option<Broken>,
}

impl Verifier {
    /// For a chain that begins at a known place.
    pub fn new(chain: ChainId, anchor: Anchor) -> Self {
        Self::beginning(chain, Some(anchor))
    }

    /// For a chain of which only a part may be there: it begins with whatever record comes first. Record 1 is held to
    /// what every first record is.
    pub fn of_part(chain: ChainId) -> Self {
        Self::beginning(chain, None)
    }

    fn beginning(chain: ChainId, anchor: Option<Anchor>) -> Self {
        Self {
            chain: ChainId::from(chain.stored()),
            anchor,
            beginning_known: true,
            known: Vec::new(),
            head: Head::EMPTY,
            records: 0,
            proven_to: None,
            begun: false,
            broken: None,
        }
    }

    /// Tells it a head that was noted elsewhere, now or earlier; the chain must pass through it. To be told before the
    /// first record. One from before the beginning of the chain proves nothing and is ignored.
    #[must_use]
    pub fn knowing(mut self, head: Head) -> Self {
        self.known.push(head);
        self
    }

    /// Looks at the next record.
    ///
    /// # Errors
    /// [`Broken`] at the first record that is not as it was recorded, and for every one after it. Whoever goes on after
    /// [`BreakKind::Missing`] is told [`BreakKind::Reordered`] as soon as the missing record turns up.
    pub fn check(&mut self, record: &Record) -> Result<(), Broken> {
        if self.broken.is_none() {
            match self.begin(Some(record)).and_then(|()| self.judge(record)) {
                Ok(()) => {
                    self.head = record.head();
                    self.records += 1;
                    return Ok(());
                }
                Err(broken) => self.broken = Some(broken),
            }
        } else if self.is_the_missing_one(record) {
            self.broken = Some(self.broken(
                BreakKind::Reordered,
                record.sequence,
                "it stands behind records that were recorded after it".to_owned(),
            ));
        }
        self.broken.clone().map_or(Ok(()), Err)
    }

    /// What was verified, when there are no more records.
    ///
    /// # Errors
    /// [`Broken`] as [`check`](Self::check) found it, or because records up to a known head are missing.
    pub fn finish(mut self) -> Result<Summary, Broken> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        self.begin(None)?;
        if let Some(last) = self.known.iter().map(|head| head.sequence).max()
            && last > self.head.sequence
        {
            let detail = format!("the end is missing, up to the known head at {last}");
            return Err(self.broken(BreakKind::Missing, self.next(), detail));
        }
        Ok(Summary {
            chain: self.chain,
            anchor: self.anchor.unwrap_or_default(),
            beginning_known: self.beginning_known,
            head: self.head,
            records: self.records,
            proven_to: self.proven_to,
        })
    }

    /// Settles where the chain begins.
    fn begin(&mut self, first: Option<&Record>) -> Result<(), Broken> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        if let (None, Some(first)) = (self.anchor, first)
            && first.sequence > 1
        {
            self.beginning_known = false;
            self.anchor = Some(Anchor { first_sequence: first.sequence, previous_hash: first.previous_hash });
        }
        self.head = self.anchor.get_or_insert_default().before();
        let before = self.head;
        self.vouched(before.sequence, before.hash)
    }

    fn judge(&mut self, record: &Record) -> Result<(), Broken> {
        let (next, chain) = (self.next(), record.entry.chain);
        let named = format!("record {} of {chain}", record.sequence);
        if !record.is_intact() {
            let detail = format!("what stands there as {named} does not have the hash of what it says");
            return Err(self.broken(BreakKind::Altered, next, detail));
        }
        if chain.stored() != self.chain.stored() {
            return Err(self.broken(BreakKind::Foreign, next, format!("{named} stands in its place")));
        }
        match record.sequence.cmp(&next) {
            Ordering::Greater => {
                Err(self.broken(BreakKind::Missing, next, format!("{named} stands in its place")))
            }
            Ordering::Less => Err(self.again(record)),
            Ordering::Equal if record.previous_hash != self.head.hash => Err(self.unlinked()),
            Ordering::Equal => self.vouched(record.sequence, record.hash),
        }
    }

    /// A record of a place that was passed.
    fn again(&self, record: &Record) -> Broken {
        let place = self.next();
        if record.sequence < self.anchor.unwrap_or_default().first_sequence {
            let detail =
                format!("it is older than the beginning of the chain, and stands in place of {place}");
            return self.broken(BreakKind::Reordered, record.sequence, detail);
        }
        let detail = format!("it stands again in place of record {place}");
        self.broken(BreakKind::Repeated, record.sequence, detail)
    }

    /// An intact record that does not follow the one before it.
    fn unlinked(&self) -> Broken {
        if self.records == 0 {
            let detail = "it does not follow from where the chain begins".to_owned();
            return self.broken(BreakKind::Replaced, self.next(), detail);
        }
        let detail = format!("record {} followed another record {}", self.next(), self.head.sequence);
        self.broken(BreakKind::Replaced, self.head.sequence, detail)
    }

    /// Compares a place with the heads that are known.
    fn vouched(&mut self, sequence: i64, hash: Hash) -> Result<(), Broken> {
        let mut known = self.known.iter().filter(|head| head.sequence == sequence).peekable();
        if known.peek().is_none() {
            return Ok(());
        }
        if let Some(other) = known.find(|head| head.hash != hash) {
            let detail =
                format!("the known head has the hash {}; it or one before it was written anew", other.hash);
            return Err(self.broken(BreakKind::Replaced, sequence, detail));
        }
        self.proven_to = Some(sequence);
        Ok(())
    }

    fn is_the_missing_one(&self, record: &Record) -> bool {
        let missing = self.broken.as_ref().is_some_and(|broken| broken.kind == BreakKind::Missing);
        missing
            && record.sequence == self.next()
            && record.entry.chain.stored() == self.chain.stored()
            && record.previous_hash == self.head.hash
            && record.is_intact()
    }

    fn next(&self) -> i64 {
        self.head.sequence.saturating_add(1)
    }

    fn broken(&self, kind: BreakKind, sequence: i64, detail: String) -> Broken {
        Broken { chain: self.chain, sequence, kind, detail }
    }
}
