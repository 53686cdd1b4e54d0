//! What is to be recorded, before it has a place in a chain.

use crate::chain::ChainId;
use agent_core::ids::UserId;
use serde_json::Value;
use std::collections::BTreeMap;

agent_core::words! {
    /// What kind of somebody acts.
    ActorKind {
        /// Nobody who proved who they are.
        Anonymous = "anonymous",
        /// A person who is logged in.
        User = "user",
        /// A program with a key of its owner.
        ApiKey = "api_key",
        /// The server itself.
        System = "system",
    }
}

agent_core::words! {
    /// How it ended.
    Outcome {
        /// It was done.
        Success = "success",
        /// It was refused.
        Denied = "denied",
        /// It was tried and went wrong.
        Failed = "failed",
    }
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// What kind of somebody.
    pub kind: ActorKind,
    /// The account.
    pub user_id: Option<UserId>,
    /// The name of the account; for a failed login, the name that was tried.
    pub username: Option<String>,
    /// The API key that was used.
    pub key_id: Option<i64>,
}

impl Actor {
    /// Somebody who did not prove who they are.
    pub fn anonymous() -> Self {
        Self { kind: ActorKind::Anonymous, user_id: None, username: None, key_id: None }
    }

    /// Somebody who failed to prove that they are this one.
    pub fn claiming(username: impl Into<String>) -> Self {
        Self { username: Some(username.into()), ..Self::anonymous() }
    }

    /// A person.
    pub fn user(id: UserId, username: impl Into<String>) -> Self {
        Self { kind: ActorKind::User, user_id: Some(id), username: Some(username.into()), key_id: None }
    }

    /// A program with a key of this person.
    pub fn api_key(key_id: i64, owner: UserId, username: impl Into<String>) -> Self {
        Self { kind: ActorKind::ApiKey, key_id: Some(key_id), ..Self::user(owner, username) }
    }

    /// The server itself.
    pub fn system() -> Self {
        Self { kind: ActorKind::System, ..Self::anonymous() }
    }
}

/// What is to be recorded. Texts may be of any length: [`chain_after`](Self::chain_after) cuts what is too long, so that
/// no record takes more than 4 KiB as a line of JSON.
///
/// | field | bytes in JSON |
/// |---|---|
/// | `resource` | 512 |
/// | `username`, `on_behalf_of`, `source`, `request_id` | 128 |
/// | `action`, `code` | 64 |
/// | `details` | 2048; keys 64, texts 512, four levels deep |
///
/// A text that was cut ends in `…`. Details that have no room are left out, the last keys first, and counted under the
/// key `…`. NUL, which not every database can keep, becomes U+FFFD; numbers in details that are not whole become text,
/// because programs disagree on how to write them.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where it belongs.
    pub chain: ChainId,
    /// Who.
    pub actor: Actor,
    /// For whom, where it is not the actor's own doing, such as `plan 7`.
    pub on_behalf_of: Option<String>,
    /// From which address.
    pub source: Option<String>,
    /// What, as the id of an operation such as `create_plan`.
    pub action: String,
    /// On what, such as `/plans/7`.
    pub resource: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status; 0 where there is none.
    pub status: u16,
    /// The code of the error.
    pub code: Option<String>,
    /// The request that it was part of.
    pub request_id: Option<String>,
    /// What else is worth knowing, secrets removed.
    pub details: BTreeMap<String, Value>,
}

impl Entry {
    /// The least that an entry says.
    pub fn new(chain: ChainId, actor: Actor, action: impl Into<String>, outcome: Outcome) -> Self {
        Self {
            chain,
            actor,
            on_behalf_of: None,
            source: None,
            action: action.into(),
            resource: None,
            outcome,
            status: 0,
            code: None,
            request_id: None,
            details: BTreeMap::new(),
        }
    }

    /// For whom, such as `plan 7`.
    #[must_use]
    pub fn on_behalf_of(mut self, whom: impl Into<String>) -> Self {
        self.on_behalf_of = Some(whom.into());
        self
    }

    /// From which address.
    #[must_use]
    pub fn from_source(mut self, address: impl Into<String>) -> Self {
        self.source = Some(address.into());
        self
    }

    /// On what, such as `/plans/7`.
    #[must_use]
    pub fn on(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// With which HTTP status and error code it was answered.
    #[must_use]
    pub fn answered(mut self, status: u16, code: Option<&str>) -> Self {
        self.status = status;
        self.code = code.map(str::to_owned);
        self
    }

    /// In which request.
    #[must_use]
    pub fn in_request(mut self, id: impl Into<String>) -> Self {
        self.request_id = Some(id.into());
        self
    }

    /// One thing more that is worth knowing, secrets removed.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.details.insert(key.into(), value.into());
        self
    }
}
