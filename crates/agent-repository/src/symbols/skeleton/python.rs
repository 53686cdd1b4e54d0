//! Cuts Python, whose blocks are indented.

use super::super::references::{Words, is_word};
use super::{Skeleton, Unbalanced};

/// A logical line: one that brackets, texts and backslashes may spread over several.
struct Line {
    /// Behind its line break.
    end: usize,
    /// Where the part before a comment ends.
    code_end: usize,
    /// A single `=` outside of brackets.
    assigns: bool,
}

struct Reader<'a> {
    text: &'a [u8],
    words: Option<&'a mut Words>,
    /// What lies in brackets and quotes of the line read last.
    insides: Vec<(usize, usize)>,
    /// Up to here, quotes are lone marks.
    lone_to: usize,
}

pub(super) fn cut(text: &[u8], out: &mut Skeleton, words: Option<&mut Words>) -> Result<(), Unbalanced> {
    let mut reader = Reader { text, words, insides: Vec::new(), lone_to: 0 };
    let mut around = Around::default();
    let mut at = 0;
    while at < text.len() {
        let (start, indent) = indentation(text, at);
        let line = reader.line(start)?;
        let code = text[start..line.code_end].trim_ascii_end();
        if !code.is_empty() {
            around.leave_function(text, indent, out);
        }
        if let Some(function) = &mut around.function
            && !code.is_empty()
        {
            function.end = start + code.len();
        }
        if code.is_empty() || around.function.is_some() {
            out.leave_out(text, at, line.end, b"");
        } else if around.is_named(code, indent, &line) {
            for (from, to) in &reader.insides {
                out.leave_out(text, *from, *to, b"");
            }
            around.keep(code, indent);
        } else if around.opened {
            // A block that holds nothing is an error in most places.
            out.leave_out(text, start, line.code_end, b"0");
            around.opened = false;
        } else {
            out.leave_out(text, at, line.end, b"");
        }
        at = line.end;
    }
    around.leave_function(text, 0, out);
    Ok(())
}

/// A function whose body is being passed over.
#[derive(Debug)]
struct Function {
    indent: usize,
    /// Where the code of the body ends.
    end: usize,
}

/// The blocks around a line, by the indentation of what opened them.
#[derive(Debug, Default)]
struct Around {
    function: Option<Function>,
    /// The outermost class.
    class: Option<usize>,
    /// The last line that was kept opens a block.
    opened: bool,
}

impl Around {
    /// A line that is not indented deeper ends a function; its body is a value at the place of its end.
    fn leave_function(&mut self, text: &[u8], indent: usize, out: &mut Skeleton) {
        if let Some(function) = self.function.take_if(|function| indent <= function.indent)
            && function.end > 0
        {
            out.stand_in(text, function.indent + 1, function.end);
        }
    }

    /// Whether the line defines something, or holds lines that may.
    fn is_named(&mut self, code: &[u8], indent: usize, line: &Line) -> bool {
        if self.class.is_some_and(|class| indent <= class) {
            self.class = None;
        }
        if is_function(code) || begins_with(code, b"class") || code.ends_with(b":") {
            return true;
        }
        self.class.is_none() && (line.assigns || (indent == 0 && begins_with(code, b"type")))
    }

    fn keep(&mut self, code: &[u8], indent: usize) {
        let opens = code.ends_with(b":");
        let function = is_function(code);
        if function && opens {
            self.function = Some(Function { indent, end: 0 });
        }
        if begins_with(code, b"class") && self.class.is_none() {
            self.class = Some(indent);
        }
        self.opened = opens && !function;
    }
}

/// Columns of white space, where a tab goes on to the next multiple of eight.
fn indentation(text: &[u8], at: usize) -> (usize, usize) {
    let mut columns = 0;
    for (offset, byte) in text[at..].iter().enumerate() {
        match byte {
            b' ' => columns += 1,
            b'\t' => columns += 8 - columns % 8,
            b'\x0c' => columns = 0,
            _ => return (at + offset, columns),
        }
    }
    (text.len(), columns)
}

