//! Every fault in every wire format: it ends in a repetition or in a typed failure, and never hangs.

use crate::peer::{Peer, Piece, Reply};
use crate::wire::{FORMATS, call, half, opening, text, whole};
use crate::{Shown, model, prompt_with_tool, settings};
use agent_core::model::{Completion, ModelError, Silent};
use agent_core::ports::{LanguageModel, Randomness};
use agent_llm::{LlmSettings, Provider, RetryPolicy, Retrying, connect};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const SILENCE: Duration = Duration::from_millis(300);

type Outcome = Result<Completion, ModelError>;

struct Never;

impl Randomness for Never {
    fn fraction(&self) -> f64 {
        0.0
    }
}

fn good(format: Provider) -> Reply {
    Reply::Stream(whole(format, text(format, "All is well.")))
}

fn impatient(peer: &Peer, format: Provider) -> Arc<dyn LanguageModel> {
    connect(LlmSettings { first_byte_timeout: SILENCE, ..settings(peer, format) }).unwrap()
}

fn again(model: Arc<dyn LanguageModel>) -> Retrying {
    Retrying::new(model, RetryPolicy::default(), Arc::new(Never))
}

/// Once without repetition, and once with one that meets a server in good health.
async fn meet(format: Provider, fault: impl Fn() -> Reply) -> (ModelError, Outcome, usize) {
    let peer = Peer::start(vec![fault()]);
    let alone = model(&peer, format).complete(&prompt_with_tool(), &mut Silent).await.unwrap_err();
    let peer = Peer::start(vec![fault(), good(format)]);
    let repeated = again(model(&peer, format)).complete(&prompt_with_tool(), &mut Silent).await;
    (alone, repeated, peer.asked().len())
}

async fn is_repeated(format: Provider, fault: impl Fn() -> Reply, kind: fn(&ModelError) -> bool) {
    let (alone, repeated, asked) = meet(format, fault).await;
    assert!(kind(&alone), "{format}: {alone:?}");
    assert_eq!((repeated.unwrap().content.as_str(), asked), ("All is well.", 2), "{format}");
}

async fn is_handed_on(format: Provider, fault: impl Fn() -> Reply, kind: fn(&ModelError) -> bool) {
    let (alone, repeated, asked) = meet(format, fault).await;
    assert!(kind(&alone), "{format}: {alone:?}");
    assert!(kind(&repeated.unwrap_err()) && asked == 1, "{format}");
}

