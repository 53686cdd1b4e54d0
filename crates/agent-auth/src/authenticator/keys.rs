//! API keys of one's own.

use super::Authenticator;
use crate::api_key::{self, ParsedKey};
use crate::error::{Error, Result};
use crate::jwt::SigningKey;
use crate::ports::{ApiKey, NewApiKey};
use crate::principal::{Principal, Scope};
use agent_core::ids::Owner;
use agent_core::plan::Idempotency;
use agent_core::time::Timestamp;
use std::fmt;

const MAX_NAME_CHARS: usize = 100;
const MAX_KEYS: usize = 100;

/// A key just made.
#[derive(Clone, PartialEq, Eq)]
pub struct CreatedKey {
    /// The whole key, to be shown once; only its hash is kept.
    pub secret: String,
    /// What is kept of it.
    pub key: ApiKey,
}

impl fmt::Debug for CreatedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedKey").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Scopes from their names.
///
/// # Errors
/// [`Error::UnknownScope`] for the first that is none.
pub fn parse_scopes<T: AsRef<str>>(names: &[T]) -> Result<Vec<Scope>> {
    let find = |name: &str| Scope::ALL.iter().copied().find(|scope| scope.as_str() == name);
    names
        .iter()
        .map(|name| find(name.as_ref()).ok_or_else(|| Error::UnknownScope(name.as_ref().to_owned())))
        .collect()
}

impl Authenticator {
    /// Makes a key for the caller, for the tenant that the caller acts in. Without `scopes` it may do what the caller
    /// may; never more than that. A key made with a key ends with that one, or before.
    ///
    /// # Errors
    /// `ScopeAboveRole`, `InvalidKeyRequest`, `InvalidToken` (the key it is made with is revoked meanwhile), `Store`,
    /// `Cryptography`.
    pub async fn create_key(
        &self,
        principal: &Principal,
        name: &str,
        scopes: Option<&[Scope]>,
        expires_at: Option<Timestamp>,
    ) -> Result<CreatedKey> {
        self.make_key(principal, (name, scopes, expires_at), None).await
    }

    /// As [`Authenticator::create_key`], for a caller whose repeated request gets the same key again. Its secret
    /// follows from the request and the signing secret, so that it is still kept nowhere; under another signing
    /// secret the repeated request is refused.
    ///
    /// # Errors
    /// As [`Authenticator::create_key`]; `Store` with `IdempotencyMismatch` when the key came with another request,
    /// or with a credential that may grant something else.
    pub async fn create_key_once(
        &self,
        principal: &Principal,
        request: (&str, Option<&[Scope]>, Option<Timestamp>),
        idempotency: &Idempotency,
    ) -> Result<CreatedKey> {
        self.make_key(principal, request, Some(idempotency)).await
    }

    async fn make_key(
        &self,
        principal: &Principal,
        (name, scopes, expires_at): (&str, Option<&[Scope]>, Option<Timestamp>),
        idempotency: Option<&Idempotency>,
    ) -> Result<CreatedKey> {
        let now = self.clock.now();
        check_name(name)?;
        let expires_at = end_of_key(principal, expires_at, now)?;
        let scopes = grantable(principal, scopes)?;
        self.refuse_hoard(principal, now).await?;
        let grant = Grant { scopes: &scopes, expires_at, made_by: principal.key_id };
        let seed = idempotency.map(|request| Seed::of(principal.owner(), &grant, request, &self.signing_key));
        let seed = seed.transpose()?;
        let public_id = api_key::generate_public_id(&*self.random)?;
        let secret = self.secret_of(&public_id, seed.as_ref())?;
        let new = NewApiKey {
            owner: principal.owner(),
            made_by: principal.key_id,
            secret_hash: ParsedKey::parse(&secret)?.secret_hash().to_vec(),
            public_id,
            name: name.to_owned(),
            scopes,
            expires_at,
            idempotency: seed.as_ref().map(|seed| seed.0.clone()),
        };
        let key = self.stores.keys.insert(&new, now).await?;
        self.end_with_maker(&key).await?;
        // An earlier request may have made it, with another public part and so with another secret.
        let secret = if key.public_id == new.public_id {
            secret
        } else {
            self.secret_of(&key.public_id, seed.as_ref())?
        };
        Ok(CreatedKey { secret, key })
    }

    async fn refuse_hoard(&self, principal: &Principal, now: Timestamp) -> Result<()> {
        let owned = self.stores.keys.keys_of(principal.owner()).await?;
        let is_live = |key: &&ApiKey| key.revoked_at.is_none() && key.expires_at.is_none_or(|end| now < end);
        if owned.iter().filter(is_live).count() >= MAX_KEYS {
            return Err(Error::InvalidKeyRequest("you have 100 keys already; revoke one first"));
        }
        Ok(())
    }

