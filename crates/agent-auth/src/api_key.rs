//! Long-lived keys for programs: `ak_live_<public id>_<secret><checksum>`.
//!
//! The public id finds the key, the secret (256 bits, so a fast hash is enough) proves it, and the checksum
//! lets a typo, a cut-off paste or a guess be refused before the store is asked. The fixed prefix lets
//! secret scanners find keys that slipped into a repository.

use crate::error::{Error, Result};
use crate::ports::{ApiKey, RandomBytes};
use crate::random::{self, BASE62, SECRET_CHARS};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const PREFIX: &str = "ak_live_";
const PUBLIC_ID_CHARS: usize = 12;
const CHECKSUM_CHARS: usize = 6;
const KEY_CHARS: usize = PREFIX.len() + PUBLIC_ID_CHARS + 1 + SECRET_CHARS + CHECKSUM_CHARS;

/// A well-formed API key, not yet known to be anybody's.
#[derive(Clone, PartialEq, Eq)]
pub struct ParsedKey {
    /// The part that finds the key in the store.
    pub public_id: String,
    secret_hash: [u8; 32],
}

impl std::fmt::Debug for ParsedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParsedKey").field("public_id", &self.public_id).finish_non_exhaustive()
    }
}

impl ParsedKey {
    /// Reads a key as a caller sent it; wrong length, letters or checksum are refused without any look-up.
    ///
    /// # Errors
    /// [`Error::InvalidToken`].
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() != KEY_CHARS {
            return Err(Error::InvalidToken("API key of the wrong length"));
        }
        let (body, checksum) = text
            .split_at_checked(KEY_CHARS - CHECKSUM_CHARS)
            .ok_or(Error::InvalidToken("API key with foreign characters"))?;
        let (public_id, secret) = body
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('_'))
            .ok_or(Error::InvalidToken("API key of another form"))?;
        if public_id.len() != PUBLIC_ID_CHARS || ![public_id, secret].into_iter().all(random::is_base62) {
            return Err(Error::InvalidToken("API key with foreign characters"));
        }
        if checksum != checksum_of(body) {
            return Err(Error::InvalidToken("API key with a wrong checksum"));
        }
        Ok(Self { public_id: public_id.to_owned(), secret_hash: Sha256::digest(secret.as_bytes()).into() })
    }

    /// The SHA-256 of the secret, as the store keeps it.
    pub fn secret_hash(&self) -> &[u8; 32] {
        &self.secret_hash
    }

    /// Whether the secret is the one that was kept; takes the same time whatever differs.
    pub(crate) fn matches(&self, kept_hash: &[u8]) -> bool {
        self.secret_hash.as_slice().ct_eq(kept_hash).into()
    }
}

impl ApiKey {
    /// The beginning of the key: safe to show, enough for its owner to recognise it.
    pub fn prefix(&self) -> String {
        format!("{PREFIX}{}", self.public_id)
    }
}

/// Whether a bearer token claims to be an API key rather than a JWT.
pub(crate) fn is_api_key(token: &str) -> bool {
    token.starts_with("ak_")
}

/// The public part of a new key.
pub(crate) fn generate_public_id(random: &dyn RandomBytes) -> Result<String> {
    random::base62(random, PUBLIC_ID_CHARS)
}

/// A key with that public part and a random secret, as text.
pub(crate) fn generate(random: &dyn RandomBytes, public_id: &str) -> Result<String> {
    Ok(compose(public_id, &random::secret(random)?))
}

/// A key as text.
pub(crate) fn compose(public_id: &str, secret: &str) -> String {
    let mut key = format!("{PREFIX}{public_id}_{secret}");
    key.push_str(&checksum_of(&key));
    key
}

/// CRC-32 of the text before it, as six letters.
fn checksum_of(body: &str) -> String {
    let mut rest = crc32(body.as_bytes());
    let mut letters = [b'0'; CHECKSUM_CHARS];
    for letter in letters.iter_mut().rev() {
        *letter = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    letters.iter().copied().map(char::from).collect()
}

/// CRC-32 (ISO-HDLC, the one of zip and Ethernet), bit by bit: keys are short.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn the_checksum_is_the_crc_32_of_the_catalogue() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_generated_key_is_read_back_and_matches_only_its_own_hash() {
        let key = || {
            let public_id = generate_public_id(&SystemRandom).unwrap();
            ParsedKey::parse(&generate(&SystemRandom, &public_id).unwrap()).unwrap()
        };
        let (one, other) = (key(), key());
        assert!(one.matches(one.secret_hash()));
        assert!(!one.matches(other.secret_hash()));
        assert!(!one.matches(&[]));
        assert_ne!(one.public_id, other.public_id);
    }
}
