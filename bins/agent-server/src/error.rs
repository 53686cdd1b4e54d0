//! Problems as callers get them: the only place that knows status codes.

mod convert;
mod table;

pub use table::ErrorCode;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use agent_core::BoxError;
use agent_core::error::Defect;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

/// Result of a handler.
pub(crate) type Result<T, E = ApiError> = std::result::Result<T, E>;

/// The most bad fields that an answer names.
const MAX_FIELDS: usize = 100;

/// The content type of every error.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// Why a request was not done. What may be told goes to the caller; the source only to the log.
#[derive(Debug)]
pub struct ApiError {
    /// Which kind of problem; decides status and title.
    pub code: ErrorCode,
    /// What is wrong with this very request. Not sent for 5xx, where the text is fixed.
    pub detail: String,
    /// The bad fields, where there are any.
    pub errors: Vec<Defect>,
    /// Headers that belong to the answer, such as `Retry-After`.
    pub headers: Vec<(&'static str, String)>,
    /// Where the plan or task stands that would not move.
    pub current_state: Option<&'static str>,
    /// How the question ended that takes no answer any more, and by whom.
    pub decided: Option<Box<(&'static str, String)>>,
    /// The cause, for the log.
    pub source: Option<BoxError>,
}

/// The body of every error (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "urn:agent:problem:plan_not_found", "title": "Plan not found", "status": 404,
    "detail": "plan 7 does not exist", "code": "plan_not_found",
    "advice": "List your plans to see their ids.", "request_id": "0190f2b2-6c1f-7c3e-8f43-3d7f0c2c9d51"
}))]
pub(crate) struct Problem {
    /// URI that names the kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// The kind of problem in words; the same for every problem of this code.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong with this request.
    detail: String,
    /// Stable word for programs.
    code: &'static str,
    /// What to do about it.
    advice: &'static str,
    /// Name of this request in the server's log.
    request_id: String,
    /// Where the plan or task stands that would not move.
    #[serde(skip_serializing_if = "Option::is_none")]
    current_state: Option<&'static str>,
    /// How the question ended that takes no answer any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    /// By whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    /// The bad fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
}

/// One bad field.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldProblem {
    /// JSON pointer (RFC 6901) into the body; for a query parameter, `?name`.
    #[schema(example = "/tasks/0/depends_on")]
    pointer: String,
    /// What is wrong, and what would be right.
    detail: String,
}

impl ApiError {
    /// A problem of a kind, with what is wrong this time.
    pub fn new(code: ErrorCode, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            code,
            detail,
            errors: Vec::new(),
            headers: Vec::new(),
            current_state: None,
            decided: None,
            source: None,
        }
    }

    /// A request whose fields are wrong.
    pub fn invalid(defects: Vec<Defect>) -> Self {
        Self::fields(ErrorCode::InvalidRequest, defects)
    }

    /// A request with one wrong field.
    pub(crate) fn invalid_field(pointer: &str, detail: impl Into<String>) -> Self {
        Self::invalid(vec![Defect::new(pointer, detail)])
    }

    pub(crate) fn fields(code: ErrorCode, errors: Vec<Defect>) -> Self {
        let listed: Vec<String> =
            errors.iter().take(3).map(|e| format!("{}: {}", e.pointer, e.detail)).collect();
        let more = if errors.len() > 3 { format!("; and {} more", errors.len() - 3) } else { String::new() };
        let detail = format!("{}{more}", listed.join("; "));
        let errors = errors.into_iter().take(MAX_FIELDS).collect();
        Self { errors, ..Self::new(code, detail) }
    }

    /// A fault on our side; the caller learns nothing of the cause.
    pub(crate) fn internal(source: impl Into<BoxError>) -> Self {
        Self { source: Some(source.into()), ..Self::new(ErrorCode::Internal, "") }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The answer; called once, where the request id is known.
    pub(crate) fn respond(&self, request_id: &str) -> HttpResponse {
        let status = self.code.status();
        // What went wrong inside is nobody's business outside.
        let told = if status.is_server_error() { self.code.advice().to_owned() } else { self.detail.clone() };
        let fields = self.errors.iter();
        let problem = Problem {
            kind: format!("urn:agent:problem:{}", self.code.as_str()),
            title: self.code.title(),
            status: status.as_u16(),
            detail: told,
            code: self.code.as_str(),
            advice: self.code.advice(),
            request_id: request_id.to_owned(),
            current_state: self.current_state,
            decision: self.decided.as_ref().map(|decided| decided.0),
            decided_by: self.decided.as_ref().map(|decided| decided.1.clone()),
            errors: fields
                .map(|field| FieldProblem { pointer: field.pointer.clone(), detail: field.detail.clone() })
                .collect(),
        };
        let mut response = HttpResponse::build(status);
        response.content_type(PROBLEM_JSON);
        if status == StatusCode::UNAUTHORIZED {
            // RFC 6750: only where a token was sent is it said that there is something wrong with it.
            let is_shown = matches!(self.code, ErrorCode::InvalidToken | ErrorCode::AccountDisabled);
            let challenge = if is_shown { "Bearer error=\"invalid_token\"" } else { "Bearer" };
            response.insert_header(("WWW-Authenticate", challenge));
        }
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(*name), HeaderValue::try_from(value)) {
                response.insert_header((name, value));
            }
        }
        response.extensions_mut().insert(self.code);
        response.json(problem)
    }

    /// Writes the cause to the log, once, with the name of the request.
    pub(crate) fn log(&self, request_id: &str) {
        let source = self.source.as_deref().map(chain);
        if self.code.status().is_server_error() {
            let (code, detail) = (self.code.as_str(), &self.detail);
            tracing::error!(request_id, code, detail, source, "request {request_id} failed");
        } else if let Some(source) = source {
            tracing::info!(request_id, code = self.code.as_str(), source, "request {request_id} was refused");
        }
    }
}

fn chain(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    /// Only seen where the outermost layer cannot name the request, which is nowhere in this server.
    fn error_response(&self) -> HttpResponse {
        self.respond("")
    }
}

/// A reference to the one schema of problems, as the answer of an operation.
pub(crate) fn problem_response(description: &str) -> RefOr<Response> {
    let schema = Ref::from_schema_name("Problem");
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(description).content(PROBLEM_JSON, content).build().into()
}

/// What every operation can answer; what depends on its shape is added when the document is finished.
impl IntoResponses for ApiError {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [
            (
                "500".to_owned(),
                problem_response("A fault of the server; the log knows more under `request_id`"),
            ),
            (
                "503".to_owned(),
                problem_response("The server is stopping, busy, or its database cannot be reached"),
            ),
        ]
        .into()
    }
}
