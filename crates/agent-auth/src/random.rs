//! Unguessable text.

use crate::error::{Error, Result};

/// The alphabet of all secrets that people copy: one word for a double click, no escaping anywhere.
pub(crate) const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Characters of a secret with at least 256 bits: 43 × log2(62) = 256.03.
pub(crate) const SECRET_CHARS: usize = 43;

/// The largest multiple of 62 below 256; bytes from here on would favour the first letters.
const UNBIASED: u8 = 248;

/// Random text of that many characters, each equally likely.
pub(crate) fn base62(length: usize) -> Result<String> {
    let mut text = String::with_capacity(length);
    let mut buffer = [0_u8; 64];
    while text.len() < length {
        getrandom::fill(&mut buffer).map_err(|source| Error::Cryptography(source.to_string().into()))?;
        let usable = buffer.iter().filter(|byte| **byte < UNBIASED);
        text.extend(usable.take(length - text.len()).map(|byte| char::from(BASE62[usize::from(byte % 62)])));
    }
    Ok(text)
}

/// Whether all bytes are of the alphabet.
pub(crate) fn is_base62(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_text_has_the_length_asked_for_and_uses_the_whole_alphabet() {
        let text = base62(4_000).unwrap();
        assert_eq!(text.len(), 4_000);
        assert!(is_base62(&text));
        assert!(BASE62.iter().all(|letter| text.as_bytes().contains(letter)));
    }
}
