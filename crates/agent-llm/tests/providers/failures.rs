//! What goes wrong, and how it is called.

use crate::peer::{Peer, Piece, Reply, event, refusal};
use crate::{KEY, Shown, model, prompt, settings};
use agent_core::model::{ModelError, Silent};
use agent_llm::{LlmSettings, Provider, connect};
use serde_json::json;
use std::time::Duration;

async fn error_of(reply: Reply) -> ModelError {
    let peer = Peer::start(vec![reply]);
    model(&peer, Provider::OpenAi).complete(&prompt(), &mut Silent).await.unwrap_err()
}

fn hello() -> Piece {
    event(&json!({"choices": [{"delta": {"content": "Hello"}}]}))
}

#[tokio::test]
async fn a_refused_key_is_unauthorized_and_never_repeated() {
    for status in [401, 403] {
        let body = json!({"error": {"message": format!("Incorrect API key provided: {KEY}.")}});
        let error = error_of(refusal(status, body)).await;
        assert!(matches!(error, ModelError::Unauthorized(_)), "{error:?}");
        assert!(error.to_string().contains("Incorrect API key") && error.to_string().contains("[key]"));
        assert!(!format!("{error:?}").contains(KEY));
    }
    let peer = Peer::start(vec![]);
    assert!(!format!("{:?}", settings(&peer, Provider::OpenAi)).contains(KEY));
}

#[tokio::test]
async fn a_rate_limit_carries_the_pause() {
    let limited = |headers, body: &str| Reply::Status(429, headers, body.to_owned());
    let pause = |error| match error {
        ModelError::RateLimited { retry_after, .. } => retry_after,
        other => panic!("{other:?}"),
    };
    let seconds = error_of(limited(vec![("retry-after", "7".into())], "slow down")).await;
    assert_eq!(pause(seconds), Some(Duration::from_secs(7)));
    let exact = vec![("retry-after", "7".into()), ("retry-after-ms", "1500".into())];
    assert_eq!(pause(error_of(limited(exact, "")).await), Some(Duration::from_millis(1500)));
    assert_eq!(pause(error_of(limited(vec![], "")).await), None);
    let dated = |now: &str, then: &str| vec![("date", now.to_owned()), ("retry-after", then.to_owned())];
    let (now, then) = ("Wed, 21 Oct 2026 07:27:15 GMT", "Wed, 21 Oct 2026 07:28:00 GMT");
    assert_eq!(pause(error_of(limited(dated(now, then), "")).await), Some(Duration::from_secs(45)));
    assert_eq!(pause(error_of(limited(dated(then, now), "")).await), Some(Duration::ZERO));
    assert_eq!(pause(error_of(limited(dated(now, "tomorrow"), "")).await), None);
    let negative = vec![("retry-after", "-1".into())];
    assert_eq!(pause(error_of(limited(negative, "")).await), None);
}

