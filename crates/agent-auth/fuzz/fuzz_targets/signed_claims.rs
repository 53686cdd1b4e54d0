//! Claims that our own key has signed, as if it had leaked into another program: those that are accepted say, to a second
//! reader too, what this server says in its own tokens.

#![no_main]

use agent_auth::{AccessClaims, Error, SigningKey, SystemRandom};
use agent_core::{
    ids::{Owner, UserId},
    time::Timestamp,
};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::sync::LazyLock;

const SECRET: &str = "k7Yq0vTzR3nWb5XcJ9mLd2PfHs8GuA1e";
const NOW: i64 = 1_767_268_800;

struct Forger {
    key: SigningKey,
    signing: EncodingKey,
    header: String,
}

static FORGER: LazyLock<Forger> = LazyLock::new(|| {
    let key = SigningKey::new(SECRET.into()).expect("a good secret");
    let now = Timestamp::from_micros(NOW * 1_000_000);
    let genuine =
        key.issue(Owner::in_default_tenant(UserId(7)), now, now, &SystemRandom).expect("a token").token;
    let header = genuine.split('.').next().expect("a header").to_owned();
    Forger { key, signing: EncodingKey::from_secret(SECRET.as_bytes()), header }
});

fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0_usize, |group, at| group << 8 | usize::from(*chunk.get(at).unwrap_or(&0)));
        text.extend((0..=chunk.len()).map(|at| char::from(ALPHABET[group >> (18 - 6 * at) & 63])));
    }
    text
}

fn check(claims: &AccessClaims, payload: &[u8]) {
    let read: Value = serde_json::from_slice(payload).expect("what was accepted is JSON");
    let whole = |name: &str| read[name].as_i64().expect("a whole number");
    assert_eq!(read["iss"], "agent");
    assert!(
        read["aud"] == "agent-api"
            || read["aud"].as_array().is_some_and(|all| all.contains(&"agent-api".into()))
    );
    assert_eq!(read["typ"], "access");
    assert_eq!(read["sub"].as_str(), Some(claims.user_id.get().to_string().as_str()));
    assert!(claims.tenant.get() > 0 && whole("tenant") == claims.tenant.get());
    assert_eq!(read["jti"].as_str(), Some(claims.token_id.as_str()));
    assert_eq!(claims.epoch.as_micros(), whole("epoch"));
    assert_eq!(claims.issued_at.as_micros(), whole("iat") * 1_000_000);
    assert_eq!(claims.expires_at.as_micros(), whole("exp") * 1_000_000);
    assert!((1..=3600).contains(&(whole("exp") - whole("iat"))));
    assert!(
        whole("iat") <= NOW + 5 && whole("nbf") <= NOW + 5 && whole("nbf") >= 0 && whole("exp") > NOW - 5
    );
    assert!(read.as_object().expect("an object").values().all(|value| !value.is_object()));
}

fuzz_target!(|payload: &[u8]| {
    let forger = &*FORGER;
    let message = format!("{}.{}", forger.header, base64url(payload));
    let signature = crypto::sign(message.as_bytes(), &forger.signing, Algorithm::HS256).expect("a signature");
    match forger.key.verify(&format!("{message}.{signature}"), Timestamp::from_micros(NOW * 1_000_000)) {
        Ok(claims) => check(&claims, payload),
        Err(Error::Expired) => {}
        Err(error) => {
            assert_ne!(error.reason(), Some("wrong signature"), "it is signed with the genuine key")
        }
    }
});
