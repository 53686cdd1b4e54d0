//! What an access token says, written and read.

use super::ACCESS_TOKEN_LIFETIME;
use crate::error::{Error, Result};
use agent_core::ids::UserId;
use agent_core::time::Timestamp;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

const ISSUER: &str = "agent";
const AUDIENCE: &str = "agent-api";
const KIND: &str = "access";
const MAX_TOKEN_ID_BYTES: usize = 64;
const MICROS: i64 = 1_000_000;
/// The end of the year 9999; later instants are nonsense and would overflow.
const MAX_SECONDS: i64 = 253_402_300_799;
/// How far the clocks of two servers may differ.
const LEEWAY: Duration = Duration::from_secs(5);

/// The claims of a token about to be signed.
#[derive(Serialize)]
pub(super) struct IssuedClaims {
    iss: &'static str,
    aud: &'static str,
    sub: String,
    jti: String,
    typ: &'static str,
    iat: i64,
    nbf: i64,
    exp: i64,
    epoch: i64,
}

impl IssuedClaims {
    pub(super) fn new(user: UserId, token_id: String, epoch: Timestamp, now: Timestamp) -> Self {
        let seconds = now.as_micros().div_euclid(MICROS);
        let lifetime = i64::try_from(ACCESS_TOKEN_LIFETIME.as_secs()).unwrap_or(0);
        Self {
            iss: ISSUER,
            aud: AUDIENCE,
            sub: user.to_string(),
            jti: token_id,
            typ: KIND,
            iat: seconds,
            nbf: seconds,
            exp: seconds.saturating_add(lifetime),
            epoch: epoch.as_micros(),
        }
    }

    pub(super) fn expires_at(&self) -> Timestamp {
        instant(self.exp)
    }
}

/// What a token says after every check that needs no store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessClaims {
    /// Whose token it is.
    pub user_id: UserId,
    /// The token's own id (`jti`), for the log.
    pub token_id: String,
    /// The account's `tokens_valid_after` when the token was issued; it must be the same still.
    pub epoch: Timestamp,
    /// When it was issued, to the second.
    pub issued_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl AccessClaims {
    pub(super) fn read(claims: &Members, now: Timestamp) -> Result<Self> {
        if claims.text("iss") != Some(ISSUER) {
            return Err(Error::InvalidToken("not issued by this server"));
        }
        if !claims.names_audience() {
            return Err(Error::InvalidToken("not meant for this API"));
        }
        if claims.text("typ") != Some(KIND) {
            return Err(Error::InvalidToken("not an access token"));
        }
        let (issued_at, expires_at) = claims.read_times(now)?;
        let token_id = claims.text("jti").filter(|id| !id.is_empty() && id.len() <= MAX_TOKEN_ID_BYTES);
        Ok(Self {
            user_id: claims.user_id().ok_or(Error::InvalidToken("names no user"))?,
            token_id: token_id.ok_or(Error::InvalidToken("has no id"))?.to_owned(),
            epoch: claims
                .integer("epoch")
                .map(Timestamp::from_micros)
                .ok_or(Error::InvalidToken("no epoch"))?,
            issued_at,
            expires_at,
        })
    }
}

fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds.saturating_mul(MICROS))
}

/// A JSON object in which no name occurs twice: with two, what one reader checks is not what another uses.
#[derive(Debug)]
pub(super) struct Members(BTreeMap<String, Value>);

impl Members {
    pub(super) fn parse(json: &[u8]) -> Result<Self> {
        serde_json::from_slice(json).or(Err(Error::InvalidToken("not a JSON object with distinct names")))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    fn integer(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    /// Seconds since 1970. Only whole numbers: that is how this server writes them.
    fn seconds(&self, name: &str) -> Option<Timestamp> {
        self.integer(name).filter(|seconds| (0..=MAX_SECONDS).contains(seconds)).map(instant)
    }

    fn read_times(&self, now: Timestamp) -> Result<(Timestamp, Timestamp)> {
        let expires_at = self.seconds("exp").ok_or(Error::InvalidToken("exp is missing or no number"))?;
        let valid_from = self.seconds("nbf").ok_or(Error::InvalidToken("nbf is missing or no number"))?;
        let issued_at = self.seconds("iat").ok_or(Error::InvalidToken("iat is missing or no number"))?;
        if expires_at <= issued_at || expires_at.since(issued_at) > ACCESS_TOKEN_LIFETIME {
            return Err(Error::InvalidToken("lives longer than tokens of this server"));
        }
        if issued_at > now.plus(LEEWAY) {
            return Err(Error::InvalidToken("issued in the future"));
        }
        if valid_from > now.plus(LEEWAY) {
            return Err(Error::InvalidToken("not valid yet"));
        }
        if now >= expires_at.plus(LEEWAY) {
            return Err(Error::Expired);
        }
        Ok((issued_at, expires_at))
    }

    fn names_audience(&self) -> bool {
        match self.0.get("aud") {
            Some(Value::String(one)) => one == AUDIENCE,
            Some(Value::Array(several)) => {
                several.iter().all(Value::is_string) && several.iter().any(|one| one == AUDIENCE)
            }
            _ => false,
        }
    }

    /// The subject, in the one spelling this server uses for an id.
    fn user_id(&self) -> Option<UserId> {
        let text = self.text("sub")?;
        let id: i64 = text.parse().ok()?;
        (id > 0 && id.to_string() == text).then_some(UserId(id))
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Distinct;

        impl<'de> Visitor<'de> for Distinct {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with distinct names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Members, A::Error> {
                let mut members = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name occurs twice"));
                    }
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Distinct)
    }
}
