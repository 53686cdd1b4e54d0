//! What can be said against a token before its signature is computed.

use super::claims::Claims;
use super::members::Members;
use crate::base64url;
use crate::error::{Error, Result};
use std::fmt;

const MAX_TOKEN_BYTES: usize = 4096;
/// Base64url of the 32 bytes of an HMAC-SHA-256.
const SIGNATURE_CHARS: usize = 43;
pub(super) const ALGORITHM: &str = "HS256";
/// What an access token calls itself in its header. Refresh tokens are no JWTs, and whatever else may once be signed
/// with the same key must call itself something else.
pub(super) const TOKEN_TYPE: &str = "at+jwt";
const HEADER_MEMBERS: &[&str] = &["alg", "typ", "kid"];

/// A token in the form that this server issues, whose signature nobody has looked at yet.
///
/// Nothing it says may be believed, so that only the name of its key can be asked for: the one thing that is needed to
/// check it. [`SigningKey::verify`](crate::SigningKey::verify) reads every token like this first; it is public for those
/// who attack it in tests.
pub struct UnverifiedToken<'token> {
    key_id: String,
    pub(super) claims: Claims,
    pub(super) message: &'token str,
    pub(super) signature: &'token str,
}

impl fmt::Debug for UnverifiedToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedToken").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

impl<'token> UnverifiedToken<'token> {
    /// Reads a token; refuses everything that needs neither key nor clock to be refused.
    ///
    /// # Errors
    /// [`Error::InvalidToken`].
    pub fn parse(token: &'token str) -> Result<Self> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Error::InvalidToken("longer than 4 KiB"));
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Error::InvalidToken("not three parts"))?;
        let (header, payload) = message.split_once('.').ok_or(Error::InvalidToken("not three parts"))?;
        if payload.contains('.') {
            return Err(Error::InvalidToken("not three parts"));
        }
        if signature.len() != SIGNATURE_CHARS || base64url::decode(signature).is_none() {
            return Err(Error::InvalidToken("signature of another form"));
        }
        let header = base64url::decode(header).ok_or(Error::InvalidToken("header is not base64url"))?;
        let key_id = key_id(&Members::parse(&header)?)?;
        let payload = base64url::decode(payload).ok_or(Error::InvalidToken("payload is not base64url"))?;
        Ok(Self { key_id, claims: Claims::read(&Members::parse(&payload)?)?, message, signature })
    }

    /// The name of the key that it claims to be signed with.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }
}

/// The key the header names. It may say nothing but what our own headers say, so that neither keys nor addresses of
/// keys from the token are ever looked at, and no extension can be demanded.
fn key_id(header: &Members) -> Result<String> {
    if !header.are_exactly(HEADER_MEMBERS) {
        return Err(Error::InvalidToken("header has other members than alg, typ and kid"));
    }
    if header.text("alg") != Some(ALGORITHM) {
        return Err(Error::InvalidToken("algorithm is not HS256"));
    }
    if header.text("typ") != Some(TOKEN_TYPE) {
        return Err(Error::InvalidToken("not typed as an access token"));
    }
    header.text("kid").map(str::to_owned).ok_or(Error::InvalidToken("names no key"))
}
