//! Which names accounts and tenants may have.

use crate::error::{Error, Result};

const MAX_LENGTH: usize = 64;

/// Checks a name for a new account: 1 to 64 ASCII letters, digits, `.`, `_` or `-`, the first a letter or digit.
/// ASCII only, so that no two names look alike.
///
/// # Errors
/// [`Error::InvalidUsername`] with the rule that is broken.
pub fn check_username(name: &str) -> Result<()> {
    rule_broken_by(name).map_or(Ok(()), |rule| Err(Error::InvalidUsername(rule)))
}

/// Checks a name for a new tenant, by the rules for user names.
///
/// # Errors
/// [`Error::InvalidTenantName`] with the rule that is broken.
pub fn check_tenant_name(name: &str) -> Result<()> {
    rule_broken_by(name).map_or(Ok(()), |rule| Err(Error::InvalidTenantName(rule)))
}

fn rule_broken_by(name: &str) -> Option<&'static str> {
    let Some(first) = name.bytes().next() else { return Some("it is empty") };
    if name.len() > MAX_LENGTH {
        return Some("it is longer than 64 characters");
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        return Some("use letters a to z, digits, `.`, `_` and `-` only");
    }
    (!first.is_ascii_alphanumeric()).then_some("begin it with a letter or a digit")
}
