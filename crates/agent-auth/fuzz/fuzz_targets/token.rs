//! Whatever text comes as a token: it is answered, it is not accepted, and what passes as its form has that form.

#![no_main]

use agent_auth::{Credential, SigningKey, UnverifiedToken};
use agent_core::time::Timestamp;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static KEY: LazyLock<SigningKey> =
    LazyLock::new(|| SigningKey::new("k7Yq0vTzR3nWb5XcJ9mLd2PfHs8GuA1e".into()).expect("a good secret"));

fuzz_target!(|text: &str| {
    let _ = Credential::from_authorization(text);
    assert!(KEY.verify(text, Timestamp::from_micros(1_767_268_800_000_000)).is_err());
    let Ok(token) = UnverifiedToken::parse(text) else { return };
    assert!(text.len() <= 4096 && text.split('.').count() == 3);
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
    assert!(token.key_id().len() < text.len());
});
