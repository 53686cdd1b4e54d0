//! Passes over lines of the C preprocessor.

use memchr::{memchr, memmem};

use super::Macro;

/// Bytes between the brackets of a macro's use.
const MAX_GROUP: usize = 1_024;

/// What a line of the preprocessor means for the brackets of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Directive {
    /// `#if`, `#ifdef`, `#ifndef`; the flag says that it is `#if 0`.
    If { never: bool },
    /// `#else`, `#elif`.
    Else,
    /// `#endif`.
    End,
    /// `#define` with the place of the name.
    Define(Macro),
    /// Any other.
    Other,
}

/// Whether only white space stands before `at` in its line.
pub(super) fn begins_line(text: &[u8], at: usize) -> bool {
    text[..at].iter().rev().take_while(|byte| **byte != b'\n').all(|byte| matches!(byte, b' ' | b'\t'))
}

/// Reads the directive at `at` (its `#`), and the end of its line or of its last continued line.
pub(super) fn read(text: &[u8], at: usize) -> (Directive, usize) {
    let end = line_end(text, at);
    let start = at + 1 + blanks(&text[at + 1..end]);
    let length = text[start..end].iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = &text[start..start + length];
    let rest = start + length;
    let directive = match word {
        b"if" => Directive::If { never: text[rest..end].trim_ascii() == b"0" },
        b"ifdef" | b"ifndef" => Directive::If { never: false },
        b"else" | b"elif" | b"elifdef" | b"elifndef" => Directive::Else,
        b"endif" => Directive::End,
        b"define" => define(text, rest, end),
        _ => Directive::Other,
    };
    // A comment that opens on the line may close on a later one.
    let comment = memmem::find(&text[rest..end], b"/*").map(|found| rest + found);
    (directive, comment.unwrap_or(end))
}

fn define(text: &[u8], from: usize, end: usize) -> Directive {
    let start = from + blanks(&text[from..end]);
    let length = text[start..end].iter().take_while(|byte| super::super::references::is_word(**byte)).count();
    if length == 0 {
        return Directive::Other;
    }
    Directive::Define(Macro { name: (start, start + length), end })
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// The end of the line at `at`, over line breaks hidden by a backslash.
fn line_end(text: &[u8], at: usize) -> usize {
    let mut end = at;
    while let Some(next) = memchr(b'\n', &text[end..]) {
        end += next;
        let line = text[at..end].strip_suffix(b"\r").unwrap_or(&text[at..end]);
        if !line.ends_with(b"\\") {
            return end;
        }
        end += 1;
    }
    text.len()
}

/// The `#` of the `#else`, `#elif` or `#endif` that ends the branch after `from`; the end of the text if
/// there is none.
pub(super) fn branch_end(text: &[u8], from: usize, over_else: bool) -> usize {
    let (mut at, mut depth) = (from, 0_usize);
    while let Some(next) = memchr(b'#', &text[at..]) {
        at += next;
        if begins_line(text, at) {
            match read(text, at).0 {
                Directive::If { .. } => depth += 1,
                Directive::End if depth == 0 => return at,
                Directive::Else if depth == 0 && !over_else => return at,
                Directive::End => depth -= 1,
                _ => {}
            }
        }
        at += 1;
    }
    text.len()
}

/// The end of a macro's use that says nothing that is named and would hide what follows it from the
/// parser: `__attribute__((packed))` anywhere, `BEGIN_NAMESPACE` or `PRAGMA(warning(push))` on a line of
/// its own. The word stands at `start..end`.
pub(super) fn decoration_end(text: &[u8], start: usize, end: usize, begins_statement: bool) -> Option<usize> {
    let word = &text[start..end];
    if is_decoration(word) {
        return group_end(text, end);
    }
    let bare = begins_statement
        && word.len() > 2
        && word.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_');
    if !bare {
        return None;
    }
    let end = group_end(text, end).unwrap_or(end);
    let rest = &text[end..];
    let line = &rest[..memchr(b'\n', rest).unwrap_or(rest.len())];
    let alone = line.trim_ascii().is_empty() || line.trim_ascii().starts_with(b"//");
    let next = rest.iter().find(|byte| !byte.is_ascii_whitespace());
    (alone && !matches!(next, Some(b'{' | b'(' | b'=' | b';' | b','))).then_some(end)
}

/// After the round brackets that come next, if they do.
fn group_end(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from + text[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    if text.get(at) != Some(&b'(') {
        return None;
    }
    let mut depth = 0_usize;
    // A limit, as hostile texts open any number of them and close none.
    let limit = text.len().min(at + MAX_GROUP);
    while let Some(byte) = text[..limit].get(at) {
        at += 1;
        match byte {
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(at),
            b')' => depth -= 1,
            b'"' => at = super::literals::quoted(text, at - 1, false).ok()?,
            b';' | b'{' => return None,
            _ => {}
        }
    }
    None
}

fn is_decoration(word: &[u8]) -> bool {
    const WORDS: &[&[u8]] = &[
        b"__attribute__",
        b"__attribute",
        b"__declspec",
        b"alignas",
        b"_Alignas",
        b"noexcept",
        b"static_assert",
        b"_Static_assert",
        b"__asm__",
        b"asm",
        b"explicit",
    ];
    WORDS.contains(&word)
}
