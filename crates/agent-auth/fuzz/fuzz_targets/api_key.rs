//! An API key is read exactly when it has the form and the checksum of one; the checksum is computed here once more,
//! so that the fuzzer gets past it.

#![no_main]

use agent_auth::ParsedKey;
use libfuzzer_sys::fuzz_target;

const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// CRC-32 by its definition: the rest of a division of polynomials, the lowest bit of each byte first.
fn checksum(body: &str) -> String {
    let bits = body.bytes().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
    let rest = bits.fold(u32::MAX, |rest, bit| {
        let carry = (rest >> 31 == 1) != bit;
        (rest << 1) ^ if carry { 0x04C1_1DB7 } else { 0 }
    });
    let number = u64::from(!rest.reverse_bits());
    (0..6).rev().map(|place| char::from(LETTERS[(number / 62_u64.pow(place) % 62) as usize])).collect()
}

fn has_the_form(body: &str) -> bool {
    let parts: Vec<&str> = body.split('_').collect();
    let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    matches!(parts[..], ["ak", "live", id, secret] if id.len() == 12 && secret.len() == 43 && is_plain(id) && is_plain(secret))
}

fuzz_target!(|text: &str| {
    let _ = ParsedKey::parse(text);
    for body in [text.to_owned(), format!("ak_live_{text}")] {
        let key = format!("{body}{}", checksum(&body));
        let read = ParsedKey::parse(&key);
        assert_eq!(read.is_ok(), has_the_form(&body), "{key}");
        if read.is_ok() {
            let last = if key.ends_with('x') { 'y' } else { 'x' };
            assert!(ParsedKey::parse(&format!("{}{last}", &key[..key.len() - 1])).is_err());
        }
    }
});
