//! The spellings in which a value turns up in what programs print.

use std::fmt::Write;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const FOR_URLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Every spelling of a value, without repetitions.
pub(crate) fn of(value: &str) -> Vec<String> {
    let json = serde_json::Value::from(value).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let mut found = vec![
        value.to_owned(),
        json.replace('/', "\\/"),
        json,
        percent(value, "", false),
        percent(value, "", true),
        percent(value, "-_.~", false),
        percent(value, "-_.~", true),
        percent(value, "-_.~!*'()", false),
        percent(value, "-_.*", false).replace("%20", "+"),
        hexadecimal(value, false),
        hexadecimal(value, true),
    ];
    for letters in [STANDARD, FOR_URLS] {
        found.extend((0..3).map(|offset| base64_core(value.as_bytes(), offset, letters)));
    }
    found.sort();
    found.dedup();
    found
}

fn percent(value: &str, kept: &str, lower: bool) -> String {
    let mut text = String::with_capacity(value.len() * 3);
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = if lower { write!(text, "%{byte:02x}") } else { write!(text, "%{byte:02X}") };
        }
    }
    text
}

fn hexadecimal(value: &str, upper: bool) -> String {
    let mut text = String::with_capacity(value.len() * 2);
    for byte in value.bytes() {
        // Writing to a String cannot fail.
        let _ = if upper { write!(text, "{byte:02X}") } else { write!(text, "{byte:02x}") };
    }
    text
}

/// The letters of base64 that stand for nothing but the value when it begins so many bytes into a group of three: those
/// at its ends, which depend on what surrounds it, are left out.
fn base64_core(value: &[u8], offset: usize, letters: &[u8; 64]) -> String {
    let bits = |at: usize| -> usize {
        let byte = at.checked_sub(offset * 8).and_then(|at| value.get(at / 8)).copied().unwrap_or(0);
        usize::from(byte >> (7 - at % 8) & 1)
    };
    let first = (offset * 8).div_ceil(6);
    let end = (offset + value.len()) * 8 / 6;
    let letter = |place: usize| {
        let index = (0..6).fold(0, |index, bit| index << 1 | bits(place * 6 + bit));
        char::from(letters[index])
    };
    (first..end).map(letter).collect()
}