    /// Revoking a key reaches those that it had made. The one just made may have come after that, so that it is looked
    /// at once more.
    async fn end_with_maker(&self, key: &ApiKey) -> Result<()> {
        let Some(maker) = key.made_by else { return Ok(()) };
        let owned = self.stores.keys.keys_of(key.owner).await?;
        if owned.iter().any(|other| other.id == maker && other.revoked_at.is_none()) {
            return Ok(());
        }
        self.stores.keys.revoke(key.owner, key.id, self.clock.now()).await?;
        Err(Error::InvalidToken("revoked API key"))
    }

    /// The whole text of a key: random, or following from the request that asks for it.
    fn secret_of(&self, public_id: &str, seed: Option<&Seed>) -> Result<String> {
        let Some(Seed(request)) = seed else { return api_key::generate(&*self.random, public_id) };
        let parts = ["api key", public_id, &request.key, &request.fingerprint];
        Ok(api_key::compose(public_id, &self.signing_key.derive(&parts)?))
    }

    /// The caller's keys in the tenant that the caller acts in, oldest first, revoked ones too.
    ///
    /// # Errors
    /// `Store`.
    pub async fn list_keys(&self, principal: &Principal) -> Result<Vec<ApiKey>> {
        Ok(self.stores.keys.keys_of(principal.owner()).await?)
    }

    /// Revokes one of the caller's keys, with all that were made with it, however indirectly; they are refused from the
    /// next call on.
    ///
    /// # Errors
    /// `KeyNotFound` (also for somebody else's key, and for one's own in another tenant), `Store`.
    pub async fn revoke_key(&self, principal: &Principal, id: i64) -> Result<()> {
        let revoked = self.stores.keys.revoke(principal.owner(), id, self.clock.now()).await?;
        if revoked { Ok(()) } else { Err(Error::KeyNotFound(id)) }
    }
}

/// What a key may be used for, how long, and what it ends with.
struct Grant<'a> {
    scopes: &'a [Scope],
    expires_at: Option<Timestamp>,
    made_by: Option<i64>,
}

/// What a request for a key is recognised by. What it grants belongs to that: a credential that may do less, or not as
/// long, must not get at the key that a wider one asked for.
struct Seed(Idempotency);

impl Seed {
    fn of(
        owner: Owner,
        grant: &Grant<'_>,
        idempotency: &Idempotency,
        signing_key: &SigningKey,
    ) -> Result<Self> {
        let scopes: Vec<&str> = grant.scopes.iter().map(|scope| scope.as_str()).collect();
        let number = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
        let (end, maker) = (number(grant.expires_at.map(Timestamp::as_micros)), number(grant.made_by));
        let Idempotency { key, fingerprint } = idempotency;
        let parts = ["key request", &owner.to_string(), &scopes.join(" "), &end, &maker, key, fingerprint];
        let fingerprint = signing_key.derive(&parts)?;
        Ok(Self(Idempotency { key: key.clone(), fingerprint }))
    }
}

/// When a key ends that is asked for with this credential.
fn end_of_key(principal: &Principal, asked: Option<Timestamp>, now: Timestamp) -> Result<Option<Timestamp>> {
    if asked.is_some_and(|end| end <= now) {
        return Err(Error::InvalidKeyRequest("its end lies in the past"));
    }
    // An access token is no bound: it stands for its owner, who may get the next one.
    let latest = principal.key_id.and(principal.expires_at);
    match (asked, latest) {
        (Some(end), Some(latest)) if end > latest => Err(Error::InvalidKeyRequest(
            "it would outlive the key that it is made with; ask for an earlier end",
        )),
        (asked, latest) => Ok(asked.or(latest)),
    }
}

fn check_name(name: &str) -> Result<()> {
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(Error::InvalidKeyRequest("its name is longer than 100 characters"));
    }
    if name.chars().any(char::is_control) {
        return Err(Error::InvalidKeyRequest("its name has control characters"));
    }
    Ok(())
}

/// A key made with a key must not be a way to more than that key may.
fn grantable(principal: &Principal, asked: Option<&[Scope]>) -> Result<Vec<Scope>> {
    let mut scopes = match asked {
        Some([]) => return Err(Error::InvalidKeyRequest("name at least one scope, or leave scopes out")),
        Some(asked) => asked.to_vec(),
        None => principal.scopes.iter().copied().filter(|scope| principal.may(*scope)).collect(),
    };
    if let Some(above) = scopes.iter().find(|scope| !principal.may(**scope)) {
        return Err(Error::ScopeAboveRole(*above));
    }
    scopes.sort_unstable();
    scopes.dedup();
    Ok(scopes)
}
