//! Refresh tokens: each is good once.

use super::{Conn, plans};
use crate::error::{Answer, Error};
use crate::rows::account::{NewRefreshTokenRow, RefreshTokenRow};
use crate::schema::refresh_tokens;
use agent_auth::ports::Redeemed;
use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::time::Timestamp;
use diesel::prelude::*;

/// Keeps a token.
pub(crate) fn insert(conn: &mut Conn, owner: Owner, row: &NewRefreshTokenRow) -> Answer<()> {
    match diesel::insert_into(refresh_tokens::table).values(row).execute(conn) {
        Ok(_) => Ok(()),
        Err(error) if plans::is_missing_parent(&error) => Err(Error::UnknownOwner(owner).into()),
        Err(error) => Err(error.into()),
    }
}

/// Uses a token up; a second use revokes its family, because two parties hold the same token then.
pub(crate) fn redeem(conn: &mut Conn, token_hash: &[u8], at: Timestamp) -> Answer<Redeemed> {
    let token = refresh_tokens::table.find(token_hash);
    let row = token.select(RefreshTokenRow::as_select()).get_result(conn).optional()?;
    let Some(row) = row.filter(|row| !row.revoked && row.expires_at > at.as_micros()) else {
        return Ok(Redeemed::Refused);
    };
    let owner = Owner { tenant: TenantId(row.tenant_id), user: UserId(row.user_id) };
    if row.used_at.is_some() {
        let family = refresh_tokens::table
            .filter(refresh_tokens::tenant_id.eq(row.tenant_id))
            .filter(refresh_tokens::family.eq(&row.family));
        diesel::update(family).set(refresh_tokens::revoked.eq(true)).execute(conn)?;
        return Ok(Redeemed::Reused { owner });
    }
    let own = token.filter(refresh_tokens::tenant_id.eq(row.tenant_id));
    diesel::update(own).set(refresh_tokens::used_at.eq(at.as_micros())).execute(conn)?;
    forget_expired(conn, owner, at)?;
    Ok(Redeemed::Accepted { owner, family: row.family })
}

/// Expired tokens are refused with or without a row; without, the table does not grow for ever.
fn forget_expired(conn: &mut Conn, owner: Owner, at: Timestamp) -> Answer<()> {
    let expired = refresh_tokens::table
        .filter(refresh_tokens::user_id.eq(owner.user.get()))
        .filter(refresh_tokens::tenant_id.eq(owner.tenant.get()))
        .filter(refresh_tokens::expires_at.le(at.as_micros()));
    diesel::delete(expired).execute(conn)?;
    Ok(())
}

/// Revokes all tokens of a user.
pub(crate) fn revoke_all(conn: &mut Conn, user: UserId) -> Answer<()> {
    let own = refresh_tokens::table.filter(refresh_tokens::user_id.eq(user.get()));
    diesel::update(own).set(refresh_tokens::revoked.eq(true)).execute(conn)?;
    Ok(())
}
