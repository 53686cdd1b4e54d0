//! Words of a command as far as they can be read without running it.

/// Stands for what only the shell could tell: an expansion, a pattern of file names, the rest of a long list. A private
/// character, so that a text which contains it is read as unknown too.
pub(crate) const UNKNOWN: char = '\u{E000}';

/// One word.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Word(String);

impl Word {
    /// A word with this text; [`UNKNOWN`] in it stands for any text.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A word of which nothing is known.
    pub(crate) fn open() -> Self {
        Self(UNKNOWN.to_string())
    }

    /// The text, if all of it is known.
    pub(crate) fn known(&self) -> Option<&str> {
        (!self.0.contains(UNKNOWN)).then_some(self.0.as_str())
    }

    /// The text with [`UNKNOWN`] where it is not known.
    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// The word with something unknown in place of this text.
    pub(crate) fn without(&self, token: &str) -> Self {
        Self(self.0.replace(token, &UNKNOWN.to_string()))
    }

    /// Whether the word is this text.
    pub(crate) fn is(&self, text: &str) -> bool {
        self.0 == text
    }

    /// Whether it begins with a dash, as options do.
    pub(crate) fn is_option(&self) -> bool {
        self.0.len() > 1 && self.0.starts_with('-')
    }

    /// The letters of short options behind a single dash; empty in any other word.
    pub(crate) fn short_options(&self) -> &str {
        self.0.strip_prefix('-').filter(|letters| !letters.starts_with('-')).unwrap_or_default()
    }

    /// The name of the program that this word calls, without its folder.
    pub(crate) fn program(&self) -> Option<&str> {
        let text = self.known()?;
        Some(text.rsplit('/').next().unwrap_or(text))
    }
}

/// The words in one line, for people.
pub(crate) fn shown(words: &[Word]) -> String {
    let words: Vec<String> = words.iter().map(|word| word.0.replace(UNKNOWN, "…")).collect();
    words.join(" ")
}
