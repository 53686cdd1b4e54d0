//! Verifies a file of records, one line of JSON each, of any length and with any number of chains.

use crate::chain::{Anchor, ChainId, ChainState, Head};
use crate::line::LineError;
use crate::record::Record;
use crate::verifier::{BreakKind, Broken, Summary, Verifier};
use std::collections::BTreeMap;
use std::io::{BufRead, Read};

/// The most bytes that a line may have, without its line feed.
pub const MAX_LINE: usize = 64 * 1024;
/// The most chains that are verified at once, so that a hostile file cannot take all memory.
pub const MAX_CHAINS: usize = 100_000;

/// What is known of a chain from elsewhere. Nothing by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expected {
    /// Where it begins; `None` takes the first record that is there.
    pub anchor: Option<Anchor>,
    /// Heads that were noted, in any order.
    pub heads: Vec<Head>,
}

impl From<ChainState> for Expected {
    fn from(state: ChainState) -> Self {
        Self { anchor: Some(state.anchor), heads: vec![state.head] }
    }
}

impl From<Head> for Expected {
    fn from(head: Head) -> Self {
        Self { anchor: None, heads: vec![head] }
    }
}

/// Why a file does not verify.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// It could not be read to its end.
    #[error("line {line} cannot be read")]
    Read {
        /// The line, counted from 1.
        line: u64,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A line is too long to be a record.
    #[error("line {line} is longer than {MAX_LINE} bytes: it is no record")]
    TooLong {
        /// The line, counted from 1.
        line: u64,
    },
    /// A line is no record.
    #[error("line {line} is no record")]
    Malformed {
        /// The line, counted from 1.
        line: u64,
        /// Why.
        #[source]
        source: LineError,
    },
    /// A line is not text.
    #[error("line {line} is not UTF-8")]
    NotText {
        /// The line, counted from 1.
        line: u64,
    },
    /// There are too many chains.
    #[error("line {line} begins one chain more than {MAX_CHAINS}: verify the chains in several files")]
    TooManyChains {
        /// The line, counted from 1.
        line: u64,
    },
    /// A chain is broken.
    #[error("{}{broken}", .line.map(|line| format!("line {line}: ")).unwrap_or_default())]
    Broken {
        /// The line at which it shows; `None` when it shows at the end.
        line: Option<u64>,
        /// What is wrong.
        broken: Broken,
    },
}

/// Verifies records that come one line each, the chains mixed as they like, and says for each chain what was verified, the
/// server's first. Reads the lines once; memory grows with the number of chains only.
///
/// A chain that is expected must be there. Of a chain that is not expected, the first record may be any (see
/// [`Summary::beginning_known`]) and nobody can tell whether the end is missing.
///
/// # Errors
/// [`VerifyError`] with the first line that is no record or does not belong where it stands.
pub fn verify_json_lines(
    reader: impl BufRead,
    expected: &BTreeMap<ChainId, Expected>,
) -> Result<Vec<Summary>, VerifyError> {
    let mut lines = Lines { reader, number: 0, bytes: Vec::new() };
    let mut verifiers: BTreeMap<i64, Verifier> =
        expected.iter().map(|(chain, expected)| (chain.stored(), verifier(*chain, expected))).collect();
    while let Some(record) = lines.next_record()? {
        let (line, chain) = (lines.number, record.entry.chain);
        if verifiers.len() >= MAX_CHAINS && !verifiers.contains_key(&chain.stored()) {
            return Err(VerifyError::TooManyChains { line });
        }
        let verifier = verifiers.entry(chain.stored()).or_insert_with(|| Verifier::of_part(chain));
        if let Err(broken) = verifier.check(&record) {
            let broken = looked_for(&mut lines, verifier, broken);
            return Err(VerifyError::Broken { line: Some(line), broken });
        }
    }
    let finished = verifiers.into_values().map(Verifier::finish);
    finished.map(|found| found.map_err(|broken| VerifyError::Broken { line: None, broken })).collect()
}

fn verifier(chain: ChainId, expected: &Expected) -> Verifier {
    let verifier = expected.anchor.map_or_else(|| Verifier::of_part(chain), |a| Verifier::new(chain, a));
    expected.heads.iter().fold(verifier, |verifier, head| verifier.knowing(*head))
}

/// Looks in the rest of the file whether a missing record was only moved. What else is wrong there comes later than what
/// was found already.
fn looked_for(lines: &mut Lines<impl BufRead>, verifier: &mut Verifier, broken: Broken) -> Broken {
    let mut found = broken;
    while found.kind == BreakKind::Missing {
        match lines.next_record() {
            Ok(Some(record)) => found = verifier.check(&record).err().unwrap_or(found),
            Err(VerifyError::Malformed { .. } | VerifyError::NotText { .. }) => {}
            Ok(None) | Err(_) => break,
        }
    }
    found
}

struct Lines<R> {
    reader: R,
    number: u64,
    bytes: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    fn next_record(&mut self) -> Result<Option<Record>, VerifyError> {
        self.number += 1;
        let line = self.number;
        self.bytes.clear();
        let mut bounded = self.reader.by_ref().take(MAX_LINE as u64 + 1);
        let read = bounded.read_until(b'\n', &mut self.bytes);
        if read.map_err(|source| VerifyError::Read { line, source })? == 0 {
            return Ok(None);
        }
        if self.bytes.last() == Some(&b'\n') {
            self.bytes.pop();
        } else if self.bytes.len() > MAX_LINE {
            return Err(VerifyError::TooLong { line });
        }
        let text = str::from_utf8(&self.bytes).or(Err(VerifyError::NotText { line }))?;
        Record::from_json_line(text).map(Some).map_err(|source| VerifyError::Malformed { line, source })
    }
}
