//! Cuts a source file down to what its outline needs.
//!
//! Most of a file is the inside of functions, comments and values, and none of it is named in an
//! outline. A parser costs some fifty times more per byte than finding where such a part ends, so these
//! parts are cut out first and the parser is given the rest: `fn area() {}` for a function of any length.
//! What is left is still a text of the language, and each of its bytes knows where it came from.
//!
//! Cutting needs balanced brackets. A text that is not balanced is not cut: the parser gets it whole.

mod directives;
mod lexer;
mod literals;
mod python;
mod statement;

use super::language::OutlineLanguage;
use super::references::Words;

/// The text is not balanced, or nested deeper than people nest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unbalanced;

/// A text with parts cut out.
#[derive(Debug, Default)]
pub(crate) struct Skeleton {
    text: Vec<u8>,
    /// Where a run of kept bytes begins, in the skeleton and in the source.
    runs: Vec<(usize, usize)>,
    kept_from: usize,
    macros: Vec<Macro>,
}

/// A macro definition of the C preprocessor, found without the parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Macro {
    /// Where the name begins and ends in the source.
    pub(crate) name: (usize, usize),
    /// The end of the definition in the source.
    pub(crate) end: usize,
}

impl Skeleton {
    /// Cuts `source`; `words` takes the identifiers met on the way.
    pub(crate) fn cut(
        &mut self,
        language: OutlineLanguage,
        source: &[u8],
        words: Option<&mut Words>,
    ) -> Result<(), Unbalanced> {
        self.clear();
        let cut = match language {
            OutlineLanguage::Python => python::cut(source, self, words),
            _ => lexer::Lexer::new(language, source, self, words).run(),
        };
        self.keep_to(source, source.len());
        cut
    }

    /// Takes `source` as it is.
    pub(crate) fn whole(&mut self, source: &[u8]) {
        self.clear();
        self.keep_to(source, source.len());
    }

    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(crate) fn macros(&self) -> &[Macro] {
        &self.macros
    }

    /// The place in the source of a place in the skeleton.
    pub(crate) fn source_of(&self, at: usize) -> usize {
        let run = self.runs.partition_point(|(start, _)| *start <= at).saturating_sub(1);
        self.runs.get(run).map_or(0, |(start, source)| source + at.saturating_sub(*start))
    }

    fn clear(&mut self) {
        self.text.clear();
        self.runs.clear();
        self.macros.clear();
        self.kept_from = 0;
    }

    fn keep_to(&mut self, source: &[u8], end: usize) {
        if end > self.kept_from {
            self.runs.push((self.text.len(), self.kept_from));
            self.text.extend_from_slice(&source[self.kept_from..end]);
            self.kept_from = end;
        }
    }

    /// Puts a value in the place of what was left out before `end`, on a line of its own.
    fn stand_in(&mut self, source: &[u8], indent: usize, end: usize) {
        self.keep_to(source, end);
        self.text.resize(self.text.len() + indent, b' ');
        self.runs.push((self.text.len(), end.saturating_sub(1)));
        self.text.extend_from_slice(b"0\n");
    }

    /// Leaves out `from..to`, with `filler` in its place.
    fn leave_out(&mut self, source: &[u8], from: usize, to: usize, filler: &[u8]) {
        // What was cut already stays cut.
        self.keep_to(source, from);
        self.text.extend_from_slice(filler);
        self.kept_from = self.kept_from.max(to);
    }
}
