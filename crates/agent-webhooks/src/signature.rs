//! How a receiver knows that a call comes from this server, is meant for it, and is not an old one told again.

use agent_core::time::Timestamp;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use std::fmt::Write;
use std::time::Duration;
use subtle::{Choice, ConstantTimeEq};

/// Header with the id of the delivery, which stays the same over all attempts.
pub const ID_HEADER: &str = "agent-webhook-id";
/// Header with the instant of the attempt, in seconds since the Unix epoch.
pub const TIMESTAMP_HEADER: &str = "agent-webhook-timestamp";
/// Header with the signatures, `v1=<hex>`, a comma between several.
pub const SIGNATURE_HEADER: &str = "agent-webhook-signature";
/// How far the clocks of sender and receiver may be apart.
pub const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// What a secret begins with.
const SECRET_PREFIX: &str = "whsec_";
/// The scheme of a signature, and its version.
const SCHEME: &str = "v1=";
/// Signatures that are looked at in one header; a sender has two at most, while its secret changes.
const MAX_SIGNATURES: usize = 8;

/// The three headers of a signed call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureHeaders {
    /// Value of [`ID_HEADER`]. It is not signed: what tells deliveries apart beyond doubt is in the body.
    pub id: String,
    /// Value of [`TIMESTAMP_HEADER`].
    pub timestamp: String,
    /// Value of [`SIGNATURE_HEADER`].
    pub signature: String,
}

/// Why a call is not to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The timestamp is no number of seconds.
    #[error("Agent-Webhook-Timestamp must be seconds since 1970; refuse the call")]
    Timestamp,
    /// It is too old, or from the future: somebody tells an earlier call again, or a clock is wrong.
    #[error("the call was signed at another time than now; refuse it, and check the clock of this machine")]
    Time,
    /// No signature fits.
    #[error(
        "no signature fits the body; refuse the call, and check that the secret is the webhook's present one"
    )]
    Signature,
}

/// Makes a secret of random bytes. It is shown to its owner once.
pub fn new_secret(random: &[u8; 32]) -> SecretString {
    format!("{SECRET_PREFIX}{}", hex(random)).into()
}

/// Signs a body as sent now: HMAC-SHA-256 over `timestamp.body` with the text of the secret as its key, once per
/// secret.
pub fn sign(id: &str, secrets: &[&SecretString], body: &[u8], now: Timestamp) -> SignatureHeaders {
    let timestamp = seconds(now).to_string();
    let signatures: Vec<String> =
        secrets.iter().map(|secret| format!("{SCHEME}{}", digest(secret, &timestamp, body))).collect();
    SignatureHeaders { id: id.to_owned(), timestamp, signature: signatures.join(",") }
}

/// What a receiver does: whether one of its secrets signed this body, at most `tolerance` from now. Takes equally long
/// whichever secret fits, and whether one does. `body` is what came over the wire, byte by byte.
///
/// # Errors
/// [`SignatureError`] when the call is not to be believed.
pub fn verify(
    secrets: &[&SecretString],
    headers: &SignatureHeaders,
    body: &[u8],
    now: Timestamp,
    tolerance: Duration,
) -> Result<(), SignatureError> {
    let signed_at: i64 = headers.timestamp.parse().map_err(|_no_number| SignatureError::Timestamp)?;
    let given = headers.signature.split(',').take(MAX_SIGNATURES);
    let given: Vec<&str> = given.filter_map(|text| text.trim().strip_prefix(SCHEME)).collect();
    let mut fits = Choice::from(0);
    // Anybody can sign with an empty secret.
    for secret in secrets.iter().filter(|secret| !secret.expose_secret().is_empty()) {
        let expected = digest(secret, &headers.timestamp, body);
        for signature in &given {
            fits |= expected.as_bytes().ct_eq(signature.as_bytes());
        }
    }
    if !bool::from(fits) {
        return Err(SignatureError::Signature);
    }
    let apart = seconds(now).abs_diff(signed_at);
    if apart > tolerance.as_secs() { Err(SignatureError::Time) } else { Ok(()) }
}

fn seconds(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(1_000_000)
}

fn digest(secret: &SecretString, timestamp: &str, body: &[u8]) -> String {
    let key = secret.expose_secret().as_bytes();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body);
    hex(&mac.finalize().into_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
