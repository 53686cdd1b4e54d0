//! Answers made smaller on their way to clients that say they can read that.
//!
//! Only answers to GET and the description of a repository: whatever shows a secret once (a session, an API key, the
//! secret of a webhook, a ticket) is the answer to a POST, and the length of a compressed answer tells something of a
//! secret beside a text that others can choose (the BREACH attack). What is said under `/auth/` stays as it is whatever
//! the method, and so does what has no end, such as a stream of events.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, VARY,
};
use actix_web::web::Bytes;
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

/// What is shorter fits into one packet anyhow.
const MIN_BYTES: usize = 1_400;
/// What is longer is compressed away from the threads that handle requests.
const MAX_INLINE_BYTES: usize = 32 * 1024;
/// The middle of what each can: most of the gain for little of the time.
const GZIP_LEVEL: u32 = 6;
const BROTLI_QUALITY: i32 = 5;
/// The most answers that are kept compressed.
const MAX_KEPT: usize = 64;

/// How an answer can be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Coding {
    Brotli,
    Gzip,
}

impl Coding {
    const ALL: [Self; 2] = [Self::Brotli, Self::Gzip];

    fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    fn encode(self, plain: &[u8]) -> io::Result<Bytes> {
        let mut encoded = Vec::with_capacity(plain.len() / 4);
        match self {
            Self::Brotli => {
                let parameters = BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    size_hint: plain.len(),
                    ..BrotliEncoderParams::default()
                };
                brotli::BrotliCompress(&mut &*plain, &mut encoded, &parameters)?;
            }
            Self::Gzip => {
                let mut encoder = GzEncoder::new(&mut encoded, Compression::new(GZIP_LEVEL));
                encoder.write_all(plain)?;
                encoder.finish()?;
            }
        }
        Ok(encoded.into())
    }

    /// The tag of the representation that is encoded so: another one than that of the plain bytes.
    fn tag(self, plain: &str) -> String {
        let opaque = plain.strip_suffix('"').unwrap_or(plain);
        format!("{opaque}-{}\"", self.name())
    }
}

/// The tag without the name of a coding at its end.
pub(crate) fn plain_tag(opaque: &str) -> &str {
    let suffix = |coding: Coding| opaque.strip_suffix(coding.name())?.strip_suffix('-');
    Coding::ALL.into_iter().find_map(suffix).unwrap_or(opaque)
}

/// Answers that are the same for everybody, compressed once: the pages about the API and what they load.
#[derive(Default)]
pub(crate) struct Kept(Mutex<HashMap<(String, Coding), Bytes>>);

impl Kept {
    fn find(&self, key: &(String, Coding)) -> Option<Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn keep(&self, key: (String, Coding), encoded: &Bytes) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MAX_KEPT {
            kept.insert(key, encoded.clone());
        }
    }
}

/// Compresses an answer, where that is worth it, harmless and asked for.
pub(crate) async fn compress(
    response: ServiceResponse<BoxBody>,
    method: &Method,
    kept: &Kept,
) -> ServiceResponse<BoxBody> {
    if !is_harmless(method, response.request().path()) || !is_text(response.headers()) {
        return response;
    }
    let wanted = preferred(response.request().headers());
    let (request, response) = response.into_parts();
    let (mut response, body) = response.into_parts();
    let body = match body.try_into_bytes() {
        Ok(plain) if plain.len() >= MIN_BYTES => {
            response.headers_mut().append(VARY, HeaderValue::from_static("Accept-Encoding"));
            match wanted {
                Some(coding) => encoded(response.headers_mut(), plain, coding, kept).await,
                None => BoxBody::new(plain),
            }
        }
        Ok(plain) => BoxBody::new(plain),
        Err(stream) => stream,
    };
    ServiceResponse::new(request, response.set_body(body))
}

