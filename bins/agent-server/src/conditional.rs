//! Answers that need not be sent again: `ETag`, and 304 for a client that has the same already (RFC 9110, section 13).

use crate::compression::plain_tag;
use actix_web::HttpResponse;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH, VARY,
};
use actix_web::http::{Method, StatusCode};
use agent_runtime::PlanDetails;
use sha2::{Digest, Sha256};

/// The operations whose answers have a tag.
pub(crate) const TAGGED: [&str; 7] = [
    "find_plan",
    "find_template",
    "list_templates",
    "search_templates",
    "show_document",
    "show_redoc",
    "show_swagger_ui",
];
/// Where answers are tagged by their bytes: what changes seldom and is asked for often.
const TAGGED_BY_BYTES: [&str; 4] = ["/docs", "/openapi.json", "/redoc", "/templates"];

/// Gives a successful read its tag and leaves out the body where the client has it.
pub(crate) fn answer(response: ServiceResponse<BoxBody>, method: &Method) -> ServiceResponse<BoxBody> {
    let is_read = *method == Method::GET || *method == Method::HEAD;
    if !is_read || response.status() != StatusCode::OK {
        return response;
    }
    let response = tagged(response);
    let Some(tag) = response.headers().get(ETAG).and_then(|tag| tag.to_str().ok()) else { return response };
    match shown(response.request().headers(), tag) {
        Some(shown) => not_modified(response, &shown),
        None => response,
    }
}

/// The tag of a plan with its figures: the version that `If-Match` of edits is about, and the rest of what can change.
pub(crate) fn plan_tag(details: &PlanDetails) -> String {
    let (plan, figures) = (&details.state.plan, &details.statistics);
    let rest = format!(
        "{} {} {} {} {} {:?}",
        env!("CARGO_PKG_VERSION"),
        plan.revision.get(),
        plan.updated_at,
        figures.total_executions,
        figures.tokens,
        figures.cost.map(f64::to_bits)
    );
    format!("\"{}-{}\"", plan.version, digest(rest.as_bytes()))
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

fn tagged(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let path = response.request().path();
    let by_bytes = TAGGED_BY_BYTES.iter().any(|beginning| path.starts_with(beginning));
    if !by_bytes || response.headers().contains_key(ETAG) {
        return response;
    }
    let (request, response) = response.into_parts();
    let (mut response, body) = response.into_parts();
    let body = match body.try_into_bytes() {
        Ok(bytes) => {
            let headers = response.headers_mut();
            if let Ok(tag) = HeaderValue::try_from(format!("\"{}\"", digest(&bytes))) {
                headers.insert(ETAG, tag);
            }
            if !headers.contains_key(CACHE_CONTROL) {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
            }
            BoxBody::new(bytes)
        }
        Err(stream) => stream,
    };
    ServiceResponse::new(request, response.set_body(body))
}

/// The tag as the client shows it, where it shows that of this answer, in whatever encoding.
fn shown(headers: &HeaderMap, tag: &str) -> Option<String> {
    let opaque = |tag: &str| {
        let strong = tag.strip_prefix("W/").unwrap_or(tag);
        let bare = strong.strip_prefix('"')?.strip_suffix('"')?;
        Some(plain_tag(bare).to_owned())
    };
    let wanted = opaque(tag)?;
    let lines = headers.get_all(IF_NONE_MATCH).filter_map(|line| line.to_str().ok());
    let all = lines.flat_map(|line| line.split(','));
    all.map(str::trim).find_map(|candidate| match candidate {
        "*" => Some(tag.to_owned()),
        other => (opaque(other)? == wanted).then(|| other.to_owned()),
    })
}

fn not_modified(response: ServiceResponse<BoxBody>, shown: &str) -> ServiceResponse<BoxBody> {
    let mut answer = HttpResponse::NotModified();
    answer.insert_header((ETAG, shown)).append_header((VARY, "Accept-Encoding"));
    for name in [CACHE_CONTROL, CONTENT_SECURITY_POLICY] {
        if let Some(value) = response.headers().get(&name) {
            answer.insert_header((name, value.clone()));
        }
    }
    response.into_response(answer.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(value: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, HeaderValue::from_static(value));
        shown(&headers, "\"3-ab\"").is_some()
    }

    #[test]
    fn a_tag_matches_weak_encoded_and_among_others() {
        for value in ["\"3-ab\"", "W/\"3-ab\"", "\"3-ab-br\"", "\"x\", \"3-ab-gzip\"", "*"] {
            assert!(matches(value), "{value}");
        }
        for value in ["\"3-abc\"", "3-ab", "\"3-ab", "\"4-ab\"", ""] {
            assert!(!matches(value), "{value}");
        }
    }
}
