//! All limits of a server at once.

use crate::{address, at, keys, quota, remaining, retry_after};
use agent_core::ids::{TenantId, UserId};
use agent_limits::{Caller, Limits, Quotas, Ruling, Scope};
use proptest::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

fn limits(quotas: Quotas) -> Limits {
    Limits::new(&quotas, keys(1_000))
}

fn caller(user: i64, tenant: i64) -> Caller {
    let home = Caller::at(address("198.51.100.7"));
    Caller { user: Some(UserId(user)), tenant: Some(TenantId(tenant)), ..home }
}

fn check(limits: &Limits, caller: &Caller) -> Ruling {
    limits.check(caller, at(0)).expect("a limit applies")
}

#[test]
fn without_limits_nobody_is_judged() {
    assert_eq!(limits(Quotas::default()).check(&caller(1, 1), at(0)), None);
    let only_keys = limits(Quotas { key: Some(quota("1/min")), ..Quotas::default() });
    assert_eq!(only_keys.check(&caller(1, 1), at(0)), None, "this caller has no key");
}

#[test]
fn each_limit_counts_by_what_it_is_for() {
    let one = Some(quota("1/min"));
    let whole = Caller { is_login: true, key: Some(7), ..caller(7, 7) };
    for (scope, quotas) in [
        (Scope::Address, Quotas { address: one, ..Quotas::default() }),
        (Scope::Login, Quotas { login: one, ..Quotas::default() }),
        (Scope::User, Quotas { user: one, ..Quotas::default() }),
        (Scope::Key, Quotas { key: one, ..Quotas::default() }),
        (Scope::Tenant, Quotas { tenant: one, ..Quotas::default() }),
    ] {
        let limits = limits(quotas);
        assert!(check(&limits, &whole).decision.is_allowed());
        let refused = check(&limits, &whole);
        assert_eq!((refused.scope, retry_after(refused.decision)), (scope, Duration::from_secs(60)));
        let other = Caller {
            address: Some(address("198.51.100.8")),
            is_login: true,
            user: Some(UserId(8)),
            key: Some(8),
            tenant: Some(TenantId(8)),
        };
        assert!(check(&limits, &other).decision.is_allowed(), "{scope}");
        assert_eq!(limits.remembered().collect::<Vec<_>>(), [(scope, 2)]);
    }
}

#[test]
fn logins_have_a_limit_of_their_own_besides_that_of_all_requests() {
    let limits =
        limits(Quotas { address: Some(quota("5/min")), login: Some(quota("1/min")), ..Quotas::default() });
    let (any, login) = (caller(1, 1), Caller { is_login: true, ..caller(1, 1) });
    assert!(check(&limits, &login).decision.is_allowed());
    assert_eq!(check(&limits, &login).scope, Scope::Login);
    assert_eq!(remaining(check(&limits, &any).decision), 3);
}

#[test]
fn a33_the_addresses_of_one_network_share_their_limit() {
    let limits = limits(Quotas { address: Some(quota("2/min")), ..Quotas::default() });
    for host in ["2001:db8:1:2::1", "2001:db8:1:2::2"] {
        assert!(check(&limits, &Caller::at(address(host))).decision.is_allowed());
    }
    assert!(!check(&limits, &Caller::at(address("2001:db8:1:2:9::"))).decision.is_allowed());
    assert!(check(&limits, &Caller::at(address("2001:db8:1:3::1"))).decision.is_allowed());
}

#[test]
fn a_refused_request_is_counted_by_no_limit() {
    let quotas = Quotas {
        address: Some(quota("4/min")),
        user: Some(quota("1/min")),
        tenant: Some(quota("3/min")),
        ..Quotas::default()
    };
    let limits = limits(quotas);
    check(&limits, &caller(1, 1));
    for _ in 0..20 {
        assert_eq!(check(&limits, &caller(1, 1)).scope, Scope::User);
    }
    assert!(check(&limits, &caller(2, 1)).decision.is_allowed());
    assert!(check(&limits, &caller(3, 1)).decision.is_allowed());
    assert_eq!(check(&limits, &caller(4, 1)).scope, Scope::Tenant);
    assert!(check(&limits, &caller(4, 2)).decision.is_allowed(), "the address has one left, and user 4 too");
    assert_eq!(check(&limits, &caller(5, 2)).scope, Scope::Address);
}

