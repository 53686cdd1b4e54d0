//! Slows down password guessing without letting strangers lock an account.
//!
//! Failures are counted per account *and* source, so an attacker is stopped while the owner can still
//! log in from elsewhere. What comes from one network of somebody's own is one source.

use agent_core::time::Timestamp;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

const MAX_FAILURES: usize = 10;
const WINDOW: Duration = Duration::from_mins(15);
const MAX_ENTRIES: usize = 10_000;

/// Who tries from where. Hashed, because both parts are of any length and chosen by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Origin([u8; 32]);

impl Origin {
    pub(crate) fn new(username: &str, source: &str) -> Self {
        let account = Sha256::digest(username.to_ascii_lowercase().as_bytes());
        let source = network_of(source);
        Self(Sha256::new().chain_update(account).chain_update(source.as_bytes()).finalize().into())
    }
}

/// What an attacker cannot change at will about an address: with IPv6 even a home has 2^64 of them, the last half of
/// the bits; and an IPv4 address is the same one when a socket for both writes it as IPv6. Any other text stays itself.
fn network_of(source: &str) -> Cow<'_, str> {
    match source.parse() {
        Ok(IpAddr::V4(address)) => address.to_string().into(),
        Ok(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
            Some(address) => address.to_string().into(),
            None => format!("{}/64", Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)).into(),
        },
        Err(_) => source.into(),
    }
}

/// Within the window on either side: a clock that was set back must not hold anybody for longer.
fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.since(at) < WINDOW && at.since(now) < WINDOW
}

/// The failed logins of the last quarter of an hour, in bounded memory.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    failures: HashMap<Origin, VecDeque<Timestamp>>,
}

impl Throttle {
    /// How long this origin must wait; `None` when it may try now.
    pub(crate) fn wait(&mut self, origin: &Origin, now: Timestamp) -> Option<Duration> {
        let recent = self.failures.get_mut(origin)?;
        recent.retain(|at| is_recent(*at, now));
        if recent.is_empty() {
            self.failures.remove(origin);
            return None;
        }
        (recent.len() >= MAX_FAILURES).then(|| WINDOW.saturating_sub(now.since(recent[0])))
    }

    /// Counts a failure.
    pub(crate) fn record(&mut self, origin: Origin, now: Timestamp) {
        if !self.failures.contains_key(&origin) && self.failures.len() >= MAX_ENTRIES {
            self.make_room(now);
        }
        let recent = self.failures.entry(origin).or_default();
        if recent.len() >= MAX_FAILURES {
            recent.pop_front();
        }
        recent.push_back(now);
    }

    /// Forgets an origin that has proved itself.
    pub(crate) fn forget(&mut self, origin: &Origin) {
        self.failures.remove(origin);
    }

    /// Drops what is over; else the origin with the fewest failures (among those the oldest), so that a flood
    /// of made-up names pushes out itself and not the origins that are being held back.
    fn make_room(&mut self, now: Timestamp) {
        self.failures.retain(|_, recent| recent.back().is_some_and(|at| is_recent(*at, now)));
        if self.failures.len() < MAX_ENTRIES {
            return;
        }
        let least = self.failures.iter().min_by_key(|(_, recent)| (recent.len(), recent.back().copied()));
        if let Some(origin) = least.map(|(origin, _)| *origin) {
            self.failures.remove(&origin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_micros(0).plus(Duration::from_secs(seconds))
    }

    #[test]
    fn the_eleventh_try_waits_until_the_first_failure_is_a_quarter_of_an_hour_old() {
        let (mut throttle, origin) = (Throttle::default(), Origin::new("demo", "192.0.2.1"));
        for second in 0..10 {
            assert_eq!(throttle.wait(&origin, at(second)), None);
            throttle.record(origin, at(second));
        }
        assert_eq!(throttle.wait(&origin, at(10)), Some(Duration::from_secs(890)));
        assert_eq!(throttle.wait(&origin, at(899)), Some(Duration::from_secs(1)));
        assert_eq!(throttle.wait(&origin, at(900)), None);
    }

    #[test]
    fn a_clock_that_is_set_back_by_days_does_not_hold_anybody_for_days() {
        let (mut throttle, origin) = (Throttle::default(), Origin::new("demo", "192.0.2.1"));
        for _ in 0..10 {
            throttle.record(origin, at(300_000));
        }
        assert_eq!(throttle.wait(&origin, at(299_999)), Some(WINDOW));
        assert_eq!(throttle.wait(&origin, at(100)), None);
    }

    #[test]
    fn account_and_source_cannot_be_shifted_into_each_other() {
        assert_ne!(Origin::new("ab", "c"), Origin::new("a", "bc"));
        assert_eq!(Origin::new("Demo", "c"), Origin::new("demo", "c"));
    }

    #[test]
    fn a32_the_addresses_of_one_ipv6_network_are_one_source_and_those_of_others_are_not() {
        let from = |source| Origin::new("demo", source);
        assert_eq!(from("2001:db8:1:2::1"), from("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_eq!(from("2001:db8:1:2::1"), from("2001:DB8:1:2:0:0:0:9"));
        assert_ne!(from("2001:db8:1:2::1"), from("2001:db8:1:3::1"));
        assert_eq!(from("::ffff:192.0.2.1"), from("192.0.2.1"));
        assert_ne!(from("192.0.2.1"), from("192.0.2.2"));
        assert_ne!(from("::1"), from("::ffff:0.0.0.1"));
        assert_ne!(from(""), from("unknown"));
    }

    #[test]
    fn a32_failures_are_forgotten_one_by_one_as_they_grow_old() {
        let (mut throttle, origin) = (Throttle::default(), Origin::new("demo", "192.0.2.1"));
        for minute in 0..10 {
            throttle.record(origin, at(minute * 60));
        }
        assert_eq!(throttle.wait(&origin, at(600)), Some(Duration::from_secs(300)));
        assert_eq!(throttle.wait(&origin, at(900)), None, "the first failure is over");
        throttle.record(origin, at(900));
        assert_eq!(throttle.wait(&origin, at(901)), Some(Duration::from_secs(59)), "until the second is");
        throttle.forget(&origin);
        assert_eq!(throttle.wait(&origin, at(901)), None);
        assert!(throttle.failures.is_empty());
    }

    #[test]
    fn a_flood_of_made_up_names_neither_grows_the_memory_nor_frees_who_is_held_back() {
        let (mut throttle, held) = (Throttle::default(), Origin::new("admin", "192.0.2.1"));
        for _ in 0..10 {
            throttle.record(held, at(0));
        }
        for number in 0..10_100_u64 {
            throttle.record(Origin::new(&format!("nobody-{number}"), "192.0.2.1"), at(1 + number / 1000));
        }
        assert_eq!(throttle.failures.len(), MAX_ENTRIES);
        assert!(throttle.wait(&held, at(20)).is_some());
    }
}
