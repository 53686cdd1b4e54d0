//! Asking again.

use crate::peer::{Peer, Reply, event, refusal, stream_of};
use crate::{Shown, model, prompt};
use agent_core::model::{ModelError, Silent};
use agent_core::ports::{LanguageModel, Randomness};
use agent_llm::{Provider, RetryPolicy, Retrying};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

struct Always(f64);

impl Randomness for Always {
    fn fraction(&self) -> f64 {
        self.0
    }
}

fn retrying(peer: &Peer, policy: RetryPolicy) -> Retrying {
    Retrying::new(model(peer, Provider::OpenAi), policy, Arc::new(Always(1.0)))
}

fn quick() -> RetryPolicy {
    RetryPolicy {
        max_retries: 3,
        first_pause: Duration::from_millis(5),
        longest_pause: Duration::from_millis(10),
        longest_wait: Duration::from_secs(1),
    }
}

fn good() -> Reply {
    stream_of(&[
        json!({"choices": [{"delta": {"content": "Hi."}}]}),
        json!({"choices": [{"delta": {}, "finish_reason": "stop"}]}),
    ])
}

fn status(status: u16) -> Reply {
    Reply::Status(status, vec![], "busy".into())
}

#[tokio::test]
async fn a_server_in_trouble_is_asked_until_it_answers() {
    let broken = Reply::Stream(vec![event(&json!({"choices": [{"delta": {"content": "H"}}]}))]);
    let peer = Peer::start(vec![status(500), status(503), broken, good()]);
    let mut shown = Shown::default();
    let answer = retrying(&peer, quick()).complete(&prompt(), &mut shown).await.unwrap();
    assert_eq!(answer.content, "Hi.");
    assert_eq!(shown.0, ["H", "(anew)", "Hi."]);
    assert_eq!(peer.asked().len(), 4);
}

#[tokio::test]
async fn the_pause_that_the_provider_asks_for_is_kept() {
    let limited = Reply::Status(429, vec![("retry-after-ms", "80".into())], String::new());
    let peer = Peer::start(vec![limited, good()]);
    let start = Instant::now();
    retrying(&peer, quick()).complete(&prompt(), &mut Silent).await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(80));
    assert_eq!(peer.asked().len(), 2);
}

#[tokio::test]
async fn a_pause_that_is_too_long_is_left_to_the_caller() {
    let limited = Reply::Status(429, vec![("retry-after", "3600".into())], String::new());
    let peer = Peer::start(vec![limited, good()]);
    let error = retrying(&peer, quick()).complete(&prompt(), &mut Silent).await.unwrap_err();
    assert!(matches!(
        error,
        ModelError::RateLimited { retry_after: Some(pause), .. } if pause == Duration::from_secs(3600)
    ));
    assert_eq!(peer.asked().len(), 1);
}

#[tokio::test]
async fn the_number_of_tries_is_bounded_and_the_last_error_is_told() {
    let peer = Peer::start(vec![status(500), status(500), status(500), status(502), good()]);
    let error = retrying(&peer, quick()).complete(&prompt(), &mut Silent).await.unwrap_err();
    assert!(matches!(&error, ModelError::Unavailable(text) if text.contains("502")), "{error:?}");
    assert_eq!(peer.asked().len(), 4);
}

#[tokio::test]
async fn an_error_that_would_come_again_is_not_asked_for_again() {
    let peer = Peer::start(vec![refusal(401, json!({"error": {"message": "no"}})), good()]);
    let error = retrying(&peer, quick()).complete(&prompt(), &mut Silent).await.unwrap_err();
    assert!(matches!(error, ModelError::Unauthorized(_)));
    assert_eq!(peer.asked().len(), 1);
}

#[tokio::test]
async fn connect_puts_the_retries_around_the_model() {
    let peer = Peer::start(vec![status(503), good()]);
    let settings = agent_llm::LlmSettings { max_retries: 1, ..crate::settings(&peer, Provider::OpenAi) };
    let model = agent_llm::connect_with(settings, Arc::new(Always(0.0))).unwrap();
    assert_eq!(model.complete(&prompt(), &mut Silent).await.unwrap().content, "Hi.");
}

#[tokio::test]
async fn a_long_pause_is_not_waited_for_while_another_profile_answers() {
    let limited = Reply::Status(429, vec![("retry-after", "60".into())], String::new());
    let (first, second) = (Peer::start(vec![limited]), Peer::start(vec![good(), good()]));
    let profiles = [&first, &second]
        .map(|peer| agent_llm::LlmSettings { max_retries: 2, ..crate::settings(peer, Provider::OpenAi) });
    let model = agent_llm::connect_profiles(profiles.to_vec()).unwrap();
    let start = Instant::now();
    for _ in 0..2 {
        assert_eq!(model.complete(&prompt(), &mut Silent).await.unwrap().content, "Hi.");
    }
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!((first.asked().len(), second.asked().len()), (1, 2));
}
