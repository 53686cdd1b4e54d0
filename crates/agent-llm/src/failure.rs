//! What a provider's refusal means: from statuses, headers and bodies to [`ModelError`].

use crate::http_date;
use agent_core::model::ModelError;
use reqwest::header::HeaderMap;
use serde_json::Value;
use std::time::Duration;

/// Longest text of a provider that is passed on, in characters.
const TEXT_LIMIT: usize = 500;

/// Longest pause that is believed.
const PAUSE_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

/// How providers say that the conversation does not fit, in lower case.
const OVERFLOW_MARKS: [&str; 9] = [
    "exceed_context_size_error",
    "context_length_exceeded",
    "maximum context length",
    "exceeds the available context size",
    "exceeds the context window",
    "prompt is too long",
    "input is too long",
    "exceeds the maximum number of tokens",
    "model_context_window_exceeded",
];

/// How providers say that the account is used up, in lower case.
const QUOTA_MARKS: [&str; 5] = [
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "credit balance is too low",
    "insufficient credits",
];

/// Reads an answer whose status says that there is no answer.
pub(crate) fn from_status(status: u16, headers: &HeaderMap, body: &str) -> ModelError {
    let json = serde_json::from_str::<Value>(body).ok();
    let text = match message(json.as_ref(), body) {
        text if text.is_empty() => format!("status {status}"),
        text => format!("status {status}: {text}"),
    };
    let kind = json.as_ref().map(kind).unwrap_or_default();
    match status {
        400 | 413 | 422 | 500 if is_overflow(body) => ModelError::ContextOverflow(text),
        413 => ModelError::ContextOverflow(text),
        402 => ModelError::QuotaExhausted(text),
        // Told as a rate limit by some, but it stays for longer than we could wait.
        400 | 403 | 429 if is_used_up(body) => ModelError::QuotaExhausted(text),
        401 | 403 => ModelError::Unauthorized(text),
        429 => ModelError::RateLimited {
            detail: text,
            retry_after: pause(headers).or_else(|| json.as_ref().and_then(pause_in_body)),
        },
        408 | 425 => ModelError::Unavailable(text),
        // Some servers report a faulty request as their own failure.
        500 if kind.contains("invalid_request") => ModelError::Refused(text),
        501 | 505 => ModelError::Refused(text),
        // An overloaded server that names a time is to be left alone until then, as with a rate limit.
        500..=599 if pause(headers).is_some() => {
            ModelError::RateLimited { detail: text, retry_after: pause(headers) }
        }
        500..=599 => ModelError::Unavailable(text),
        300..=399 => ModelError::Refused(format!(
            "{text}: the server redirects; set AGENT_LLM_BASE_URL to its final address"
        )),
        _ => ModelError::Refused(text),
    }
}

/// Reads an error that came in the middle of a stream, after a status that said all is well.
pub(crate) fn from_event(body: &Value) -> ModelError {
    let raw = body.to_string();
    let error = body.get("error").unwrap_or(body);
    if is_overflow(&raw) {
        return ModelError::ContextOverflow(message(Some(body), &raw));
    }
    let code = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
    if let Some(status @ 400..=599) = code {
        return from_status(status, &HeaderMap::new(), &raw);
    }
    let text = message(Some(body), &raw);
    match kind(body) {
        _ if is_used_up(&raw) => ModelError::QuotaExhausted(text),
        kind if kind.contains("rate_limit") => ModelError::RateLimited { detail: text, retry_after: None },
        kind if kind.contains("authentication") || kind.contains("permission") => {
            ModelError::Unauthorized(text)
        }
        kind if kind.contains("invalid_request") => ModelError::Refused(text),
        _ => ModelError::Unavailable(text),
    }
}

/// Reads an error of the transport; `host` is named so that the user knows which setting to look at.
pub(crate) fn from_transport(error: reqwest::Error, host: &str) -> ModelError {
    let error = error.without_url();
    let text = format!("{host}: {}", chain(&error));
    if error.is_builder() {
        ModelError::Misconfigured(text)
    } else if error.is_body() || error.is_decode() {
        ModelError::Malformed(format!("the answer broke off: {text}"))
    } else {
        ModelError::Unavailable(text)
    }
}

/// An error with its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    bounded(&text)
}

/// A text cut to a length that a message can bear.
pub(crate) fn bounded(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(TEXT_LIMIT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn is_overflow(body: &str) -> bool {
    let body = body.to_ascii_lowercase();
    let gemini = body.contains("input token count") && body.contains("exceeds");
    gemini || OVERFLOW_MARKS.iter().any(|mark| body.contains(mark))
}

fn is_used_up(body: &str) -> bool {
    let body = body.to_ascii_lowercase();
    QUOTA_MARKS.iter().any(|mark| body.contains(mark))
}

/// What the provider says in words, wherever its dialect keeps that.
fn message(json: Option<&Value>, body: &str) -> String {
    let json = match json {
        Some(Value::Array(items)) => items.first(),
        other => other,
    };
    let found = json.and_then(|json| {
        ["/error/message", "/error", "/message", "/detail"]
            .iter()
            .find_map(|pointer| json.pointer(pointer).and_then(Value::as_str))
    });
    bounded(found.unwrap_or(body))
}

/// The provider's own words for the kind of error, joined, in lower case.
fn kind(json: &Value) -> String {
    let error = json.get("error").unwrap_or(json);
    ["type", "code", "status"]
        .iter()
        .filter_map(|field| error.get(field).and_then(Value::as_str))
        .collect::<Vec<_>>()
        .join(" ")
        .to_ascii_lowercase()
}

/// The pause asked for by headers. A date counts from the `Date` of the same answer: whose clock is
/// wrong does not matter then.
fn pause(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |name: &str| text(name)?.parse::<f64>().ok();
    let seconds = number("retry-after-ms").map(|ms| ms / 1000.0).or_else(|| number("retry-after"));
    let pause = match seconds {
        Some(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        None => http_date::between(text("date")?, text("retry-after")?),
    };
    pause.map(|pause| pause.min(PAUSE_LIMIT))
}

/// The pause that Gemini puts into the details of the error: `"retryDelay": "34s"`.
fn pause_in_body(json: &Value) -> Option<Duration> {
    let details = json.pointer("/error/details")?.as_array()?;
    let text = details.iter().find_map(|detail| detail.get("retryDelay")?.as_str())?;
    let seconds = text.strip_suffix('s')?.parse::<f64>().ok()?;
    Duration::try_from_secs_f64(seconds).ok().map(|pause| pause.min(PAUSE_LIMIT))
}
