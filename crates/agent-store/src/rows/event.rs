//! Events as rows: the name in a column of its own, the rest of the body as a document.

use super::blob::{self, Blob};
use super::{damaged, document, parse};
use crate::schema::events;
use agent_core::Result;
use agent_core::event::{Event, EventBody, NewEvent};
use agent_core::ids::{ApprovalId, Owner, PlanId, TaskId, TenantId, UserId};
use agent_core::time::Timestamp;
use diesel::prelude::*;
use std::sync::Arc;

#[derive(Queryable, Selectable)]
#[diesel(table_name = events)]
pub(crate) struct EventRow {
    cursor: i64,
    plan_id: i64,
    seq: i64,
    owner_id: i64,
    task_id: Option<i64>,
    created_at: i64,
    name: String,
    payload: String,
    tenant_id: i64,
}

impl EventRow {
    /// The event, with its result where that was too long for the row.
    pub(crate) fn into_event(self, long_result: Option<String>) -> Result<Event> {
        let body = match long_result {
            Some(text) => EventBody::TaskCompleted { result: Arc::new(parse("events.result_blob", &text)?) },
            None => decode(&self.name, &self.payload)?,
        };
        Ok(Event {
            seq: self.seq,
            cursor: self.cursor,
            plan_id: PlanId(self.plan_id),
            task_id: self.task_id.map(TaskId),
            timestamp: Timestamp::from_micros(self.created_at),
            owner: Owner { tenant: TenantId(self.tenant_id), user: UserId(self.owner_id) },
            body,
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub(crate) struct NewEventRow<'a> {
    pub(crate) plan_id: i64,
    pub(crate) seq: i64,
    pub(crate) tenant_id: i64,
    pub(crate) owner_id: i64,
    pub(crate) task_id: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) name: &'a str,
    pub(crate) result_blob: Option<&'a [u8]>,
    pub(crate) payload: &'a str,
}

/// An event that waits for its positions, already encoded so that the writer need not do it.
pub(crate) struct PendingEvent {
    pub(crate) task_id: Option<TaskId>,
    pub(crate) body: EventBody,
    pub(crate) payload: String,
    /// The result of a completed task where it is too long for the row.
    pub(crate) blob: Option<Blob>,
}

impl PendingEvent {
    pub(crate) fn new(event: NewEvent) -> Result<Self> {
        let NewEvent { task_id, body } = event;
        if let EventBody::TaskCompleted { result } = &body
            && let (None, blob) = blob::split(document("events.payload", result)?)
        {
            return Ok(Self { task_id, payload: "{}".to_owned(), body, blob });
        }
        Ok(Self { task_id, payload: encode(&body)?, body, blob: None })
    }

    pub(crate) fn all(events: Vec<NewEvent>) -> Result<Vec<Self>> {
        events.into_iter().map(Self::new).collect()
    }

    /// Fills in the id of a question, which only the store knows.
    pub(crate) fn assign_approval(&mut self, id: ApprovalId) -> Result<()> {
        match &mut self.body {
            EventBody::ApprovalRequested(asked) => asked.approval_id = id,
            EventBody::ApprovalDecided { approval_id, .. } => *approval_id = id,
            _ => return Ok(()),
        }
        self.payload = encode(&self.body)?;
        Ok(())
    }
}

/// The body without its tag, which serde writes first.
fn encode(body: &EventBody) -> Result<String> {
    let text = serde_json::to_string(body).map_err(|error| damaged("events.payload", error))?;
    let rest = text.strip_prefix("{\"event\":\"").and_then(|rest| rest.strip_prefix(body.name()));
    match rest.and_then(|rest| rest.strip_prefix('"')) {
        Some("}") => Ok("{}".to_owned()),
        Some(rest) if rest.starts_with(',') => Ok(format!("{{{}", &rest[1..])),
        _ => Err(damaged("events.payload", format!("{} is not tagged with its name", body.name()))),
    }
}

fn decode(name: &str, payload: &str) -> Result<EventBody> {
    let tagged = match payload.strip_prefix('{') {
        Some("}") => format!("{{\"event\":\"{name}\"}}"),
        Some(fields) => format!("{{\"event\":\"{name}\",{fields}"),
        None => return Err(damaged("events.payload", "is no object")),
    };
    serde_json::from_str(&tagged).map_err(|error| damaged("events.payload", error))
}
