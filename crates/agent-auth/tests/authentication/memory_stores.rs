//! The four stores in memory, with the semantics the ports promise.

mod keys;
mod refresh;
mod tenants;
mod users;

use agent_auth::ports::{Account, ApiKey, NewRefreshToken, RequestKey, Tenant, User};
use agent_auth::{Role, ports};
use agent_core::Result;
use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::plan::Idempotency;
use agent_core::time::Timestamp;
use std::collections::BTreeMap;
use std::sync::Mutex;

pub(crate) struct MemoryStores {
    kept: Mutex<Kept>,
}

#[derive(Default, Debug)]
struct Kept {
    /// As members of their home; what they are elsewhere is in `members`.
    accounts: BTreeMap<UserId, Account>,
    tenants: BTreeMap<TenantId, Tenant>,
    members: BTreeMap<Owner, Member>,
    keys: BTreeMap<i64, (ApiKey, Vec<u8>)>,
    refresh: Vec<Refresh>,
    requests: BTreeMap<(Owner, String), (String, i64)>,
    joined: u64,
    key_lookups: usize,
    key_touches: usize,
}

#[derive(Debug)]
struct Member {
    role: Role,
    /// Which membership of all this is: the lowest is the oldest.
    number: u64,
}

#[derive(Debug)]
struct Refresh {
    token: NewRefreshToken,
    used: bool,
    revoked: bool,
}

impl Kept {
    /// The id of what a request of this key made, if it is the same request.
    fn made_by(&self, owner: Owner, request: &Idempotency) -> Result<Option<i64>> {
        match self.requests.get(&(owner, request.key.clone())) {
            Some((fingerprint, id)) if *fingerprint == request.fingerprint => Ok(Some(*id)),
            Some(_) => Err(agent_core::Error::IdempotencyMismatch(request.key.clone())),
            None => Ok(None),
        }
    }

    fn remember(&mut self, RequestKey { owner, idempotency }: &RequestKey, id: i64) {
        let made = (idempotency.fingerprint.clone(), id);
        self.requests.insert((*owner, idempotency.key.clone()), made);
    }

    fn member(&self, member: Owner) -> Option<Account> {
        let role = self.members.get(&member)?.role;
        let account = self.accounts.get(&member.user)?.clone();
        Some(Account { user: User { tenant: member.tenant, role, ..account.user.clone() }, ..account })
    }

    fn join(&mut self, member: Owner, role: Role) {
        self.joined += 1;
        let number = self.joined;
        self.members.entry(member).or_insert(Member { role, number }).role = role;
    }

    fn tenants_of(&self, user: UserId) -> impl Iterator<Item = (TenantId, u64)> {
        let of_user = self.members.iter().filter(move |(member, _)| member.user == user);
        of_user.map(|(member, kept)| (member.tenant, kept.number))
    }
}

impl Default for MemoryStores {
    fn default() -> Self {
        let created_at = Timestamp::from_micros(0);
        let default = Tenant { id: TenantId::DEFAULT, name: "default".into(), created_at };
        let tenants = BTreeMap::from([(default.id, default)]);
        Self { kept: Mutex::new(Kept { tenants, ..Kept::default() }) }
    }
}

impl MemoryStores {
    pub(crate) fn key_lookups(&self) -> usize {
        self.kept.lock().unwrap().key_lookups
    }

    pub(crate) fn key_touches(&self) -> usize {
        self.kept.lock().unwrap().key_touches
    }

    pub(crate) fn account(&self, id: UserId) -> Account {
        self.kept.lock().unwrap().accounts[&id].clone()
    }

    pub(crate) fn set_password_hash(&self, id: UserId, hash: &str) {
        self.kept.lock().unwrap().accounts.get_mut(&id).unwrap().password_hash = hash.to_owned();
    }

    pub(crate) fn delete_user(&self, id: UserId) {
        self.kept.lock().unwrap().accounts.remove(&id).unwrap();
    }

    pub(crate) fn refresh_tokens(&self) -> Vec<ports::NewRefreshToken> {
        self.kept.lock().unwrap().refresh.iter().map(|kept| kept.token.clone()).collect()
    }

    /// Everything that is kept, as an intruder with a copy of the database would read it.
    pub(crate) fn dump(&self) -> String {
        format!("{:?}", self.kept.lock().unwrap())
    }
}
