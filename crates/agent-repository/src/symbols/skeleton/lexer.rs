//! Reads a language with brackets, as far as cutting needs it.

mod brackets;
mod texts;

use super::super::language::OutlineLanguage as Language;
use super::super::references::{Words, is_word};
use super::directives::{self, Directive};
use super::statement::{Statement, seen, word};
use super::{Skeleton, Unbalanced};

/// Deeper nesting is not that of a program.
const MAX_DEPTH: usize = 1_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Group(u8),
    Class,
    Wrapper,
    /// The expression in a JavaScript template.
    Template,
}

impl Open {
    fn close(self) -> u8 {
        match self {
            Self::Group(b'(') => b')',
            Self::Group(b'[') => b']',
            _ => b'}',
        }
    }
}

/// A bracket whose inside is cut out.
#[derive(Debug, Clone, Copy)]
struct Skip {
    from: usize,
    /// Open brackets around it.
    depth: usize,
    /// The statement goes on behind it.
    within: bool,
    /// The closing bracket is cut too.
    through: bool,
}

pub(super) struct Lexer<'a> {
    language: Language,
    text: &'a [u8],
    at: usize,
    out: &'a mut Skeleton,
    words: Option<&'a mut Words>,
    open: Vec<Open>,
    wrappers: usize,
    statement: Statement,
    before: u8,
    skip: Option<Skip>,
    /// Open brackets and whether there is a skip at each open `#if`.
    branches: Vec<(usize, bool)>,
    /// Up to here, quotes are lone marks.
    lone_to: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(
        language: Language,
        text: &'a [u8],
        out: &'a mut Skeleton,
        words: Option<&'a mut Words>,
    ) -> Self {
        Self {
            language,
            text,
            at: 0,
            out,
            words,
            open: Vec::new(),
            wrappers: 0,
            statement: Statement::default(),
            before: b';',
            skip: None,
            branches: Vec::new(),
            lone_to: 0,
        }
    }

    pub(super) fn run(mut self) -> Result<(), Unbalanced> {
        while let Some(&byte) = self.text.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                b'0'..=b'9' => self.number(),
                _ if is_word(byte) => self.word(),
                b'/' => self.slash(),
                b'"' | b'\'' | b'`' => self.literal(byte),
                b'(' | b'[' | b'{' => self.opens(byte)?,
                b')' | b']' | b'}' => self.closes(byte)?,
                b'#' => self.hash(),
                _ => self.mark(byte),
            }
        }
        if self.open.is_empty() && self.skip.is_none() { Ok(()) } else { Err(Unbalanced) }
    }

    fn is_script(&self) -> bool {
        matches!(self.language, Language::JavaScript | Language::TypeScript | Language::Tsx)
    }

    fn is_c(&self) -> bool {
        matches!(self.language, Language::C | Language::Cpp)
    }

    fn cut(&mut self, from: usize, to: usize, filler: &[u8]) {
        if self.skip.is_none() {
            self.out.leave_out(self.text, from, to, filler);
        }
    }

    fn new_statement(&mut self) {
        self.statement = Statement { depth: self.open.len(), seen: 0 };
    }

    fn is_direct(&self) -> bool {
        self.open.len() == self.statement.depth
    }

    fn number(&mut self) {
        let rest = &self.text[self.at..];
        let separator = if self.language == Language::Cpp { b'\'' } else { b'_' };
        let length =
            rest.iter().take_while(|byte| is_word(**byte) || **byte == b'.' || **byte == separator).count();
        self.at += length;
        self.before = b'0';
    }

    fn word(&mut self) {
        let start = self.at;
        let length = self.text[start..].iter().take_while(|byte| is_word(**byte)).count();
        self.at = start + length;
        let found = &self.text[start..self.at];
        if self.raw_text(found) {
            return;
        }
        if let Some(words) = &mut self.words {
            words.add(found);
        }
        if self.skip.is_none() {
            if self.decoration(found, start) {
                return;
            }
            self.weigh(found, start);
        }
        self.before = b'a';
    }

    /// Cuts the use of a macro that says nothing.
    fn decoration(&mut self, found: &[u8], start: usize) -> bool {
        if !self.is_c() || found.len() < 3 {
            return false;
        }
        let end = directives::decoration_end(self.text, start, self.at, self.begins_statement());
        if let Some(end) = end {
            self.cut(start, end, b" ");
            self.at = end;
        }
        end.is_some()
    }

    fn weigh(&mut self, found: &[u8], start: usize) {
        if !self.is_direct() {
            return;
        }
        let named = is_word(self.next_byte(self.at)) || self.next_byte(self.at) == b'*';
        if let Some(bits) = word(self.language, found, self.statement, self.before, named) {
            if self.is_script() && bits & (seen::FUNCTION | seen::CLASS | seen::EQUALS) == 0 {
                // A statement may end without a mark; these words begin one.
                let export = self.statement.seen & seen::IMPORT;
                self.statement.seen = if self.before == b'a' { export } else { 0 };
            }
            self.statement.seen |= bits;
        }
        let go = self.language == Language::Go;
        if go
            && matches!(found, b"func" | b"type" | b"var" | b"const" | b"import")
            && directives::begins_line(self.text, start)
        {
            self.statement.seen = word(self.language, found, Statement::default(), b';', named).unwrap_or(0);
        }
    }

    /// Nothing of the statement has been read.
    fn begins_statement(&self) -> bool {
        self.is_direct() && self.statement.seen == 0 && matches!(self.before, b';' | b'{' | b'}')
    }

    fn next_byte(&self, from: usize) -> u8 {
        self.text[from..].iter().find(|byte| !byte.is_ascii_whitespace()).copied().unwrap_or(0)
    }

    fn hash(&mut self) {
        let at = self.at;
        if self.is_c() && directives::begins_line(self.text, at) {
            self.directive();
        } else if self.language == Language::Rust && self.skip.is_none() && self.is_attribute(at) {
            let open = at + if self.text[at + 1] == b'!' { 2 } else { 1 };
            self.attribute(at, open);
        } else {
            self.mark(b'#');
        }
    }

    fn is_attribute(&self, at: usize) -> bool {
        let rest = &self.text[at + 1..];
        rest.starts_with(b"[") || rest.starts_with(b"![")
    }

    /// Cuts an attribute: its bracket is skipped, and the mark before it as well.
    fn attribute(&mut self, at: usize, open: usize) {
        self.skip = Some(Skip { from: at, depth: self.open.len(), within: true, through: true });
        self.open.push(Open::Group(b'['));
        self.at = open + 1;
        self.before = b'[';
    }

    fn directive(&mut self) {
        let at = self.at;
        let (directive, end) = directives::read(self.text, at);
        self.at = end;
        match directive {
            Directive::Define(found) if self.skip.is_none() => self.out.macros.push(found),
            Directive::If { never } => {
                self.branches.push((self.open.len(), self.skip.is_some()));
                if never {
                    self.at = directives::branch_end(self.text, end, false);
                }
            }
            Directive::Else => {
                let now = (self.open.len(), self.skip.is_some());
                // Two branches that open one bracket each open one bracket: the first is read.
                if self.branches.last().is_some_and(|then| *then != now) {
                    self.at = directives::branch_end(self.text, end, true);
                }
            }
            Directive::End => {
                self.branches.pop();
            }
            Directive::Define(_) | Directive::Other => {}
        }
        self.cut(at, self.at, b"");
    }

    fn mark(&mut self, byte: u8) {
        let at = self.at;
        self.at += 1;
        let next = self.text.get(at + 1).copied().unwrap_or(0);
        let previous = if at > 0 { self.text[at - 1] } else { 0 };
        let arrow = byte == b'>' && matches!(previous, b'=');
        if self.skip.is_none() && self.is_direct() {
            let single = byte == b'=' && next != b'=' && next != b'>' && !b"=!<>".contains(&previous);
            match byte {
                b'=' if single => self.statement.seen |= seen::EQUALS,
                b';' => self.new_statement(),
                b',' if self.is_script() && self.open.last() == Some(&Open::Group(b'{')) => {
                    self.new_statement()
                }
                b'!' if self.language == Language::Rust && self.before == b'a' && next != b'=' => {
                    self.statement.seen |= seen::DATA;
                }
                _ => {}
            }
        }
        self.before = if byte == b'>' && !arrow { b'<' } else { byte };
    }
}