fn begins_with(code: &[u8], word: &[u8]) -> bool {
    code.strip_prefix(word).is_some_and(|rest| rest.first().is_none_or(|byte| !is_word(*byte)))
}

fn is_function(code: &[u8]) -> bool {
    let rest = code.strip_prefix(b"async").map_or(code, <[u8]>::trim_ascii_start);
    begins_with(rest, b"def")
}

impl Reader<'_> {
    /// Reads the logical line at `at`.
    fn line(&mut self, at: usize) -> Result<Line, Unbalanced> {
        self.insides.clear();
        let text = self.text;
        let (mut end, mut depth, mut assigns) = (at, 0_usize, false);
        let (mut opened, mut subscript) = (0, false);
        let mut code_end = at;
        while let Some(&byte) = text.get(end) {
            let start = end;
            end += 1;
            match byte {
                b'\n' if depth == 0 => return Ok(Line { end, code_end, assigns }),
                b'#' => {
                    end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |next| start + next);
                    continue;
                }
                b'\\' => end = if text[end..].starts_with(b"\r\n") { end + 2 } else { end + 1 },
                b'"' | b'\'' => {
                    end = self.string(start, depth);
                }
                b'(' | b'[' | b'{' => {
                    subscript = if depth == 0 { byte == b'[' && is_operand(text, start) } else { subscript };
                    opened = if depth == 0 { end } else { opened };
                    depth += 1;
                }
                b')' | b']' | b'}' => {
                    if depth == 1 && !subscript {
                        self.insides.push((opened, start));
                    }
                    depth = depth.saturating_sub(1);
                }
                b'=' if depth == 0 => assigns |= is_assignment(text, at, start),
                _ if is_word(byte) => end = self.word(start),
                _ => {}
            }
            code_end = end;
        }
        if depth > 0 {
            Err(Unbalanced)
        } else {
            Ok(Line { end: text.len(), code_end: code_end.min(text.len()), assigns })
        }
    }

    fn word(&mut self, start: usize) -> usize {
        let length = self.text[start..].iter().take_while(|byte| is_word(**byte)).count();
        let end = start + length;
        if let Some(words) = &mut self.words
            && !self.text[start].is_ascii_digit()
        {
            words.add(&self.text[start..end]);
        }
        end
    }

    /// After the text that opens at `at`.
    fn string(&mut self, at: usize, depth: usize) -> usize {
        let text = self.text;
        let quote = text[at];
        let triple = [quote; 3];
        let mark = if text[at..].starts_with(&triple) { triple.as_slice() } else { &triple[..1] };
        if mark.len() == 1 && at < self.lone_to {
            return at + 1;
        }
        let from = at + mark.len();
        let mut end = from;
        while let Some(next) = text.get(end..).and_then(|rest| memchr::memchr3(quote, b'\\', b'\n', rest)) {
            end += next;
            if text[end] == b'\\' {
                end += 2;
            } else if text[end] == b'\n' && mark.len() == 1 {
                break;
            } else if text[end..].starts_with(mark) {
                if depth == 0 {
                    self.insides.push((from, end));
                }
                return end + mark.len();
            } else {
                end += 1;
            }
        }
        if mark.len() == 3 {
            return text.len();
        }
        // It does not close: a lone mark, and so are those behind it on the line.
        self.lone_to = end;
        at + 1
    }
}

/// Whether the `=` at `at` gives a value to a name, in a line that begins at `start`.
fn is_assignment(text: &[u8], start: usize, at: usize) -> bool {
    let left = text[start..at].trim_ascii_end();
    let length = left.iter().take_while(|byte| is_word(**byte)).count();
    let annotation = left[length..].trim_ascii_start();
    length > 0 && text.get(at + 1) != Some(&b'=') && (annotation.is_empty() || annotation.starts_with(b": "))
}

/// Whether a value ends before `at`, so that a bracket there is a subscript.
fn is_operand(text: &[u8], at: usize) -> bool {
    let before = text[..at].trim_ascii_end().last().copied().unwrap_or(b' ');
    is_word(before) || matches!(before, b']' | b')' | b'}' | b'"' | b'\'')
}
