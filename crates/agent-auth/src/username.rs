//! Which names an account may have.

use crate::error::{Error, Result};

const MAX_LENGTH: usize = 64;

/// Checks a name for a new account: 1 to 64 ASCII letters, digits, `.`, `_` or `-`, the first a letter or digit.
/// ASCII only, so that no two names look alike.
///
/// # Errors
/// [`Error::InvalidUsername`] with the rule that is broken.
pub fn check_username(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::InvalidUsername("it is empty"));
    }
    if name.len() > MAX_LENGTH {
        return Err(Error::InvalidUsername("it is longer than 64 characters"));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        return Err(Error::InvalidUsername("use letters a to z, digits, `.`, `_` and `-` only"));
    }
    if !name.as_bytes()[0].is_ascii_alphanumeric() {
        return Err(Error::InvalidUsername("begin it with a letter or a digit"));
    }
    Ok(())
}
