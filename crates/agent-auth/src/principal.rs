//! Who a caller is, and what they may do.

use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::ports::Visibility;

agent_core::words! {
    /// What an account may do.
    Role {
        /// Reads.
        Viewer = "viewer",
        /// Makes and runs plans.
        User = "user",
        /// Sees everything in the tenant and administers it.
        Admin = "admin",
    }
}

agent_core::words! {
    /// What a token or key may be used for. A caller never has more than their role has.
    Scope {
        /// Read plans, events, conversations, templates, statistics.
        PlansRead = "plans:read",
        /// Create and change plans, conversations and templates.
        PlansWrite = "plans:write",
        /// Execute, pause, resume, cancel and retry plans.
        PlansExecute = "plans:execute",
        /// Answer approvals.
        ApprovalsDecide = "approvals:decide",
        /// Scan repositories.
        RepositoriesRead = "repositories:read",
        /// Create, list and revoke one's own keys.
        KeysManage = "keys:manage",
        /// Analytics over everybody's work in the tenant.
        AnalyticsRead = "analytics:read",
        /// Administer the tenant's users.
        UsersManage = "users:manage",
        /// Read the tenant's audit trail.
        AuditRead = "audit:read",
        /// Look after the server itself: its tenants, who is a member of which, and the audit trail of all of them.
        TenantsManage = "tenants:manage",
    }
}

/// What every administrator of a tenant has.
const ADMIN_SCOPES: &[Scope] = &[
    Scope::PlansRead,
    Scope::PlansWrite,
    Scope::PlansExecute,
    Scope::ApprovalsDecide,
    Scope::RepositoriesRead,
    Scope::KeysManage,
    Scope::AnalyticsRead,
    Scope::UsersManage,
    Scope::AuditRead,
];

impl Role {
    /// The scopes that a member of this role has in the tenant. What an operator has beside them is no matter of the
    /// role: [`Scope::TenantsManage`].
    pub fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Viewer => &[Scope::PlansRead, Scope::KeysManage],
            Self::User => &[
                Scope::PlansRead,
                Scope::PlansWrite,
                Scope::PlansExecute,
                Scope::ApprovalsDecide,
                Scope::RepositoriesRead,
                Scope::KeysManage,
            ],
            Self::Admin => ADMIN_SCOPES,
        }
    }
}

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The account.
    pub user_id: UserId,
    /// The tenant it acts in.
    pub tenant: TenantId,
    /// Its name.
    pub username: String,
    /// Its role in the tenant, read from the store and never from the token.
    pub role: Role,
    /// Whether it looks after the server itself, likewise read from the store.
    pub operator: bool,
    /// What this very token or key may be used for.
    pub scopes: Vec<Scope>,
    /// The API key that was shown; `None` for an access token.
    pub key_id: Option<i64>,
    /// When the token or key ends; `None` for keys without an end.
    pub expires_at: Option<agent_core::time::Timestamp>,
}

impl Principal {
    /// Whether the caller may use that scope.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) && has(self.role, self.operator, scope)
    }

    /// To whom belongs what the caller makes.
    pub fn owner(&self) -> Owner {
        Owner { tenant: self.tenant, user: self.user_id }
    }

    /// Whose plans the caller sees: administrators those of their tenant, others their own.
    pub fn visibility(&self) -> Visibility {
        match self.role {
            Role::Admin => Visibility::Tenant(self.tenant),
            Role::User | Role::Viewer => Visibility::Owner(self.owner()),
        }
    }
}

/// Whether a member of this role has the scope, or an operator beside it.
pub(crate) fn has(role: Role, operator: bool, scope: Scope) -> bool {
    role.scopes().contains(&scope) || (operator && scope == Scope::TenantsManage)
}

/// All scopes that a member has.
pub(crate) fn scopes_of(role: Role, operator: bool) -> Vec<Scope> {
    Scope::ALL.iter().copied().filter(|scope| has(role, operator, *scope)).collect()
}
