//! Passwords: which are accepted, and how they are hashed without starving the server.

mod guessable;
mod rules;
mod words;

pub use rules::check_password_rules;

use crate::error::{Error, Result};
use crate::ports::RandomBytes;
use crate::random::SystemRandom;
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, PasswordHash, Version};
use rules::prepared;
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Argon2id at the cost OWASP recommends: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;

/// How many checks may wait per core; with some 40 ms each, the last one waits about a second.
const QUEUE_PER_CORE: usize = 32;

/// A hash of the present cost that no password is known for. Checking against it takes as long as checking
/// a real one, so the time does not tell whether a user exists.
const NOBODYS_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LWhhcy10aGlz$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What a check of a password found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The right one.
    Right,
    /// The right one, but its hash is cheaper to guess against than a new one would be, and should be made anew.
    RightButOutdated,
    /// Not the right one, or there is no such user.
    Wrong,
}

/// Hashes and checks passwords, at most one per core at a time: each takes 19 MiB and some 40 ms of a core.
#[derive(Clone)]
pub struct Passwords {
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
    random: Arc<dyn RandomBytes>,
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").field("free", &self.running.available_permits()).finish_non_exhaustive()
    }
}

impl Passwords {
    /// For a machine with that many cores. Beyond 32 waiting callers per core, further ones are [`Error::Busy`].
    pub fn new(cores: NonZeroUsize) -> Self {
        let cores = cores.get().min(Semaphore::MAX_PERMITS / (QUEUE_PER_CORE + 1));
        Self {
            admitted: Arc::new(Semaphore::new(cores * (QUEUE_PER_CORE + 1))),
            running: Arc::new(Semaphore::new(cores)),
            random: Arc::new(SystemRandom),
        }
    }

    /// Takes salts from this source instead of the operating system.
    #[must_use]
    pub fn with_random(self, random: Arc<dyn RandomBytes>) -> Self {
        Self { random, ..self }
    }

    /// The PHC string to keep for a password.
    ///
    /// # Errors
    /// `WeakPassword` when it is too long to be looked at, `Busy`, `Cryptography`.
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
        Ok(Slot { random: Arc::clone(&self.random), _admitted: admitted, _running: running })
    }
}

/// The right to use a core for a password. It travels into the thread that computes, so that a caller who
/// goes away does not free it early.
pub(crate) struct Slot {
    random: Arc<dyn RandomBytes>,
    _admitted: OwnedSemaphorePermit,
    _running: OwnedSemaphorePermit,
}

impl Slot {
    pub(crate) async fn hash(self, password: &SecretString) -> Result<(Self, String)> {
        let password = prepared(password)?;
        let mut salt = [0; SALT_BYTES];
        self.random.fill(&mut salt).map_err(Error::Cryptography)?;
        self.run(move || hash_now(&password, &salt)).await
    }

    pub(crate) async fn verify(self, password: &SecretString, kept: Option<&str>) -> Result<(Self, Verdict)> {
        // No account has one that is too long; the answer does not depend on whether the user exists.
        let Ok(password) = prepared(password) else { return Ok((self, Verdict::Wrong)) };
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

fn hash_now(password: &SecretString, salt: &[u8]) -> Result<String> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|source| Error::Cryptography(source.to_string().into()))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password_with_salt(password.expose_secret().as_bytes(), salt).map_err(failed)?;
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

/// Whether guessing against this hash costs at least what it costs against a new one. A dearer hash is kept as it is.
fn is_current(hash: &PasswordHash) -> bool {
    hash.algorithm.as_str() == "argon2id"
        && hash.version == Some(Version::V0x13.into())
        && Params::try_from(hash)
            .is_ok_and(|params| params.m_cost() >= MEMORY_KIB && params.t_cost() >= PASSES)
}

fn failed(source: password_hash::Error) -> Error {
    Error::Cryptography(source.to_string().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_nobody_costs_exactly_what_a_new_hash_costs() {
        let fresh = hash_now(&"four words are plenty".into(), &[7; SALT_BYTES]).unwrap();
        let (fresh, nobody) = (PasswordHash::new(&fresh).unwrap(), PasswordHash::new(NOBODYS_HASH).unwrap());
        assert_eq!((fresh.algorithm, fresh.version), (nobody.algorithm, nobody.version));
        assert_eq!(Params::try_from(&fresh).unwrap(), Params::try_from(&nobody).unwrap());
        assert_eq!(fresh.hash.map(|hash| hash.len()), nobody.hash.map(|hash| hash.len()));
    }
}
