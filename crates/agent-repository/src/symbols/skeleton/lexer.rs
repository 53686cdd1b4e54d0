//! Reads a language with brackets, as far as cutting needs it.

use super::super::language::OutlineLanguage as Language;
use super::super::references::{Words, is_word};
use super::directives::{self, Directive};
use super::literals;
use super::statement::{Inside, Place, Statement, inside, seen, word};
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

    /// Passes over a raw text whose opening mark begins with the word.
    fn raw_text(&mut self, found: &[u8]) -> bool {
        let next = self.text.get(self.at);
        let end = match (self.language, found) {
            (Language::Rust, b"r" | b"br" | b"cr") if matches!(next, Some(b'"' | b'#')) => {
                literals::rust_raw(self.text, self.at)
            }
            (Language::Cpp, b"R" | b"LR" | b"uR" | b"UR" | b"u8R") if next == Some(&b'"') => {
                literals::cpp_raw(self.text, self.at)
            }
            _ => None,
        };
        if let Some(end) = end {
            self.at = end;
            self.before = b'"';
        }
        end.is_some()
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

    fn slash(&mut self) {
        let at = self.at;
        match self.text.get(at + 1) {
            Some(b'/') => {
                self.at = memchr::memchr(b'\n', &self.text[at..]).map_or(self.text.len(), |end| at + end);
                self.cut(at, self.at, b"");
            }
            Some(b'*') => {
                self.at = literals::block_comment(self.text, at, self.language == Language::Rust);
                // Go and JavaScript may end a statement at a line break, in a comment too.
                let broken = memchr::memchr(b'\n', &self.text[at..self.at]).is_some();
                self.cut(at, self.at, if broken { b"\n" } else { b" " });
            }
            _ if self.is_script() && self.operand_may_follow() => {
                let end = if at < self.lone_to { Err(self.lone_to) } else { literals::regex(self.text, at) };
                self.at = self.closed(end);
                self.before = b'"';
            }
            _ => self.mark(b'/'),
        }
    }

    fn operand_may_follow(&self) -> bool {
        match self.before {
            b'a' => {
                let code = self.text[..self.at].trim_ascii_end();
                [b"return".as_slice(), b"typeof", b"case", b"in", b"of"]
                    .iter()
                    .any(|word| code.ends_with(word))
            }
            before => b"(,=:[!&|?{};+*%~^<>-".contains(&before),
        }
    }

    fn literal(&mut self, quote: u8) {
        let (text, at) = (self.text, self.at);
        if quote == b'`' && self.is_script() {
            self.template(at + 1);
            return;
        }
        self.before = b'"';
        let end = match (self.language, quote) {
            (Language::Go, b'`') => Ok(literals::raw(text, at + 1, b"`")),
            (_, b'`') => Ok(at + 1),
            (Language::Rust, b'"') => literals::quoted(text, at, true),
            (Language::Java, b'"') if text[at..].starts_with(b"\"\"\"") => Ok(literals::text_block(text, at)),
            (_, b'\'') if !self.is_script() => Ok(literals::character(text, at)),
            _ if at < self.lone_to => Err(self.lone_to),
            _ => literals::quoted(text, at, false),
        };
        self.at = self.closed(end);
    }

    /// Where a literal ends. One that does not close on its line is a lone mark, and so are the marks
    /// behind it: looking for the end of each would take a time that grows with the square of the line.
    fn closed(&mut self, end: Result<usize, usize>) -> usize {
        match end {
            Ok(end) => end,
            Err(line_end) => {
                self.lone_to = line_end;
                self.at + 1
            }
        }
    }

    fn template(&mut self, from: usize) {
        let (end, expression) = literals::template(self.text, from);
        self.at = end;
        self.before = b'"';
        if expression {
            self.open.push(Open::Template);
            self.before = b'(';
        }
    }

    fn opens(&mut self, bracket: u8) -> Result<(), Unbalanced> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Unbalanced);
        }
        let at = self.at;
        self.at += 1;
        if self.skip.is_some() {
            self.open.push(Open::Group(bracket));
            self.before = bracket;
            return Ok(());
        }
        let direct = self.is_direct();
        let place = Place {
            bracket,
            statement: self.statement,
            direct,
            before: self.before,
            after: self.next_byte(self.at),
            in_class: self.open.last() == Some(&Open::Class),
            wrappers: self.wrappers,
        };
        let what = inside(self.language, place);
        let skip = |within| Some(Skip { from: at + 1, depth: self.open.len(), within, through: false });
        match what {
            Inside::Skip => self.skip = skip(false),
            Inside::SkipWithin => self.skip = skip(true),
            Inside::Enter | Inside::EnterClass | Inside::EnterWrapper => {}
        }
        self.open.push(match what {
            Inside::EnterClass => Open::Class,
            Inside::EnterWrapper => Open::Wrapper,
            _ => Open::Group(bracket),
        });
        self.wrappers += usize::from(what == Inside::EnterWrapper);
        if bracket == b'{' && self.skip.is_none() {
            self.new_statement();
        }
        self.before = bracket;
        Ok(())
    }

    fn closes(&mut self, bracket: u8) -> Result<(), Unbalanced> {
        let closed = self.open.pop().ok_or(Unbalanced)?;
        if closed.close() != bracket {
            return Err(Unbalanced);
        }
        self.at += 1;
        if closed == Open::Template {
            self.template(self.at);
            return Ok(());
        }
        self.wrappers -= usize::from(closed == Open::Wrapper);
        self.before = bracket;
        let mut within = false;
        if let Some(skip) = self.skip {
            if skip.depth < self.open.len() {
                return Ok(());
            }
            self.skip = None;
            within = skip.within;
            self.cut(skip.from, self.at - usize::from(!skip.through), b"");
        }
        if self.open.len() < self.statement.depth || (bracket == b'}' && !within) {
            self.new_statement();
        } else if bracket == b')' && self.is_direct() {
            self.statement.seen |= seen::GROUP;
        }
        Ok(())
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
