//! Reads the marks whose shape a table cannot say: raw strings, characters, regular expressions,
//! here-documents.

use super::syntax::Heredoc;

pub(crate) fn is_string_prefix(before: &[u8]) -> bool {
    before.len() <= 2 && before.iter().all(|byte| b"rRuUbBfF".contains(byte))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// At the quote of `r##"`: the closing mark and the length of the quote.
pub(crate) fn rust_raw(line: &[u8], at: usize) -> Option<(Vec<u8>, usize)> {
    if line[at] != b'"' {
        return None;
    }
    let hashes = line[..at].iter().rev().take_while(|byte| **byte == b'#').count();
    let before = &line[..at - hashes];
    let head = before.strip_suffix(b"r")?;
    let head = head.strip_suffix(b"b").or_else(|| head.strip_suffix(b"c")).unwrap_or(head);
    if head.last().is_some_and(|byte| is_word(*byte)) {
        return None;
    }
    let mut close = vec![b'"'];
    close.resize(1 + hashes, b'#');
    Some((close, 1))
}

/// At the quote of `R"mark(`: the closing mark and the length up to the bracket.
pub(crate) fn cpp_raw(line: &[u8], at: usize) -> Option<(Vec<u8>, usize)> {
    if line[at] != b'"' || !line[..at].ends_with(b"R") {
        return None;
    }
    let mark = &line[at + 1..];
    let length = mark.iter().take(17).position(|byte| *byte == b'(')?;
    let mut close = vec![b')'];
    close.extend_from_slice(&mark[..length]);
    close.push(b'"');
    Some((close, length + 2))
}

/// `[==[`: the closing mark and the length of the opening one.
pub(crate) fn lua_long(rest: &[u8]) -> Option<(Vec<u8>, usize)> {
    let level = rest.strip_prefix(b"[")?.iter().take_while(|byte| **byte == b'=').count();
    if rest.get(level + 1) != Some(&b'[') {
        return None;
    }
    let mut close = vec![b']'];
    close.resize(level + 1, b'=');
    close.push(b']');
    Some((close, level + 2))
}

/// The length of `'x'`, if it is a character and not a lone mark.
pub(crate) fn character(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        let close = rest.get(3..)?.iter().position(|byte| *byte == b'\'')?;
        return Some(close + 4);
    }
    let first = *rest.get(1)?;
    let length = match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    };
    (rest.get(length + 1) == Some(&b'\'')).then_some(length + 2)
}

/// The length of `/…/` where an operand may stand, by what stands before it.
pub(crate) fn regex(line: &[u8], at: usize) -> Option<usize> {
    let before = line[..at].trim_ascii_end();
    let operand = before.last().is_none_or(|byte| b"(,=:[!&|?{};+*%~^<>".contains(byte))
        || [b"return".as_slice(), b"typeof", b"case", b"in", b"of"].iter().any(|word| {
            before.strip_suffix(*word).is_some_and(|head| !head.last().is_some_and(|byte| is_word(*byte)))
        });
    if !operand {
        return None;
    }
    let mut class = false;
    let mut index = at + 1;
    while index < line.len() {
        match line[index] {
            b'\\' => index += 1,
            b'[' => class = true,
            b']' => class = false,
            b'/' if !class => return Some(index + 1 - at),
            _ => {}
        }
        index += 1;
    }
    None
}

/// The word that ends a here-document opened at `at`.
pub(crate) fn heredoc(kind: Heredoc, line: &[u8], at: usize) -> Option<Vec<u8>> {
    let rest = &line[at..];
    let rest = match kind {
        Heredoc::None => return None,
        Heredoc::Php => rest.strip_prefix(b"<<<")?.trim_ascii_start(),
        Heredoc::Shell if rest.starts_with(b"<<<") || contains(&line[..at], b"((") => return None,
        Heredoc::Shell => {
            let rest = rest.strip_prefix(b"<<")?;
            rest.strip_prefix(b"-").unwrap_or(rest).trim_ascii_start()
        }
        Heredoc::Upper => {
            let rest = rest.strip_prefix(b"<<")?;
            rest.strip_prefix(b"~").or_else(|| rest.strip_prefix(b"-")).unwrap_or(rest)
        }
    };
    let quoted = matches!(rest.first(), Some(b'\'' | b'"' | b'\\'));
    let rest = &rest[usize::from(quoted)..];
    let length = rest.iter().take_while(|byte| is_word(**byte)).count();
    let first = *rest.first()?;
    let starts = match kind {
        Heredoc::Upper => quoted || first.is_ascii_uppercase(),
        _ => !first.is_ascii_digit(),
    };
    (length > 0 && starts).then(|| rest[..length].to_vec())
}

pub(crate) fn ends_heredoc(line: &[u8], word: &[u8]) -> bool {
    line.strip_prefix(word).is_some_and(|rest| !rest.first().is_some_and(|byte| is_word(*byte)))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
