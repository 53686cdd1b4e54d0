//! Where in a file something stands, and how the line there reads.

use std::str::Chars;

use super::language::OutlineLanguage;
use super::skeleton::Skeleton;

/// Bytes shown of a line.
const MAX_SIGNATURE: usize = 160;

/// The lines of a source text.
#[derive(Debug)]
pub(crate) struct Places<'a> {
    source: &'a [u8],
    skeleton: &'a Skeleton,
    /// Where each line break stands.
    breaks: &'a [u32],
    /// A `'` may begin a lifetime.
    lifetimes: bool,
}

impl<'a> Places<'a> {
    /// `breaks` is a buffer that is used again from file to file.
    pub(crate) fn new(
        language: OutlineLanguage,
        source: &'a [u8],
        skeleton: &'a Skeleton,
        breaks: &'a mut Vec<u32>,
    ) -> Self {
        breaks.clear();
        // Larger files are not outlined.
        breaks.extend(memchr::memchr_iter(b'\n', source).map(|at| u32::try_from(at).unwrap_or(u32::MAX)));
        Self { source, skeleton, breaks, lifetimes: language == OutlineLanguage::Rust }
    }

    /// The line, from 1, of a place in the skeleton.
    pub(crate) fn line_of(&self, at: usize) -> u32 {
        self.line_of_source(self.skeleton.source_of(at))
    }

    /// The line, from 1, of a place in the source.
    pub(crate) fn line_of_source(&self, at: usize) -> u32 {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        u32::try_from(self.breaks.partition_point(|end| *end < at)).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// How a macro of C is used; what it stands for is left out. The name is `length` bytes from a place
    /// in the skeleton.
    pub(crate) fn macro_signature(&self, at: usize, length: usize) -> String {
        self.macro_signature_of_source(self.skeleton.source_of(at), length)
    }

    /// The same for a place in the source.
    pub(crate) fn macro_signature_of_source(&self, at: usize, length: usize) -> String {
        let rest = self.source.get(at..).unwrap_or_default();
        let rest = &rest[..rest.len().min(MAX_SIGNATURE)];
        let parameters = rest.get(length).is_some_and(|byte| *byte == b'(');
        let end = memchr::memchr2(b')', b'\n', rest).filter(|_| parameters).map_or(length, |end| end + 1);
        let shown = String::from_utf8_lossy(&rest[..end.min(rest.len())]);
        format!("#define {}", shown.trim_end().replace(char::is_control, " "))
    }

    /// What the line says of the definition that stands there. Values and texts are left out: they are
    /// where secrets stand.
    pub(crate) fn signature(&self, line: u32) -> String {
        let index = usize::try_from(line).unwrap_or(usize::MAX);
        let start = match index {
            0 | 1 => 0,
            _ => self.breaks.get(index - 2).map_or(self.source.len(), |end| *end as usize + 1),
        };
        let end = self.breaks.get(index.saturating_sub(1)).map_or(self.source.len(), |end| *end as usize);
        // A line of a minified file may be a megabyte long.
        let line = &self.source[start.min(end)..end.min(start + 4 * MAX_SIGNATURE)];
        shown(&String::from_utf8_lossy(line), self.lifetimes)
    }
}

/// Whether a `>` at the end of this is that of an arrow.
fn is_arrow(before: char) -> bool {
    matches!(before, '-' | '=')
}

/// The text between the quotes and behind an assignment is left out.
fn shown(line: &str, lifetimes: bool) -> String {
    let mut text = String::with_capacity(MAX_SIGNATURE);
    let mut rest = line.trim().chars();
    let (mut before, mut depth) = (' ', 0_i32);
    while let Some(character) = rest.next() {
        if text.len() >= MAX_SIGNATURE {
            text.push('…');
            break;
        }
        let next = rest.as_str().chars().next().unwrap_or(' ');
        let assigns = character == '=' && !matches!(next, '=' | '>') && !"=!<>+-*/%&|^".contains(before);
        match character {
            '(' | '[' | '<' => depth += 1,
            ')' | ']' => depth -= 1,
            '>' if !is_arrow(before) => depth -= 1,
            // Inside brackets it is the default of a parameter.
            _ if assigns && depth <= 0 => break,
            _ => {}
        }
        match character {
            '\'' if lifetimes && is_lifetime(rest.as_str()) => text.push(character),
            '"' | '\'' | '`' => {
                text.push(character);
                text.push('…');
                if pass_quoted(&mut rest, character) {
                    text.push(character);
                }
            }
            c if c.is_control() => text.push(' '),
            c => text.push(c),
        }
        before = character;
    }
    text.trim_end_matches(['{', ' ', ':']).to_owned()
}

/// Passes over a quoted text and its closing mark, or over the rest of the line.
fn pass_quoted(rest: &mut Chars<'_>, quote: char) -> bool {
    while let Some(character) = rest.next() {
        if character == '\\' {
            rest.next();
        } else if character == quote {
            return true;
        }
    }
    false
}

/// Whether what follows a `'` is a name without a closing `'`, as in `&'a str`.
fn is_lifetime(rest: &str) -> bool {
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    end > 0 && !rest[end..].starts_with('\'')
}
