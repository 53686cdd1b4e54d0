//! How often somebody may ask.

use crate::asked::Asked;
use crate::error::{ApiError, ErrorCode, Result};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use agent_auth::Principal;
use agent_core::time::Timestamp;
use agent_limits::{Caller, Limits, Ruling};

/// Paths that say whether the server is alive must answer however much it is asked.
const EXEMPT: [&str; 2] = ["/health", "/ready"];
/// Where passwords are guessed.
const LOGIN: &str = "/auth/login";

/// Judges a request by where it comes from.
///
/// # Errors
/// 429.
pub(crate) fn judge_address(limits: &Limits, asked: &Asked, path: &str, now: Timestamp) -> Result<()> {
    let Some(address) = asked.address().filter(|_| !EXEMPT.contains(&path)) else { return Ok(()) };
    let caller = Caller { is_login: path == LOGIN, ..Caller::at(address) };
    obey(asked, limits.check(&caller, now))
}

/// Judges a request by who asks.
///
/// # Errors
/// 429.
pub(crate) fn judge_caller(
    limits: &Limits,
    asked: &Asked,
    principal: &Principal,
    now: Timestamp,
) -> Result<()> {
    let caller = Caller {
        user: Some(principal.user_id),
        key: principal.key_id,
        tenant: Some(principal.tenant),
        ..Caller::default()
    };
    obey(asked, limits.check(&caller, now))
}

fn obey(asked: &Asked, ruling: Option<Ruling>) -> Result<()> {
    asked.ruled(ruling);
    match ruling {
        Some(ruling) if !ruling.decision.is_allowed() => {
            let detail = format!("more requests than one {} may make; see Retry-After", ruling.scope);
            Err(ApiError::new(ErrorCode::RateLimited, detail))
        }
        Some(_) | None => Ok(()),
    }
}

/// Tells how much is left, where there is a limit.
pub(crate) fn add_headers(headers: &mut HeaderMap, asked: &Asked) {
    let Some(ruling) = asked.ruling() else { return };
    for (name, value) in ruling.decision.headers().pairs() {
        if let Ok(name) = HeaderName::try_from(name) {
            headers.insert(name, HeaderValue::from(value));
        }
    }
}
