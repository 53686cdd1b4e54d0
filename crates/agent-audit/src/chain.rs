//! Which chain, where it begins and where it ends.

use crate::hash::Hash;
use agent_core::ids::TenantId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A chain of records. Kept and shown as a number: the tenant's, or 0 for the server; no tenant has the number 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "i64", into = "i64")]
pub enum ChainId {
    /// What belongs to no tenant, such as a failed login of an unknown person.
    Server,
    /// What belongs to a tenant.
    Tenant(TenantId),
}

impl ChainId {
    /// The number as stored.
    pub fn stored(self) -> i64 {
        match self {
            Self::Server => 0,
            Self::Tenant(tenant) => tenant.get(),
        }
    }
}

impl From<i64> for ChainId {
    fn from(stored: i64) -> Self {
        if stored == 0 { Self::Server } else { Self::Tenant(TenantId(stored)) }
    }
}

impl From<ChainId> for i64 {
    fn from(chain: ChainId) -> Self {
        chain.stored()
    }
}

impl From<TenantId> for ChainId {
    fn from(tenant: TenantId) -> Self {
        Self::from(tenant.get())
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server => f.write_str("server"),
            Self::Tenant(tenant) => write!(f, "tenant {tenant}"),
        }
    }
}

/// The last record of a chain: the next one follows it. Whoever notes it elsewhere can prove later that everything up to
/// it is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Its place in the chain; 0 when there has been none yet.
    pub sequence: i64,
    /// Its hash.
    pub hash: Hash,
}

impl Head {
    /// The head of a chain without records.
    pub const EMPTY: Self = Self { sequence: 0, hash: Hash::ZERO };
}

impl Default for Head {
    fn default() -> Self {
        Self::EMPTY
    }
}

/// Where a chain begins: later than at 1 when retention removed the oldest records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    /// The place of the oldest record that is kept; of the next one to come when none is.
    pub first_sequence: i64,
    /// The hash of the record before it.
    pub previous_hash: Hash,
}

impl Anchor {
    /// Where every chain begins at first.
    pub const BEGINNING: Self = Self { first_sequence: 1, previous_hash: Hash::ZERO };

    /// The anchor after everything up to a record was removed.
    pub fn after(head: &Head) -> Self {
        Self { first_sequence: head.sequence.saturating_add(1), previous_hash: head.hash }
    }

    /// The record before the first one.
    pub fn before(&self) -> Head {
        Head { sequence: self.first_sequence.saturating_sub(1), hash: self.previous_hash }
    }
}

impl Default for Anchor {
    fn default() -> Self {
        Self::BEGINNING
    }
}

/// A chain from its beginning to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainState {
    /// Where it begins.
    pub anchor: Anchor,
    /// Where it ends.
    pub head: Head,
}
