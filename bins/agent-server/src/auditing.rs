//! Which requests are recorded, and as what.

use crate::asked::{Asked, Notes};
use crate::error::{ApiError, ErrorCode, Result};
use crate::state::AppState;
use actix_web::http::{Method, StatusCode};
use agent_audit::{Actor, ChainId, Entry, Outcome};
use agent_auth::Principal;
use agent_core::time::Timestamp;
use agent_limits::{Caller, Limits, Quotas};
use std::num::NonZeroUsize;

/// Operations that change nothing although they are asked for with POST.
const READING: [&str; 2] = ["scan_repository", "check_policy"];
/// What is done there is about all tenants, and recorded with the server itself.
const OPERATORS: &str = "/tenants";
/// What somebody without an account has recorded of their refusals, from one address, in a minute. A flood of them
/// must not fill the disk.
const UNKNOWN_PER_MINUTE: &str = "30/min";
/// Addresses that are kept in mind for that.
const MAX_ADDRESSES: usize = 10_000;

/// How a request ended.
pub(crate) struct Ended<'a> {
    /// How it was asked.
    pub(crate) method: &'a Method,
    /// Where.
    pub(crate) path: &'a str,
    /// The id of the operation; none for a path that does not exist.
    pub(crate) operation: Option<&'a str>,
    /// The answer.
    pub(crate) status: StatusCode,
    /// The code of the problem.
    pub(crate) code: Option<ErrorCode>,
    /// Where what was made is found.
    pub(crate) location: Option<&'a str>,
}

/// Records what was done or denied. A denial that cannot be recorded is told as it is.
///
/// # Errors
/// 500 for a change that was made and could not be recorded.
pub(crate) async fn record(state: &AppState, asked: &Asked, ended: &Ended<'_>) -> Result<()> {
    let agent = state.agent();
    let Some(entry) = state.auditing().entry(asked, ended, agent.clock().now()) else { return Ok(()) };
    let was_done = entry.outcome == Outcome::Success;
    let Err(error) = agent.audit().record(entry).await else { return Ok(()) };
    let error = ApiError::new(ErrorCode::NotRecorded, "").with_source(error);
    error.log(asked.id());
    if was_done { Err(error) } else { Ok(()) }
}

/// Whether a request that ended so may be worth a record: most are not, and that is seen at once.
pub(crate) fn may_matter(method: &Method, status: StatusCode) -> bool {
    !is_safe(method) || is_denial(status)
}

/// Decides what is recorded.
pub(crate) struct Auditing {
    /// Holds back what strangers would have recorded.
    strangers: Limits,
}

impl Default for Auditing {
    fn default() -> Self {
        // A text of this very program, which its tests read.
        let address = UNKNOWN_PER_MINUTE.parse().ok();
        let most = NonZeroUsize::new(MAX_ADDRESSES).unwrap_or(NonZeroUsize::MIN);
        Self { strangers: Limits::new(&Quotas { address, ..Quotas::default() }, most) }
    }
}

impl Auditing {
    /// What is to be recorded of a request: every change, and every denial.
    fn entry(&self, asked: &Asked, ended: &Ended<'_>, now: Timestamp) -> Option<Entry> {
        let outcome = outcome(ended)?;
        let (principal, notes) = (asked.principal(), asked.notes());
        if principal.is_none() && outcome != Outcome::Success && !self.may_record(asked, now) {
            return None;
        }
        let chain = match &principal {
            Some(principal) if !ended.path.starts_with(OPERATORS) => principal.tenant.into(),
            Some(_) | None => ChainId::Server,
        };
        let action = ended.operation.unwrap_or("unknown_operation");
        let entry = Entry::new(chain, actor(principal.as_deref(), &notes), action, outcome)
            .on(ended.location.unwrap_or(ended.path))
            .answered(ended.status.as_u16(), ended.code.map(ErrorCode::as_str))
            .in_request(asked.id());
        let entry = match asked.address() {
            Some(address) => entry.from_source(address.to_string()),
            None => entry,
        };
        let owner = principal.filter(|principal| principal.key_id.is_some());
        let entry = match owner {
            Some(owner) => entry.on_behalf_of(format!("user {}", owner.user_id)),
            None => entry,
        };
        Some(notes.details.into_iter().fold(entry, |entry, (key, value)| entry.with(key, value)))
    }

    fn may_record(&self, asked: &Asked, now: Timestamp) -> bool {
        let Some(address) = asked.address() else { return true };
        self.strangers.check(&Caller::at(address), now).is_none_or(|ruling| ruling.decision.is_allowed())
    }
}

