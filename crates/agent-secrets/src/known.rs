//! Values that are known to be secret, found in every spelling.

use crate::judgement::is_trivial;
use crate::rules::Span;
use crate::spellings;
use aho_corasick::{AhoCorasick, AhoCorasickKind};
use std::collections::BTreeMap;

/// Names are cut to this length.
pub(crate) const MAX_NAME: usize = 60;

/// With more letters than this in all spellings, memory matters more than speed.
const MAX_FAST: usize = 32 * 1024;

/// Some values, ready to be found.
pub(crate) struct Known {
    names: Vec<String>,
    automaton: AhoCorasick,
    /// To which of the names each pattern of the automaton belongs.
    owners: Vec<usize>,
}

impl Known {
    /// These values under their names; `None` where none of them is worth masking, or there are more than memory holds.
    pub(crate) fn new(values: &[(String, String)]) -> Option<Self> {
        let mut patterns: BTreeMap<String, usize> = BTreeMap::new();
        let mut names = Vec::new();
        for (name, value) in values.iter().map(|(name, value)| (name, value.trim())) {
            if is_trivial(value) {
                continue;
            }
            names.push(plain(name));
            for spelling in spellings::of(value) {
                patterns.entry(spelling).or_insert(names.len() - 1);
            }
        }
        if patterns.is_empty() {
            return None;
        }
        // The fastest automaton needs the most memory.
        let size: usize = patterns.keys().map(String::len).sum();
        let kind = (size <= MAX_FAST).then_some(AhoCorasickKind::DFA);
        let automaton = AhoCorasick::builder().kind(kind).build(patterns.keys()).ok()?;
        Some(Self { names, automaton, owners: patterns.into_values().collect() })
    }

    /// Whether one of the values has this name.
    pub(crate) fn is_name(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Where the values stand.
    pub(crate) fn find<'k>(&'k self, text: &str, found: &mut Vec<Span<'k>>) {
        // Most texts hold none, which is told faster than where all are that overlap.
        if !self.automaton.is_match(text) {
            return;
        }
        let hits = self.automaton.find_overlapping_iter(text);
        found.extend(hits.map(|hit| Span {
            start: hit.start(),
            end: hit.end(),
            name: &self.names[self.owners[hit.pattern().as_usize()]],
            is_known: true,
        }));
    }
}

/// The name with nothing in it that could be taken for more than a name.
fn plain(name: &str) -> String {
    let letter =
        |letter: char| if letter.is_ascii_alphanumeric() || "_-.".contains(letter) { letter } else { '_' };
    let name: String = name.chars().take(MAX_NAME).map(letter).collect();
    if name.is_empty() { "value".to_owned() } else { name }
}
