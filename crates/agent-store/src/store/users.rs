//! Accounts.

use super::Store;
use crate::rows::account::{NewUserRow, UserChangeRow};
use crate::sqlite::users;
use agent_auth::ports::{Account, NewUser, User, UserChange, UserStore};
use agent_core::Result;
use agent_core::ids::UserId;
use agent_core::time::Timestamp;
use async_trait::async_trait;

#[async_trait]
impl UserStore for Store {
    async fn find_by_name(&self, username: &str) -> Result<Option<Account>> {
        let username = username.to_owned();
        self.read(move |conn| users::find_by_name(conn, &username)).await
    }

    async fn find(&self, id: UserId) -> Result<Option<Account>> {
        self.read(move |conn| users::find(conn, id)).await
    }

    async fn create(&self, user: &NewUser, at: Timestamp) -> Result<Option<User>> {
        let (row, key) = (NewUserRow::new(user, at), user.request_key.clone());
        self.write_silently(move |conn| users::create(conn, &row, key.as_ref(), at)).await
    }

    async fn update(&self, id: UserId, change: &UserChange) -> Result<Option<User>> {
        let row = UserChangeRow::new(change);
        self.write_silently(move |conn| users::update(conn, id, row.as_ref())).await
    }

    async fn list(&self) -> Result<Vec<User>> {
        self.read(users::list).await
    }
}
