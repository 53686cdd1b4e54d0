//! How much of what is kept somebody sees.

use crate::ids::{Owner, TenantId};

/// Whose plans a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// Only those of this owner.
    Owner(Owner),
    /// Everybody's in this tenant. Nobody sees more than one.
    Tenant(TenantId),
}

impl Visibility {
    /// Whether what belongs to this owner is seen.
    pub fn includes(self, owner: Owner) -> bool {
        match self {
            Self::Owner(wanted) => owner == wanted,
            Self::Tenant(tenant) => owner.tenant == tenant,
        }
    }

    /// The tenant that is looked at.
    pub fn tenant(self) -> TenantId {
        match self {
            Self::Owner(owner) => owner.tenant,
            Self::Tenant(tenant) => tenant,
        }
    }
}
