//! The `If-Match` header of edits.

use super::caller::after_the_caller;
use crate::error::{ApiError, ErrorCode, Result};
use actix_web::dev::Payload;
use actix_web::http::header::IF_MATCH;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;

/// The version that the author of an edit has seen; `None` for `*`, whatever is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IfMatch(pub(crate) Option<u32>);

impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            after_the_caller(&request).await;
            let mut values = request.headers().get_all(IF_MATCH);
            let (first, second) = (values.next(), values.next());
            let Some(value) = first else {
                let detail = "an edit says in If-Match which version its author has seen";
                return Err(ApiError::new(ErrorCode::VersionRequired, detail));
            };
            let seen = if second.is_some() { None } else { value.to_str().ok().and_then(read) };
            seen.map(Self).ok_or_else(|| {
                let detail = "If-Match must be one version, such as \"3\", or *";
                ApiError::new(ErrorCode::MalformedRequest, detail)
            })
        })
    }
}

/// `*`, or a version with or without quotes, or an `ETag` of the plan, which begins with it; `None` for anything else.
fn read(text: &str) -> Option<Option<u32>> {
    let text = text.trim();
    if text == "*" {
        return Some(None);
    }
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let (bare, tag) =
        if bare.len() < text.len() { bare.split_once('-').unwrap_or((bare, "")) } else { (bare, "") };
    let is_tag = tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let is_number = is_tag && bare.bytes().all(|byte| byte.is_ascii_digit());
    bare.parse().ok().filter(|version| is_number && *version > 0).map(Some)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_version_comes_quoted_or_bare_and_nothing_else_is_one() {
        assert_eq!(read("\"3\""), Some(Some(3)));
        assert_eq!(read("3"), Some(Some(3)));
        assert_eq!(read(" * "), Some(None));
        assert_eq!(read("\"3-5f0c-br\""), Some(Some(3)));
        for text in [
            "",
            "\"\"",
            "\"3",
            "W/\"3\"",
            "+3",
            "-1",
            "0",
            "\"1\", \"2\"",
            "4294967296",
            "x",
            "3-5f",
            "\"3-5 f\"",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
