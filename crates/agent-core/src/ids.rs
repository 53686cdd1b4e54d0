//! Identifiers as types of their own, so that a task id is never taken for a plan id.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {$(
        #[$doc]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// The number as stored.
            pub fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl From<i64> for $name {
            fn from(value: i64) -> Self {
                Self(value)
            }
        }
    )+};
}

id! {
    /// A plan.
    PlanId,
    /// A task; unique over all plans.
    TaskId,
    /// A person or program with an account.
    UserId,
    /// An organisation; what belongs to one is invisible to all others.
    TenantId,
    /// One accepted request to execute a plan.
    ExecutionId,
    /// One question to a person.
    ApprovalId,
    /// One message of a conversation.
    MessageId,
    /// How often a plan was changed; grows by one with each commit.
    Revision,
    /// How often a plan changed hands between workers; the fence of every write.
    Generation,
}

impl TenantId {
    /// The tenant that every server has from its first start; an installation for one person has no other.
    pub const DEFAULT: Self = Self(1);
}

/// To whom a row belongs: a person, as a member of a tenant. What somebody owns in one tenant they do not own in
/// another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Owner {
    /// The tenant.
    pub tenant: TenantId,
    /// The person.
    pub user: UserId,
}

impl Owner {
    /// A person as a member of the tenant that every server has.
    pub fn in_default_tenant(user: UserId) -> Self {
        Self { tenant: TenantId::DEFAULT, user }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "user {} of tenant {}", self.user, self.tenant)
    }
}

impl Revision {
    /// The revision after this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Names one running server or embedded agent as the holder of leases.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkerId(pub String);

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