fn actor(principal: Option<&Principal>, notes: &Notes) -> Actor {
    match (principal, &notes.claimed) {
        (Some(Principal { user_id, username, key_id: Some(key), .. }), _) => {
            Actor::api_key(*key, *user_id, username)
        }
        (Some(Principal { user_id, username, .. }), _) => Actor::user(*user_id, username),
        (None, Some(claimed)) => Actor::claiming(claimed),
        (None, None) => Actor::anonymous(),
    }
}

/// How a request ended that is worth a record: a change that was made or went wrong, and anything denied.
fn outcome(ended: &Ended<'_>) -> Option<Outcome> {
    let is_change = |operation| !is_safe(ended.method) && !READING.contains(&operation);
    let changes = ended.operation.is_some_and(is_change);
    match ended.status {
        status if is_denial(status) => Some(Outcome::Denied),
        StatusCode::NOT_FOUND | StatusCode::GONE if changes => Some(Outcome::Denied),
        status if changes && status.is_success() => Some(Outcome::Success),
        status if changes && status.is_server_error() => Some(Outcome::Failed),
        _ => None,
    }
}

fn is_safe(method: &Method) -> bool {
    [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE].contains(method)
}

fn is_denial(status: StatusCode) -> bool {
    [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::TOO_MANY_REQUESTS].contains(&status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_auth::Role;
    use agent_core::ids::{TenantId, UserId};
    use std::rc::Rc;

    fn ended<'a>(method: &'a Method, operation: Option<&'a str>, status: u16) -> Ended<'a> {
        let status = StatusCode::from_u16(status).unwrap();
        Ended { method, path: "/plans/7", operation, status, code: None, location: None }
    }

    fn asked() -> Asked {
        Asked::new("r1".to_owned(), Some("192.0.2.7".parse().unwrap()))
    }

    fn ada(key_id: Option<i64>) -> Principal {
        Principal {
            user_id: UserId(7),
            tenant: TenantId(3),
            username: "ada".to_owned(),
            role: Role::User,
            operator: false,
            scopes: Vec::new(),
            key_id,
            expires_at: None,
        }
    }

    #[test]
    fn changes_and_denials_are_recorded_and_nothing_else() {
        let (create, scan) = ("create_plan", "scan_repository");
        let cases = [
            (Method::POST, Some(create), 201, Some(Outcome::Success)),
            (Method::POST, Some(create), 403, Some(Outcome::Denied)),
            (Method::POST, Some(create), 404, Some(Outcome::Denied)),
            (Method::POST, Some(create), 500, Some(Outcome::Failed)),
            (Method::POST, Some(create), 422, None),
            (Method::POST, Some(scan), 200, None),
            (Method::GET, Some(create), 200, None),
            (Method::GET, Some(create), 404, None),
            (Method::GET, Some(create), 401, Some(Outcome::Denied)),
            (Method::GET, None, 429, Some(Outcome::Denied)),
            (Method::POST, None, 404, None),
        ];
        for (method, operation, status, expected) in cases {
            let matters = outcome(&ended(&method, operation, status));
            assert!(matters.is_none() || may_matter(&method, StatusCode::from_u16(status).unwrap()));
            assert_eq!(matters, expected, "{method} {status}");
        }
    }

    #[test]
    fn a_key_acts_on_behalf_of_its_owner_in_the_chain_of_their_tenant() {
        let (asked, create) = (asked(), "create_plan");
        asked.is_of(Rc::new(ada(Some(9))));
        let now = Timestamp::from_micros(0);
        let entry = Auditing::default().entry(&asked, &ended(&Method::POST, Some(create), 201), now).unwrap();
        assert_eq!((entry.chain, entry.actor.key_id), (ChainId::from(TenantId(3)), Some(9)));
        assert_eq!(entry.on_behalf_of.as_deref(), Some("user 7"));
        assert_eq!((entry.source.as_deref(), entry.request_id.as_deref()), (Some("192.0.2.7"), Some("r1")));
    }

    #[test]
    fn a_flood_of_refusals_of_strangers_leaves_a_few_records() {
        let auditing = Auditing::default();
        let refused = |asked: &Asked| {
            auditing.entry(asked, &ended(&Method::GET, None, 401), Timestamp::from_micros(0)).is_some()
        };
        let recorded = (0..1_000).filter(|_| refused(&asked())).count();
        assert_eq!(recorded, 30);
        let known = asked();
        known.is_of(Rc::new(ada(None)));
        assert!(refused(&known), "who is known is always recorded");
    }
}
