//! Which secrets may sign tokens.

use crate::error::{Error, Result};
use crate::repetition::{distinct, repeated_piece};

const MIN_SECRET_BYTES: usize = 32;
const MIN_DISTINCT_BYTES: usize = 8;

/// Secrets that are long enough but stand in everybody's examples, in lower case.
const SAMPLES: &[&str] = &[
    "a-string-secret-at-least-256-bits-long",
    "a-valid-string-secret-that-is-at-least-512-bits-long-which-is-very-long",
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "super-secret-jwt-token-with-at-least-32-characters-long",
    "abcdefghijklmnopqrstuvwxyz123456",
    "abcdefghijklmnopqrstuvwxyz0123456789",
    "0123456789abcdefghijklmnopqrstuvwxyz",
    "this-is-a-very-long-secret-key-for-jwt",
    "thisisaverylongsecretkeyforjwttokens",
];

/// What people write where a secret is still to be put. In base64 of random bytes any of these comes up by chance less
/// than once in ten thousand million secrets.
const STAND_INS: &[&str] = &[
    "changeme",
    "changethis",
    "changeit",
    "changein",
    "replaceme",
    "replacethis",
    "placehold",
    "yoursecret",
    "yoursupersecret",
    "yourjwtsecret",
    "your256bit",
    "yourverysecret",
    "mysecretkey",
    "mysupersecret",
    "donotuse",
    "notsosecret",
    "examplesecret",
    "secretkeyhere",
    "insecure",
];

/// Refuses secrets that could be guessed.
///
/// # Errors
/// [`Error::WeakSecret`].
pub(super) fn check_secret(secret: &str) -> Result<()> {
    let bytes = secret.as_bytes();
    if bytes.len() < MIN_SECRET_BYTES {
        return Err(Error::WeakSecret("is shorter than 32 bytes"));
    }
    // A piece over and over holds no more than that piece.
    let is_short_piece = repeated_piece(bytes).is_some_and(|length| length < MIN_SECRET_BYTES);
    if distinct(bytes) < MIN_DISTINCT_BYTES || is_short_piece {
        return Err(Error::WeakSecret("repeats a few characters"));
    }
    let lower = secret.to_ascii_lowercase();
    let letters: String = lower.chars().filter(char::is_ascii_alphanumeric).collect();
    if SAMPLES.contains(&lower.as_str()) || STAND_INS.iter().any(|words| letters.contains(words)) {
        return Err(Error::WeakSecret("is a published example"));
    }
    Ok(())
}