#[test]
fn an_allowed_request_is_told_the_limit_with_the_least_remaining() {
    let quotas = Quotas {
        address: Some(quota("100/min")),
        user: Some(quota("10/min")),
        tenant: Some(quota("11/min")),
        ..Quotas::default()
    };
    let limits = limits(quotas);
    let first = check(&limits, &caller(1, 1));
    assert_eq!((first.scope, remaining(first.decision)), (Scope::User, 9));
    check(&limits, &caller(1, 1));
    let other = check(&limits, &caller(2, 1));
    assert_eq!((other.scope, remaining(other.decision)), (Scope::Tenant, 8));
}

#[test]
fn a_refused_request_is_told_the_limit_that_makes_it_wait_longest() {
    let quotas = Quotas { address: Some(quota("1/hour")), user: Some(quota("1/min")), ..Quotas::default() };
    let limits = limits(quotas);
    check(&limits, &caller(1, 1));
    let refused = check(&limits, &caller(1, 1));
    assert_eq!((refused.scope, retry_after(refused.decision)), (Scope::Address, Duration::from_secs(3600)));
}

#[test]
fn a_request_can_be_judged_by_its_address_first_and_by_the_rest_later() {
    let quotas = Quotas { address: Some(quota("5/min")), user: Some(quota("2/min")), ..Quotas::default() };
    let limits = limits(quotas);
    let whole = caller(1, 1);
    let (before, after) = (Caller::at(address("198.51.100.7")), Caller { address: None, ..whole });
    assert_eq!(remaining(check(&limits, &before).decision), 4);
    let ruling = check(&limits, &after);
    assert_eq!((ruling.scope, remaining(ruling.decision)), (Scope::User, 1));
    assert_eq!(remaining(check(&limits, &before).decision), 3, "the second look did not count the address");
}

#[test]
fn threads_of_many_users_get_exactly_the_quota_of_their_tenant() {
    let quotas = Quotas {
        address: Some(quota("10000/hour")),
        user: Some(quota("200/hour")),
        tenant: Some(quota("1000/hour")),
        ..Quotas::default()
    };
    let (limits, allowed) = (limits(quotas), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for user in 0..8 {
            let (limits, allowed) = (&limits, &allowed);
            scope.spawn(move || {
                for _ in 0..300 {
                    let ruling = check(limits, &caller(user, 1));
                    allowed.fetch_add(u32::from(ruling.decision.is_allowed()), Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(allowed.into_inner(), 1000);
    let only_address = check(&limits, &Caller::at(address("198.51.100.7")));
    assert_eq!(remaining(only_address.decision), 10_000 - 1000 - 1, "refused requests were not counted");
}

#[test]
fn scopes_have_names() {
    assert_eq!(Scope::ALL.map(|scope| scope.to_string()), ["address", "login", "user", "key", "tenant"]);
}

proptest! {
    #[test]
    fn whoever_waits_as_long_as_told_is_allowed_by_every_limit(
        uses in prop::collection::vec((0_i64..4, 0_i64..2, any::<bool>(), 0_u64..3_000_000), 1..80),
    ) {
        let quotas = Quotas {
            address: Some(quota("20/10s")),
            login: Some(quota("2/7s")),
            user: Some(quota("5/9s burst 3")),
            key: Some(quota("4/s burst 1")),
            tenant: Some(quota("10/11s")),
        };
        let limits = limits(quotas);
        let mut now = at(0);
        for (user, tenant, is_login, step) in uses {
            now = now.plus(Duration::from_micros(step));
            let caller = Caller { is_login, key: Some(user), ..caller(user, tenant) };
            let ruling = limits.check(&caller, now).unwrap();
            if !ruling.decision.is_allowed() {
                now = now.plus(retry_after(ruling.decision));
                prop_assert!(limits.check(&caller, now).unwrap().decision.is_allowed());
            }
        }
    }
}
