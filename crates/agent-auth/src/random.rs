//! Unguessable text.

use crate::error::{Error, Result};
use crate::ports::RandomBytes;
use agent_core::BoxError;

/// The alphabet of all secrets that people copy: one word for a double click, no escaping anywhere.
pub(crate) const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Characters of a secret with at least 256 bits: 43 × log2(62) = 256.03.
pub(crate) const SECRET_CHARS: usize = 43;

/// The largest multiple of 62 below 256; bytes from here on would favour the first letters.
const UNBIASED: u8 = 248;

/// How often bytes are fetched anew for one text. A fair source needs this many once in an age of the universe.
const MAX_FETCHES: usize = 64;

/// The operating system's random numbers.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandom;

impl RandomBytes for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> std::result::Result<(), BoxError> {
        getrandom::fill(bytes).map_err(|source| source.to_string().into())
    }
}

/// Random text of that many characters, each equally likely.
pub(crate) fn base62(random: &dyn RandomBytes, length: usize) -> Result<String> {
    let mut text = String::with_capacity(length);
    let mut buffer = [0_u8; 64];
    for _ in 0..MAX_FETCHES {
        random.fill(&mut buffer).map_err(Error::Cryptography)?;
        let usable = buffer.iter().filter(|byte| **byte < UNBIASED);
        text.extend(usable.take(length - text.len()).map(|byte| char::from(BASE62[usize::from(byte % 62)])));
        if text.len() == length {
            return Ok(text);
        }
    }
    Err(Error::Cryptography("the source of random numbers is broken".into()))
}

/// A secret that nobody can guess: 256 random bits in 43 letters and digits.
///
/// # Errors
/// [`Error::Cryptography`] when there are no random numbers to be had.
pub fn secret(random: &dyn RandomBytes) -> Result<String> {
    base62(random, SECRET_CHARS)
}

/// 32 bytes as a number in 43 letters, which hold just as much.
pub(crate) fn base62_of(bytes: [u8; 32]) -> String {
    let mut number = bytes;
    let mut letters = [b'0'; SECRET_CHARS];
    for letter in letters.iter_mut().rev() {
        let mut rest = 0_usize;
        for byte in &mut number {
            let value = rest * 256 + usize::from(*byte);
            // The rest is below 62, so that the quotient is below 256.
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            rest = value % 62;
        }
        *letter = BASE62[rest];
    }
    letters.iter().copied().map(char::from).collect()
}

/// Whether all bytes are of the alphabet.
pub(crate) fn is_base62(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_256_bits_fits_its_letters() {
        assert_eq!(base62_of([0; 32]), "0".repeat(SECRET_CHARS));
        let mut sixty_three = [0; 32];
        sixty_three[31] = 63;
        assert_eq!(base62_of(sixty_three), format!("{}11", "0".repeat(SECRET_CHARS - 2)));
        let largest = base62_of([255; 32]);
        assert!(is_base62(&largest) && !largest.starts_with('0'), "{largest}");
    }

    #[test]
    fn random_text_has_the_length_asked_for_and_uses_the_whole_alphabet() {
        let text = base62(&SystemRandom, 3_000).unwrap();
        assert_eq!(text.len(), 3_000);
        assert!(is_base62(&text));
        assert!(BASE62.iter().all(|letter| text.as_bytes().contains(letter)));
    }

    #[test]
    fn a_source_that_yields_no_usable_bytes_is_an_error_and_no_endless_loop() {
        struct Stuck;
        impl RandomBytes for Stuck {
            fn fill(&self, bytes: &mut [u8]) -> std::result::Result<(), BoxError> {
                bytes.fill(0xff);
                Ok(())
            }
        }
        assert!(matches!(base62(&Stuck, 12), Err(Error::Cryptography(_))));
    }
}
