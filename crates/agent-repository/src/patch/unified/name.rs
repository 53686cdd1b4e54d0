//! File names in diffs: quoting, prefixes, time stamps.

use std::fmt::Write;

/// Takes a name off the start of `text`, quoted or up to a tab; returns it with the rest.
pub(crate) fn take(text: &str) -> (String, &str) {
    if text.starts_with('"')
        && let Some(found) = take_quoted(text)
    {
        return found;
    }
    match text.split_once('\t') {
        Some((name, rest)) => (name.to_owned(), rest),
        None => (text.trim_end().to_owned(), ""),
    }
}

fn take_quoted(text: &str) -> Option<(String, &str)> {
    let mut bytes = Vec::new();
    let raw = text.as_bytes();
    let mut index = 1;
    loop {
        match *raw.get(index)? {
            b'"' => break,
            b'\\' => {
                let (byte, length) = unescape(raw.get(index + 1..)?)?;
                bytes.push(byte);
                index += 1 + length;
            }
            byte => {
                bytes.push(byte);
                index += 1;
            }
        }
    }
    Some((String::from_utf8(bytes).ok()?, text.get(index + 1..)?))
}

fn unescape(escaped: &[u8]) -> Option<(u8, usize)> {
    let byte = match *escaped.first()? {
        b'a' => 0x07,
        b'b' => 0x08,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 0x0b,
        b'f' => 0x0c,
        b'r' => b'\r',
        first @ (b'"' | b'\\') => first,
        b'0'..=b'3' => {
            let digits = std::str::from_utf8(escaped.get(..3)?).ok()?;
            return Some((u8::from_str_radix(digits, 8).ok()?, 3));
        }
        _ => return None,
    };
    Some((byte, 1))
}

/// The name as git writes it in a diff: quoted when it has characters that would break or forge a line.
pub(crate) fn quoted(name: &str) -> String {
    if !name.chars().any(|c| c.is_control() || c == '"' || c == '\\') {
        return name.to_owned();
    }
    let mut quoted = String::from("\"");
    for byte in name.bytes() {
        match byte {
            b'"' | b'\\' => {
                quoted.push('\\');
                quoted.push(char::from(byte));
            }
            0x20..=0x7e => quoted.push(char::from(byte)),
            _ => {
                let _ = write!(quoted, "\\{byte:03o}");
            }
        }
    }
    quoted.push('"');
    quoted
}

/// The two names after `diff --git `, when they can be told apart.
pub(crate) fn git_names(text: &str) -> Option<(String, String)> {
    if text.starts_with('"') {
        let (old, rest) = take_quoted(text)?;
        return Some((old, take(rest.trim_start()).0));
    }
    if let Some(at) = text.find(" \"") {
        return Some((text[..at].to_owned(), take_quoted(&text[at + 1..])?.0));
    }
    // Names may have blanks; both name the same file here, or else rename lines follow.
    let middle = text.len() / 2;
    if text.as_bytes().get(middle) == Some(&b' ') && text.is_char_boundary(middle) {
        let (old, new) = (&text[..middle], &text[middle + 1..]);
        if old == new || without_first_part(old) == without_first_part(new) {
            return Some((old.to_owned(), new.to_owned()));
        }
    }
    let (old, new) = text.split_once(' ')?;
    (!new.contains(' ')).then(|| (old.to_owned(), new.to_owned()))
}

pub(crate) fn without_first_part(name: &str) -> Option<&str> {
    name.split_once('/').map(|(_, rest)| rest)
}

/// Whether both names have the one-letter directories that git puts before them.
pub(crate) fn has_git_prefixes(old: &str, new: &str) -> bool {
    let prefix = |name: &str| name.split_once('/').map(|(first, _)| first.to_owned());
    let prefixes = (prefix(old), prefix(new));
    match prefixes {
        (Some(old), Some(new)) => {
            matches!(
                (old.as_str(), new.as_str()),
                ("a", "b")
                    | ("b", "a")
                    | ("i", "w")
                    | ("c", "i")
                    | ("c", "w")
                    | ("o", "w")
                    | ("w", "i")
                    | ("i", "c")
            )
        }
        _ => false,
    }
}

/// The name without a known prefix of its own, where the other side is `/dev/null`.
pub(crate) fn without_lone_prefix(name: &str) -> &str {
    ["a/", "b/", "i/", "w/", "c/", "o/"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}
