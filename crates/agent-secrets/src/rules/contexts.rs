//! Secrets that are known by what surrounds them.

use super::tokens::{continues_a_word, is_random};
use crate::judgement::{entropy, is_example};

type Found = Option<(usize, usize)>;

/// How many bytes from here on are letters of this kind.
fn run(bytes: &[u8], from: usize, most: usize, is: impl Fn(u8) -> bool) -> usize {
    bytes.get(from..).unwrap_or_default().iter().take(most).take_while(|byte| is(**byte)).count()
}

fn is_url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-".contains(&byte)
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte)
}

/// A private key in armour, all lines of it. A key whose end is missing is masked as far as its lines go.
pub(super) fn private_key(text: &str, start: usize, end: usize) -> Found {
    let first = text[end..].lines().next()?;
    let label = &first[..first.find("-----")?];
    if !(label.ends_with("PRIVATE KEY") || label.ends_with("PRIVATE KEY BLOCK")) || label.len() > 40 {
        return None;
    }
    let body = end + label.len() + "-----".len();
    let close = format!("-----END {label}-----");
    // The next row of dashes ends the key; if it begins another one, this one has no end.
    let stop = text[body..].find("-----").map(|at| body + at).filter(|at| text[*at..].starts_with(&close));
    if let Some(stop) = stop {
        let letters = text[body..stop].bytes().filter(u8::is_ascii_alphanumeric).count();
        return (letters >= 20).then_some((start, stop + close.len()));
    }
    let is_line = |line: &str| {
        let line = line.trim_matches(|letter: char| " \t\r\n\"',+\\".contains(letter));
        line.len() >= 16 && line.bytes().all(|byte| is_base64(byte) || byte == b'\\')
    };
    let lines = text[body..].split_inclusive('\n').enumerate();
    let own = lines.take_while(|(at, line)| is_line(line) || (*at == 0 && line.trim().is_empty()));
    let until = body + own.map(|(_, line)| line.len()).sum::<usize>();
    let kept = text[..until].trim_end().len();
    (kept > body).then_some((start, kept))
}

/// Three parts of base64, the first two of which are objects of JSON.
pub(super) fn json_web_token(text: &str, start: usize, _: usize) -> Found {
    let bytes = text.as_bytes();
    if continues_a_word(bytes, start) {
        return None;
    }
    let mut at = start;
    for (part, (least, most)) in [(17, 2_000), (12, 20_000), (10, 2_000)].into_iter().enumerate() {
        let length = run(bytes, at, most, is_url_safe);
        if length < least || part == 1 && !text[at..].starts_with("ey") {
            return None;
        }
        at += length;
        if part < 2 {
            if bytes.get(at) != Some(&b'.') {
                return None;
            }
            at += 1;
        }
    }
    Some((start, at))
}

/// The password of `scheme://user:password@host`.
pub(super) fn password_in_address(text: &str, start: usize, end: usize) -> Found {
    let bytes = text.as_bytes();
    if !start.checked_sub(1).is_some_and(|at| bytes[at].is_ascii_alphanumeric()) {
        return None;
    }
    let is_part = |byte: u8| byte.is_ascii_graphic() && !b"/@:\"'`<>(){}[]\\ ".contains(&byte);
    let user = run(bytes, end, 80, is_part);
    let password = end + user + 1;
    if bytes.get(end + user) != Some(&b':') {
        return None;
    }
    let is_letter = |byte: u8| byte.is_ascii_graphic() && !b"/@\"'`<>(){}[]\\ $".contains(&byte);
    let length = run(bytes, password, 256, is_letter);
    let value = text.get(password..password + length)?;
    let host = bytes.get(password + length + 1).copied().unwrap_or(b' ');
    let is_address = bytes.get(password + length) == Some(&b'@')
        && (host.is_ascii_alphanumeric() || b"[$%{".contains(&host));
    let is_common = matches!(
        value,
        "pass" | "pwd" | "user" | "root" | "admin" | "postgres" | "guest" | "x-oauth-basic" | "pw"
    );
    let is_secret = length >= 5
        && !is_common
        && !is_example(value)
        && !value.starts_with(['%', '$', '*'])
        && !value.contains("%s");
    (is_address && is_secret && Some(value) != text.get(end..end + user))
        .then_some((password, password + length))
}

/// What follows `Bearer`.
pub(super) fn bearer(text: &str, start: usize, end: usize) -> Found {
    let bytes = text.as_bytes();
    let length = run(bytes, end, 4_000, |byte| byte.is_ascii_alphanumeric() || b"._~+/=-".contains(&byte));
    let value = text.get(end..end + length)?;
    let is_secret = length >= 16 && is_random(value) && entropy(value.as_bytes()) >= 3.0;
    (is_secret && !continues_a_word(bytes, start)).then_some((end, end + length))
}

