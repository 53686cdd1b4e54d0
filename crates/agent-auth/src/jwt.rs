//! Access tokens: JWTs signed with HS256, accepted only in the one form this crate issues.
//!
//! The library signs and checks the signature; everything a token says is judged here, because a general
//! library lets through what no token of ours ever has (unknown `crit`, any `typ`, tokens from the future).

mod claims;

pub use claims::AccessClaims;

use crate::base64url;
use crate::error::{Error, Result};
use crate::random;
use agent_core::ids::UserId;
use agent_core::time::Timestamp;
use claims::{IssuedClaims, Members};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, crypto};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;

/// How long an access token is accepted.
pub const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_hours(1);

const MIN_SECRET_BYTES: usize = 32;
const MIN_DISTINCT_BYTES: usize = 8;
const MAX_TOKEN_BYTES: usize = 4096;
/// Base64url of the 32 bytes of an HMAC-SHA-256.
const SIGNATURE_CHARS: usize = 43;
const TOKEN_TYPE: &str = "at+jwt";
const TOKEN_ID_CHARS: usize = 22;

/// Secrets that are long enough but stand in everybody's examples.
const SAMPLE_SECRETS: &[&str] = &[
    "a-string-secret-at-least-256-bits-long",
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    "your-secret-key-change-in-production",
    "your-secret-key-change-this-in-production",
    "change-this-secret-key-in-production",
    "your-super-secret-jwt-key-change-this",
    "your-256-bit-secret-your-256-bit-secret",
    "super-secret-jwt-token-with-at-least-32-characters-long",
    "0123456789abcdef0123456789abcdef",
    "0123456789012345678901234567890123456789",
    "abcdefghijklmnopqrstuvwxyz123456",
];

/// The secret that signs access tokens, with the retired ones that are still accepted.
pub struct SigningKey {
    current: Key,
    retired: Vec<Key>,
}

struct Key {
    id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// A signed access token.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedToken {
    /// The token in compact form.
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let retired: Vec<&str> = self.retired.iter().map(|key| key.id.as_str()).collect();
        f.debug_struct("SigningKey").field("id", &self.current.id).field("retired", &retired).finish()
    }
}

impl SigningKey {
    /// Takes the secret that signs from now on.
    ///
    /// # Errors
    /// [`Error::WeakSecret`] when it is shorter than 32 bytes, repetitive or a published example.
    pub fn new(secret: SecretString) -> Result<Self> {
        Ok(Self { current: Key::new(&secret)?, retired: Vec::new() })
    }

    /// Also accepts tokens signed with an earlier secret, for a rotation that logs nobody out.
    ///
    /// # Errors
    /// [`Error::WeakSecret`] as for [`SigningKey::new`].
    pub fn accepting(mut self, earlier: SecretString) -> Result<Self> {
        self.retired.push(Key::new(&earlier)?);
        Ok(self)
    }

    /// Signs a token for a user. `epoch` is the account's `tokens_valid_after` as just read: once that
    /// changes, the token is dead, whatever the clocks say.
    ///
    /// # Errors
    /// [`Error::Cryptography`].
    pub fn issue(&self, user: UserId, epoch: Timestamp, now: Timestamp) -> Result<IssuedToken> {
        let claims = IssuedClaims::new(user, random::base62(TOKEN_ID_CHARS)?, epoch, now);
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TOKEN_TYPE.to_owned());
        header.kid = Some(self.current.id.clone());
        let token = jsonwebtoken::encode(&header, &claims, &self.current.encoding)
            .map_err(|source| Error::Cryptography(Box::new(source)))?;
        Ok(IssuedToken { token, expires_at: claims.expires_at() })
    }

    /// What a token says, if it is one of ours and within its time. Whether its user may still come in is
    /// for the caller to find out.
    ///
    /// # Errors
    /// [`Error::InvalidToken`], [`Error::Expired`].
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<AccessClaims> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::InvalidToken("longer than 4 KiB"));
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Error::InvalidToken("not three parts"))?;
        let (header, payload) = message.split_once('.').ok_or(Error::InvalidToken("not three parts"))?;
        let header = base64url::decode(header).ok_or(Error::InvalidToken("header is not base64url"))?;
        let payload = base64url::decode(payload).ok_or(Error::InvalidToken("payload is not base64url"))?;
        let key = self.key_for(&Members::parse(&header)?)?;
        if signature.len() != SIGNATURE_CHARS || base64url::decode(signature).is_none() {
            return Err(Error::InvalidToken("signature of another form"));
        }
        match crypto::verify(signature, message.as_bytes(), &key.decoding, Algorithm::HS256) {
            Ok(true) => AccessClaims::read(&Members::parse(&payload)?, now),
            Ok(false) | Err(_) => Err(Error::InvalidToken("wrong signature")),
        }
    }

    /// A secret that follows from these parts, as 43 letters: HMAC-SHA-256 under the present signing secret. Each
    /// part goes in with its length, and the first byte is none that a token begins with.
    ///
    /// # Errors
    /// [`Error::Cryptography`].
    pub(crate) fn derive(&self, parts: &[&str]) -> Result<String> {
        let mut message = b"\0agent".to_vec();
        for part in parts {
            message.extend(format!("{}:{part}", part.len()).into_bytes());
        }
        let signed = crypto::sign(&message, &self.current.encoding, Algorithm::HS256)
            .map_err(|source| Error::Cryptography(source.into()))?;
        let bytes = base64url::decode(&signed).and_then(|bytes| bytes.try_into().ok());
        bytes.map(random::base62_of).ok_or_else(|| Error::Cryptography("a signature of another form".into()))
    }

    /// The key the header names; the header may say nothing but what our own headers say, so neither keys
    /// nor addresses of keys from the token are ever looked at.
    fn key_for(&self, header: &Members) -> Result<&Key> {
        if header.names().any(|name| !["alg", "typ", "kid"].contains(&name)) {
            return Err(Error::InvalidToken("foreign header member"));
        }
        if header.text("alg") != Some("HS256") {
            return Err(Error::InvalidToken("algorithm is not HS256"));
        }
        if header.text("typ") != Some(TOKEN_TYPE) {
            return Err(Error::InvalidToken("not typed as an access token"));
        }
        let id = header.text("kid").ok_or(Error::InvalidToken("names no key"))?;
        std::iter::once(&self.current)
            .chain(&self.retired)
            .find(|key| key.id == id)
            .ok_or(Error::InvalidToken("names an unknown key"))
    }
}

impl Key {
    fn new(secret: &SecretString) -> Result<Self> {
        let secret = secret.expose_secret();
        check_secret(secret)?;
        let digest = Sha256::new().chain_update(b"agent key id\0").chain_update(secret).finalize();
        Ok(Self {
            id: digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect(),
            encoding: EncodingKey::from_secret(secret.as_bytes()),
            decoding: DecodingKey::from_secret(secret.as_bytes()),
        })
    }
}

fn check_secret(secret: &str) -> Result<()> {
    if secret.len() < MIN_SECRET_BYTES {
        return Err(Error::WeakSecret("is shorter than 32 bytes"));
    }
    let mut distinct = secret.as_bytes().to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < MIN_DISTINCT_BYTES {
        return Err(Error::WeakSecret("repeats a few characters"));
    }
    if SAMPLE_SECRETS.contains(&secret.to_ascii_lowercase().as_str()) {
        return Err(Error::WeakSecret("is a published example"));
    }
    Ok(())
}
