//! The header with which a receiver asks to be left alone for a while (RFC 9110, 10.2.3).

use agent_core::time::Timestamp;
use std::time::Duration;

/// How long to wait; `None` where the text says nothing that can be understood.
pub(super) fn parse(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from_micros(at.timestamp().as_microsecond()).since(now))
}
