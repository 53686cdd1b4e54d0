//! Events, of a plan or of all plans: as a list, and as a stream (server-sent events).

use crate::error::{ApiError, ErrorCode, Result};
use crate::event_stream::{self, EventSource};
use crate::extract::{Caller, Page, ValidPath, ValidQuery, scope};
use crate::state::AppState;
use crate::views::event::{AllEventsView, EventsView, ListEvents, StreamEvents};
use crate::views::plan::PlanPath;
use crate::websocket::Opened;
use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, get};
use agent_core::event::Topic;
use agent_core::ids::PlanId;
use agent_events::TopicName;
use agent_runtime::{EventPage, EventQuery};
use std::sync::Arc;
use std::time::Duration;

/// The longest that a list waits for its first event.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

type Reader = Caller<scope::PlansRead>;

/// Lists the events of a plan behind a position, oldest first.
///
/// With `wait_ms` it waits where there is none yet (long polling), so that a program follows a plan by asking again
/// with `next_after`. A position beyond the newest event is refused: it is of another log.
#[utoipa::path(
    tag = "events",
    params(PlanPath, ListEvents),
    responses((status = 200, description = "A page of events", body = EventsView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/plans/{plan_id}/events")]
pub(crate) async fn list_events(
    caller: Reader,
    path: ValidPath<PlanPath>,
    query: ValidQuery<ListEvents>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<Json<EventsView>> {
    let (plan_id, query) = (path.plan_id, wanted(&query)?);
    let plans = state.agent().plans();
    let page =
        waited(&state, &caller, &request, query, plans.events(&caller, PlanId(plan_id), query)).await?;
    Ok(Json(EventsView { plan_id, events: page.events, next_after: page.next_after }))
}

/// Lists the events of all plans that the caller may see behind a position, oldest first.
///
/// Positions are the `cursor` of events. `wait_ms` waits as it does for one plan.
#[utoipa::path(
    tag = "events",
    params(ListEvents),
    responses((status = 200, description = "A page of events", body = AllEventsView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/events")]
pub(crate) async fn list_all_events(
    caller: Reader,
    query: ValidQuery<ListEvents>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<Json<AllEventsView>> {
    let query = wanted(&query)?;
    let plans = state.agent().plans();
    let page = waited(&state, &caller, &request, query, plans.all_events(&caller, query)).await?;
    Ok(Json(AllEventsView { events: page.events, next_after: page.next_after }))
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
    caller: Reader,
    path: ValidPath<PlanPath>,
    query: ValidQuery<StreamEvents>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let after = start(&request, &query)?;
    let plan = PlanId(path.plan_id);
    state.agent().plans().state(&caller, plan).await?;
    stream(&state, &caller, &request, Topic::Plan(caller.tenant, plan), after).await
}

/// Follows the events of all plans that the caller may see as server-sent events; each has its `cursor` as id.
///
/// `Last-Event-ID` (or `after`) replays what stands behind that position, then it goes on live without gap
/// or repeat.
#[utoipa::path(
    tag = "events",
    params(StreamEvents, ("Last-Event-ID" = Option<i64>, Header, description = "Replays what stands behind this position first")),
    responses((status = 200, description = "Events without end", body = String, content_type = "text/event-stream"), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[get("/events/stream")]
pub(crate) async fn stream_all_events(
    caller: Reader,
    query: ValidQuery<StreamEvents>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let after = start(&request, &query)?;
    stream(&state, &caller, &request, TopicName::All.seen_by(caller.visibility()), after).await
}

fn position(field: &str, text: &str) -> Result<i64> {
    let parsed = text.parse::<i64>().ok().filter(|position| *position >= 0);
    parsed.ok_or_else(|| ApiError::invalid_field(field, "must be a position: a whole number from 0"))
}

fn wanted(query: &ListEvents) -> Result<EventQuery> {
    let after = query.after.as_deref().map(|text| position("?after", text)).transpose()?.unwrap_or(0);
    let limit = Page::read(query.limit.as_deref(), None)?.limit;
    let wait = match query.wait_ms.as_deref().map(str::parse::<u32>) {
        None => Duration::ZERO,
        Some(Ok(wait)) if u128::from(wait) <= LONGEST_WAIT.as_millis() => Duration::from_millis(wait.into()),
        Some(_) => {
            let most = LONGEST_WAIT.as_millis();
            return Err(ApiError::invalid_field(
                "?wait_ms",
                format!("must be a whole number from 0 to {most}"),
            ));
        }
    };
    Ok(EventQuery { after, limit, wait })
}

/// A page that may have been waited for: not beyond the end of the server, and not for somebody who has lost the right
/// to it meanwhile.
async fn waited(
    state: &AppState,
    caller: &Reader,
    request: &HttpRequest,
    query: EventQuery,
    page: impl Future<Output = agent_runtime::Result<EventPage>>,
) -> Result<EventPage> {
    let page = tokio::select! {
        page = page => page?,
        () = state.stopping().cancelled() => EventPage::empty(query.after),
    };
    if !query.wait.is_zero() {
        let lost = |why| ApiError::new(ErrorCode::InvalidToken, why);
        Opened::by(state, caller, request.headers())?.recheck(state).await.map_err(lost)?;
    }
    Ok(page)
}

/// The position that the client comes back to.
fn start(request: &HttpRequest, query: &StreamEvents) -> Result<Option<i64>> {
    let last = request.headers().get("Last-Event-ID").map(|value| value.to_str().unwrap_or_default());
    match last.filter(|text| !text.is_empty()) {
        Some(text) => Ok(Some(position("Last-Event-ID", text)?)),
        None => query.after.as_deref().map(|text| position("?after", text)).transpose(),
    }
}

async fn stream(
    state: &Data<AppState>,
    caller: &Reader,
    request: &HttpRequest,
    topic: Topic,
    after: Option<i64>,
) -> Result<HttpResponse> {
    let subscription = state.agent().events().subscribe(topic, after).await?;
    let opened = Opened::by(state, caller, request.headers())?;
    let (events, state) = (subscription.stream, Arc::clone(state));
    Ok(event_stream::respond(EventSource { topic, events, opened, state }))
}
