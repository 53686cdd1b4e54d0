//! What every response gets: a request id, security headers, and a problem for a body where it is an error.

use crate::asked::{Asked, client_address};
use crate::auditing::{self, Ended};
use crate::compression::compress;
use crate::conditional;
use crate::connection_limits::{BusyBody, Work};
use crate::cors::Cors;
use crate::error::{ApiError, ErrorCode, PROBLEM_JSON};
use crate::limiting;
use crate::state::AppState;
use crate::watching::Watched;
use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody, None as NoBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage, HttpResponse};
use std::rc::Rc;
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest request id that is taken over from a client.
const MAX_REQUEST_ID: usize = 128;
/// A response of the API itself loads nothing and is shown in nobody's frame.
const API_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// Runs around every request.
pub(crate) async fn every_response<B: MessageBody + 'static>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BusyBody>, Error> {
    let asked = make_known(&request);
    let watched = Watched::begin(&request, &asked);
    let busy = request.conn_data::<Rc<Work>>().map(Work::begin);
    let cors = request.app_data::<Data<Cors>>().cloned();
    let listed = cors.as_ref().and_then(|cors| cors.listed(request.headers()));
    let (method, path) = (request.method().clone(), request.path().to_owned());
    answer_head_as_get(&mut request);
    let mut response = match preflight(&request, cors.as_deref().map(AsRef::as_ref)) {
        Some(answer) => request.into_response(answer),
        None => {
            let answered = watched.work(&asked, answered(request, next, &asked)).await?;
            recorded(answered, &method, &asked).await
        }
    };
    response = fitted(response, &method).await;
    add_headers(response.headers_mut(), asked.id());
    limiting::add_headers(response.headers_mut(), &asked);
    if let Some(cors) = cors {
        cors.add_headers(listed, response.headers_mut());
    }
    let status = response.status();
    if status == StatusCode::REQUEST_TIMEOUT {
        // The rest of the body is not waited for.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    watched.end(&method, response.request(), status);
    let (request_id, status) = (asked.id(), status.as_u16());
    tracing::debug!(request_id, %method, path, status, "{method} {path} was answered with {status}");
    Ok(response.map_body(|_, body| BusyBody::new(body, busy)))
}

/// Gives the request its name, and lets everybody who handles it know where it comes from.
fn make_known(request: &ServiceRequest) -> Asked {
    let state = request.app_data::<Data<AppState>>();
    let peer = request.peer_addr().map(|address| address.ip());
    let address = match state {
        Some(state) => {
            client_address(request.headers(), peer, &state.agent().settings().access.trusted_proxies)
        }
        None => peer,
    };
    let asked = Asked::new(request_id(request.headers()), address);
    request.extensions_mut().insert(asked.clone());
    asked
}

/// The answer of whoever handles the request, unless too many come from there.
async fn answered<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
    asked: &Asked,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let judged = request.app_data::<Data<AppState>>().map_or(Ok(()), |state| {
        limiting::judge_address(state.limits(), asked, request.path(), state.agent().clock().now())
    });
    Ok(match judged {
        Ok(()) => with_problem_body(next.call(request).await?, asked.id()).map_into_boxed_body(),
        Err(refused) => request.into_response(refused.respond(asked.id())),
    })
}

/// The answer as the client wants it: not again what it has, small where it can be, and for a HEAD without a body that
/// would never end.
async fn fitted(response: ServiceResponse<BoxBody>, method: &Method) -> ServiceResponse<BoxBody> {
    let response = conditional::answer(response, method);
    if *method == Method::HEAD && matches!(response.response().body().size(), BodySize::Stream) {
        return response.map_body(|_, _| BoxBody::new(NoBody::new()));
    }
    match response.request().app_data::<Data<AppState>>().cloned() {
        Some(state) => compress(response, method, state.compressed()).await,
        None => response,
    }
}

