//! How many requests in how much time.

use crate::error::{Error, Result};
use std::fmt;
use std::num::{NonZeroU32, NonZeroU64};
use std::str::FromStr;
use std::time::Duration;

/// Units of a period with their length in microseconds, the longest first; the first name is the one that is written.
const UNITS: &[(&[&str], u64)] = &[
    (&["day", "days", "d"], 86_400_000_000),
    (&["hour", "hours", "h"], 3_600_000_000),
    (&["min", "mins", "minute", "minutes", "m"], 60_000_000),
    (&["s", "sec", "secs", "second", "seconds"], 1_000_000),
    (&["ms"], 1_000),
    (&["us"], 1),
];

/// So many requests in a period, and how many of them may come at once.
///
/// Requests are given back one by one, each after the period's share of it, and not all together at its end. So the
/// most that pass in any stretch of time are the burst and what is given back meanwhile.
///
/// As text: `600/min`, `10/s`, `5000/hour`, `20/15min`, with another burst `600/min burst 50`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    requests: NonZeroU32,
    period_micros: NonZeroU64,
    burst: NonZeroU32,
}

impl Quota {
    /// So many requests in a period, all of which may come at once. A part of a microsecond counts as a whole one.
    ///
    /// # Errors
    /// [`Error::Period`] when the period is nothing, or longer than 2^64 microseconds.
    pub fn new(requests: NonZeroU32, period: Duration) -> Result<Self> {
        let micros = u64::try_from(period.as_nanos().div_ceil(1_000)).ok().and_then(NonZeroU64::new);
        let period_micros = micros.ok_or(Error::Period(period))?;
        Ok(Self { requests, period_micros, burst: requests })
    }

    /// The same, with another number of requests that may come at once after a rest.
    #[must_use]
    pub fn with_burst(self, burst: NonZeroU32) -> Self {
        Self { burst, ..self }
    }

    /// Reads a quota, or `None` from `off`.
    ///
    /// # Errors
    /// [`Error::Quota`] when the text is neither.
    pub fn optional(text: &str) -> Result<Option<Self>> {
        if text.trim().eq_ignore_ascii_case("off") { Ok(None) } else { text.parse().map(Some) }
    }

    /// Requests in a period.
    pub fn requests(self) -> NonZeroU32 {
        self.requests
    }

    /// The period, in whole microseconds.
    pub fn period(self) -> Duration {
        Duration::from_micros(self.period_micros.get())
    }

    /// Requests that may come at once.
    pub fn burst(self) -> NonZeroU32 {
        self.burst
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.period_micros.get();
        let fitting = UNITS.iter().find(|(_, length)| micros.is_multiple_of(*length));
        let (name, number) = fitting.map_or(("us", micros), |(names, length)| (names[0], micros / length));
        write!(f, "{}/", self.requests)?;
        if number != 1 {
            write!(f, "{number}")?;
        }
        f.write_str(name)?;
        if self.burst == self.requests { Ok(()) } else { write!(f, " burst {}", self.burst) }
    }
}

impl FromStr for Quota {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        read(text).map_err(|reason| Error::Quota { text: text.to_owned(), reason })
    }
}

fn read(text: &str) -> Result<Quota, &'static str> {
    let (rate, burst) = match text.split_once("burst") {
        Some((rate, burst)) => (rate, Some(burst)),
        None => (text, None),
    };
    let (requests, period) = rate.split_once('/').ok_or("it has no / between requests and period")?;
    let requests = count(requests)?;
    let quota = Quota { requests, period_micros: period_micros(period.trim())?, burst: requests };
    Ok(match burst {
        Some(burst) => quota.with_burst(count(burst)?),
        None => quota,
    })
}

fn count(text: &str) -> Result<NonZeroU32, &'static str> {
    let number: u32 = digits(text.trim())
        .ok_or("the number of requests is not in digits")?
        .parse()
        .map_err(|_too_large| "the number of requests is above 4294967295")?;
    NonZeroU32::new(number).ok_or("no requests at all cannot be asked for")
}

fn period_micros(text: &str) -> Result<NonZeroU64, &'static str> {
    let unit = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let number = &text[..text.len() - unit.len()];
    let number: u64 = match number {
        "" => 1,
        number => number.parse().map_err(|_too_large| "the period is too long")?,
    };
    let unit = unit.trim().to_ascii_lowercase();
    let (_, length) = UNITS
        .iter()
        .find(|(names, _)| names.contains(&unit.as_str()))
        .ok_or("the period is not in s, min, hour or day")?;
    let micros = number.checked_mul(*length).ok_or("the period is too long")?;
    NonZeroU64::new(micros).ok_or("the period is nothing")
}

fn digits(text: &str) -> Option<&str> {
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(text)
}