async fn encoded(headers: &mut HeaderMap, plain: Bytes, coding: Coding, kept: &Kept) -> BoxBody {
    let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).map(str::to_owned);
    let is_public = headers.get(CACHE_CONTROL).is_some_and(|value| value.as_bytes().starts_with(b"public"));
    let key = tag.clone().filter(|_| is_public).map(|tag| (tag, coding));
    let smaller = match key.as_ref().and_then(|key| kept.find(key)) {
        Some(kept) => Some(kept),
        None if plain.len() <= MAX_INLINE_BYTES => coding.encode(&plain).ok(),
        None => {
            let plain = plain.clone();
            let done = actix_web::web::block(move || coding.encode(&plain)).await;
            done.ok().and_then(Result::ok)
        }
    };
    // What cannot be made smaller, or at this moment not at all, goes out as it is.
    let Some(smaller) = smaller.filter(|smaller| smaller.len() < plain.len()) else {
        return BoxBody::new(plain);
    };
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    if let Some(Ok(tag)) = tag.map(|tag| HeaderValue::try_from(coding.tag(&tag))) {
        headers.insert(ETAG, tag);
    }
    if let Some(key) = key {
        kept.keep(key, &smaller);
    }
    BoxBody::new(smaller)
}

fn is_harmless(method: &Method, path: &str) -> bool {
    let is_read = *method == Method::GET || *method == Method::HEAD || path == "/scan";
    is_read && !path.starts_with("/auth/")
}

fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let is_stream = kind == "text/event-stream";
    let is_text = kind.starts_with("text/")
        || ["application/json", "application/problem+json", "application/javascript", "image/svg+xml"]
            .contains(&kind);
    is_text && !is_stream && !headers.contains_key(CONTENT_ENCODING)
}

/// The coding that a client likes best of those there are; `None` where it takes none, or does not say.
fn preferred(headers: &HeaderMap) -> Option<Coding> {
    let accepted: Vec<(String, f32)> =
        headers.get_all(ACCEPT_ENCODING).filter_map(|value| value.to_str().ok()).flat_map(weights).collect();
    let weight = |coding: Coding| {
        let named = |name: &str| accepted.iter().find(|(accepted, _)| accepted == name);
        named(coding.name()).or_else(|| named("*")).map_or(0.0, |(_, weight)| *weight)
    };
    let liked = Coding::ALL.into_iter().filter(|coding| weight(*coding) > 0.0);
    // Of two that are liked alike, the one that makes answers smaller.
    liked.rev().max_by(|one, other| weight(*one).total_cmp(&weight(*other)))
}

/// The codings of one header line with their weights.
fn weights(line: &str) -> Vec<(String, f32)> {
    let read = |item: &str| {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        let weight =
            parameters.trim().strip_prefix("q=").map_or(Some(1.0), |weight| weight.trim().parse().ok());
        weight.map(|weight| (name.trim().to_ascii_lowercase(), weight))
    };
    line.split(',').filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn liked(value: &'static str) -> Option<Coding> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(value));
        preferred(&headers)
    }

    #[test]
    fn the_client_s_weights_decide_and_then_the_size() {
        let table = [
            ("gzip, deflate, br, zstd", Some(Coding::Brotli)),
            ("gzip", Some(Coding::Gzip)),
            ("GZIP;q=0.5, br;q=0.2", Some(Coding::Gzip)),
            ("br;q=0, gzip", Some(Coding::Gzip)),
            ("*", Some(Coding::Brotli)),
            ("*;q=0", None),
            ("identity", None),
            ("gzip;q=nonsense", None),
            ("", None),
        ];
        for (value, coding) in table {
            assert_eq!(liked(value), coding, "{value}");
        }
        assert_eq!(preferred(&HeaderMap::new()), None);
    }

    #[test]
    fn each_encoding_of_a_representation_has_its_own_tag() {
        assert_eq!(Coding::Brotli.tag("\"3-ab\""), "\"3-ab-br\"");
        assert_eq!(plain_tag("3-ab-br"), "3-ab");
        assert_eq!(plain_tag("3-ab-gzip"), "3-ab");
        assert_eq!(plain_tag("3-ab"), "3-ab");
    }

    #[test]
    fn what_may_hold_a_secret_is_left_as_it_is() {
        assert!(is_harmless(&Method::GET, "/plans") && is_harmless(&Method::POST, "/scan"));
        for (method, path) in [
            (Method::POST, "/auth/login"),
            (Method::GET, "/auth/keys"),
            (Method::POST, "/webhooks"),
            (Method::POST, "/ws/ticket"),
        ] {
            assert!(!is_harmless(&method, path), "{method} {path}");
        }
    }
}
