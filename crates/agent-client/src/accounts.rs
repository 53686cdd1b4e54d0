//! API keys and accounts.

use crate::client::Client;
use crate::error::Result;
use crate::http::Call;
use crate::wire::account::{
    CreateKey, CreateUser, CreateUserBody, CreatedKey, KeyList, UpdateUser, User, UserList,
};
use agent_core::ids::UserId;
use secrecy::ExposeSecret;
use uuid::Uuid;

/// The caller's own API keys.
#[derive(Debug, Clone)]
pub struct Keys {
    client: Client,
}

impl Keys {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Makes a key, once: a request whose answer was lost is sent again under the same idempotency key.
    ///
    /// # Errors
    /// `Problem` where a scope is unknown or not the caller's to give, and what any request may end with.
    pub async fn create(&self, key: &CreateKey) -> Result<CreatedKey> {
        let call = Call::post(self.client.url(&["auth", "token"])).json(key)?;
        self.client.send(call.once(Uuid::new_v4().to_string())).await
    }

    /// All keys, oldest first, revoked ones too.
    ///
    /// # Errors
    /// What any request may end with.
    pub async fn list(&self) -> Result<KeyList> {
        self.client.send(Call::get(self.client.url(&["auth", "keys"]))).await
    }

    /// Revokes a key; it is refused from now on.
    ///
    /// # Errors
    /// `Problem` where there is no such key, `Unanswered`, and what any request may end with.
    pub async fn revoke(&self, key_id: i64) -> Result<()> {
        let url = self.client.url(&["auth", "keys", &key_id.to_string()]);
        self.client.answer(&Call::delete(url)).await?.nothing()
    }
}

/// The accounts of the caller's tenant, for its administrators.
#[derive(Debug, Clone)]
pub struct Users {
    client: Client,
}

impl Users {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Makes an account, once, as [`Keys::create`].
    ///
    /// # Errors
    /// `Problem` with `username_taken` or `weak_password`, and what any request may end with.
    pub async fn create(&self, user: &CreateUser) -> Result<User> {
        let CreateUser { username, password, role } = user;
        let body = CreateUserBody { username, password: password.expose_secret(), role: *role };
        let call = Call::post(self.client.url(&["users"])).json(&body)?;
        self.client.send(call.once(Uuid::new_v4().to_string())).await
    }

    /// All members, by id.
    ///
    /// # Errors
    /// What any request may end with.
    pub async fn list(&self) -> Result<UserList> {
        self.client.send(Call::get(self.client.url(&["users"]))).await
    }

    /// Changes a member; says how the account is then.
    ///
    /// # Errors
    /// `Problem` where there is no such member, or the caller may not change this about them, and what any request may end
    /// with.
    pub async fn update(&self, user: impl Into<UserId>, update: &UpdateUser) -> Result<User> {
        let url = self.client.url(&["users", &user.into().to_string()]);
        self.client.send(Call::patch(url).json(update)?).await
    }
}
