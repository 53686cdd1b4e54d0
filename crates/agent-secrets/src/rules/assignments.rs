//! Values that are assigned to a name that says they are secret.

use crate::judgement::looks_random;

/// Ends of names that say that the value is secret.
pub(super) const KEYWORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "accesskey",
    "access-key",
    "private_key",
    "privatekey",
    "private-key",
    "secret_key",
    "secretkey",
    "secret-key",
    "account_key",
    "accountkey",
    "signing_key",
    "encryption_key",
    "credential",
    "credentials",
    "authtoken",
    "auth_key",
    "pwd",
    "client_key",
    "master_key",
    "storage_key",
    "shared_key",
    "sharedaccesskey",
    "_auth",
];

/// Where the value is that is assigned to the name that ends with this keyword.
pub(super) fn find(text: &str, _: usize, end: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let (value, quote) = value_at(bytes, end)?;
    match quote {
        Some(quote) => quoted(text, value, quote),
        None => bare(text, value),
    }
}

/// Where the value begins, and the quote in front of it.
fn value_at(bytes: &[u8], end: usize) -> Option<(usize, Option<u8>)> {
    let skip = |at: usize, most: usize, is: &[u8]| {
        at + bytes
            .get(at..)
            .unwrap_or_default()
            .iter()
            .take(most)
            .take_while(|byte| is.contains(byte))
            .count()
    };
    // The rest of the name, which closes here: `tokens` and `password_hash` are other names.
    let mut at = skip(end, 3, b"0123456789");
    at = skip(at, 2, b"\"'\\]`");
    at = skip(at, 8, b" \t");
    at = match bytes.get(at..at + 2) {
        Some(b":=" | b"=>") => at + 2,
        Some(b"==" | b"!=" | b"::" | b"=~") => return None,
        _ if matches!(bytes.get(at), Some(b'=' | b':')) => at + 1,
        _ => return None,
    };
    at = skip(at, 8, b" \t");
    let escapes = skip(at, 1, b"\\");
    match bytes.get(escapes) {
        Some(quote @ (b'"' | b'\'' | b'`')) => Some((escapes + 1, Some(*quote))),
        Some(_) => Some((at, None)),
        None => None,
    }
}

fn quoted(text: &str, start: usize, quote: u8) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let length = bytes[start..]
        .iter()
        .take(300)
        .take_while(|byte| !matches!(**byte, b'\n' | b'\\') && **byte != quote)
        .count();
    let end = start + length;
    let is_closed = bytes.get(end).is_some_and(|byte| *byte == quote || *byte == b'\\');
    let value = text.get(start..end)?;
    (is_closed && is_secret(value)).then_some((start, end))
}

/// A value without quotes, as in settings and on command lines: to the end of the word.
fn bare(text: &str, start: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let is_letter = |byte: &&u8| byte.is_ascii_graphic() && !b"\"'`,;&<>(){}[]\\|$".contains(byte);
    let length = bytes[start..].iter().take(300).take_while(is_letter).count();
    let end = start + length;
    // What a call, an index or a type follows is code.
    let is_code = bytes.get(end).is_some_and(|byte| b"<>(){}[]$'\"`".contains(byte));
    let value = text.get(start..end)?;
    (!is_code && is_secret(value) && !is_name_of_code(value)).then_some((start, end))
}

fn is_secret(value: &str) -> bool {
    !value.contains(char::is_whitespace) && looks_random(value) && !is_known_shape(value)
}

/// Whether it is a digest of something public, or a pattern.
fn is_known_shape(value: &str) -> bool {
    ["sha1-", "sha256-", "sha384-", "sha512-", "sha256:", "sha512:", "$2", "arn:", "data:"]
        .iter()
        .any(|beginning| value.starts_with(beginning))
        || value.contains("${")
        || value.contains("{{")
        || value.contains("%s")
}

/// Whether it is the name of something in code: one word with a number at most, or words joined by dots, underscores or
/// colons.
fn is_name_of_code(value: &str) -> bool {
    let numbers =
        value.split(|letter: char| !letter.is_ascii_digit()).filter(|number| !number.is_empty()).count();
    let is_one_word = value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') && numbers <= 1;
    let is_word = |word: &str| word.len() < 16 && word.bytes().filter(u8::is_ascii_digit).count() <= 2;
    let mut words = value.split(['.', '_', ':', '-']).filter(|word| !word.is_empty());
    let are_words = value.contains(['.', '_', ':', '-']) && words.clone().count() > 1 && words.all(is_word);
    is_one_word || are_words || value.starts_with(['&', '*', '!', '@', '#'])
}
