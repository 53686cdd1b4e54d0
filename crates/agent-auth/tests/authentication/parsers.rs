//! Whatever bytes arrive, the readers of tokens and keys answer; they never panic and never let it in.

use crate::fixture::{SECRET, base64url};
use agent_auth::{Credential, ParsedKey, SigningKey, SystemRandom};
use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::time::Timestamp;
use proptest::prelude::*;

fn now() -> Timestamp {
    Timestamp::from_micros(1_767_268_800_000_000)
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_no_token_and_no_key(bytes in prop::collection::vec(any::<u8>(), 0..5000)) {
        let text = String::from_utf8_lossy(&bytes);
        let key = SigningKey::new(SECRET.into()).unwrap();
        prop_assert!(key.verify(&text, now()).is_err());
        prop_assert!(ParsedKey::parse(&text).is_err());
        let _ = Credential::from_authorization(&text);
    }

    #[test]
    fn arbitrary_json_in_the_shape_of_a_token_is_refused(header in ".{0,200}", claims in ".{0,200}", signature in "[A-Za-z0-9_-]{43}") {
        let key = SigningKey::new(SECRET.into()).unwrap();
        let token = format!("{}.{}.{signature}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
        prop_assert!(key.verify(&token, now()).is_err());
    }

    #[test]
    fn a_genuine_token_with_any_one_byte_changed_is_refused(place in any::<prop::sample::Index>(), with in any::<char>()) {
        let key = SigningKey::new(SECRET.into()).unwrap();
        let genuine = key.issue(Owner::in_default_tenant(UserId(1)), now(), now(), &SystemRandom).unwrap().token;
        let place = place.index(genuine.len());
        let altered = format!("{}{with}{}", &genuine[..place], &genuine[place + 1..]);
        prop_assume!(altered != genuine);
        prop_assert!(key.verify(&altered, now()).is_err());
    }

    #[test]
    fn text_in_the_shape_of_a_key_is_refused_by_its_checksum(text in "ak_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}|ak_live_.{0,70}|.{70}") {
        prop_assert!(ParsedKey::parse(&text).is_err());
    }

    #[test]
    fn a_token_is_accepted_for_an_hour_at_any_time_and_for_any_member(
        seconds in 1_000_000_000_i64..250_000_000_000, tenant in 1_i64.., user in 1_i64.., epoch in any::<i64>(), age in 0_u64..3600,
    ) {
        let key = SigningKey::new(SECRET.into()).unwrap();
        let owner = Owner { tenant: TenantId(tenant), user: UserId(user) };
        let login = Timestamp::from_micros(seconds * 1_000_000 + 999_999);
        let issued = key.issue(owner, Timestamp::from_micros(epoch), login, &SystemRandom).unwrap();
        let claims = key.verify(&issued.token, login.plus(std::time::Duration::from_secs(age))).unwrap();
        prop_assert_eq!((claims.owner(), claims.epoch.as_micros()), (owner, epoch));
        prop_assert!(key.verify(&issued.token, login.plus(std::time::Duration::from_secs(3606))).is_err());
    }
}