/// What follows `Authorization: Basic`.
pub(super) fn basic(text: &str, start: usize, end: usize) -> Found {
    let bytes = text.as_bytes();
    let before = bytes[start.saturating_sub(24)..start].to_ascii_lowercase();
    let is_header = before.windows(13).any(|part| part == b"authorization");
    let length = run(bytes, end, 1_000, is_base64);
    let value = text.get(end..end + length)?;
    let is_secret = length >= 8 && value.bytes().any(|byte| byte.is_ascii_uppercase()) && !is_example(value);
    (is_header && is_secret).then_some((end, end + length))
}

/// The token of a bot: digits, `:AA`, 33 letters.
pub(super) fn telegram(text: &str, start: usize, _: usize) -> Found {
    let bytes = text.as_bytes();
    let digits = bytes[..start].iter().rev().take(11).take_while(|byte| byte.is_ascii_digit()).count();
    let length = run(bytes, start + 1, 36, is_url_safe);
    ((8..=10).contains(&digits) && length == 35).then_some((start - digits, start + 1 + length))
}

/// `SK` and 32 hexadecimal digits.
pub(super) fn twilio(text: &str, start: usize) -> Found {
    let bytes = text.as_bytes();
    let digits = start + "SK".len();
    let is_prefix = bytes[start..].starts_with(b"SK");
    let length = run(bytes, digits, 33, |byte| byte.is_ascii_alphanumeric());
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_whole = length == 32 && run(bytes, digits, 32, is_digit) == 32;
    (is_prefix && is_whole && !continues_a_word(bytes, start)).then_some((start, digits + 32))
}

/// The path of an address that whoever knows it may post to.
pub(super) fn webhook(text: &str, _: usize, end: usize) -> Found {
    let length = run(text.as_bytes(), end, 300, |byte| is_url_safe(byte) || b"/@".contains(&byte));
    let value = text.get(end..end + length)?;
    (length >= 40 && is_random(value)).then_some((end, end + length))
}

/// A key of this server: its public part stays, so that it can be told which it is.
pub(super) fn own_key(text: &str, start: usize, end: usize) -> Found {
    let bytes = text.as_bytes();
    let id = run(bytes, end, 64, |byte| byte.is_ascii_alphanumeric());
    let secret = end + id + 1;
    if id < 4 || bytes.get(end + id) != Some(&b'_') || continues_a_word(bytes, start) {
        return None;
    }
    let length = run(bytes, secret, 200, is_url_safe);
    (length >= 16 && is_random(text.get(secret..secret + length)?)).then_some((secret, secret + length))
}

fn is_letter_of_secret(byte: u8) -> bool {
    is_url_safe(byte) || b"~.".contains(&byte)
}

/// 14 letters, `.atlasv1.`, and many more.
pub(super) fn terraform(text: &str, start: usize, end: usize) -> Found {
    let bytes = text.as_bytes();
    let before = bytes[..start].iter().rev().take(14).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let behind = run(bytes, end, 100, is_letter_of_secret);
    (before == 14 && behind >= 60).then_some((start - before, end + behind))
}

/// Three letters, `8Q~`, and 31 to 34 more.
pub(super) fn azure(text: &str, start: usize, end: usize) -> Found {
    let bytes = text.as_bytes();
    let first = start
        .checked_sub(3)
        .filter(|first| bytes[*first..start].iter().all(|byte| is_letter_of_secret(*byte)))?;
    let behind = run(bytes, end, 40, is_letter_of_secret);
    let is_whole = (31..=34).contains(&behind) && !continues_a_word(bytes, first);
    (is_whole && is_random(&text[end..end + behind])).then_some((first, end + behind))
}

/// 32 hexadecimal digits and the number of a data centre.
pub(super) fn mailchimp(text: &str, start: usize, end: usize) -> Found {
    let bytes = text.as_bytes();
    let is_digit = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
    let before = bytes[..start].iter().rev().take(33).take_while(|byte| is_digit(byte)).count();
    let number = run(bytes, end, 3, |byte| byte.is_ascii_digit());
    (before == 32 && (1..=2).contains(&number)).then_some((start - before, end + number))
}

/// The signature of an address that opens something to whoever knows it.
pub(super) fn signature(text: &str, _: usize, end: usize) -> Found {
    let length = run(text.as_bytes(), end, 200, |byte| is_base64(byte) || byte == b'%');
    let value = text.get(end..end + length)?;
    (length >= 40 && is_random(value)).then_some((end, end + length))
}
