//! The events of a plan: as a list, and as a stream (server-sent events).

use crate::error::{ApiError, Result};
use crate::event_stream::{self, EventSource};
use crate::extract::{Caller, Page, ValidPath, ValidQuery, credential, scope};
use crate::state::AppState;
use crate::views::event::{EventsView, ListEvents, StreamEvents};
use crate::views::plan::PlanPath;
use crate::websocket::Opened;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get};
use agent_core::event::Topic;
use agent_core::ids::PlanId;
use std::sync::Arc;

fn position(field: &str, text: &str) -> Result<i64> {
    let parsed = text.parse::<i64>().ok().filter(|position| *position >= 0);
    parsed.ok_or_else(|| ApiError::invalid_field(field, "must be a position: a whole number from 0"))
}

/// Lists the events of a plan behind a position, oldest first.
#[utoipa::path(
    tag = "events",
    params(PlanPath, ListEvents),
    responses((status = 200, description = "A page of events", body = EventsView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/plans/{plan_id}/events")]
pub(crate) async fn list_events(
    caller: Caller<scope::PlansRead>,
    path: ValidPath<PlanPath>,
    query: ValidQuery<ListEvents>,
    state: Data<AppState>,
) -> Result<Json<EventsView>> {
    let after = query.after.as_deref().map(|text| position("?after", text)).transpose()?;
    let limit = Page::read(query.limit.as_deref(), None)?.limit;
    let plan_id = path.plan_id;
    let page = state.agent().plans().events(&caller, plan_id.into(), after.unwrap_or(0), limit).await?;
    Ok(Json(EventsView { plan_id, events: page.events, next_after: page.next_after }))
}

/// Follows the events of a plan as server-sent events; each has its `seq` as id.
///
/// `Last-Event-ID` (or `after`) replays what stands behind that position, then it goes on live without gap
/// or repeat.
#[utoipa::path(
    tag = "events",
    params(PlanPath, StreamEvents, ("Last-Event-ID" = Option<i64>, Header, description = "Replays what stands behind this position first")),
    responses((status = 200, description = "Events without end", body = String, content_type = "text/event-stream"), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/plans/{plan_id}/events/stream")]
pub(crate) async fn stream_events(
    caller: Caller<scope::PlansRead>,
    path: ValidPath<PlanPath>,
    query: ValidQuery<StreamEvents>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let last = request.headers().get("Last-Event-ID").map(|value| value.to_str().unwrap_or_default());
    let after = match last.filter(|text| !text.is_empty()) {
        Some(text) => Some(position("Last-Event-ID", text)?),
        None => query.after.as_deref().map(|text| position("?after", text)).transpose()?,
    };
    let plan = PlanId(path.plan_id);
    state.agent().plans().state(&caller, plan).await?;
    let subscription = state.agent().events().subscribe(Topic::Plan(caller.tenant, plan), after).await?;
    let now = state.agent().clock().now();
    let lifetime = caller.expires_at.map(|end| end.since(now));
    let missing = || ApiError::internal("who asks is known and showed nothing");
    let opened = Opened::of(caller.clone(), credential(request.headers())?.ok_or_else(missing)?);
    let source = EventSource {
        events: subscription.stream,
        stopping: state.stopping().clone(),
        lifetime,
        opened,
        state: Arc::clone(&state.into_inner()),
    };
    Ok(event_stream::respond(source))
}
