//! The scripted model, and the settings that choose a model.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up must fail")]

use agent_core::model::{Message, ModelError, OutputSchema, Prompt, Silent, StopReason, TokenSink, Usage};
use agent_core::ports::LanguageModel;
use agent_llm::{
    LlmSettings, Match, Provider, Script, ScriptedModel, Turn, connect, detect, ollama_is_listening,
};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

fn play(script: Value) -> ScriptedModel {
    ScriptedModel::new(Script::parse(&script.to_string()).unwrap())
}

fn about(task: &str) -> Prompt {
    Prompt { messages: vec![Message::user(task)], ..Prompt::default() }
}

async fn say(model: &ScriptedModel, prompt: &Prompt) -> String {
    model.complete(prompt, &mut Silent).await.unwrap().content
}

/// Asks, and adds the answer to the conversation as a task would.
async fn go_on(model: &ScriptedModel, prompt: &mut Prompt) -> String {
    let answer = model.complete(prompt, &mut Silent).await.unwrap();
    prompt
        .messages
        .push(Message::Assistant { content: answer.content.clone(), tool_calls: answer.tool_calls.clone() });
    for call in &answer.tool_calls {
        prompt.messages.push(Message::Tool {
            call_id: call.id.clone(),
            name: call.name.clone(),
            content: format!("{} was run", call.name),
        });
    }
    answer.content
}

#[tokio::test]
async fn turns_without_conditions_come_in_order_and_then_no_more() {
    let model = play(json!([{"text": "one"}, {"text": "two"}]));
    assert_eq!(say(&model, &about("x")).await, "one");
    assert_eq!(say(&model, &about("x")).await, "two");
    let error = model.complete(&about("What now?"), &mut Silent).await.unwrap_err();
    assert!(
        matches!(&error, ModelError::ScriptExhausted(text)
            if text.contains("What now?") && text.contains("2 of 2") && text.contains("AGENT_LLM_SCRIPT")),
        "{error}"
    );
    assert!(!error.is_transient());
}

