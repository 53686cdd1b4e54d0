//! The header with which a server asks to be left alone for a while (RFC 9110, 10.2.3).

use std::time::Duration;

/// How long to wait; `None` where the text says nothing that can be understood. A server that names an instant is taken
/// by its own clock, which is the `Date` of the same answer.
pub(crate) fn parse(text: &str, date: Option<&str>) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let instant = |text: &str| jiff::fmt::rfc2822::parse(text).ok().map(|at| at.timestamp().as_second());
    let (at, now) = (instant(text)?, instant(date?.trim())?);
    Some(Duration::from_secs(u64::try_from(at.saturating_sub(now)).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_instants_are_understood_and_nothing_else() {
        let now = Some("Wed, 21 Oct 2026 07:28:00 GMT");
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(parse(" 120 ", None), seconds(120));
        assert_eq!(parse("99999999999999999999999", None), seconds(u64::MAX));
        assert_eq!(parse("Wed, 21 Oct 2026 07:28:30 GMT", now), seconds(30));
        assert_eq!(parse("Wed, 21 Oct 2026 07:27:30 GMT", now), seconds(0));
        for odd in ["", "-1", "1.5", "soon"] {
            assert_eq!(parse(odd, now), None, "{odd}");
        }
        assert_eq!(parse("Wed, 21 Oct 2026 07:28:30 GMT", None), None);
    }
}
