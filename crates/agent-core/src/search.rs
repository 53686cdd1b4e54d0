//! What is looked for in texts: words, each taken literally, all of which must be there.
//!
//! A word of letters and digits of a script that puts blanks between words is looked up whole, the last one as the
//! beginning of a word, since whoever types has perhaps not finished. Anything else, such as `100%`, `snake_case` or a
//! script without blanks, is found wherever it stands in a text. No character has a meaning of its own.
//!
//! ```
//! use agent_core::search::{Search, Word};
//!
//! let search = Search::of("Fix 100% pars");
//! assert_eq!(search.words(), [Word::Whole("Fix".into()), Word::Anywhere("100%".into()), Word::Beginning("pars".into())]);
//! assert!(search.is_found_in("fix the parser, 100%") && !search.is_found_in("fix the spare parts"));
//! ```

/// The most characters of a search.
pub const MAX_CHARACTERS: usize = 512;
/// The most different words of a search.
pub const MAX_WORDS: usize = 32;
/// Longer words are looked for as any text, since no index keeps them whole, in bytes.
const MAX_INDEXED: usize = 200;

/// One word, and where it must stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// A word of the text is this one.
    Whole(String),
    /// A word of the text begins so.
    Beginning(String),
    /// It is somewhere in the text.
    Anywhere(String),
}

/// Words that must all be in a text, in whatever order and case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search(Vec<Word>);

impl Search {
    /// Reads what somebody typed. Nothing but blanks finds everything; what is beyond [`MAX_WORDS`] is not looked for.
    pub fn of(text: &str) -> Self {
        let typed: Vec<&str> = text.split_whitespace().collect();
        let is_finished = text.ends_with(char::is_whitespace);
        let mut words: Vec<Word> = Vec::new();
        for (index, word) in typed.iter().enumerate() {
            let is_last = index + 1 == typed.len() && !is_finished;
            let word = match *word {
                word if !is_indexed(word) => Word::Anywhere(word.to_owned()),
                word if is_last => Word::Beginning(word.to_owned()),
                word => Word::Whole(word.to_owned()),
            };
            if !words.contains(&word) && words.len() < MAX_WORDS {
                words.push(word);
            }
        }
        Self(words)
    }

    /// What is wrong with a text that somebody wants to look for; nothing, mostly.
    ///
    /// # Errors
    /// What is too much, in words.
    pub fn check(text: &str) -> Result<(), String> {
        if text.chars().count() > MAX_CHARACTERS {
            return Err(format!("must have at most {MAX_CHARACTERS} characters"));
        }
        let mut typed: Vec<&str> = text.split_whitespace().collect();
        typed.sort_unstable();
        typed.dedup();
        if typed.len() > MAX_WORDS {
            return Err(format!("must have at most {MAX_WORDS} different words"));
        }
        Ok(())
    }

    /// The words, each once.
    pub fn words(&self) -> &[Word] {
        &self.0
    }

    /// Whether a text has all of the words.
    pub fn is_found_in(&self, text: &str) -> bool {
        let folded = text.to_lowercase();
        let words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).collect();
        self.0.iter().all(|word| match word {
            Word::Whole(word) => words.contains(&word.to_lowercase().as_str()),
            Word::Beginning(word) => words.iter().any(|found| found.starts_with(&word.to_lowercase())),
            Word::Anywhere(word) => folded.contains(&word.to_lowercase()),
        })
    }
}

/// Whether an index of words has this one as it stands: letters of Latin, Greek and Cyrillic, and digits.
fn is_indexed(word: &str) -> bool {
    let has_blanks_between =
        |c: char| c.is_alphabetic() && matches!(c, '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{52f}');
    word.len() <= MAX_INDEXED && word.chars().all(|c| c.is_ascii_alphanumeric() || has_blanks_between(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_what_stands_between_blanks_and_the_last_one_may_go_on() {
        let whole = |word: &str| Word::Whole(word.into());
        assert_eq!(Search::of("a b a").words(), [whole("a"), whole("b"), Word::Beginning("a".into())]);
        assert_eq!(Search::of(" a  b ").words(), [whole("a"), whole("b")]);
        assert_eq!(Search::of("  ").words(), []);
    }

    #[test]
    fn what_no_index_knows_is_found_anywhere() {
        for word in
            ["100%", "snake_case", "\"", "NEAR(a", "(a+)+$", "-x", "日本", "🎉", "don't", &"x".repeat(201)]
        {
            assert_eq!(Search::of(word).words(), [Word::Anywhere(word.into())]);
        }
        assert_eq!(Search::of("ПРИВЕТ").words(), [Word::Beginning("ПРИВЕТ".into())]);
    }

    #[test]
    fn all_words_must_be_there_in_whatever_case() {
        for (query, text, found) in [
            ("PARSER", "Mend the parser", true),
            ("the pars", "Mend the parser", true),
            ("pars the", "Mend the parser", false),
            ("arser", "Mend the parser", false),
            ("été", "L'ÉTÉ", true),
            ("本語", "日本語のテスト", true),
            ("", "anything", true),
        ] {
            assert_eq!(Search::of(query).is_found_in(text), found, "{query} in {text}");
        }
    }

    #[test]
    fn too_much_is_refused_in_words() {
        assert_eq!(Search::check(&"a ".repeat(256)), Ok(()));
        assert!(Search::check(&"é".repeat(513)).unwrap_err().contains("512"));
        let many: Vec<String> = (0..33).map(|n| n.to_string()).collect();
        assert!(Search::check(&many.join(" ")).unwrap_err().contains("32"));
    }
}
