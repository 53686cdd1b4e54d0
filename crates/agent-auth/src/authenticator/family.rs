//! The name that all refresh tokens of one login share.

use crate::error::Result;
use crate::ports::RandomBytes;
use crate::random;
use agent_core::time::Timestamp;
use std::fmt;
use std::time::Duration;

/// After this a login is over, however often it was renewed.
const LOGIN_LIFETIME: Duration = Duration::from_hours(90 * 24);
const NAME_CHARS: usize = 22;

/// `<epoch>.<login>.<name>`, both instants in microseconds. The epoch is part of it so that all refresh tokens of an
/// account die in the very write that moves its epoch on, whatever else is in flight; the instant of the login so that
/// no renewal moves its end.
pub(super) struct Family {
    epoch: Timestamp,
    login: Timestamp,
    name: String,
}

impl Family {
    /// That of a new login.
    pub(super) fn new(epoch: Timestamp, login: Timestamp, random: &dyn RandomBytes) -> Result<Self> {
        Ok(Self { epoch, login, name: random::base62(random, NAME_CHARS)? })
    }

    /// Reads what was kept; `None` for what an older server kept, which did not say when its login was.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '.');
        let mut instant = || parts.next()?.parse().ok().map(Timestamp::from_micros);
        let (epoch, login) = (instant()?, instant()?);
        Some(Self { epoch, login, name: parts.next()?.to_owned() })
    }

    /// Whether it began when the account's epoch was this one.
    pub(super) fn is_of(&self, epoch: Timestamp) -> bool {
        self.epoch == epoch
    }

    /// When the last of its tokens ends.
    pub(super) fn ends_at(&self) -> Timestamp {
        self.login.plus(LOGIN_LIFETIME)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.epoch.as_micros(), self.login.as_micros(), self.name)
    }
}
