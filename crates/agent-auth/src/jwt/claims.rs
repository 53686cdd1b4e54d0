//! What an access token says, written and read.

use super::ACCESS_TOKEN_LIFETIME;
use super::members::Members;
use crate::error::{Error, Result};
use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::time::Timestamp;
use serde::Serialize;
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
    tenant: i64,
    jti: String,
    typ: &'static str,
    iat: i64,
    nbf: i64,
    exp: i64,
    epoch: i64,
}

impl IssuedClaims {
    pub(super) fn new(owner: Owner, token_id: String, epoch: Timestamp, now: Timestamp) -> Self {
        let seconds = now.as_micros().div_euclid(MICROS);
        let lifetime = i64::try_from(ACCESS_TOKEN_LIFETIME.as_secs()).unwrap_or(0);
        Self {
            iss: ISSUER,
            aud: AUDIENCE,
            sub: owner.user.to_string(),
            tenant: owner.tenant.get(),
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
    /// The tenant that it is for.
    pub tenant: TenantId,
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
    /// Whose token it is, as a member of the tenant that it is for.
    pub fn owner(&self) -> Owner {
        Owner { tenant: self.tenant, user: self.user_id }
    }
}

/// What a token says, before anybody knows whether it is true.
pub(super) struct Claims {
    access: AccessClaims,
    valid_from: Timestamp,
}

impl Claims {
    /// Reads what a token says; refuses what no token of this server says, at whatever time.
    pub(super) fn read(claims: &Members) -> Result<Self> {
        if claims.text("iss") != Some(ISSUER) {
            return Err(Error::InvalidToken("not issued by this server"));
        }
        if !claims.names("aud", AUDIENCE) {
            return Err(Error::InvalidToken("not meant for this API"));
        }
        if claims.text("typ") != Some(KIND) {
            return Err(Error::InvalidToken("not an access token"));
        }
        let expires_at = seconds(claims, "exp").ok_or(Error::InvalidToken("exp is missing or no number"))?;
        let valid_from = seconds(claims, "nbf").ok_or(Error::InvalidToken("nbf is missing or no number"))?;
        let issued_at = seconds(claims, "iat").ok_or(Error::InvalidToken("iat is missing or no number"))?;
        if expires_at <= issued_at || expires_at.since(issued_at) > ACCESS_TOKEN_LIFETIME {
            return Err(Error::InvalidToken("lives longer than tokens of this server"));
        }
        let token_id = claims.text("jti").filter(|id| !id.is_empty() && id.len() <= MAX_TOKEN_ID_BYTES);
        let epoch = claims.whole_number("epoch").map(Timestamp::from_micros);
        let access = AccessClaims {
            user_id: user_id(claims).ok_or(Error::InvalidToken("names no user"))?,
            tenant: tenant(claims).ok_or(Error::InvalidToken("names no tenant"))?,
            token_id: token_id.ok_or(Error::InvalidToken("has no id"))?.to_owned(),
            epoch: epoch.ok_or(Error::InvalidToken("no epoch"))?,
            issued_at,
            expires_at,
        };
        Ok(Self { access, valid_from })
    }

    /// The claims of a token that is genuine, if this is its time. Only of a genuine one may be said that it has expired.
    pub(super) fn at(self, now: Timestamp) -> Result<AccessClaims> {
        let latest = now.plus(LEEWAY);
        if self.access.issued_at > latest {
            return Err(Error::InvalidToken("issued in the future"));
        }
        if self.valid_from > latest {
            return Err(Error::InvalidToken("not valid yet"));
        }
        if now >= self.access.expires_at.plus(LEEWAY) {
            return Err(Error::Expired);
        }
        Ok(self.access)
    }
}

fn instant(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds.saturating_mul(MICROS))
}

/// Seconds since 1970. Only whole numbers: that is how this server writes them.
fn seconds(claims: &Members, name: &str) -> Option<Timestamp> {
    claims.whole_number(name).filter(|seconds| (0..=MAX_SECONDS).contains(seconds)).map(instant)
}

/// The subject, in the one spelling this server uses for an id.
fn user_id(claims: &Members) -> Option<UserId> {
    let text = claims.text("sub")?;
    let id: i64 = text.parse().ok()?;
    (id > 0 && id.to_string() == text).then_some(UserId(id))
}

/// The tenant, as the number this server writes.
fn tenant(claims: &Members) -> Option<TenantId> {
    claims.whole_number("tenant").filter(|id| *id > 0).map(TenantId)
}
