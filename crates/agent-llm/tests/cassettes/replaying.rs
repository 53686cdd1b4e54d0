//! Every cassette through the whole client, and what a cassette does with a request it does not know.

use crate::cassette::{self, Exchange, canonical};
use crate::player::Player;
use crate::reading::{Said, said};
use crate::scenarios::{SCENARIOS, Scenario};
use crate::{KEY, model_at, path_of};
use agent_core::model::{Completion, Message, ModelError, Prompt, Silent};
use agent_llm::{Provider, ToolCalling};
use serde_json::{Value, json};

fn scenario(name: &str) -> &'static Scenario {
    SCENARIOS.iter().find(|scenario| scenario.name == name).unwrap()
}

#[tokio::test]
async fn every_cassette_is_asked_the_same_bytes_and_read_in_the_same_way() {
    for scenario in SCENARIOS {
        let recorded = cassette::read(&path_of(scenario));
        let player = Player::start(scenario.provider.as_str(), recorded.clone());
        let answers = (scenario.play)(model_at(player.url(), scenario)).await;
        let answers = answers.unwrap_or_else(|why| panic!("{}: {why} {:?}", scenario.name, player.misses()));
        let played = player.played();
        assert_eq!(played.len(), recorded.len(), "{}: an exchange was not asked for", scenario.name);
        for ((seq, body), exchange) in played.iter().zip(&recorded) {
            assert_eq!(*seq, exchange.seq, "{}", scenario.name);
            assert_eq!(canonical(body), canonical(&exchange.request.body), "{}", scenario.name);
        }
        for (answer, exchange) in answers.iter().zip(&recorded) {
            assert_eq!(as_said(answer), expected(scenario, exchange), "{}", scenario.name);
        }
    }
}

fn as_said(answer: &Completion) -> Said {
    let calls = answer.tool_calls.iter().map(|call| (call.name.clone(), call.arguments.clone()));
    Said { text: answer.content.clone(), calls: calls.collect() }
}

fn expected(scenario: &Scenario, exchange: &Exchange) -> Said {
    let plain = said(scenario.provider, &exchange.body());
    if scenario.way != ToolCalling::Schema {
        return plain;
    }
    let whole: Result<Value, _> = serde_json::from_str(&plain.text);
    let Ok(action) = whole.map(|whole| whole["action"].clone()) else { return plain };
    match action["answer"].as_str() {
        Some(text) => Said { text: text.to_owned(), calls: vec![] },
        None => Said {
            text: String::new(),
            calls: vec![(action["name"].as_str().unwrap().to_owned(), action["parameters"].clone())],
        },
    }
}

#[test]
fn no_cassette_holds_a_key_and_every_key_of_an_exchange_is_its_hash() {
    for scenario in SCENARIOS {
        let text = std::fs::read_to_string(path_of(scenario)).unwrap().to_ascii_lowercase();
        for word in [KEY, "authorization", "x-api-key", "bearer"] {
            assert!(!text.contains(word), "{}: {word}", scenario.name);
        }
        for exchange in cassette::read(&path_of(scenario)) {
            let request = &exchange.request;
            let key = cassette::key(scenario.provider.as_str(), &request.path, &request.body);
            assert_eq!(key, exchange.key, "{}: exchange {}", scenario.name, exchange.seq);
        }
    }
}

#[test]
fn what_is_volatile_or_out_of_order_leaves_the_key_alone() {
    let key = |body: Value| cassette::key("openai", "/v1/chat/completions", &body);
    let plain = key(json!({"model": "m", "messages": [{"role": "user", "content": "x"}]}));
    let shuffled = r#"{"messages": [{"content": "x", "role": "user"}], "user": "u1", "model": "m"}"#;
    assert_eq!(key(serde_json::from_str(shuffled).unwrap()), plain);
    assert_ne!(key(json!({"model": "m", "messages": [{"role": "user", "content": "y"}]})), plain);
    assert_ne!(cassette::key("anthropic", "/v1/chat/completions", &json!({})), key(json!({})));
    assert_ne!(cassette::key("openai", "/v1/messages", &json!({})), key(json!({})));
}

async fn error_of(scenario: &Scenario, player: &Player, prompt: &Prompt) -> String {
    let error = model_at(player.url(), scenario).complete(prompt, &mut Silent).await.unwrap_err();
    assert!(matches!(error, ModelError::Refused(_)), "{error:?}");
    assert_eq!(player.misses().len(), 1);
    player.misses().remove(0)
}

#[tokio::test]
async fn a_request_that_was_not_recorded_names_the_nearest_one_and_the_difference() {
    let scenario = scenario("openai_text");
    let player = Player::start("openai", cassette::read(&path_of(scenario)));
    let prompt = Prompt {
        system: "You answer in one short sentence.".into(),
        messages: vec![Message::user("What is the capital of Spain?")],
        max_output_tokens: Some(60),
        ..Prompt::default()
    };
    let miss = error_of(scenario, &player, &prompt).await;
    assert!(
        miss.contains("exchange 0") && miss.contains("/messages/1/content") && miss.contains("Spain?"),
        "{miss}"
    );
    assert!(miss.contains("(1 differences)"), "{miss}");
}

#[tokio::test]
async fn a_cassette_is_not_played_more_often_than_it_was_recorded() {
    let scenario = scenario("openai_overflow");
    let player = Player::start("openai", cassette::read(&path_of(scenario)));
    (scenario.play)(model_at(player.url(), scenario)).await.unwrap();
    (scenario.play)(model_at(player.url(), scenario)).await.unwrap_err();
    let misses = player.misses();
    assert!(misses[0].contains("exchange 0 was asked once more than recorded"), "{misses:?}");
}

#[tokio::test]
async fn a_path_that_was_never_asked_is_named() {
    let recorded = cassette::read(&path_of(scenario("openai_text")));
    let player = Player::start(Provider::Anthropic.as_str(), recorded);
    let prompt = Prompt { messages: vec![Message::user("x")], ..Prompt::default() };
    let miss = error_of(scenario("anthropic_text"), &player, &prompt).await;
    assert!(miss.contains("/v1/messages") && miss.contains("/v1/chat/completions"), "{miss}");
}
