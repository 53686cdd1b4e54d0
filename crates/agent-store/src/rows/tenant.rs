//! Tenants as rows.

use crate::schema::tenants;
use agent_auth::ports::Tenant;
use agent_core::ids::TenantId;
use agent_core::time::Timestamp;
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = tenants)]
pub(crate) struct TenantRow {
    id: i64,
    name: String,
    created_at: i64,
}

impl From<TenantRow> for Tenant {
    fn from(row: TenantRow) -> Self {
        Self { id: TenantId(row.id), name: row.name, created_at: Timestamp::from_micros(row.created_at) }
    }
}
