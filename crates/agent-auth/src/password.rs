//! Passwords: which are accepted, and how they are hashed without starving the server.

use crate::error::{Error, Result};
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};
use secrecy::{ExposeSecret, SecretString};
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const MIN_CHARS: usize = 15;
const MAX_BYTES: usize = 1024;
const MIN_DISTINCT_CHARS: usize = 5;

/// Argon2id at the cost OWASP recommends: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// How many checks may wait per core; with some 40 ms each, the last one waits about a second.
const QUEUE_PER_CORE: usize = 32;

/// A hash of the present cost that no password is known for. Checking against it takes as long as checking
/// a real one, so the time does not tell whether a user exists.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LWhhcy10aGlz$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The most common passwords that are long enough to pass the length rule, and those one would guess here.
const COMMON: &[&str] = &[
    "000000000000000",
    "0123456789012345",
    "1111111111111111",
    "123123123123123",
    "123456781234567",
    "123456789012345",
    "1234567890123456",
    "12345678901234567890",
    "123456789123456",
    "123456789123456789",
    "1234567891234567",
    "1q2w3e4r5t6y7u8i",
    "1q2w3e4r5t6y7u8i9o0p",
    "1qaz2wsx3edc4rfv",
    "1qaz2wsx3edc4rfv5tgb",
    "abcdefghijklmno",
    "abcdefghijklmnop",
    "abcdefghijklmnopqrstuvwxyz",
    "administrator123",
    "administratoradministrator",
    "adminadminadmin",
    "agentagentagent",
    "asdfghjklasdfghjkl",
    "changemechangeme",
    "changemechangemechangeme",
    "correct horse battery staple",
    "correcthorsebatterystaple",
    "demodemodemodemo",
    "iloveyouiloveyou",
    "letmeinletmeinletmein",
    "passwordpassword",
    "passwordpassword1",
    "password12345678",
    "password123456789",
    "password1234567890",
    "passw0rdpassw0rd",
    "p@ssw0rdp@ssw0rd",
    "p@ssword12345678",
    "qazwsxedcrfvtgb",
    "qwertyuiop12345",
    "qwertyuiop123456",
    "qwertyuiop1234567890",
    "qwertyuiopasdfgh",
    "qwertyuiopasdfghjkl",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertyqwertyqwerty",
    "secretsecretsecret",
    "supersecretpassword",
    "thisisapassword",
    "thisismypassword",
    "trustno1trustno1",
    "welcomewelcome1",
    "welcome123456789",
    "zxcvbnmasdfghjkl",
];

/// Checks a new password by the rules of NIST SP 800-63B: at least 15 characters of any kind, at most
/// 1024 bytes, not a common one, not the user's own name. No rules about kinds of characters.
///
/// # Errors
/// [`Error::WeakPassword`] with what to do.
pub fn check_password_rules(password: &SecretString, username: &str) -> Result<()> {
    let password = password.expose_secret();
    if password.len() > MAX_BYTES {
        return Err(Error::WeakPassword("it is longer than 1024 bytes; use a shorter one"));
    }
    if password.chars().count() < MIN_CHARS {
        return Err(Error::WeakPassword("use at least 15 characters; a few words are easy to remember"));
    }
    let folded = password.to_lowercase();
    let name = username.to_lowercase();
    if !name.is_empty() && folded.replace(&name, "").trim().is_empty() {
        return Err(Error::WeakPassword("it is the user name; use something that others cannot guess"));
    }
    let mut distinct: Vec<char> = folded.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < MIN_DISTINCT_CHARS || COMMON.contains(&folded.as_str()) {
        return Err(Error::WeakPassword("it is among the first that are guessed; use a few unrelated words"));
    }
    Ok(())
}

/// What a check of a password found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The right one.
    Right,
    /// The right one, but its hash was made at another cost and should be made anew.
    RightButOutdated,
    /// Not the right one, or there is no such user.
    Wrong,
}

/// Hashes and checks passwords, at most one per core at a time: each takes 19 MiB and some 40 ms of a core.
#[derive(Debug, Clone)]
pub struct Passwords {
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
}

