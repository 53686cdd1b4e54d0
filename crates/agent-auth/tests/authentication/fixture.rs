//! A server's accounts with alice (user), vera (viewer) and adam (admin), and the tools of a forger.

use crate::memory_stores::MemoryStores;
use agent_auth::ports::{ApiKeyStore, RefreshTokenStore};
use agent_auth::{
    Authenticator, Credential, Error, Passwords, Principal, Role, Scope, Session, SigningKey, Stores,
};
use agent_core::ids::{TenantId, UserId};
use agent_core::ports::Clock;
use agent_core::time::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, crypto, dangerous, decode_header};
use serde_json::{Value, json};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

pub(crate) const SECRET: &str = "k7Yq0vTzR3nWb5XcJ9mLd2PfHs8GuA1e";
pub(crate) const OTHER_SECRET: &str = "Zt4Ub8QeM1oJx6VhC0aNr5KyWg3SiD7f";
pub(crate) const PASSWORD: &str = "four words are plenty";
pub(crate) const HERE: &str = "192.0.2.1";

/// A clock that stands still until it is moved.
pub(crate) struct HandClock(AtomicI64);

impl HandClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn set_back(&self, by: Duration) {
        self.0.fetch_sub(i64::try_from(by.as_micros()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.now().as_micros() / 1_000_000
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) struct World {
    pub(crate) auth: Authenticator,
    pub(crate) stores: Arc<MemoryStores>,
    pub(crate) clock: Arc<HandClock>,
}

impl World {
    /// No accounts yet.
    pub(crate) fn empty() -> Self {
        Self::with_key(SigningKey::new(SECRET.into()).unwrap())
    }

    pub(crate) fn with_key(key: SigningKey) -> Self {
        let stores = Arc::new(MemoryStores::default());
        let clock = Arc::new(HandClock(AtomicI64::new(1_767_268_800_250_000)));
        let auth = authenticator(&stores, &clock, key);
        Self { auth, stores, clock }
    }

    pub(crate) async fn with_accounts() -> Self {
        let world = Self::empty();
        for (name, role) in [("alice", Role::User), ("vera", Role::Viewer), ("adam", Role::Admin)] {
            world.auth.create_user(&root(), name, &PASSWORD.into(), role).await.unwrap();
        }
        world
    }

    /// Beside them tenant 2, `acme`, with its own carol (admin) and bob (user), and alice as a guest (viewer).
    pub(crate) async fn with_tenants() -> Self {
        let world = Self::with_accounts().await;
        let acme = world.auth.create_tenant(&root(), "acme", None).await.unwrap().id;
        for (name, role) in [("carol", Role::Admin), ("bob", Role::User)] {
            let user = (name, &PASSWORD.into(), role);
            world.auth.create_user_in(&root(), acme, user, None).await.unwrap();
        }
        world.auth.set_member(acme, UserId(1), Role::Viewer).await.unwrap();
        world
    }

    /// Another server on the same stores and clock.
    pub(crate) fn restarted_with(&self, key: SigningKey) -> Authenticator {
        authenticator(&self.stores, &self.clock, key)
    }

    /// Another server whose keys are kept elsewhere.
    pub(crate) fn on_key_store(&self, keys: Arc<dyn ApiKeyStore>) -> Authenticator {
        self.on(Stores { keys, ..stores(&self.stores) })
    }

    /// Another server whose refresh tokens are kept elsewhere.
    pub(crate) fn on_refresh_store(&self, refresh: Arc<dyn RefreshTokenStore>) -> Authenticator {
        self.on(Stores { refresh, ..stores(&self.stores) })
    }

    fn on(&self, stores: Stores) -> Authenticator {
        let passwords = Passwords::new(NonZeroUsize::MIN);
        Authenticator::new(stores, SigningKey::new(SECRET.into()).unwrap(), passwords, self.clock.clone())
    }

    pub(crate) async fn login(&self, username: &str) -> Session {
        self.auth.login(username, &PASSWORD.into(), None, HERE).await.unwrap()
    }

    pub(crate) async fn principal(&self, username: &str) -> Principal {
        let session = self.login(username).await;
        self.bearer(&session.access_token).await.unwrap()
    }

    pub(crate) async fn principal_in(&self, tenant: &str, username: &str) -> Principal {
        let session = self.auth.login(username, &PASSWORD.into(), Some(tenant), HERE).await.unwrap();
        self.bearer(&session.access_token).await.unwrap()
    }

    pub(crate) async fn bearer(&self, token: &str) -> Result<Principal, Error> {
        self.auth.authenticate(Credential::Bearer(token)).await
    }
}

fn stores(all: &Arc<MemoryStores>) -> Stores {
    Stores { users: all.clone(), tenants: all.clone(), keys: all.clone(), refresh: all.clone() }
}

/// Whoever set the server up: may everything in the tenant that every server has, without an account.
pub(crate) fn root() -> Principal {
    Principal {
        user_id: UserId(0),
        tenant: TenantId::DEFAULT,
        username: "root".into(),
        role: Role::Admin,
        operator: true,
        scopes: Scope::ALL.to_vec(),
        key_id: None,
        expires_at: None,
    }
}

fn authenticator(stores: &Arc<MemoryStores>, clock: &Arc<HandClock>, key: SigningKey) -> Authenticator {
    Authenticator::new(
        self::stores(stores),
        key,
        Passwords::new(NonZeroUsize::new(2).unwrap()),
        clock.clone(),
    )
}

/// The header and claims of a genuine token, to be altered and signed again with the genuine secret.
pub(crate) struct Forgery {
    pub(crate) header: Value,
    pub(crate) claims: Value,
}

impl Forgery {
    pub(crate) fn of(genuine: &str) -> Self {
        let kid = decode_header(genuine).unwrap().kid;
        let claims = dangerous::insecure_decode_claims(genuine).unwrap();
        Self { header: json!({ "alg": "HS256", "typ": "at+jwt", "kid": kid }), claims }
    }

    pub(crate) fn header(mut self, name: &str, value: Value) -> Self {
        set(&mut self.header, name, value);
        self
    }

    /// Sets a claim; `null` removes it.
    pub(crate) fn claim(mut self, name: &str, value: Value) -> Self {
        set(&mut self.claims, name, value);
        self
    }

    pub(crate) fn sign(&self) -> String {
        self.sign_with(SECRET, Algorithm::HS256)
    }

    pub(crate) fn sign_with(&self, secret: &str, algorithm: Algorithm) -> String {
        sign(&self.header.to_string(), &self.claims.to_string(), secret, algorithm)
    }
}

fn set(object: &mut Value, name: &str, value: Value) {
    let members = object.as_object_mut().unwrap();
    match value {
        Value::Null => members.remove(name),
        value => members.insert(name.to_owned(), value),
    };
}

pub(crate) fn sign(header: &str, claims: &str, secret: &str, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
    let key = EncodingKey::from_secret(secret.as_bytes());
    format!("{message}.{}", crypto::sign(message.as_bytes(), &key, algorithm).unwrap())
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0_u32, |group, byte| (group << 8) | u32::from(*byte));
        let group = group << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(ALPHABET[(group >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}

/// Asserts that the caller was kept out because of the token.
#[track_caller]
pub(crate) fn assert_refused<T: std::fmt::Debug>(result: Result<T, Error>, case: &str) {
    assert!(matches!(result, Err(Error::InvalidToken(_))), "{case}: {result:?}");
}
