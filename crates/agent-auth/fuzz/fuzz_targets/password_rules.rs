//! Whatever comes as a new password and a user name: an answer, soon, and never an acceptance of what is too short or too
//! long or the name itself. The name is what stands before the first line break.

#![no_main]

use agent_auth::check_password_rules;
use libfuzzer_sys::fuzz_target;
use unicode_normalization::UnicodeNormalization;

fuzz_target!(|text: &str| {
    let (username, password) = text.split_once('\n').unwrap_or(("alice", text));
    if check_password_rules(&password.into(), username).is_err() {
        return;
    }
    let composed: String = password.nfc().collect();
    assert!((15..=128).contains(&composed.chars().count()));
    assert!(username.len() < 2 || composed.to_lowercase() != username.to_lowercase());
    let decomposed: String = password.nfd().collect();
    assert!(decomposed.len() > 2048 || check_password_rules(&decomposed.into(), username).is_ok());
});