impl Passwords {
    /// For a machine with that many cores. Beyond 32 waiting callers per core, further ones are [`Error::Busy`].
    pub fn new(cores: NonZeroUsize) -> Self {
        let cores = cores.get().min(Semaphore::MAX_PERMITS / (QUEUE_PER_CORE + 1));
        Self {
            admitted: Arc::new(Semaphore::new(cores * (QUEUE_PER_CORE + 1))),
            running: Arc::new(Semaphore::new(cores)),
        }
    }

    /// The PHC string to keep for a password.
    ///
    /// # Errors
    /// `Busy`, `Cryptography`.
    pub async fn hash(&self, password: &SecretString) -> Result<String> {
        let (_, hash) = self.slot().await?.hash(password).await?;
        Ok(hash)
    }

    /// Checks a password against the kept PHC string; `None` (no such user) takes as long as a wrong password.
    ///
    /// # Errors
    /// `Busy`, `Cryptography`, `Store` when the kept string is damaged.
    pub async fn verify(&self, password: &SecretString, kept: Option<&str>) -> Result<Verdict> {
        let (_, verdict) = self.slot().await?.verify(password, kept).await?;
        Ok(verdict)
    }

    /// Waits for a turn.
    pub(crate) async fn slot(&self) -> Result<Slot> {
        let Ok(admitted) = Arc::clone(&self.admitted).try_acquire_owned() else {
            return Err(Error::Busy);
        };
        let running = Arc::clone(&self.running)
            .acquire_owned()
            .await
            .map_err(|closed| Error::Cryptography(Box::new(closed)))?;
        Ok(Slot { _admitted: admitted, _running: running })
    }
}

/// The right to use a core for a password. It travels into the thread that computes, so that a caller who
/// goes away does not free it early.
#[derive(Debug)]
pub(crate) struct Slot {
    _admitted: OwnedSemaphorePermit,
    _running: OwnedSemaphorePermit,
}

impl Slot {
    pub(crate) async fn hash(self, password: &SecretString) -> Result<(Self, String)> {
        let password = password.clone();
        self.run(move || hash_now(&password)).await
    }

    pub(crate) async fn verify(self, password: &SecretString, kept: Option<&str>) -> Result<(Self, Verdict)> {
        if password.expose_secret().len() > MAX_BYTES {
            // No account can have it; the answer does not depend on whether the user exists.
            return Ok((self, Verdict::Wrong));
        }
        let password = password.clone();
        let kept = kept.map(str::to_owned);
        self.run(move || verify_now(&password, kept.as_deref())).await
    }

    async fn run<T, F>(self, work: F) -> Result<(Self, T)>
    where
        T: Send + 'static,
        F: FnOnce() -> Result<T> + Send + 'static,
    {
        let done = tokio::task::spawn_blocking(move || (work(), self)).await;
        let (result, slot) = done.map_err(|source| Error::Cryptography(Box::new(source)))?;
        Ok((slot, result?))
    }
}

fn hash_now(password: &SecretString) -> Result<String> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|source| Error::Cryptography(source.to_string().into()))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(password.expose_secret().as_bytes()).map_err(failed)?;
    Ok(hash.to_string())
}

fn verify_now(password: &SecretString, kept: Option<&str>) -> Result<Verdict> {
    let parsed = PasswordHash::new(kept.unwrap_or(NOBODYS_HASH))
        .map_err(|source| agent_core::Error::Damaged(format!("a password hash is unreadable: {source}")))?;
    match Argon2::default().verify_password(password.expose_secret().as_bytes(), &parsed) {
        Ok(()) if kept.is_none() => Ok(Verdict::Wrong),
        Ok(()) if is_current(&parsed) => Ok(Verdict::Right),
        Ok(()) => Ok(Verdict::RightButOutdated),
        Err(password_hash::Error::PasswordInvalid) => Ok(Verdict::Wrong),
        Err(source) => Err(failed(source)),
    }
}

fn is_current(hash: &PasswordHash) -> bool {
    let cost = Params::try_from(hash).map(|params| (params.m_cost(), params.t_cost(), params.p_cost()));
    hash.algorithm.as_str() == "argon2id"
        && hash.version == Some(Version::V0x13.into())
        && cost == Ok((MEMORY_KIB, PASSES, LANES))
}

fn failed(source: password_hash::Error) -> Error {
    Error::Cryptography(source.to_string().into())
}
