//! Who a caller is, and what they may do.

use agent_core::ids::UserId;
use agent_core::ports::Visibility;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word used in JSON, tokens and the store.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    other => Err(format!("{other:?} is none of: {}", [$($text),+].join(", "))),
                }
            }
        }
    };
}

words! {
    /// What an account may do.
    Role {
        /// Reads.
        Viewer = "viewer",
        /// Makes and runs plans.
        User = "user",
        /// Sees everything and administers.
        Admin = "admin",
    }
}

words! {
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
        /// Analytics over everybody's work.
        AnalyticsRead = "analytics:read",
        /// Administer users.
        UsersManage = "users:manage",
    }
}

impl Role {
    /// The scopes an account of this role has.
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
            Self::Admin => Scope::ALL,
        }
    }
}

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The account.
    pub user_id: UserId,
    /// Its name.
    pub username: String,
    /// Its role, read from the store and never from the token.
    pub role: Role,
    /// What this very token or key may be used for.
    pub scopes: Vec<Scope>,
    /// When the token or key ends; `None` for keys without an end.
    pub expires_at: Option<agent_core::time::Timestamp>,
}

impl Principal {
    /// Whether the caller may use that scope.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) && self.role.scopes().contains(&scope)
    }

    /// Whose plans the caller sees: admins everybody's, others their own.
    pub fn visibility(&self) -> Visibility {
        match self.role {
            Role::Admin => Visibility::Everything,
            Role::User | Role::Viewer => Visibility::Owner(self.user_id),
        }
    }
}
