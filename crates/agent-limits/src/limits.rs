//! All request limits of a server.

use crate::address::network_of;
use crate::decision::Decision;
use crate::limiter::{Held, RateLimiter};
use crate::quota::Quota;
use agent_core::ids::{TenantId, UserId};
use agent_core::time::Timestamp;
use std::cmp::Reverse;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroUsize;

/// What a limit counts by. The order is the one in which locks are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// All requests of an address: an IPv4 address, or an IPv6 network (see [`network_of`]).
    Address,
    /// The logins of an address.
    Login,
    /// All requests of a user, with whatever credentials.
    User,
    /// All requests with an API key.
    Key,
    /// All requests of the members of a tenant.
    Tenant,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] = [Self::Address, Self::Login, Self::User, Self::Key, Self::Tenant];

    /// Its name in settings, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Login => "login",
            Self::User => "user",
            Self::Key => "key",
            Self::Tenant => "tenant",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The quota of each scope; `None` where there is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quotas {
    /// For all requests of an address.
    pub address: Option<Quota>,
    /// For the logins of an address.
    pub login: Option<Quota>,
    /// For all requests of a user.
    pub user: Option<Quota>,
    /// For all requests with an API key.
    pub key: Option<Quota>,
    /// For all requests of a tenant.
    pub tenant: Option<Quota>,
}

impl Quotas {
    fn of(&self, scope: Scope) -> Option<Quota> {
        match scope {
            Scope::Address => self.address,
            Scope::Login => self.login,
            Scope::User => self.user,
            Scope::Key => self.key,
            Scope::Tenant => self.tenant,
        }
    }
}

/// What is known of who makes a request. What is left out is not counted, so that a request can be judged twice: by its
/// address before anybody spends time on its credentials, and by the rest when they proved to be good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Caller {
    /// The client's address, see [`TrustedProxies::client`](crate::TrustedProxies::client).
    pub address: Option<IpAddr>,
    /// Whether the request is a login; counts by the address.
    pub is_login: bool,
    /// The user.
    pub user: Option<UserId>,
    /// The number of the API key.
    pub key: Option<i64>,
    /// The tenant in which the user works.
    pub tenant: Option<TenantId>,
}

impl Caller {
    /// Somebody at an address of whom nothing else is known.
    pub fn at(address: IpAddr) -> Self {
        Self { address: Some(address), ..Self::default() }
    }

    fn subject(&self, scope: Scope) -> Option<Subject> {
        let address = self.address.map(|address| Subject::Network(network_of(address)));
        match scope {
            Scope::Address => address,
            Scope::Login => address.filter(|_| self.is_login),
            Scope::User => self.user.map(|user| Subject::Number(user.get())),
            Scope::Key => self.key.map(Subject::Number),
            Scope::Tenant => self.tenant.map(|tenant| Subject::Number(tenant.get())),
        }
    }
}

/// A key of any scope; each scope has a limiter of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Subject {
    Network(IpAddr),
    Number(i64),
}

/// What was decided, and by which limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ruling {
    /// Of a refused request the limit that makes it wait longest; of an allowed one the limit with the least remaining.
    pub scope: Scope,
    /// What that limit says.
    pub decision: Decision,
}

impl Ruling {
    fn strictness(&self) -> impl Ord + use<> {
        let headers = self.decision.headers();
        (self.decision.retry_after(), Reverse(headers.remaining), headers.reset_seconds)
    }
}

/// All request limits of a server, each with a limiter of its own.
#[derive(Debug)]
pub struct Limits {
    limiters: Vec<(Scope, RateLimiter<Subject>)>,
}

impl Limits {
    /// Limits that remember at most so many keys each.
    pub fn new(quotas: &Quotas, max_keys: NonZeroUsize) -> Self {
        let limiter = |scope| quotas.of(scope).map(|quota| (scope, RateLimiter::new(quota, max_keys)));
        Self { limiters: Scope::ALL.into_iter().filter_map(limiter).collect() }
    }

    /// Judges a request by every limit that applies to the caller; `None` when none does. It is counted by all of them
    /// or, when one refuses, by none.
    ///
    /// The keys of all scopes are held until the request is judged, rather than taking and giving back: so nobody is
    /// refused because of a request that is refused itself, and no quota is overdrawn between looking and taking.
    /// Everybody takes the locks in the order of [`Scope`], so no two wait for each other.
    pub fn check(&self, caller: &Caller, now: Timestamp) -> Option<Ruling> {
        let subjects = self.limiters.iter().map(|(scope, _)| caller.subject(*scope)).collect::<Vec<_>>();
        let pairs = self.limiters.iter().zip(&subjects);
        let held: Vec<(Scope, Held<'_, Subject>)> = pairs
            .filter_map(|((scope, limiter), subject)| Some((*scope, limiter.hold(subject.as_ref()?, now))))
            .collect();
        let rulings = held.iter().map(|(scope, held)| Ruling { scope: *scope, decision: held.decision() });
        let strictest = rulings.max_by_key(Ruling::strictness)?;
        if strictest.decision.is_allowed() {
            held.into_iter().for_each(|(_, held)| held.take());
        }
        Some(strictest)
    }

    /// How many keys each limit remembers.
    pub fn remembered(&self) -> impl Iterator<Item = (Scope, usize)> {
        self.limiters.iter().map(|(scope, limiter)| (*scope, limiter.remembered()))
    }
}
