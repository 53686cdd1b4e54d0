//! JSON bodies, read within bounds and refused with the place of the fault.

use super::caller::after_the_caller;
use super::json_pointer::{escape, pointer_at};
use crate::connection_limits::ConnectionLimits;
use crate::error::{ApiError, ErrorCode, Result};
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue};
use actix_web::web::{self, Bytes};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use agent_core::error::Defect;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The largest body, in bytes.
pub(crate) const MAX_BODY: usize = 1024 * 1024;

/// What is said of a text that holds NUL.
pub(super) const NUL: &str = "must not contain NUL characters";

/// A JSON body.
#[derive(Debug)]
pub(crate) struct ValidJson<T>(pub(crate) T);

/// A JSON body that may be left out when every field has a default.
#[derive(Debug)]
pub(crate) struct OptionalJson<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for ValidJson<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            after_the_caller(&request).await;
            require_json(&request)?;
            let body = read_body(&request, payload).await?;
            parse(&body).map(Self)
        })
    }
}

impl<T: DeserializeOwned + Default + 'static> FromRequest for OptionalJson<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            after_the_caller(&request).await;
            let body = read_body(&request, payload).await?;
            if body.is_empty() {
                return Ok(Self(T::default()));
            }
            require_json(&request)?;
            parse(&body).map(Self)
        })
    }
}

fn require_json(request: &HttpRequest) -> Result<()> {
    let content_type = request.content_type();
    if is_json(content_type) { Ok(()) } else { Err(unsupported(content_type)) }
}

pub(super) fn is_json(content_type: &str) -> bool {
    let subtype = content_type.split_once('/').map_or("", |(_, subtype)| subtype).trim();
    subtype.eq_ignore_ascii_case("json") || subtype.to_ascii_lowercase().ends_with("+json")
}

pub(super) fn unsupported(content_type: &str) -> ApiError {
    let given = if content_type.is_empty() { "no content type" } else { content_type };
    ApiError::new(ErrorCode::UnsupportedMediaType, format!("the body comes with {given:.80}"))
}

/// Bodies come as they are. What is packed is refused rather than unpacked: a few bytes could become any amount.
fn refuse_encoded(request: &HttpRequest) -> Result<()> {
    let encoded = |coding: &&HeaderValue| !coding.as_bytes().eq_ignore_ascii_case(b"identity");
    let Some(coding) = request.headers().get_all(CONTENT_ENCODING).find(encoded) else { return Ok(()) };
    let detail =
        format!("the body comes with Content-Encoding {:.80}", String::from_utf8_lossy(coding.as_bytes()));
    Err(ApiError::new(ErrorCode::UnsupportedEncoding, detail).with_header("Accept-Encoding", "identity"))
}

pub(super) async fn read_body(request: &HttpRequest, payload: Payload) -> Result<Bytes> {
    refuse_encoded(request)?;
    let too_large =
        || ApiError::new(ErrorCode::BodyTooLarge, format!("the body is larger than {MAX_BODY} bytes"));
    let announced =
        request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_BODY as u64) {
        return Err(too_large());
    }
    let mut payload = payload;
    let stream = web::Payload::from_request(request, &mut payload).await.map_err(broken)?;
    let deadline = request.app_data::<ConnectionLimits>().copied().unwrap_or_default().body_deadline;
    match tokio::time::timeout(deadline, stream.to_bytes_limited(MAX_BODY)).await {
        Ok(Ok(Ok(bytes))) => Ok(bytes),
        Ok(Ok(Err(error))) => Err(broken(error)),
        Ok(Err(_limit)) => Err(too_large()),
        Err(_elapsed) => Err(ApiError::new(ErrorCode::RequestTimeout, "the body did not arrive in time")),
    }
}

fn broken(error: actix_web::Error) -> ApiError {
    ApiError::new(ErrorCode::MalformedRequest, format!("the body cannot be read: {error}"))
}

pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    let malformed = |detail: String| ApiError::new(ErrorCode::MalformedJson, detail);
    let text =
        std::str::from_utf8(body).map_err(|error| malformed(format!("the body is not UTF-8: {error}")))?;
    // A list would be read as the fields in their order, which nobody means.
    if text.trim_start().starts_with('[') && serde_json::from_str::<Value>(text).is_ok() {
        return Err(ApiError::invalid(vec![Defect::new("", "the body must be a JSON object, not a list")]));
    }
    let parsed = serde_json::from_str(text).map_err(|error| match serde_json::from_str::<Value>(text) {
        // The reader stops at the first fault; what is no JSON at all is told before what does not fit.
        Err(error) => malformed(error.to_string()),
        Ok(_) => ApiError::invalid(vec![defect(text, &error)]),
    })?;
    match nul_in(text) {
        Some(pointer) => Err(ApiError::invalid_field(&pointer, NUL)),
        None => Ok(parsed),
    }
}

/// Where a text of the document holds NUL, which PostgreSQL cannot keep and no program takes as an argument. It
/// stands there as an escape, so that most documents need no second look.
fn nul_in(text: &str) -> Option<String> {
    if !text.contains("\\u0000") {
        return None;
    }
    place_of_nul(&serde_json::from_str(text).ok()?)
}

fn place_of_nul(value: &Value) -> Option<String> {
    let below = |part: String, value| place_of_nul(value).map(|rest| format!("/{part}{rest}"));
    match value {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| below(index.to_string(), item))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            if name.contains('\0') { Some(format!("/{}", escape(name))) } else { below(escape(name), value) }
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn defect(text: &str, error: &serde_json::Error) -> Defect {
    let told = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let detail = match told.strip_suffix(&place).unwrap_or(&told) {
        // What the reader says of a number where a word from a list should be.
        "expected value" => "must be one of the words that the documentation of this field names".to_owned(),
        told => told.to_owned(),
    };
    let mut pointer = pointer_at(text, error.line(), error.column());
    let missing = detail.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    if let Some(field) = missing {
        pointer.push('/');
        pointer.push_str(&escape(field));
    }
    Defect::new(pointer, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read, to see what is refused")]
    struct Body {
        goal: String,
        tasks: Option<Vec<Body>>,
    }

    fn refused(body: &[u8]) -> (ErrorCode, Vec<Defect>) {
        let error = parse::<Body>(body).unwrap_err();
        (error.code, error.errors)
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        let deep = "[".repeat(10_000);
        for body in [
            &b""[..],
            b"{",
            b"{\"goal\": \"\xff\"}",
            b"{\"goal\": NaN}",
            b"{} {}",
            b"{\"goal\": 1",
            deep.as_bytes(),
        ] {
            assert_eq!(refused(body).0, ErrorCode::MalformedJson, "{:?}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn a_text_with_nul_is_found_wherever_it_is() {
        let table = [
            (r#"{"goal": "a\u0000"}"#, Some("/goal")),
            (r#"{"a": [1, {"b/c": "\u0000"}]}"#, Some("/a/1/b~1c")),
            (r#"{"a": {"k\u0000": 1}}"#, Some("/a/k\0")),
            (r#"{"a": "\\u0000"}"#, None),
            (r#"{"a": "\u0001"}"#, None),
        ];
        for (text, place) in table {
            assert_eq!(nul_in(text).as_deref(), place, "{text}");
        }
        assert_eq!(refused(br#"{"goal": "a\u0000"}"#).1[0].pointer, "/goal");
    }

    #[test]
    fn a_wrong_field_is_named_with_its_place() {
        let (code, errors) = refused(br#"{"goal": 3}"#);
        assert_eq!((code, errors[0].pointer.as_str()), (ErrorCode::InvalidRequest, "/goal"));
        assert_eq!(errors[0].detail, "invalid type: integer `3`, expected a string");
        let (_, errors) = refused(br#"{"goal": "a", "tasks": [{"goal": "b"}, {"tasks": []}]}"#);
        assert_eq!(errors[0].pointer, "/tasks/1/goal");
        let (_, errors) = refused(br#"{"gaol": "a"}"#);
        assert_eq!(errors[0].pointer, "/gaol");
        let (_, errors) = refused(br#"{}"#);
        assert_eq!(errors[0].pointer, "/goal");
    }
}
