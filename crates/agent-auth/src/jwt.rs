//! Access tokens: JWTs signed with HS256, accepted only in the one form this crate issues.
//!
//! The library signs and checks the signature; everything a token says is judged here, because a general
//! library lets through what no token of ours ever has (unknown `crit`, any `typ`, tokens from the future).
//! A token is read first, then its key is looked up, then its signature is checked, and last comes the clock.

mod claims;
mod members;
mod secret;
mod unverified;

pub use claims::AccessClaims;
pub use unverified::UnverifiedToken;

use crate::base64url;
use crate::error::{Error, Result};
use crate::ports::RandomBytes;
use crate::random;
use agent_core::ids::Owner;
use agent_core::time::Timestamp;
use claims::IssuedClaims;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, crypto};
use secrecy::{ExposeSecret, SecretString};
use secret::check_secret;
use sha2::{Digest, Sha256};
use std::fmt;
use std::time::Duration;

/// How long an access token is accepted.
pub const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_hours(1);

const TOKEN_ID_CHARS: usize = 22;

/// A ring of keys: the one that signs access tokens, and retired ones whose tokens are still accepted. Each is known by
/// an id that follows from its secret, which every token carries as `kid`.
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

    /// Takes the secret that signs from now on, and earlier ones whose tokens are accepted still, as by
    /// [`SigningKey::accepting`].
    ///
    /// # Errors
    /// [`Error::WeakSecret`] as for [`SigningKey::new`], [`Error::RepeatedSecret`].
    pub fn with_retired(secret: SecretString, retired: Vec<SecretString>) -> Result<Self> {
        retired.into_iter().try_fold(Self::new(secret)?, Self::accepting)
    }

    /// Also accepts tokens signed with an earlier secret, for a rotation that logs nobody out. It can be taken out when
    /// the last token it signed has ended, which is an hour after it stopped signing.
    ///
    /// # Errors
    /// [`Error::WeakSecret`] as for [`SigningKey::new`], [`Error::RepeatedSecret`] when the ring has it already: whoever
    /// rotates would believe that the secret had changed.
    pub fn accepting(mut self, earlier: SecretString) -> Result<Self> {
        let key = Key::new(&earlier)?;
        if self.find(&key.id).is_some() {
            return Err(Error::RepeatedSecret);
        }
        self.retired.push(key);
        Ok(self)
    }

    /// Signs a token for a member of a tenant. `epoch` is the account's `tokens_valid_after` as just read: once that
    /// changes, the token is dead, whatever the clocks say.
    ///
    /// # Errors
    /// [`Error::Cryptography`].
    pub fn issue(
        &self,
        owner: Owner,
        epoch: Timestamp,
        now: Timestamp,
        random: &dyn RandomBytes,
    ) -> Result<IssuedToken> {
        let claims = IssuedClaims::new(owner, random::base62(random, TOKEN_ID_CHARS)?, epoch, now);
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(unverified::TOKEN_TYPE.to_owned());
        header.kid = Some(self.current.id.clone());
        let token = jsonwebtoken::encode(&header, &claims, &self.current.encoding)
            .map_err(|source| Error::Cryptography(Box::new(source)))?;
        Ok(IssuedToken { token, expires_at: claims.expires_at() })
    }

    /// What a token says, if it is one of ours and within its time. Whether its user is still a member of its tenant and may come in is
    /// for the caller to find out.
    ///
    /// # Errors
    /// [`Error::InvalidToken`], [`Error::Expired`].
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<AccessClaims> {
        let token = UnverifiedToken::parse(token)?;
        let key = self.find(token.key_id()).ok_or(Error::InvalidToken("names an unknown key"))?;
        match crypto::verify(token.signature, token.message.as_bytes(), &key.decoding, Algorithm::HS256) {
            Ok(true) => token.claims.at(now),
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

    /// A key of the ring by its name: compared in memory and used for nothing else, whatever it looks like.
    fn find(&self, id: &str) -> Option<&Key> {
        std::iter::once(&self.current).chain(&self.retired).find(|key| key.id == id)
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
