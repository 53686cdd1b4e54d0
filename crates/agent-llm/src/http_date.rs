//! Dates in HTTP headers, as far as the pause between two of them needs.

use std::time::Duration;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// How long after `earlier` the moment `later` is, zero when it is before; `None` when one of them is
/// not of the form `Wed, 21 Oct 2026 07:28:00 GMT`. (Servers have not been allowed to send the two
/// older forms for decades.)
pub(crate) fn between(earlier: &str, later: &str) -> Option<Duration> {
    let seconds = seconds(later)? - seconds(earlier)?;
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// Seconds since 1970.
fn seconds(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let [_weekday, day, month, year, time, "GMT"] = words[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)?;
    let days = days(number(year, 1970..=9999)?, i64::try_from(month).ok()? + 1, number(day, 1..=31)?);
    let mut parts = time.split(':');
    let hour = number(parts.next()?, 0..=23)?;
    let minute = number(parts.next()?, 0..=59)?;
    let second = number(parts.next()?, 0..=60)?;
    parts.next().is_none().then_some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

fn number(text: &str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
    text.parse().ok().filter(|number| range.contains(number))
}

/// Days from 1970-01-01. Years begin in March here, so that the day that leap years add is the last one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before_month = (153 * month + 2) / 5;
    let before_year = year * 365 + year / 4 - year / 100 + year / 400;
    // 719,468 days lie between the first of March of the year 0 and the beginning of 1970.
    before_year + before_month + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::{between, seconds};
    use std::time::Duration;

    #[test]
    fn moments_are_counted_as_everywhere() {
        let moments = [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Fri, 31 Dec 2100 12:00:00 GMT", 4_133_937_600),
        ];
        for (text, expected) in moments {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_gives_no_pause() {
        let now = "Wed, 21 Oct 2026 07:28:00 GMT";
        assert_eq!(between(now, "Wed, 21 Oct 2026 07:29:30 GMT"), Some(Duration::from_secs(90)));
        assert_eq!(between(now, "Wed, 21 Oct 2026 07:27:00 GMT"), Some(Duration::ZERO));
        for text in [
            "",
            "soon",
            "Wed, 21 Oct 2026 07:28:00",
            "Wed, 32 Oct 2026 07:28:00 GMT",
            "Wed, 21 Okt 2026 07:28:00 GMT",
            "Wed, 21 Oct 2026 07:28 GMT",
            "Wed, 21 Oct 2026 07:28:00:00 GMT",
            "Wednesday, 21-Oct-26 07:28:00 GMT",
        ] {
            assert_eq!(between(now, text), None, "{text}");
        }
    }
}
