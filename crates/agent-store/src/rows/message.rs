//! Messages of conversations as rows.

use super::plain;
use crate::schema::messages;
use agent_core::ids::{MessageId, PlanId};
use agent_core::ports::{ConversationMessage, NewMessage};
use agent_core::time::Timestamp;
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = messages)]
pub(crate) struct MessageRow {
    id: i64,
    plan_id: Option<i64>,
    role: String,
    created_at: i64,
    content: String,
}

impl From<MessageRow> for ConversationMessage {
    fn from(row: MessageRow) -> Self {
        Self {
            id: MessageId(row.id),
            role: row.role,
            content: row.content,
            plan_id: row.plan_id.map(PlanId),
            created_at: Timestamp::from_micros(row.created_at),
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = messages, treat_none_as_default_value = false)]
pub(crate) struct NewMessageRow {
    tenant_id: i64,
    owner_id: i64,
    plan_id: Option<i64>,
    role: String,
    created_at: i64,
    content: String,
}

impl NewMessageRow {
    pub(crate) fn new(message: &NewMessage, at: Timestamp) -> Self {
        Self {
            tenant_id: message.owner.tenant.get(),
            owner_id: message.owner.user.get(),
            plan_id: message.plan_id.map(PlanId::get),
            role: plain(&message.role),
            created_at: at.as_micros(),
            content: plain(&message.content),
        }
    }
}
