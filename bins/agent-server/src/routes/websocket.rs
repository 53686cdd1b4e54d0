//! Opening a WebSocket connection.

use crate::asked::Asked;
use crate::cors::Cors;
use crate::error::{ApiError, ErrorCode, Result};
use crate::extract::{Caller, ValidPath, ValidQuery, scope};
use crate::state::AppState;
use crate::views::websocket::{OpenWebSocket, TicketView};
use crate::websocket::{Connection, GOOD_FOR, Handshake, Opened, PROTOCOL, Unproven};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, get, post, rt};
use agent_auth::SystemRandom;
use serde::Deserialize;
use std::rc::Rc;
use std::sync::Arc;
use utoipa::IntoParams;

/// The client in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct ClientPath {
    /// What the client calls itself; a label in the log, nothing more.
    #[param(example = "dashboard")]
    client_id: String,
}

/// Gives a ticket for one WebSocket connection.
///
/// For browsers, which cannot send headers when they open one: `GET /ws/{client_id}?ticket=…` within 30 seconds, once,
/// at this server. The connection has the rights of the token or key that was shown here, and ends with it.
#[utoipa::path(
    tag = "websocket",
    responses((status = 201, description = "The ticket", body = TicketView), ApiError),
    security(("bearer" = ["plans:read"]), ("api_key" = ["plans:read"]))
)]
#[post("/ws/ticket")]
pub(crate) async fn create_ticket(
    caller: Caller<scope::PlansRead>,
    request: HttpRequest,
    state: Data<AppState>,
) -> Result<HttpResponse> {
    let opened = Opened::by(&state, &caller, request.headers())?;
    let given = state.tickets().give(opened, &SystemRandom)?;
    let ticket = given.ok_or_else(|| {
        let seconds = GOOD_FOR.as_secs().to_string();
        ApiError::new(ErrorCode::RateLimited, "too many tickets wait to be used")
            .with_header("Retry-After", seconds)
    })?;
    let expires_in_ms = u64::try_from(GOOD_FOR.as_millis()).unwrap_or(u64::MAX);
    Ok(HttpResponse::Created().json(TicketView { ticket, expires_in_ms }))
}

/// Opens a WebSocket for live monitoring.
///
/// Authenticated by a header, by `Sec-WebSocket-Protocol: agent.v1, bearer.<token>`, by a ticket, or by a first message
/// `{"action":"authenticate","token":"…"}`; else closed with 4401. Then `{"action":"subscribe","topic":"plan_1",
/// "after":0}` and events come as they are committed.
#[utoipa::path(
    tag = "websocket",
    params(ClientPath, OpenWebSocket),
    responses(
        (status = 101, description = "The connection is open"),
        (status = 426, description = "Not a WebSocket request", body = crate::error::Problem, content_type = "application/problem+json"),
        ApiError
    ),
    security((), ("bearer" = []), ("api_key" = []))
)]
#[get("/ws/{client_id}")]
pub(crate) async fn open_websocket(
    path: ValidPath<ClientPath>,
    query: ValidQuery<OpenWebSocket>,
    asked: Asked,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
    cors: Data<Cors>,
) -> Result<HttpResponse> {
    let handshake = Handshake::read(request.headers(), &cors)?;
    if state.stopping().is_cancelled() {
        return Err(ApiError::new(ErrorCode::Stopping, "").with_header("Retry-After", "2"));
    }
    let opened = who(&state, &handshake, &query).await?;
    if let Some(opened) = &opened {
        asked.is_of(Rc::new(opened.principal.clone()));
    }
    let unproven = if opened.is_some() { None } else { admit_unproven(&state, &asked)? };
    let malformed = |error: actix_web::Error| ApiError::new(ErrorCode::MalformedRequest, error.to_string());
    let accepted = agent_websocket::accept(&request, payload, &[PROTOCOL], &state.websocket().limits);
    let accepted = accepted.map_err(malformed)?;
    tracing::debug!(client_id = path.client_id, "a WebSocket connection is opened");
    let state = Arc::clone(&state.into_inner());
    let connection = Connection::new(state, accepted.outgoing, opened, unproven, &asked);
    rt::spawn(connection.run(accepted.incoming));
    Ok(accepted.response)
}

/// Who opens the connection; `None` when they will say so in their first message.
async fn who(state: &AppState, handshake: &Handshake<'_>, query: &OpenWebSocket) -> Result<Option<Opened>> {
    if query.token.is_some() || query.access_token.is_some() {
        let detail = "a token in an address is written into logs; get a ticket with POST /ws/ticket";
        return Err(ApiError::new(ErrorCode::InvalidToken, detail));
    }
    match (handshake.credential, &query.ticket) {
        (Some(_), Some(_)) => {
            let detail = "the request shows a ticket and another credential";
            Err(ApiError::new(ErrorCode::AmbiguousCredentials, detail))
        }
        (Some(shown), None) => Ok(Some(Opened::authenticate(state, shown).await?)),
        (None, Some(ticket)) => {
            let detail = "the ticket is unknown, used or too old; get another with POST /ws/ticket";
            let unknown = || ApiError::new(ErrorCode::InvalidToken, detail);
            let opened = state.tickets().take(ticket).ok_or_else(unknown)?;
            Ok(Some(Opened::authenticate(state, opened.credential()).await?))
        }
        (None, None) => Ok(None),
    }
}

/// Counts a connection of which nobody knows whose it is.
fn admit_unproven(state: &AppState, asked: &Asked) -> Result<Option<Unproven>> {
    let Some(address) = asked.address() else { return Ok(None) };
    let most = state.websocket().max_unproven;
    match state.sources().admit(address, most) {
        Some(unproven) => Ok(Some(unproven)),
        None => {
            let seconds = state.websocket().authentication_deadline.as_secs().max(1).to_string();
            let detail = format!("{most} connections from there have yet to say whose they are");
            Err(ApiError::new(ErrorCode::RateLimited, detail).with_header("Retry-After", seconds))
        }
    }
}
