//! Accounts that were read a moment ago, so that a busy caller is not looked up for each of a thousand requests.

use crate::ports::Account;
use agent_core::ids::Owner;
use agent_core::time::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long what was read counts: a change that another server made counts here after this long at the latest.
pub(super) const FRESH: Duration = Duration::from_millis(500);
/// The most accounts that are kept.
const MOST: usize = 4_096;

/// What was read, and nothing that was read before the last change made here.
#[derive(Default)]
pub(super) struct KnownAccounts(Mutex<Known>);

#[derive(Default)]
struct Known {
    accounts: HashMap<Owner, (Timestamp, Account)>,
    changes: u64,
}

/// How many changes there had been when somebody began to read.
#[derive(Clone, Copy)]
pub(super) struct ReadingSince(u64);

impl KnownAccounts {
    /// The account, if it was read a moment ago.
    pub(super) fn find(&self, member: Owner, now: Timestamp) -> Option<Account> {
        let known = self.lock();
        let (read_at, account) = known.accounts.get(&member)?;
        let is_fresh = *read_at <= now && now.since(*read_at) < FRESH;
        is_fresh.then(|| account.clone())
    }

    /// Before an account is read from the store.
    pub(super) fn begin(&self) -> ReadingSince {
        ReadingSince(self.lock().changes)
    }

    /// Keeps what was read, unless something was changed meanwhile.
    pub(super) fn keep(&self, since: ReadingSince, member: Owner, account: &Account, now: Timestamp) {
        let mut known = self.lock();
        if known.changes != since.0 {
            return;
        }
        if known.accounts.len() >= MOST {
            known.accounts.clear();
        }
        known.accounts.insert(member, (now, account.clone()));
    }

    /// Forgets everything: an account or a membership was changed here.
    pub(super) fn forget(&self) {
        let mut known = self.lock();
        known.changes += 1;
        known.accounts.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
