//! The identifiers a file uses.

/// How often each identifier stands in the code of a file, whatever it means there.
///
/// Identifiers are kept as 64-bit hashes, in order. Two names with one hash would be taken for one
/// another; in a repository of ten million different names the odds of a single such pair are one in
/// 300,000, and all it could do is to change a rank.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct References {
    counts: Vec<(u64, u32)>,
}

impl References {
    /// How often `name` stands in the file.
    pub fn count(&self, name: &str) -> u32 {
        let hash = hash(name.as_bytes());
        self.counts.binary_search_by_key(&hash, |(hash, _)| *hash).map_or(0, |found| self.counts[found].1)
    }

    /// Different identifiers.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// The file uses no identifier.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    pub(crate) fn entries(&self) -> &[(u64, u32)] {
        &self.counts
    }

    /// Entries must be in order; `None` if they are not.
    pub(crate) fn from_entries(counts: Vec<(u64, u32)>) -> Option<Self> {
        counts.is_sorted_by(|a, b| a.0 < b.0).then_some(Self { counts })
    }
}

/// The hash of an identifier, the same in every process.
pub(crate) fn hash(name: &[u8]) -> u64 {
    const PRIME: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = (name.len() as u64).wrapping_mul(PRIME);
    let mut chunks = name.chunks_exact(8);
    for chunk in &mut chunks {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(chunk);
        state = mix(state ^ u64::from_le_bytes(bytes));
    }
    let mut bytes = [0; 8];
    bytes[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    // 0 marks a free place in `Words`.
    mix(state ^ u64::from_le_bytes(bytes)).max(1)
}

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let value = (value ^ (value >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    value ^ (value >> 32)
}

/// Counts the identifiers of one file after another.
#[derive(Debug)]
pub(crate) struct Words {
    /// Open addressing; 0 is a free place.
    slots: Vec<(u64, u32)>,
    /// The places in use, so that forgetting a small file does not cost as much as a large one.
    places: Vec<usize>,
}

/// Different identifiers counted in one file; further ones are passed over.
const MAX_WORDS: usize = 50_000;

impl Words {
    pub(crate) fn new() -> Self {
        Self { slots: vec![(0, 0); 4096], places: Vec::new() }
    }

    pub(crate) fn add(&mut self, word: &[u8]) {
        let hash = hash(word);
        let mask = self.slots.len() - 1;
        // The low bits of the hash choose the place; the table is never more than half full.
        let mut place = usize::try_from(hash & mask as u64).unwrap_or(0);
        loop {
            let slot = &mut self.slots[place];
            if slot.0 == hash {
                slot.1 = slot.1.saturating_add(1);
                return;
            }
            if slot.0 == 0 {
                break;
            }
            place = (place + 1) & mask;
        }
        if self.places.len() < MAX_WORDS {
            self.slots[place] = (hash, 1);
            self.places.push(place);
            if self.places.len() * 2 > self.slots.len() {
                self.grow();
            }
        }
    }

    /// Every word of a text that could not be read as its language.
    pub(crate) fn add_all(&mut self, text: &[u8]) {
        for word in text.split(|byte| !is_word(*byte)) {
            if word.first().is_some_and(|first| !first.is_ascii_digit()) {
                self.add(word);
            }
        }
    }

    fn grow(&mut self) {
        let larger = vec![(0, 0); self.slots.len() * 4];
        let old = std::mem::replace(&mut self.slots, larger);
        let mask = self.slots.len() - 1;
        self.places.clear();
        for entry in old.into_iter().filter(|entry| entry.0 != 0) {
            let mut place = usize::try_from(entry.0 & mask as u64).unwrap_or(0);
            while self.slots[place].0 != 0 {
                place = (place + 1) & mask;
            }
            self.slots[place] = entry;
            self.places.push(place);
        }
    }

    /// What was counted since the last call.
    pub(crate) fn take(&mut self) -> References {
        let mut counts: Vec<(u64, u32)> = self.places.iter().map(|place| self.slots[*place]).collect();
        counts.sort_unstable();
        self.forget();
        References { counts }
    }

    pub(crate) fn forget(&mut self) {
        for place in self.places.drain(..) {
            self.slots[place] = (0, 0);
        }
    }
}

/// A byte of an identifier; bytes beyond ASCII are letters.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::{Words, hash};

    #[test]
    fn words_are_counted_in_order_of_their_hashes_and_forgotten_when_taken() {
        let mut words = Words::new();
        for number in 0..5_000_u32 {
            words.add(format!("name{number}").as_bytes());
            words.add(b"often");
        }
        let taken = words.take();
        assert_eq!(
            (taken.len(), taken.count("often"), taken.count("name77"), taken.count("none")),
            (5_001, 5_000, 1, 0)
        );
        assert!(words.take().is_empty());
    }

    #[test]
    fn short_names_have_different_hashes() {
        let mut seen = std::collections::HashSet::new();
        for a in b'a'..=b'z' {
            for b in b'a'..=b'z' {
                assert!(seen.insert(hash(&[a, b])) && seen.insert(hash(&[a, b, b'_'])));
            }
        }
    }
}
