//! Bodies that come as JSON or as YAML, judged alike.

use super::caller::after_the_caller;
use super::valid_json::{is_json, parse, read_body, unsupported};
use crate::error::{ApiError, ErrorCode, Result};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A body in JSON or YAML.
#[derive(Debug)]
pub(crate) struct JsonOrYaml<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for JsonOrYaml<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            after_the_caller(&request).await;
            let is_yaml = is_yaml(request.content_type());
            if !is_yaml && !is_json(request.content_type()) {
                return Err(unsupported(request.content_type()));
            }
            let body = read_body(&request, payload).await?;
            if is_yaml { parse(&as_json(&body)?).map(Self) } else { parse(&body).map(Self) }
        })
    }
}

/// `application/yaml` (RFC 9512), and what was used before it.
fn is_yaml(content_type: &str) -> bool {
    let essence = content_type.to_ascii_lowercase();
    let known = ["application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"];
    known.contains(&essence.as_str()) || essence.ends_with("+yaml")
}

/// What the YAML says, as JSON, so that faults are found and named in the same way.
fn as_json(body: &[u8]) -> Result<Vec<u8>> {
    let malformed = |detail: String| ApiError::new(ErrorCode::MalformedYaml, detail);
    let text =
        std::str::from_utf8(body).map_err(|error| malformed(format!("the body is not UTF-8: {error}")))?;
    let value: Value = agent_templates::read_yaml(text).map_err(|error| malformed(error.to_string()))?;
    serde_json::to_vec(&value).map_err(|error| malformed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_is_told_by_its_content_type() {
        for content_type in
            ["application/yaml", "Application/X-YAML", "text/yaml", "application/template+yaml"]
        {
            assert!(is_yaml(content_type), "{content_type}");
        }
        for content_type in ["", "application/json", "text/plain", "yaml"] {
            assert!(!is_yaml(content_type), "{content_type}");
        }
    }
}
