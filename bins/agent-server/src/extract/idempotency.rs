//! The `Idempotency-Key` header, and what a request is recognised by.

use super::caller::after_the_caller;
use crate::error::{ApiError, ErrorCode, Result};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use agent_core::plan::Idempotency;
use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The longest key.
const MAX_KEY: usize = 255;

/// The key under which a repeated request is the same request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdempotencyKey(Option<String>);

impl IdempotencyKey {
    /// The key with what the request means, where there is a key.
    ///
    /// # Errors
    /// When the request is no JSON, which no view can be.
    pub(crate) fn with<T: Serialize>(self, request: &T) -> Result<Option<Idempotency>> {
        let Some(key) = self.0 else { return Ok(None) };
        Ok(Some(Idempotency { key, fingerprint: fingerprint(request)? }))
    }
}

impl FromRequest for IdempotencyKey {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            after_the_caller(&request).await;
            let mut values = request.headers().get_all("Idempotency-Key");
            let (first, second) = (values.next(), values.next());
            let Some(value) = first else { return Ok(Self(None)) };
            let text = value.to_str().unwrap_or_default();
            if second.is_some() || text.is_empty() || text.len() > MAX_KEY {
                let detail =
                    format!("Idempotency-Key must be one text of 1 to {MAX_KEY} visible ASCII characters");
                return Err(ApiError::new(ErrorCode::MalformedRequest, detail));
            }
            Ok(Self(Some(text.to_owned())))
        })
    }
}

/// Hash of a request's meaning: the same for the same fields in another order or with other blanks.
///
/// # Errors
/// When the request is no JSON, which no view can be.
fn fingerprint<T: Serialize>(request: &T) -> Result<String> {
    let value = serde_json::to_value(request).map_err(ApiError::internal)?;
    let mut hasher = Sha256::new();
    feed(&value, &mut hasher);
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Objects by sorted key, everything with its kind and length, so that no two values feed the same bytes.
fn feed(value: &Value, hasher: &mut Sha256) {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_unstable();
            hasher.update(format!("o{}:", names.len()));
            for name in names {
                hasher.update(format!("{}:{name}", name.len()));
                feed(&fields[name], hasher);
            }
        }
        Value::Array(items) => {
            hasher.update(format!("a{}:", items.len()));
            items.iter().for_each(|item| feed(item, hasher));
        }
        leaf => {
            let text = leaf.to_string();
            hasher.update(format!("v{}:{text}", text.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fingerprint;
    use serde_json::json;

    #[test]
    fn the_order_of_fields_does_not_matter_and_everything_else_does() {
        let of = |value| fingerprint(&value).unwrap();
        assert_eq!(of(json!({"a": 1, "b": [2, 3]})), of(json!({"b": [2, 3], "a": 1})));
        assert_ne!(of(json!({"a": 1, "b": [2, 3]})), of(json!({"a": 1, "b": [3, 2]})));
        assert_ne!(of(json!({"a": "1"})), of(json!({"a": 1})));
        assert_ne!(of(json!([["a"], "b"])), of(json!([["a", "b"]])));
    }
}