#[tokio::test]
async fn conditions_tell_parallel_tasks_apart() {
    let model = play(json!([
        {"when": {"structured": true}, "json": {"tasks": [1]}},
        {"when": {"task_contains": "red"}, "text": "red 1"},
        {"when": {"task_contains": "blue"}, "text": "blue 1"},
        {"when": {"task_contains": "red"}, "text": "red 2"},
        {"when": {"system_contains": "judge", "last_message_contains": "verdict"}, "text": "good"},
    ]));
    let (mut blue, mut red) = (about("paint it blue"), about("paint it red"));
    assert_eq!(go_on(&model, &mut blue).await, "blue 1");
    assert_eq!(go_on(&model, &mut red).await, "red 1");
    assert_eq!(go_on(&model, &mut red).await, "red 2");
    let judge = Prompt { system: "You judge.".into(), ..about("Your verdict?") };
    assert_eq!(say(&model, &judge).await, "good");
    let schema = OutputSchema { name: "plan".into(), schema: json!({}) };
    let planner = Prompt { output: Some(schema), ..about("plan") };
    assert_eq!(say(&model, &planner).await, r#"{"tasks":[1]}"#);
}

#[tokio::test]
async fn what_a_tool_said_does_not_name_the_task() {
    let model = play(json!([{"when": {"task_contains": "secret"}, "text": "wrong"}, {"text": "right"}]));
    let mut prompt = about("read");
    prompt.messages.push(Message::Tool {
        call_id: "c".into(),
        name: "read_file".into(),
        content: "secret".into(),
    });
    assert_eq!(say(&model, &prompt).await, "right");
}

#[tokio::test]
async fn a_restarted_process_goes_on_from_the_conversation() {
    let script = json!([
        {"text": "first", "tool_calls": [{"name": "look"}]},
        {"text": "second"},
        {"text": "second"},
        {"text": "fourth"}
    ]);
    let mut prompt = about("x");
    for expected in ["first", "second", "second", "fourth"] {
        // A new model each time remembers nothing.
        assert_eq!(go_on(&play(script.clone()), &mut prompt).await, expected);
    }
    let numbered = json!([
        {"when": {"turn": 2}, "text": "third"},
        {"when": {"turn": 0}, "text": "again"},
        {"when": {"turn": 1}, "text": "again"}
    ]);
    let mut prompt = about("x");
    for expected in ["again", "again", "third"] {
        assert_eq!(go_on(&play(numbered.clone()), &mut prompt).await, expected);
    }
}

#[tokio::test]
async fn a_turn_that_repeats_is_never_used_up() {
    let model = play(json!([{"when": {"last_message_contains": "ping"}, "text": "pong", "repeat": true}]));
    for _ in 0..3 {
        assert_eq!(say(&model, &about("ping")).await, "pong");
    }
}

#[tokio::test]
async fn tool_calls_get_ids_from_their_place_in_the_conversation() {
    let calls = json!([{"name": "read_file", "arguments": {"path": "a"}}, {"name": "finish"}]);
    let model = play(json!([
        {"tool_calls": calls, "usage": {"input_tokens": 7, "output_tokens": 3}},
        {"tool_calls": [{"name": "finish"}]}
    ]));
    let mut prompt = about("x");
    let answer = model.complete(&prompt, &mut Silent).await.unwrap();
    assert_eq!(answer.usage, Usage { input_tokens: 7, output_tokens: 3 });
    assert_eq!(answer.stop, StopReason::ToolCalls);
    assert_eq!(answer.tool_calls[0].id, "call_1");
    assert_eq!(answer.tool_calls[0].arguments, json!({"path": "a"}));
    assert_eq!((answer.tool_calls[1].id.as_str(), &answer.tool_calls[1].arguments), ("call_2", &json!({})));
    prompt.messages.push(Message::Assistant { content: String::new(), tool_calls: answer.tool_calls });
    let next = model.complete(&prompt, &mut Silent).await.unwrap();
    assert_eq!(next.tool_calls[0].id, "call_3");
}

#[tokio::test]
async fn faults_are_the_errors_of_real_providers() {
    let faults =
        ["unauthorized", "rate_limited", "unavailable", "malformed", "timed_out", "context_overflow"];
    let turns: Vec<Value> = faults.iter().map(|fault| json!({"fault": fault})).collect();
    let model = play(json!({ "turns": turns }));
    let mut errors = Vec::new();
    for _ in faults {
        errors.push(model.complete(&about("x"), &mut Silent).await.unwrap_err());
    }
    assert!(matches!(errors[0], ModelError::Unauthorized(_)));
    assert!(matches!(errors[1], ModelError::RateLimited { .. }));
    assert!(matches!(errors[2], ModelError::Unavailable(_)));
    assert!(matches!(errors[3], ModelError::Malformed(_)));
    assert!(matches!(errors[4], ModelError::TimedOut(_)));
    assert!(matches!(errors[5], ModelError::ContextOverflow(_)));
}

#[derive(Default)]
struct Words(Vec<String>);

impl TokenSink for Words {
    fn token(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }
}

#[tokio::test]
async fn text_is_shown_in_pieces_that_make_up_the_whole() {
    let model = play(json!([{"text": "one two\nthree", "delay_ms": 6}]));
    let mut words = Words::default();
    let answer = model.complete(&about("x"), &mut words).await.unwrap();
    assert_eq!(words.0, ["one ", "two\n", "three"]);
    assert_eq!(words.0.concat(), answer.content);
}

#[tokio::test]
async fn an_answer_that_was_dropped_can_be_asked_for_again() {
    let model = play(json!([{"text": "slow", "delay_ms": 60_000}, {"text": "quick"}]));
    let prompt = about("x");
    let dropped = tokio::time::timeout(Duration::from_millis(20), model.complete(&prompt, &mut Silent)).await;
    assert!(dropped.is_err());
    // The first turn is free again, so it is the first that fits, and slow once more.
    let again = tokio::time::timeout(Duration::from_millis(20), model.complete(&prompt, &mut Silent)).await;
    assert!(again.is_err());
}

#[tokio::test]
async fn requests_at_the_same_time_never_share_a_turn() {
    let model = play(json!([{"text": "a", "delay_ms": 30}, {"text": "b", "delay_ms": 30}]));
    let prompt = about("x");
    let (one, two) = tokio::join!(say(&model, &prompt), say(&model, &prompt));
    assert_eq!([one, two], ["a", "b"]);
}

#[tokio::test]
async fn scripts_can_be_written_in_rust_too() {
    let when = Some(Match { task_contains: Some("x".into()), ..Match::default() });
    let script = Script { turns: vec![Turn { when, text: Some("from Rust".into()), ..Turn::default() }] };
    assert_eq!(say(&ScriptedModel::new(script), &about("x")).await, "from Rust");
}

#[test]
fn all_three_forms_of_a_script_are_read() {
    let object = Script::parse(r#"{"turns": [{"text": "a"}, {"text": "b"}]}"#).unwrap();
    let list = Script::parse(r#" [{"text": "a"}, {"text": "b"}]"#).unwrap();
    let lines = Script::parse("{\"text\": \"a\"}\n\n{\"text\": \"b\"}\n").unwrap();
    assert_eq!(object, list);
    assert_eq!(object, lines);
}

#[test]
fn a_faulty_script_is_told_with_line_and_field() {
    let faults = [
        ("{\"turns\": [\n{\"txet\": \"a\"}]}", vec!["`txet`", "line 2"]),
        ("{\"text\": \"a\"}\n{\"text\": 3}", vec!["line 2", "string"]),
        ("{\"turns\": [\n  {\"fault\": \"boom\"}]}", vec!["`boom`", "line 2", "context_overflow"]),
        ("{\"turns\": [{\"text\": \"a\"},\n", vec!["line 2"]),
        ("{\"turns\": [{\"text\": \"a\"}, {}]}", vec!["turn 2", "`tool_calls`"]),
        ("{\"turns\": [{\"text\": \"a\", \"json\": 1}]}", vec!["turn 1", "`json`"]),
        ("{\"turns\": []}", vec!["no turns"]),
        ("", vec!["line 1"]),
    ];
    for (text, expected) in faults {
        let error = Script::parse(text).unwrap_err();
        assert!(matches!(error, ModelError::Misconfigured(_)));
        for word in expected {
            assert!(error.to_string().contains(word), "{text} gave: {error}");
        }
    }
}

#[tokio::test]
async fn a_script_file_makes_a_model_and_its_absence_an_error() {
    let mut file = tempfile::Builder::new().prefix("demo").suffix(".json").tempfile().unwrap();
    file.write_all(br#"[{"fault": "unavailable"}, {"text": "after the retry"}]"#).unwrap();
    let settings = LlmSettings {
        provider: Some(Provider::Scripted),
        script: Some(file.path().to_owned()),
        ..LlmSettings::default()
    };
    let model = connect(settings.clone()).unwrap();
    assert_eq!(model.describe().provider, "scripted");
    assert!(model.describe().model.starts_with("demo"));
    assert_eq!(model.complete(&about("x"), &mut Silent).await.unwrap().content, "after the retry");
    let missing = LlmSettings { script: Some("nowhere/script.json".into()), ..settings.clone() };
    let error = refusal(missing);
    assert!(error.contains("nowhere/script.json") && error.contains("AGENT_LLM_SCRIPT"), "{error}");
    assert!(refusal(LlmSettings { script: None, ..settings }).contains("AGENT_LLM_SCRIPT"));
}

fn refusal(settings: LlmSettings) -> String {
    match connect(settings) {
        Err(ModelError::Misconfigured(text)) => text,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("these settings must be refused"),
    }
}

#[test]
fn settings_that_lack_something_name_it() {
    let with = |provider| LlmSettings { provider: Some(provider), ..LlmSettings::default() };
    assert!(refusal(LlmSettings::default()).contains("AGENT_LLM_PROVIDER"));
    for provider in [Provider::OpenAi, Provider::Anthropic, Provider::Gemini] {
        let error = refusal(with(provider));
        assert!(error.contains("AGENT_LLM_API_KEY") && error.contains(provider.key_variable().unwrap()));
    }
    let url = |text: &str| LlmSettings {
        base_url: Some(text.into()),
        model: Some("m".into()),
        ..with(Provider::OpenAi)
    };
    for text in ["127.0.0.1:8080", "ftp://host/", "http://", "http://host/v1?key=a"] {
        assert!(refusal(url(text)).contains("AGENT_LLM_BASE_URL"), "{text}");
    }
    let error = refusal(url("http://user:hunter2@host/"));
    assert!(error.contains("AGENT_LLM_API_KEY") && !error.contains("hunter2"));
    assert!(refusal(LlmSettings { model: None, ..url("http://host") }).contains("AGENT_LLM_MODEL"));
    let key = LlmSettings { api_key: Some(SecretString::from("a\nb")), ..url("http://host") };
    assert!(refusal(key).contains("AGENT_LLM_API_KEY"));
    assert!(connect(url("http://host")).is_ok());
    assert!(connect(with(Provider::Ollama)).is_ok());
}

#[test]
fn providers_are_named_and_detected() {
    assert_eq!(" Anthropic ".parse(), Ok(Provider::Anthropic));
    for provider in Provider::ALL {
        assert_eq!(provider.to_string().parse(), Ok(provider));
    }
    let error = "gpt".parse::<Provider>().unwrap_err().to_string();
    assert!(error.contains("`gpt`") && error.contains("ollama"));
    let with = |pairs: &[(&str, &str)]| {
        let owned = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        detect(&owned.collect::<BTreeMap<_, _>>())
    };
    assert_eq!(with(&[]), None);
    assert_eq!(with(&[("OPENAI_API_KEY", " ")]), None);
    assert_eq!(with(&[("OPENAI_API_KEY", ""), ("GEMINI_API_KEY", "k")]), Some(Provider::Gemini));
    assert_eq!(with(&[("ANTHROPIC_API_KEY", "k"), ("OPENAI_API_KEY", "k")]), Some(Provider::OpenAi));
}

#[tokio::test]
async fn an_ollama_is_found_where_one_listens_and_only_there() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 1024];
        let length = stream.read(&mut request).await.unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
            .await
            .unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    assert!(ollama_is_listening(&url).await);
    assert!(server.await.unwrap().starts_with("GET /api/version "));
    assert!(!ollama_is_listening(&url).await);
    assert!(!ollama_is_listening("no url").await);
}
