//! Passes over comments and literals.

use super::super::literals;
use super::{Language, Lexer, Open};

impl Lexer<'_> {
    /// Passes over a raw text whose opening mark begins with the word.
    pub(super) fn raw_text(&mut self, found: &[u8]) -> bool {
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

    pub(super) fn slash(&mut self) {
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

    pub(super) fn operand_may_follow(&self) -> bool {
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

    pub(super) fn literal(&mut self, quote: u8) {
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
    pub(super) fn closed(&mut self, end: Result<usize, usize>) -> usize {
        match end {
            Ok(end) => end,
            Err(line_end) => {
                self.lone_to = line_end;
                self.at + 1
            }
        }
    }

    pub(super) fn template(&mut self, from: usize) {
        let (end, expression) = literals::template(self.text, from);
        self.at = end;
        self.before = b'"';
        if expression {
            self.open.push(Open::Template);
            self.before = b'(';
        }
    }
}
