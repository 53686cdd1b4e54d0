//! I17: what a receiver checks.

use agent_core::time::Timestamp;
use agent_webhooks::{SignatureError, SignatureHeaders, TOLERANCE, new_secret, sign, verify};
use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

const BODY: &[u8] = br#"{"seq":1,"cursor":42}"#;
const NOW: Timestamp = Timestamp::from_micros(1_767_268_800_900_000);

fn secret(seed: u8) -> SecretString {
    new_secret(&[seed; 32])
}

fn later(seconds: i64) -> Timestamp {
    Timestamp::from_micros(NOW.as_micros() + seconds * 1_000_000)
}

fn check(secret: &SecretString, headers: &SignatureHeaders, body: &[u8]) -> Result<(), SignatureError> {
    verify(&[secret], headers, body, NOW, TOLERANCE)
}

#[test]
fn i17_the_signature_is_the_one_that_any_other_program_computes() {
    let bytes: [u8; 32] = std::array::from_fn(|index| u8::try_from(index).unwrap());
    let secret = new_secret(&bytes);
    assert_eq!(
        secret.expose_secret(),
        "whsec_000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
    );
    let headers = sign("wh_7_42", &[&secret], BODY, NOW);
    assert_eq!(headers.id, "wh_7_42");
    assert_eq!(headers.timestamp, "1767268800");
    // python3: hmac.new(secret, b"1767268800." + body, "sha256").hexdigest()
    assert_eq!(headers.signature, "v1=f68cf984f490439e1f7183f15620c757e0dfe5a42de16d681fb3255558214080");
    assert_eq!(check(&secret, &headers, BODY), Ok(()));
}

#[test]
fn i17_what_was_tampered_with_fails() {
    let good = sign("wh_7_42", &[&secret(1)], BODY, NOW);
    let refused = Err(SignatureError::Signature);
    assert_eq!(check(&secret(2), &good, BODY), refused);
    assert_eq!(check(&secret(1), &good, &BODY[1..]), refused);
    assert_eq!(check(&secret(1), &good, b""), refused);
    let moved = SignatureHeaders { timestamp: "1767268801".to_owned(), ..good.clone() };
    assert_eq!(check(&secret(1), &moved, BODY), refused);
    for signature in ["", "v1=", "v1", ",", &good.signature[3..], &good.signature[..60], "v1=zz", "v0=00"] {
        let broken = SignatureHeaders { signature: signature.to_owned(), ..good.clone() };
        assert_eq!(check(&secret(1), &broken, BODY), refused, "{signature}");
    }
    for timestamp in ["", "now", "1767268800.0", "0x10", "99999999999999999999"] {
        let broken = SignatureHeaders { timestamp: timestamp.to_owned(), ..good.clone() };
        assert_eq!(check(&secret(1), &broken, BODY), Err(SignatureError::Timestamp), "{timestamp}");
    }
}

#[test]
fn i17_a_call_of_more_than_five_minutes_ago_or_ahead_fails() {
    for (seconds, is_good) in
        [(0, true), (-300, true), (300, true), (-301, false), (301, false), (-86_400, false)]
    {
        let headers = sign("wh_7_42", &[&secret(1)], BODY, later(seconds));
        let expected = if is_good { Ok(()) } else { Err(SignatureError::Time) };
        assert_eq!(check(&secret(1), &headers, BODY), expected, "{seconds}");
    }
    let headers = sign("wh_7_42", &[&secret(1)], BODY, later(-11));
    assert_eq!(
        verify(&[&secret(1)], &headers, BODY, NOW, Duration::from_secs(10)),
        Err(SignatureError::Time)
    );
}

#[test]
fn i17_while_a_secret_changes_the_old_and_the_new_one_both_do() {
    let (old, new, other) = (secret(1), secret(2), secret(3));
    let both = sign("wh_7_42", &[&new, &old], BODY, NOW);
    assert_eq!(check(&old, &both, BODY), Ok(()));
    assert_eq!(check(&new, &both, BODY), Ok(()));
    assert_eq!(check(&other, &both, BODY), Err(SignatureError::Signature));
    let one = sign("wh_7_42", &[&old], BODY, NOW);
    assert_eq!(verify(&[&new, &old], &one, BODY, NOW, TOLERANCE), Ok(()));
    assert_eq!(verify(&[], &one, BODY, NOW, TOLERANCE), Err(SignatureError::Signature));
    let spaced = SignatureHeaders { signature: both.signature.replace(',', " , "), ..both };
    assert_eq!(check(&old, &spaced, BODY), Ok(()));
}

#[test]
fn i17_an_empty_secret_verifies_nothing() {
    let empty = SecretString::from("");
    let forged = sign("wh_7_42", &[&empty], BODY, NOW);
    assert_eq!(check(&empty, &forged, BODY), Err(SignatureError::Signature));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn i17_any_body_verifies_and_any_change_of_it_fails(
        seed: [u8; 32], body in proptest::collection::vec(any::<u8>(), 1..200), at in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let secret = new_secret(&seed);
        let headers = sign("wh_1_1", &[&secret], &body, NOW);
        prop_assert_eq!(check(&secret, &headers, &body), Ok(()));
        let mut changed = body.clone();
        changed[at.index(body.len())] ^= 1 << bit;
        prop_assert_eq!(check(&secret, &headers, &changed), Err(SignatureError::Signature));
    }

    #[test]
    fn i17_no_header_makes_the_check_panic(timestamp: String, signature: String) {
        let headers = SignatureHeaders { id: String::new(), timestamp, signature };
        prop_assert!(check(&secret(1), &headers, BODY).is_err());
    }
}
