//! Which pages of other sites may use the API from a browser: those that are listed, and no others.
//!
//! Never with credentials of the browser (cookies): every request shows its token itself. A page that is not listed gets
//! no word about it, and the browser keeps the answer from it.

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap,
    HeaderValue, ORIGIN, VARY,
};

/// What a page may send.
const ALLOWED_HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-API-Key, X-Request-Id";
/// What a page may read of an answer, beside what every page may.
const EXPOSED_HEADERS: &str = "X-Request-Id, Location, ETag, Retry-After, RateLimit, RateLimit-Policy, \
    RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset";
/// How many seconds a browser may remember what it was told.
const MAX_AGE: &str = "600";

/// The origins of pages that may use the API, beside those of this server.
pub(crate) struct Cors {
    origins: Vec<String>,
}

impl Cors {
    /// Pages of these origins, each as a browser sends it.
    pub(crate) fn new(origins: Vec<String>) -> Self {
        Self { origins }
    }

    /// The origin that a request names, where it is one of the list.
    pub(crate) fn listed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut named = headers.get_all(ORIGIN);
        let (origin, none) = (named.next()?, named.next().is_none());
        let is_listed = self.origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes());
        (is_listed && none).then(|| origin.clone())
    }

    /// The answer to a browser that asks before it sends the request of a listed page.
    pub(crate) fn preflight(
        &self,
        request: &ServiceRequest,
        methods: impl FnOnce(&str) -> Vec<Method>,
    ) -> Option<HttpResponse> {
        let asks = request.method() == Method::OPTIONS
            && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
            && self.listed(request.headers()).is_some();
        let methods = if asks { methods(request.path()) } else { Vec::new() };
        if methods.is_empty() {
            return None;
        }
        let methods: Vec<&str> = methods.iter().map(Method::as_str).collect();
        let answer = HttpResponse::NoContent()
            .insert_header((ACCESS_CONTROL_ALLOW_METHODS, methods.join(", ")))
            .insert_header((ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS))
            .insert_header((ACCESS_CONTROL_MAX_AGE, MAX_AGE))
            .finish();
        Some(answer)
    }

    /// What every answer says about it; nothing while no origin is listed.
    pub(crate) fn add_headers(&self, listed: Option<HeaderValue>, headers: &mut HeaderMap) {
        if self.origins.is_empty() {
            return;
        }
        headers.append(VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = listed {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
        }
    }
}