fn status(status: u16, headers: Vec<(&'static str, String)>) -> Reply {
    Reply::Status(status, headers, json!({"error": {"message": "so it is"}}).to_string())
}

#[tokio::test]
async fn statuses() {
    let limited = |error: &ModelError| matches!(error, ModelError::RateLimited { .. });
    let unavailable = |error: &ModelError| matches!(error, ModelError::Unavailable(_));
    for format in FORMATS {
        is_handed_on(format, || status(401, vec![]), |error| matches!(error, ModelError::Unauthorized(_)))
            .await;
        is_handed_on(format, || status(402, vec![]), |error| matches!(error, ModelError::QuotaExhausted(_)))
            .await;
        is_repeated(format, || status(429, vec![]), limited).await;
        is_repeated(format, || status(429, vec![("retry-after", "0.05".into())]), limited).await;
        let date = || "Wed, 21 Oct 2026 07:28:00 GMT".to_owned();
        let dated = || vec![("date", date()), ("retry-after", date())];
        is_repeated(format, || status(429, dated()), limited).await;
        for code in [500, 503, 529] {
            is_repeated(format, || status(code, vec![]), unavailable).await;
        }
    }
}

#[tokio::test]
async fn a_slow_first_byte_is_waited_for_and_a_missing_one_is_not() {
    for format in FORMATS {
        let late = [vec![Piece::Pause(SILENCE)], whole(format, text(format, "Late."))].concat();
        let peer = Peer::start(vec![Reply::Stream(late)]);
        let answer = model(&peer, format).complete(&prompt_with_tool(), &mut Silent).await.unwrap();
        assert_eq!(answer.content, "Late.", "{format}");
        for begun in [vec![], [opening(format), text(format, "Hel")].concat()] {
            let stalled = || Reply::Stream([begun.clone(), vec![Piece::Stall]].concat());
            let peer = Peer::start(vec![stalled()]);
            let alone = impatient(&peer, format).complete(&prompt_with_tool(), &mut Silent).await;
            assert!(matches!(alone, Err(ModelError::TimedOut(after)) if after == SILENCE), "{format}");
            let peer = Peer::start(vec![stalled(), good(format)]);
            let repeated = again(impatient(&peer, format)).complete(&prompt_with_tool(), &mut Silent).await;
            assert_eq!(repeated.unwrap().content, "All is well.", "{format}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_is_cut_is_never_taken_for_an_answer() {
    let malformed = |error: &ModelError| matches!(error, ModelError::Malformed(_));
    for format in FORMATS {
        let begun = [
            [opening(format), text(format, "Hello")].concat(),
            half([opening(format), text(format, "Grüße")].concat()),
            [opening(format), call(format, "read_file", r#"{"path":"a"}"#)].concat(),
            half([opening(format), call(format, "read_file", r#"{"path":"a"}"#)].concat()),
        ];
        for pieces in begun {
            let cut = [pieces.clone(), vec![Piece::Cut]].concat();
            is_repeated(format, || Reply::Stream(cut.clone()), malformed).await;
            is_repeated(format, || Reply::Stream(pieces.clone()), malformed).await;
        }
    }
}

#[tokio::test]
async fn a_piece_that_is_no_json_is_malformed() {
    for format in FORMATS {
        let broken = || {
            let noise = Piece::Text("event: content_block_delta\ndata: {\"choices\": [{\"del\n\n".into());
            [opening(format), text(format, "Hel"), vec![noise]].concat()
        };
        is_repeated(format, || Reply::Stream(broken()), |error| matches!(error, ModelError::Malformed(_)))
            .await;
    }
}

async fn answer(format: Provider, middle: Vec<Piece>) -> Completion {
    let peer = Peer::start(vec![Reply::Stream(whole(format, middle))]);
    model(&peer, format).complete(&prompt_with_tool(), &mut Silent).await.unwrap()
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_left_to_whoever_runs_it() {
    for format in FORMATS {
        let unknown = answer(format, call(format, "remove_all", r#"{"path":"a"}"#)).await;
        assert_eq!(unknown.tool_calls[0].name, "remove_all", "{format}");
        for arguments in [r#"{"path":7}"#, r#"{"path":null,"more":[]}"#] {
            let wrong = answer(format, call(format, "read_file", arguments)).await;
            let expected: Value = serde_json::from_str(arguments).unwrap();
            assert_eq!(wrong.tool_calls[0].arguments, expected, "{format}");
        }
    }
    for format in [Provider::OpenAi, Provider::Anthropic] {
        let broken = answer(format, call(format, "read_file", r#"{"path": oops"#)).await;
        assert_eq!(broken.tool_calls[0].arguments, json!(r#"{"path": oops"#), "{format}");
    }
}

#[tokio::test]
async fn wrong_types_in_the_protocol_are_malformed() {
    let wrong = [
        json!({"choices": {"delta": {}}}),
        json!({"choices": [{"delta": {"tool_calls": "read_file"}}]}),
        json!({"choices": [{"delta": {"tool_calls": [{"index": -1}]}}]}),
        json!({"usage": {"prompt_tokens": "many"}}),
        json!([]),
        json!("choices"),
    ];
    for body in wrong {
        let fault = || Reply::Stream(whole(Provider::OpenAi, vec![crate::peer::event(&body)]));
        is_repeated(Provider::OpenAi, fault, |error| matches!(error, ModelError::Malformed(_))).await;
    }
}

#[tokio::test]
async fn an_answer_of_ten_megabytes_is_taken() {
    for format in FORMATS {
        let word = "x".repeat(1 << 20);
        let middle: Vec<Piece> = (0..10).flat_map(|_| text(format, &word)).collect();
        let peer = Peer::start(vec![Reply::Stream(whole(format, middle))]);
        let mut shown = Shown::default();
        let answer = model(&peer, format).complete(&prompt_with_tool(), &mut shown).await.unwrap();
        assert_eq!((answer.content.len(), shown.0.len()), (10 << 20, 10), "{format}");
    }
}

fn endless(format: Provider, pieces: Vec<Piece>) -> Vec<Piece> {
    let Some(Piece::Text(text)) = pieces.into_iter().next_back() else { unreachable!() };
    [opening(format), vec![Piece::Flood(text)]].concat()
}

async fn error_of(format: Provider, pieces: Vec<Piece>, limit: Duration) -> ModelError {
    let peer = Peer::start(vec![Reply::Stream(pieces)]);
    let settings = LlmSettings { request_timeout: limit, ..settings(&peer, format) };
    connect(settings).unwrap().complete(&prompt_with_tool(), &mut Silent).await.unwrap_err()
}

#[tokio::test]
async fn an_endless_answer_is_bounded_by_its_bytes() {
    let limit = Duration::from_secs(120);
    for format in FORMATS {
        let pieces = endless(format, text(format, &"x".repeat(100_000)));
        let error = error_of(format, pieces, limit).await;
        assert!(matches!(&error, ModelError::Malformed(text) if text.contains("longer than")), "{error:?}");
    }
    for noise in ["x".repeat(100_000), format!("data: {}\n", "x".repeat(100_000))] {
        let error = error_of(Provider::OpenAi, vec![Piece::Flood(noise)], limit).await;
        assert!(matches!(&error, ModelError::Malformed(text) if text.contains("exceeds")), "{error:?}");
    }
}

#[tokio::test]
async fn an_endless_call_is_bounded_by_its_bytes() {
    for format in [Provider::OpenAi, Provider::Anthropic] {
        let mut pieces = call(format, "read_file", &"x".repeat(1_000_000));
        let flood = match pieces.get(1).or(pieces.first()) {
            Some(Piece::Text(text)) => Piece::Flood(text.clone()),
            _ => unreachable!(),
        };
        pieces.truncate(1);
        let pieces = [opening(format), pieces, vec![flood]].concat();
        let error = error_of(format, pieces, Duration::from_secs(120)).await;
        assert!(matches!(&error, ModelError::Malformed(text) if text.contains("longer than")), "{error:?}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_bounded_by_its_time() {
    let limit = Duration::from_millis(200);
    for format in FORMATS {
        let pieces = [opening(format), text(format, "Hel"), vec![Piece::Drip]].concat();
        let error = error_of(format, pieces, limit).await;
        assert!(matches!(error, ModelError::TimedOut(after) if after == limit), "{format}: {error:?}");
    }
}
