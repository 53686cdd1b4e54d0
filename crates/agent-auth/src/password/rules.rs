//! Which new passwords are accepted, after NIST SP 800-63B-4.

use super::guessable::{folded, is_made_of_common_pieces};
use crate::error::{Error, Result};
use crate::repetition::{distinct, repeated_piece};
use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;

/// What a password needs that is the only proof of who somebody is.
const MIN_CHARS: usize = 15;
const MAX_CHARS: usize = 128;
/// Before characters are counted: room for 128 of them however they are spelled out, such as Hangul syllables in three
/// parts of three bytes each.
const MAX_BYTES: usize = 2048;
const MIN_DISTINCT_CHARS: usize = 5;
const TOO_LONG: &str = "it is longer than 128 characters; use a shorter one";

/// A password in the one form that is counted, compared and hashed: NFC, so that an accented letter is the same
/// however a keyboard composes it, and whole, for nothing is ever cut off.
///
/// # Errors
/// [`Error::WeakPassword`] when it is longer than 128 characters; that is found before anything costly is done.
pub(super) fn prepared(password: &SecretString) -> Result<SecretString> {
    let password = password.expose_secret();
    if password.len() > MAX_BYTES {
        return Err(Error::WeakPassword(TOO_LONG));
    }
    let composed: String = password.nfc().collect();
    if composed.chars().count() > MAX_CHARS {
        return Err(Error::WeakPassword(TOO_LONG));
    }
    Ok(composed.into())
}

/// Checks a new password by the rules of NIST SP 800-63B-4 for a password that is the only factor: 15 to 128
/// characters of any kind, not a common one, not the user's own name. There are no rules about kinds of characters.
///
/// # Errors
/// [`Error::WeakPassword`] with what to do.
pub fn check_password_rules(password: &SecretString, username: &str) -> Result<()> {
    let password = prepared(password)?;
    let password = password.expose_secret();
    if password.chars().count() < MIN_CHARS {
        return Err(Error::WeakPassword("use at least 15 characters; a few words are easy to remember"));
    }
    let text = folded(password);
    if repeated_piece(&text).is_some_and(|length| length < MIN_CHARS) || distinct(&text) < MIN_DISTINCT_CHARS
    {
        return Err(Error::WeakPassword("it repeats a short piece; use a few unrelated words"));
    }
    if is_made_of_common_pieces(&text, &[]) {
        return Err(Error::WeakPassword("it is among the first that are guessed; use a few unrelated words"));
    }
    if is_made_of_common_pieces(&text, &spellings(username)) {
        return Err(Error::WeakPassword(
            "it is made of the user name; use something that others cannot guess",
        ));
    }
    Ok(())
}

/// The name as it may stand in a password: whole, its parts, and each backwards.
fn spellings(username: &str) -> Vec<Vec<char>> {
    let parts = username.split(|letter: char| !letter.is_alphanumeric());
    let forwards = std::iter::once(username).chain(parts).map(folded).filter(|word| word.len() > 1);
    forwards.flat_map(|word| [word.iter().rev().copied().collect(), word]).collect()
}
