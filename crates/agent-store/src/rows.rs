//! Rows as the tables hold them, and their way from and to domain types.

pub(crate) mod account;
pub(crate) mod approval;
pub(crate) mod attempt;
pub(crate) mod audit;
pub(crate) mod blob;
pub(crate) mod change;
pub(crate) mod event;
pub(crate) mod message;
pub(crate) mod plan;
pub(crate) mod rollup;
pub(crate) mod step;
pub(crate) mod task;
pub(crate) mod template;
pub(crate) mod tenant;
pub(crate) mod version;
pub(crate) mod webhook;

use agent_core::ids::{PlanId, TenantId};
use agent_core::plan::Plan;
use agent_core::time::Timestamp;
use agent_core::{Error, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::str::FromStr;

/// A plan, and the tenant that it belongs to: every statement about it names both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlanKey {
    /// The tenant.
    pub(crate) tenant: TenantId,
    /// The plan.
    pub(crate) id: PlanId,
}

impl PlanKey {
    /// Of this plan.
    pub(crate) fn of(plan: &Plan) -> Self {
        Self { tenant: plan.owner.tenant, id: plan.id }
    }
}

/// A text as stored. PostgreSQL keeps every character but U+0000, which output of commands may hold; so that
/// both databases keep the same, it becomes the character that stands for what cannot be shown.
pub(crate) fn plain(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// A text as stored, where there is one.
pub(crate) fn plain_option(text: Option<&str>) -> Option<String> {
    text.map(plain)
}

/// A pattern of `LIKE` for a text that contains this one; a backslash escapes.
pub(crate) fn like_pattern(text: &str) -> String {
    let text = plain(text);
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

/// An instant as stored, where there is one.
pub(crate) fn micros(instant: Option<Timestamp>) -> Option<i64> {
    instant.map(Timestamp::as_micros)
}

/// A stored instant, where there is one.
pub(crate) fn instant(micros: Option<i64>) -> Option<Timestamp> {
    micros.map(Timestamp::from_micros)
}

/// A count as stored; what does not fit is a count nobody reaches.
pub(crate) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A stored number that must be small and not negative.
pub(crate) fn small(column: &str, number: i64) -> Result<u32> {
    u32::try_from(number).map_err(|error| damaged(column, error))
}

/// A stored number that must not be negative.
pub(crate) fn large(column: &str, number: i64) -> Result<u64> {
    u64::try_from(number).map_err(|error| damaged(column, error))
}

/// A document as JSON text.
pub(crate) fn document<T: Serialize>(column: &str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| damaged(column, error))
}

/// A document from JSON text.
pub(crate) fn parse<T: DeserializeOwned>(column: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| damaged(column, error))
}

/// The word that serde gives a variant without fields.
pub(crate) fn word<T: Serialize>(column: &str, value: &T) -> Result<String> {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => Ok(word),
        Ok(other) => Err(damaged(column, format!("{other} is not a word"))),
        Err(error) => Err(damaged(column, error)),
    }
}

/// The variant behind a word of serde's.
pub(crate) fn variant<T: DeserializeOwned>(column: &str, word: String) -> Result<T> {
    serde_json::from_value(Value::String(word)).map_err(|error| damaged(column, error))
}

/// The variant behind a word that has a `FromStr`.
pub(crate) fn named<T: FromStr<Err = String>>(column: &str, word: &str) -> Result<T> {
    word.parse().map_err(|error| damaged(column, error))
}

/// The error for a column that does not make sense.
pub(crate) fn damaged(column: &str, why: impl std::fmt::Display) -> Error {
    Error::Damaged(format!("{column}: {why}"))
}