/// Records what was done or denied, before anybody is told. A change that could not be recorded is not reported as
/// done.
async fn recorded(
    response: ServiceResponse<BoxBody>,
    method: &Method,
    asked: &Asked,
) -> ServiceResponse<BoxBody> {
    if !auditing::may_matter(method, response.status()) {
        return response;
    }
    let Some(state) = response.request().app_data::<Data<AppState>>().cloned() else { return response };
    let pattern = response.request().match_pattern().unwrap_or_default();
    let ended = Ended {
        method,
        path: response.request().path(),
        operation: state.document().operation(method, &pattern),
        status: response.status(),
        code: response.response().extensions().get::<ErrorCode>().copied(),
        location: response.headers().get(LOCATION).and_then(|value| value.to_str().ok()),
    };
    match auditing::record(&state, asked, &ended).await {
        Ok(()) => response,
        Err(error) => response.into_response(error.respond(asked.id())),
    }
}

/// The answer to a browser that asks whether a page may send a request, where it may.
fn preflight(request: &ServiceRequest, cors: Option<&Cors>) -> Option<HttpResponse> {
    let state = request.app_data::<Data<AppState>>()?;
    cors?.preflight(request, |path| state.document().methods_of(path).to_vec())
}

/// The client's id when it is harmless in logs and headers, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(&REQUEST_ID).and_then(|value| value.to_str().ok());
    let harmless = |text: &&str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
        !text.is_empty() && text.len() <= MAX_REQUEST_ID && text.bytes().all(allowed)
    };
    given.filter(harmless).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// A HEAD runs as the GET of the same path; the connection leaves the body out by itself.
fn answer_head_as_get(request: &mut ServiceRequest) {
    if request.method() != Method::HEAD {
        return;
    }
    let state = request.app_data::<Data<AppState>>();
    if state.is_some_and(|state| state.document().methods_of(request.path()).contains(&Method::HEAD)) {
        request.head_mut().method = Method::GET;
    }
}

/// Gives an error its body, now that the request has a name; errors the framework made by itself included.
fn with_problem_body<B: MessageBody + 'static>(
    response: ServiceResponse<B>,
    id: &str,
) -> ServiceResponse<EitherBody<B, BoxBody>> {
    let problem = response.response().error().and_then(Error::as_error::<ApiError>).map(|error| {
        error.log(id);
        error.respond(id)
    });
    let problem = problem.or_else(|| foreign_error(&response).map(|error| error.respond(id)));
    match problem {
        Some(problem) => response.into_response(problem).map_into_right_body(),
        None => response.map_into_left_body(),
    }
}

/// An error answer that did not come from this program's handlers.
fn foreign_error<B>(response: &ServiceResponse<B>) -> Option<ApiError> {
    let status = response.status();
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_ours =
        content_type.is_some_and(|kind| kind == PROBLEM_JSON || kind.starts_with("application/json"));
    if is_ours || !(status.is_client_error() || status.is_server_error()) {
        return None;
    }
    let detail = response.response().error().map_or_else(String::new, ToString::to_string);
    let code = match status {
        StatusCode::NOT_FOUND => ErrorCode::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ErrorCode::MethodNotAllowed,
        StatusCode::REQUEST_TIMEOUT => ErrorCode::RequestTimeout,
        StatusCode::PAYLOAD_TOO_LARGE => ErrorCode::BodyTooLarge,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ErrorCode::UnsupportedMediaType,
        other if other.is_client_error() => ErrorCode::MalformedRequest,
        _ => ErrorCode::Internal,
    };
    Some(ApiError::new(code, detail))
}

fn add_headers(headers: &mut HeaderMap, id: &str) {
    if let Ok(value) = HeaderValue::try_from(id) {
        headers.insert(REQUEST_ID, value);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(API_POLICY));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_harmless_request_id_is_taken_over_and_any_other_replaced() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(value).unwrap());
            request_id(&headers)
        };
        assert_eq!(with("abc-123"), "abc-123");
        for bad in ["", "a b", "a\"b", &"x".repeat(129)] {
            assert_ne!(with(bad), bad);
            assert!(Uuid::parse_str(&with(bad)).is_ok());
        }
    }
}
