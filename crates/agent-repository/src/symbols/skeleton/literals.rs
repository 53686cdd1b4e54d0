//! Finds where comments and literals end.

use memchr::{memchr2, memchr3, memmem};

use crate::scan::marks;

/// After a block comment that opens at `at`; the end of the text if it does not close.
pub(super) fn block_comment(text: &[u8], at: usize, nested: bool) -> usize {
    let from = at + 2;
    if !nested {
        return memmem::find(&text[from.min(text.len())..], b"*/").map_or(text.len(), |end| from + end + 2);
    }
    let (mut at, mut depth) = (from, 1);
    while let Some(next) = text.get(at..).and_then(|rest| memchr2(b'*', b'/', rest)) {
        at += next;
        match &text[at..text.len().min(at + 2)] {
            b"/*" => (at, depth) = (at + 2, depth + 1),
            b"*/" => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// After a quoted text that opens at `at`; `Err` has the end of the line on which one that may not go on
/// past it does not close.
pub(super) fn quoted(text: &[u8], at: usize, multiline: bool) -> Result<usize, usize> {
    let quote = text[at];
    let mut end = at + 1;
    while let Some(next) = text.get(end..).and_then(|rest| memchr3(quote, b'\\', b'\n', rest)) {
        end += next;
        match text[end] {
            b'\\' => end += 2,
            b'\n' if !multiline => return Err(end),
            b'\n' => end += 1,
            _ => return Ok(end + 1),
        }
    }
    if multiline { Ok(text.len()) } else { Err(text.len()) }
}

/// After a text closed by `close`, without escapes.
pub(super) fn raw(text: &[u8], from: usize, close: &[u8]) -> usize {
    memmem::find(&text[from.min(text.len())..], close).map_or(text.len(), |end| from + end + close.len())
}

/// After `"""…"""`.
pub(super) fn text_block(text: &[u8], at: usize) -> usize {
    let mut end = at + 3;
    while let Some(next) = text.get(end..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        end += next;
        if text[end] == b'\\' {
            end += 2;
        } else if text[end..].starts_with(b"\"\"\"") {
            return end + 3;
        } else {
            end += 1;
        }
    }
    text.len()
}

/// After the part of a JavaScript template from `at` to its end or to the `${` of an expression; the
/// flag says that it is an expression.
pub(super) fn template(text: &[u8], at: usize) -> (usize, bool) {
    let mut end = at;
    while let Some(next) = text.get(end..).and_then(|rest| memchr3(b'`', b'\\', b'$', rest)) {
        end += next;
        match text[end] {
            b'\\' => end += 2,
            b'`' => return (end + 1, false),
            _ if text.get(end + 1) == Some(&b'{') => return (end + 2, true),
            _ => end += 1,
        }
    }
    (text.len(), false)
}

/// After `'x'`, or after the mark alone.
pub(super) fn character(text: &[u8], at: usize) -> usize {
    let rest = &text[at..text.len().min(at + 16)];
    at + marks::character(rest).unwrap_or(1)
}

/// After `r#"…"#` whose marks begin at `at`; `None` for a raw identifier such as `r#type`.
pub(super) fn rust_raw(text: &[u8], at: usize) -> Option<usize> {
    let hashes = text[at..].iter().take_while(|byte| **byte == b'#').count();
    if text.get(at + hashes) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    Some(raw(text, at + hashes + 1, &close))
}

/// After `"mark(…)mark"`, which opens at `at` behind an `R`; `None` if it is no such text.
pub(super) fn cpp_raw(text: &[u8], at: usize) -> Option<usize> {
    let length = text[at + 1..].iter().take(17).position(|byte| *byte == b'(')?;
    let mut close = vec![b')'];
    close.extend_from_slice(&text[at + 1..=at + length]);
    close.push(b'"');
    Some(raw(text, at + length + 2, &close))
}

/// After a regular expression that may open at `at`; `Err` has the end of the line if that comes first.
pub(super) fn regex(text: &[u8], at: usize) -> Result<usize, usize> {
    let mut class = false;
    let mut end = at + 1;
    while let Some(byte) = text.get(end) {
        match byte {
            b'\\' => end += 1,
            b'[' => class = true,
            b']' => class = false,
            b'/' if !class => return Ok(end + 1),
            b'\n' => return Err(end),
            _ => {}
        }
        end += 1;
    }
    Err(text.len())
}
