//! Counts lines of code, comments and blanks in one pass over a file.
//!
//! The rules are those of the field: a line of white space is blank, wherever it stands; a line that
//! begins inside a comment is a comment, even if code follows its end; a line with nothing but
//! comments is a comment; every other line is code.

use std::borrow::Cow;

use super::marks::{character, cpp_raw, ends_heredoc, heredoc, is_string_prefix, lua_long, regex, rust_raw};
use super::syntax::{Heredoc, Syntax, Text, Variable};

/// Lines of one file, or the sum over many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) code: u64,
    pub(crate) comments: u64,
    pub(crate) blanks: u64,
}

/// Counts files of one language.
#[derive(Debug)]
pub(crate) struct Counter {
    syntax: &'static Syntax,
    /// Bytes at which something other than plain code may begin.
    interesting: [bool; 256],
}

#[derive(Debug)]
enum State {
    Code,
    Comment { open: Option<&'static [u8]>, close: Cow<'static, [u8]>, depth: u32 },
    LineBlock { close: &'static [u8] },
    Literal(Literal),
    Heredoc { word: Vec<u8> },
}

#[derive(Debug)]
struct Literal {
    close: Cow<'static, [u8]>,
    escape: bool,
    doubled: bool,
    multiline: bool,
    documents: bool,
}

impl Literal {
    fn new(text: &Text, documents: bool) -> Self {
        Self {
            close: Cow::Borrowed(text.close.as_bytes()),
            escape: text.escape,
            doubled: text.doubled,
            multiline: text.multiline,
            documents,
        }
    }

    fn raw(close: Vec<u8>) -> Self {
        Self { close: Cow::Owned(close), escape: false, doubled: false, multiline: true, documents: false }
    }
}

/// What the scan of one line has met so far.
#[derive(Default)]
struct Seen {
    code: bool,
    comment: bool,
    heredoc: Option<Vec<u8>>,
}

impl Counter {
    pub(crate) fn new(syntax: &'static Syntax) -> Self {
        let mut interesting = [false; 256];
        let opens = syntax.line.iter().chain(syntax.blocks.iter().map(|(open, _)| open));
        for mark in opens.copied().chain(syntax.texts.iter().map(|text| text.open)) {
            interesting[usize::from(mark.as_bytes()[0])] = true;
        }
        let special = [
            (b'\'', syntax.characters),
            (b'/', syntax.regex),
            (b'<', syntax.heredoc != Heredoc::None),
            (b'[', syntax.variable == Variable::LuaLong),
        ];
        for (byte, wanted) in special {
            interesting[usize::from(byte)] |= wanted;
        }
        Self { syntax, interesting }
    }

    /// Counts a whole file.
    pub(crate) fn count(&self, text: &[u8]) -> Counts {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut counts = Counts::default();
        if text.is_empty() {
            return counts;
        }
        let mut state = State::Code;
        for line in text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n') {
            self.count_line(&mut state, line, &mut counts);
        }
        counts
    }

    fn count_line(&self, state: &mut State, line: &[u8], counts: &mut Counts) {
        let trimmed = line.trim_ascii();
        if trimmed.is_empty() {
            counts.blanks += 1;
            return;
        }
        let comment = if self.syntax.prose {
            true
        } else if let State::LineBlock { close } = state {
            if line.starts_with(close) {
                *state = State::Code;
            }
            true
        } else if let State::Heredoc { word } = state {
            if ends_heredoc(trimmed, word) {
                *state = State::Code;
            }
            false
        } else if let (State::Code, Some(close)) = (&*state, self.line_block(line)) {
            *state = State::LineBlock { close };
            true
        } else {
            self.is_comment(state, trimmed)
        };
        if comment {
            counts.comments += 1;
        } else {
            counts.code += 1;
        }
    }

