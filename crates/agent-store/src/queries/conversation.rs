//! Conversations.

use super::idempotency::{self, Resource};
use super::{Backend, Conn, dialect, events, plans};
use crate::error::{Answer, Error};
use crate::rows::event::PendingEvent;
use crate::rows::large;
use crate::rows::message::{MessageRow, NewMessageRow};
use crate::schema::messages;
use crate::writer::Written;
use agent_core::event::{EventBody, NewEvent};
use agent_core::ids::MessageId;
use agent_core::ports::{ConversationMessage, MessageFilter, NewMessage, Visibility};
use agent_core::search::Search;
use agent_core::time::Timestamp;
use diesel::prelude::*;

/// Adds a message and tells the listeners of its plan, or finds the one kept under the same key.
pub(crate) fn add(conn: &mut Conn, message: &NewMessage, at: Timestamp) -> Answer<Written<MessageId>> {
    let key = message.idempotency.as_ref();
    if let Some(key) = key
        && let Some(existing) = idempotency::find(conn, message.owner, key, Resource::Message, at)?
    {
        return Ok(Written::silent(MessageId(existing)));
    }
    let reserved =
        message.plan_id.map(|plan| plans::reserve_owned(conn, plan, message.owner, 1)).transpose()?;
    let id = insert(conn, message, at)?;
    if let Some(key) = key {
        idempotency::keep(conn, message.owner, key, (Resource::Message, id.get()), at)?;
    }
    let events = match (message.plan_id, reserved) {
        (Some(plan), Some(reserved)) => events::append(conn, plan, &reserved, vec![told(message, id)?], at)?,
        _ => Vec::new(),
    };
    Ok(Written { value: id, events })
}

/// Adds a message, whatever its key, and tells nobody.
pub(crate) fn insert(conn: &mut Conn, message: &NewMessage, at: Timestamp) -> Answer<MessageId> {
    let inserted = diesel::insert_into(messages::table)
        .values(NewMessageRow::new(message, at))
        .returning(messages::id)
        .get_result(conn);
    match inserted {
        Ok(id) => Ok(MessageId(id)),
        Err(error) if plans::is_missing_parent(&error) => Err(Error::UnknownOwner(message.owner).into()),
        Err(error) => Err(error.into()),
    }
}

/// What listeners are told of a message.
pub(crate) fn told(message: &NewMessage, id: MessageId) -> Answer<PendingEvent> {
    let body = EventBody::MessageAdded { message_id: id, role: message.role.clone() };
    Ok(PendingEvent::new(NewEvent { task_id: None, body })?)
}

fn matching(filter: &MessageFilter) -> messages::BoxedQuery<'static, Backend> {
    let mut wanted = messages::table.into_boxed();
    wanted = wanted.filter(messages::tenant_id.eq(filter.visibility.tenant().get()));
    if let Visibility::Owner(owner) = filter.visibility {
        wanted = wanted.filter(messages::owner_id.eq(owner.user.get()));
    }
    if let Some(plan) = filter.plan_id {
        wanted = wanted.filter(messages::plan_id.eq(plan.get()));
    }
    if let Some(role) = &filter.role {
        wanted = wanted.filter(messages::role.eq(role.clone()));
    }
    for word in Search::of(filter.text.as_deref().unwrap_or_default()).words() {
        wanted = wanted.filter(dialect::content_has(word));
    }
    wanted
}

/// Messages, oldest first, and how many match in all.
pub(crate) fn list(conn: &mut Conn, filter: &MessageFilter) -> Answer<(Vec<ConversationMessage>, u64)> {
    let total: i64 = matching(filter).count().get_result(conn)?;
    let after = filter.after.map_or(0, MessageId::get);
    let rows = matching(filter)
        .filter(messages::id.gt(after))
        .order(messages::id)
        .limit(i64::from(filter.limit))
        .select(MessageRow::as_select())
        .load(conn)?;
    Ok((rows.into_iter().map(ConversationMessage::from).collect(), large("count", total)?))
}
