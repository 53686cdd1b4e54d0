//! Accounts.

use super::{Store, read, transact_silently};
use crate::rows::account::{NewUserRow, UserChangeRow};
use agent_auth::ports::{Account, NewUser, User, UserChange, UserStore};
use agent_core::Result;
use agent_core::ids::UserId;
use agent_core::time::Timestamp;
use async_trait::async_trait;

#[async_trait]
impl UserStore for Store {
    async fn find_by_name(&self, username: &str) -> Result<Option<Account>> {
        let username = username.to_owned();
        read!(self, db, |conn| db::users::find_by_name(conn, &username))
    }

    async fn find(&self, id: UserId) -> Result<Option<Account>> {
        read!(self, db, |conn| db::users::find(conn, id))
    }

    async fn create(&self, user: &NewUser, at: Timestamp) -> Result<Option<User>> {
        let (row, key) = (NewUserRow::new(user, at), user.request_key.clone());
        transact_silently!(self, db, |conn| db::users::create(conn, &row, key.as_ref(), at))
    }

    async fn update(&self, id: UserId, change: &UserChange) -> Result<Option<User>> {
        let row = UserChangeRow::new(change);
        transact_silently!(self, db, |conn| db::users::update(conn, id, row.as_ref()))
    }

    async fn list(&self) -> Result<Vec<User>> {
        read!(self, db, |conn| db::users::list(conn))
    }
}