    fn line_block(&self, line: &[u8]) -> Option<&'static [u8]> {
        let found = self.syntax.line_blocks.iter().find(|(open, _)| line.starts_with(open.as_bytes()));
        found.map(|(_, close)| close.as_bytes())
    }

    fn is_comment(&self, state: &mut State, line: &[u8]) -> bool {
        let began_in_comment = match state {
            State::Comment { .. } => true,
            State::Literal(literal) => literal.documents,
            _ => false,
        };
        let mut seen = Seen::default();
        let mut at = 0;
        while at < line.len() {
            at = match state {
                State::Code => self.pass_code(state, line, at, &mut seen),
                State::Comment { .. } => pass_comment(state, line, at, &mut seen),
                State::Literal(_) => pass_literal(state, line, at, &mut seen),
                State::LineBlock { .. } | State::Heredoc { .. } => line.len(),
            };
        }
        // `at` past the end: a backslash hid the line break.
        if at == line.len() && matches!(state, State::Literal(literal) if !literal.multiline) {
            *state = State::Code;
        }
        if let (State::Code, Some(word)) = (&*state, seen.heredoc) {
            *state = State::Heredoc { word };
        }
        began_in_comment || (seen.comment && !seen.code)
    }

    /// Moves over code up to the next mark, and over the mark.
    fn pass_code(&self, state: &mut State, line: &[u8], from: usize, seen: &mut Seen) -> usize {
        let rest = &line[from..];
        let offset = rest.iter().position(|byte| self.interesting[usize::from(*byte)]);
        let at = from + offset.unwrap_or(rest.len());
        let had_code = seen.code;
        seen.code |= !line[from..at].trim_ascii().is_empty();
        if at == line.len() {
            return at;
        }
        if let Some(next) = self.open_comment(state, line, at) {
            seen.comment = true;
            return next;
        }
        if let Some((text, next)) = self.open_text(line, at) {
            let documents = text.documents && is_string_prefix(&line[..at]) && !seen.comment;
            seen.code = if documents { had_code } else { true };
            seen.comment |= documents;
            *state = State::Literal(Literal::new(text, documents));
            return self.open_variable(state, line, at).unwrap_or(next);
        }
        seen.code = true;
        self.open_variable(state, line, at).unwrap_or_else(|| self.pass_special(line, at, seen))
    }

    fn open_comment(&self, state: &mut State, line: &[u8], at: usize) -> Option<usize> {
        let rest = &line[at..];
        if let Some((open, close)) =
            self.syntax.blocks.iter().find(|(open, _)| rest.starts_with(open.as_bytes()))
        {
            let nested = self.syntax.nested.then_some(open.as_bytes());
            *state = State::Comment { open: nested, close: Cow::Borrowed(close.as_bytes()), depth: 1 };
            return Some(at + open.len());
        }
        let mark = self.syntax.line.iter().find(|mark| rest.starts_with(mark.as_bytes()))?;
        if self.syntax.line_at_word && at > 0 && !matches!(line[at - 1], b' ' | b'\t' | b';' | b'{' | b'}') {
            return None;
        }
        if self.syntax.variable == Variable::LuaLong
            && let Some((close, length)) = lua_long(&rest[mark.len()..])
        {
            *state = State::Comment { open: None, close: Cow::Owned(close), depth: 1 };
            return Some(at + mark.len() + length);
        }
        Some(line.len())
    }

    fn open_text(&self, line: &[u8], at: usize) -> Option<(&'static Text, usize)> {
        let text = self.syntax.texts.iter().find(|text| line[at..].starts_with(text.open.as_bytes()))?;
        Some((text, at + text.open.len()))
    }

    fn open_variable(&self, state: &mut State, line: &[u8], at: usize) -> Option<usize> {
        let (close, length) = match self.syntax.variable {
            Variable::None => None,
            Variable::RustRaw => rust_raw(line, at),
            Variable::CppRaw => cpp_raw(line, at),
            Variable::LuaLong => lua_long(&line[at..]),
        }?;
        *state = State::Literal(Literal::raw(close));
        Some(at + length)
    }

    fn pass_special(&self, line: &[u8], at: usize, seen: &mut Seen) -> usize {
        let length = match line[at] {
            b'\'' if self.syntax.characters => character(&line[at..]),
            b'/' if self.syntax.regex => regex(line, at),
            b'<' if seen.heredoc.is_none() => {
                seen.heredoc = heredoc(self.syntax.heredoc, line, at);
                None
            }
            _ => None,
        };
        // Over the whole operator, so that `<<<` is not read again as `<<`.
        let run = line[at..].iter().take_while(|byte| **byte == b'<').count().max(1);
        at + length.unwrap_or(run)
    }
}

fn pass_comment(state: &mut State, line: &[u8], from: usize, seen: &mut Seen) -> usize {
    seen.comment = true;
    let State::Comment { open, close, depth } = state else { return line.len() };
    let mut at = from;
    while at < line.len() {
        if line[at] == close[0] && line[at..].starts_with(close) {
            at += close.len();
            *depth -= 1;
            if *depth == 0 {
                *state = State::Code;
                return at;
            }
        } else if open.is_some_and(|open| line[at..].starts_with(open)) {
            at += open.map_or(1, <[u8]>::len);
            *depth += 1;
        } else {
            at += 1;
        }
    }
    at
}

fn pass_literal(state: &mut State, line: &[u8], from: usize, seen: &mut Seen) -> usize {
    let State::Literal(literal) = state else { return line.len() };
    seen.code |= !literal.documents;
    let first = literal.close[0];
    let mut at = from;
    while at < line.len() {
        if literal.escape && line[at] == b'\\' {
            at += 2;
        } else if line[at] == first && line[at..].starts_with(&literal.close) {
            at += literal.close.len();
            if literal.doubled && line.get(at) == Some(&first) {
                at += 1;
                continue;
            }
            *state = State::Code;
            return at;
        } else {
            at += 1;
        }
    }
    at
}

#[cfg(test)]
#[path = "count_tests.rs"]
mod tests;