#[tokio::test]
async fn an_overloaded_server_that_names_a_time_is_left_alone_until_then() {
    for status in [503, 529] {
        let reply = Reply::Status(status, vec![("retry-after", "9".into())], "overloaded".into());
        let error = error_of(reply).await;
        assert!(
            matches!(error, ModelError::RateLimited { retry_after: Some(pause), .. }
                if pause == Duration::from_secs(9)),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn an_exhausted_account_is_not_worth_a_retry() {
    let openai = json!({"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}});
    let anthropic = json!({"error": {"type": "invalid_request_error", "message":
        "Your credit balance is too low to access the API."}});
    let router = json!({"error": {"code": 402, "message": "Payment is needed"}});
    for (status, body) in [(429, openai), (400, anthropic), (402, router)] {
        let error = error_of(refusal(status, body)).await;
        assert!(matches!(error, ModelError::QuotaExhausted(_)) && !error.is_transient(), "{error:?}");
    }
}

#[tokio::test]
async fn a_conversation_that_does_not_fit_is_recognised_in_every_dialect() {
    let bodies = [
        json!({"error": {"code": 400, "type": "exceed_context_size_error", "message": "too long", "n_ctx": 4096}}),
        json!({"error": {"code": "context_length_exceeded", "message": "Your input is too big"}}),
        json!({"error": {"message": "This model's maximum context length is 8192 tokens."}}),
        json!({"type": "error", "error": {"message": "prompt is too long: 210000 tokens > 200000 maximum"}}),
    ];
    for body in bodies {
        let error = error_of(refusal(400, body.clone())).await;
        assert!(matches!(error, ModelError::ContextOverflow(_)), "{body} gave {error:?}");
    }
}

#[tokio::test]
async fn other_refusals_carry_the_words_of_the_provider_bounded() {
    let error = error_of(refusal(404, json!({"error": {"message": "The model `x` does not exist"}}))).await;
    assert_eq!(
        error.to_string(),
        "the language model refused the request: status 404: The model `x` does not exist"
    );
    let long = error_of(Reply::Status(400, vec![], "ä".repeat(9000))).await;
    assert!(matches!(&long, ModelError::Refused(text) if text.chars().count() < 540));
    let moved = error_of(Reply::Status(308, vec![("location", "http://127.0.0.1:9/".into())], String::new()));
    assert!(matches!(moved.await, ModelError::Refused(text) if text.contains("AGENT_LLM_BASE_URL")));
}

#[tokio::test]
async fn a_broken_server_is_unavailable_unless_it_blames_the_request() {
    for status in [500, 502, 503, 529] {
        let error = error_of(Reply::Status(status, vec![], "<html>oops</html>".into())).await;
        assert!(matches!(error, ModelError::Unavailable(_)), "{status} gave {error:?}");
    }
    let body = json!({"error": {"code": 500, "type": "invalid_request_error", "message": "bad template"}});
    assert!(matches!(error_of(refusal(500, body)).await, ModelError::Refused(_)));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let peer = Peer::start(vec![]);
    let settings = LlmSettings { base_url: Some(url), ..settings(&peer, Provider::OpenAi) };
    let error = connect(settings).unwrap().complete(&prompt(), &mut Silent).await.unwrap_err();
    assert!(matches!(&error, ModelError::Unavailable(text) if text.contains("127.0.0.1")), "{error:?}");
}

#[tokio::test]
async fn a_cut_stream_is_malformed_whether_it_ends_politely_or_not() {
    for pieces in [vec![hello()], vec![hello(), Piece::Cut]] {
        let peer = Peer::start(vec![Reply::Stream(pieces)]);
        let mut shown = Shown::default();
        let error = model(&peer, Provider::OpenAi).complete(&prompt(), &mut shown).await.unwrap_err();
        assert!(matches!(&error, ModelError::Malformed(text) if text.contains("broke off")), "{error:?}");
        assert_eq!(shown.0, ["Hello"]);
    }
}

#[tokio::test]
async fn a_malformed_chunk_is_shown_in_the_error() {
    let pieces = vec![hello(), Piece::Text("data: {\"choices\": [{\"del\n\n".into())];
    let error = error_of(Reply::Stream(pieces)).await;
    assert!(matches!(&error, ModelError::Malformed(text) if text.contains("[{\"del")), "{error:?}");
}

#[tokio::test]
async fn an_error_in_the_middle_of_a_stream_is_read_like_a_status() {
    let in_stream = |body| error_of(Reply::Stream(vec![hello(), event(&body)]));
    let limited = in_stream(json!({"error": {"code": 429, "message": "slow"}})).await;
    assert!(matches!(limited, ModelError::RateLimited { .. }), "{limited:?}");
    let overflow = in_stream(json!({"error": {"type": "exceed_context_size_error", "message": "x"}})).await;
    assert!(matches!(overflow, ModelError::ContextOverflow(_)), "{overflow:?}");
    let broken = in_stream(json!({"error": {"message": "CUDA error"}})).await;
    assert!(matches!(&broken, ModelError::Unavailable(text) if text == "CUDA error"), "{broken:?}");
}

#[tokio::test]
async fn silence_times_out_before_the_first_piece_and_between_two() {
    for pieces in [vec![Piece::Stall], vec![hello(), Piece::Stall]] {
        let peer = Peer::start(vec![Reply::Stream(pieces)]);
        let silence = Duration::from_millis(150);
        let settings = LlmSettings { first_byte_timeout: silence, ..settings(&peer, Provider::OpenAi) };
        let error = connect(settings).unwrap().complete(&prompt(), &mut Silent).await.unwrap_err();
        assert!(matches!(error, ModelError::TimedOut(after) if after == silence), "{error:?}");
    }
}

#[tokio::test]
async fn a_whole_answer_has_a_limit_too() {
    let peer = Peer::start(vec![Reply::Stream(vec![hello(), Piece::Drip])]);
    let whole = Duration::from_millis(150);
    let settings = LlmSettings { request_timeout: whole, ..settings(&peer, Provider::OpenAi) };
    let error = connect(settings).unwrap().complete(&prompt(), &mut Silent).await.unwrap_err();
    assert!(matches!(error, ModelError::TimedOut(after) if after == whole), "{error:?}");
}

#[tokio::test]
async fn dropping_the_future_closes_the_connection() {
    let mut peer = Peer::start(vec![Reply::Stream(vec![hello(), Piece::Drip])]);
    let model = model(&peer, Provider::OpenAi);
    let (sender, shown) = tokio::sync::oneshot::channel();
    let task = tokio::spawn(async move {
        let mut sink = FirstToken(Some(sender));
        model.complete(&prompt(), &mut sink).await
    });
    shown.await.unwrap();
    task.abort();
    peer.closed().await;
}

struct FirstToken(Option<tokio::sync::oneshot::Sender<()>>);

impl agent_core::model::TokenSink for FirstToken {
    fn token(&mut self, _text: &str) {
        if let Some(sender) = self.0.take() {
            sender.send(()).unwrap();
        }
    }
}
