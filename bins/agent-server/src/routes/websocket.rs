//! Opening a WebSocket connection.

use crate::asked::Asked;
use crate::cors::Cors;
use crate::error::{ApiError, ErrorCode, Result};
use crate::extract::ValidPath;
use crate::state::AppState;
use crate::websocket::{Connection, Handshake, Opened, PROTOCOL};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, get, rt};
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

/// Opens a WebSocket for live monitoring.
///
/// Authenticated by a header, by `Sec-WebSocket-Protocol: agent.v1, bearer.<token>`, or by a first message
/// `{"action":"authenticate","token":"…"}`; else closed with 4401. Then `{"action":"subscribe","topic":"plan_1",
/// "after":0}` and events come as they are committed.
#[utoipa::path(
    tag = "websocket",
    params(ClientPath),
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
    let opened = match handshake.credential {
        Some(shown) => {
            let opened = Opened::authenticate(&state, shown).await?;
            asked.is_of(Rc::new(opened.principal.clone()));
            Some(opened)
        }
        None => None,
    };
    let malformed = |error: actix_web::Error| ApiError::new(ErrorCode::MalformedRequest, error.to_string());
    let (response, session, incoming) =
        actix_ws::handle_with_protocols(&request, payload, &[PROTOCOL]).map_err(malformed)?;
    let max = state.websocket().max_message;
    let incoming = incoming.max_frame_size(max).aggregate_continuations().max_continuation_size(max);
    tracing::debug!(client_id = path.client_id, "a WebSocket connection is opened");
    let connection = Connection::new(Arc::clone(&state.into_inner()), session, opened, &asked);
    rt::spawn(connection.run(incoming));
    Ok(response)
}
