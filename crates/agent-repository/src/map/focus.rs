//! What a map is for.

use std::collections::BTreeSet;

use crate::symbols::{hash, is_word};

/// Words read of a goal.
const MAX_WORDS: usize = 2_000;

/// The files and names that matter, such as those a goal mentions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Focus {
    /// Paths relative to the root, or the ends of paths, such as `map.rs`.
    pub files: BTreeSet<String>,
    /// Names of definitions.
    pub names: BTreeSet<String>,
}

impl Focus {
    /// Takes names and paths out of a text for people: each word may be either.
    ///
    /// ```
    /// use agent_repository::map::Focus;
    ///
    /// let focus = Focus::of("Why does `Cart::total` in src/cart.rs return 0?");
    /// assert!(focus.names.contains("total") && focus.files.contains("src/cart.rs"));
    /// ```
    pub fn of(goal: &str) -> Self {
        let mut focus = Self::default();
        for word in goal.split_whitespace().take(MAX_WORDS) {
            let path = word.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '/'));
            if path.contains(['.', '/']) {
                focus.files.insert(path.trim_start_matches("./").to_owned());
            }
            let names = word.split(|c: char| !c.is_ascii() || !is_word(c as u8));
            // Single letters are words of the language of people.
            focus.names.extend(names.filter(|name| name.len() > 1).map(str::to_owned));
        }
        focus
    }

    /// Whether the focus names the file.
    pub(crate) fn names_file(&self, path: &str) -> bool {
        self.files.iter().any(|file| {
            path.strip_suffix(file.as_str()).is_some_and(|head| head.is_empty() || head.ends_with('/'))
        })
    }

    /// The names as the hashes that references are kept by, in order.
    pub(crate) fn name_hashes(&self) -> Vec<u64> {
        let mut hashes: Vec<u64> = self.names.iter().map(|name| hash(name.as_bytes())).collect();
        hashes.sort_unstable();
        hashes
    }
}
