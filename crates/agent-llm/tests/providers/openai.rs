//! The chat completions protocol.

use crate::peer::{Peer, Piece, Reply, event, refusal, stream_of};
use crate::{KEY, Shown, model, prompt, prompt_with_tool, settings};
use agent_core::model::{Message, OutputSchema, Prompt, Silent, StopReason, ToolCall, Usage};
use agent_llm::{Provider, connect};
use serde_json::{Value, json};

fn delta(delta: Value) -> Value {
    json!({"model": "served-model", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
}

fn end(reason: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

fn usage(input: u64, output: u64) -> Value {
    json!({"choices": [], "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output}})
}

fn fragment(index: usize, id: Value, name: Value, arguments: &str) -> Value {
    delta(json!({"tool_calls": [
        {"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
    ]}))
}

#[tokio::test]
async fn text_is_shown_piece_by_piece_and_counted() {
    let peer = Peer::streaming(&[
        delta(json!({"role": "assistant", "content": ""})),
        delta(json!({"content": "Hel"})),
        delta(json!({"content": "lo."})),
        end("stop"),
        usage(11, 3),
    ]);
    let mut shown = Shown::default();
    let answer = model(&peer, Provider::OpenAi).complete(&prompt(), &mut shown).await.unwrap();
    assert_eq!(shown.0, ["Hel", "lo."]);
    assert_eq!(answer.content, "Hello.");
    assert_eq!(answer.usage, Usage { input_tokens: 11, output_tokens: 3 });
    assert_eq!(answer.stop, StopReason::EndTurn);
    assert_eq!(answer.model, "served-model");
    let asked = &peer.asked()[0];
    assert_eq!(asked.path, "/v1/chat/completions");
    assert_eq!(asked.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(asked.body["stream"], true);
    assert_eq!(asked.body["stream_options"], json!({"include_usage": true}));
    assert_eq!(asked.body["model"], "test-model");
    assert_eq!(
        asked.body["messages"],
        json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Say hello."}])
    );
    assert!(asked.body.get("temperature").is_none() && asked.body.get("tools").is_none());
}

#[tokio::test]
async fn tool_calls_are_put_together_from_fragments() {
    let peer = Peer::streaming(&[
        delta(json!({"role": "assistant", "content": null})),
        fragment(0, json!("abc123"), json!("read_file"), ""),
        fragment(0, json!(null), json!(null), "{\"pa"),
        fragment(0, json!(null), json!(null), "th\":\"a.rs\"}"),
        fragment(1, json!("def456"), json!("read_file"), "{\"path\":"),
        fragment(1, json!(""), json!(null), "\"b.rs\"}"),
        end("tool_calls"),
    ]);
    let answer = model(&peer, Provider::OpenAi).complete(&prompt_with_tool(), &mut Silent).await.unwrap();
    assert_eq!(answer.content, "");
    assert_eq!(answer.stop, StopReason::ToolCalls);
    let call = |id: &str, path: &str| ToolCall {
        id: id.into(),
        name: "read_file".into(),
        arguments: json!({"path": path}),
    };
    assert_eq!(answer.tool_calls, [call("abc123", "a.rs"), call("def456", "b.rs")]);
    let tool = &peer.asked()[0].body["tools"][0];
    assert_eq!(tool["type"], "function");
    assert_eq!(tool["function"]["name"], "read_file");
    assert_eq!(tool["function"]["parameters"]["properties"]["path"]["type"], "string");
}

#[tokio::test]
async fn calls_that_share_an_index_are_told_apart_by_their_ids() {
    let peer = Peer::streaming(&[
        fragment(0, json!("one"), json!("read_file"), "{\"path\":\"a\"}"),
        fragment(0, json!("two"), json!("read_file"), "{\"path\":\"b\"}"),
        end("tool_calls"),
    ]);
    let answer = model(&peer, Provider::OpenAi).complete(&prompt_with_tool(), &mut Silent).await.unwrap();
    let ids: Vec<&str> = answer.tool_calls.iter().map(|call| call.id.as_str()).collect();
    assert_eq!(ids, ["one", "two"]);
}

#[tokio::test]
async fn calls_without_ids_or_with_used_ones_get_ids_of_their_own() {
    let peer = Peer::streaming(&[
        delta(json!({"tool_calls": [{"function": {"name": "read_file", "arguments": {"path": "a"}}}]})),
        delta(json!({"tool_calls": [{"id": "call_1", "function": {"name": "read_file", "arguments": ""}}]})),
        end("stop"),
    ]);
    let mut prompt = prompt_with_tool();
    let earlier = ToolCall { id: "call_1".into(), name: "read_file".into(), arguments: json!({}) };
    prompt.messages.push(Message::Assistant { content: String::new(), tool_calls: vec![earlier] });
    prompt.messages.push(Message::Tool {
        call_id: "call_1".into(),
        name: "read_file".into(),
        content: "nothing".into(),
    });
    let answer = model(&peer, Provider::OpenAi).complete(&prompt, &mut Silent).await.unwrap();
    assert_eq!(answer.tool_calls[0].id, "call_2");
    assert_eq!(answer.tool_calls[0].arguments, json!({"path": "a"}));
    assert_eq!(answer.tool_calls[1].id, "call_3");
    assert_eq!(answer.tool_calls[1].arguments, json!({}));
    assert_eq!(answer.stop, StopReason::ToolCalls);
}

#[tokio::test]
async fn arguments_that_are_no_json_are_kept_as_text_and_sent_back_as_an_object() {
    let peer = Peer::start(vec![
        stream_of(&[fragment(0, json!("x"), json!("read_file"), "{\"path\": oops"), end("tool_calls")]),
        stream_of(&[delta(json!({"content": "Sorry."})), end("stop")]),
    ]);
    let model = model(&peer, Provider::OpenAi);
    let mut prompt = prompt_with_tool();
    let answer = model.complete(&prompt, &mut Silent).await.unwrap();
    assert_eq!(answer.tool_calls[0].arguments, json!("{\"path\": oops"));
    prompt
        .messages
        .push(Message::Assistant { content: String::new(), tool_calls: answer.tool_calls.clone() });
    prompt.messages.push(Message::Tool {
        call_id: "x".into(),
        name: "read_file".into(),
        content: "not JSON".into(),
    });
    model.complete(&prompt, &mut Silent).await.unwrap();
    let sent = &peer.asked()[1].body["messages"];
    let arguments = sent[2]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(arguments).unwrap(), json!({"input": "{\"path\": oops"}));
    assert_eq!(sent[3], json!({"role": "tool", "tool_call_id": "x", "content": "not JSON"}));
}

#[tokio::test]
async fn calls_written_into_the_text_are_taken_for_calls() {
    let written = [
        r#"{"name": "read_file", "arguments": {"path": "a"}}"#,
        "```json\n{\"name\": \"read_file\", \"parameters\": {\"path\": \"a\"}}\n```",
        r#"[{"name": "read_file", "arguments": "{\"path\": \"a\"}"}]"#,
        "<tool_call>\n{\"name\": \"read_file\", \"arguments\": {\"path\": \"a\"}}\n</tool_call>",
        "<think>Which one?</think>\n{\"type\": \"function\", \"function\": {\"name\": \"read_file\", \"arguments\": {\"path\": \"a\"}}}",
    ];
    for text in written {
        let peer = Peer::streaming(&[delta(json!({"content": text})), end("stop")]);
        let answer = model(&peer, Provider::OpenAi).complete(&prompt_with_tool(), &mut Silent).await.unwrap();
        assert_eq!(answer.tool_calls.len(), 1, "{text}");
        assert_eq!(answer.tool_calls[0].arguments, json!({"path": "a"}), "{text}");
        assert_eq!((answer.content.as_str(), answer.stop), ("", StopReason::ToolCalls), "{text}");
    }
}

#[tokio::test]
async fn text_that_merely_mentions_a_call_stays_text() {
    let prose = [
        r#"I would call {"name": "read_file", "arguments": {}}"#,
        r#"{"name": "remove_file", "arguments": {}}"#,
        r#"{"name": "read_file"}"#,
        "[]",
    ];
    for text in prose {
        let peer = Peer::streaming(&[delta(json!({"content": text})), end("stop")]);
        let answer = model(&peer, Provider::OpenAi).complete(&prompt_with_tool(), &mut Silent).await.unwrap();
        assert_eq!((answer.tool_calls.len(), answer.content.as_str()), (0, text));
    }
}

fn structured(schema: Value) -> Prompt {
    Prompt {
        output: Some(OutputSchema { name: "plan".into(), schema }),
        max_output_tokens: Some(77),
        ..prompt()
    }
}

#[tokio::test]
async fn an_answer_schema_is_sent_and_strict_only_where_it_can_be_kept() {
    let closed = json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"],
        "additionalProperties": false});
    let open = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let peer = Peer::start(vec![
        stream_of(&[delta(json!({"content": "{\"a\":\"b\"}"})), end("stop")]),
        stream_of(&[delta(json!({"content": "{\"a\""})), end("length")]),
    ]);
    let model = model(&peer, Provider::OpenAi);
    let answer = model.complete(&structured(closed.clone()), &mut Silent).await.unwrap();
    assert_eq!(answer.content, "{\"a\":\"b\"}");
    let cut = model.complete(&structured(open.clone()), &mut Silent).await.unwrap();
    assert_eq!(cut.stop, StopReason::Length);
    let asked = peer.asked();
    assert_eq!(
        asked[0].body["response_format"],
        json!({"type": "json_schema", "json_schema": {"name": "plan", "schema": closed, "strict": true}})
    );
    assert_eq!(
        asked[1].body["response_format"],
        json!({"type": "json_schema", "json_schema": {"name": "plan", "schema": open}})
    );
    assert_eq!(asked[0].body["max_tokens"], 77);
}

#[tokio::test]
async fn a_server_that_knows_no_schemas_is_told_in_words_and_asked_once() {
    let good = || stream_of(&[delta(json!({"content": "{}"})), end("stop")]);
    let unknown = json!({"error": {"message": "This response_format type is unavailable now"}});
    let peer = Peer::start(vec![refusal(400, unknown), good(), good()]);
    let model = model(&peer, Provider::OpenAi);
    for place in [1, 2] {
        let prompt = structured(json!({"type": "object"}));
        assert_eq!(model.complete(&prompt, &mut Silent).await.unwrap().content, "{}");
        let body = &peer.asked()[place].body;
        assert!(body.get("response_format").is_none());
        assert!(body["messages"][0]["content"].as_str().unwrap().contains("{\"type\":\"object\"}"));
    }
}

#[tokio::test]
async fn a_refused_schema_says_nothing_about_the_next() {
    let good = || stream_of(&[delta(json!({"content": "{}"})), end("stop")]);
    let faulty = json!({"error": {"message": "Invalid schema for response_format 'plan'"}});
    let peer = Peer::start(vec![refusal(400, faulty), good(), good()]);
    let model = model(&peer, Provider::OpenAi);
    for _ in 0..2 {
        model.complete(&structured(json!({"type": "object"})), &mut Silent).await.unwrap();
    }
    let sent: Vec<bool> =
        peer.asked().iter().map(|asked| asked.body.get("response_format").is_some()).collect();
    assert_eq!(sent, [true, false, true]);
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    let peer = Peer::start(vec![Reply::Json(json!({
        "model": "m", "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        "choices": [{"message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}]
    }))]);
    let answer = model(&peer, Provider::OpenAi).complete(&prompt(), &mut Silent).await.unwrap();
    assert_eq!((answer.content.as_str(), answer.usage.total()), ("Hi.", 3));
}

#[tokio::test]
async fn a_stream_without_an_end_mark_counts_when_the_answer_was_finished() {
    let peer = Peer::start(vec![Reply::Stream(vec![
        Piece::Text(": waiting\n\n".into()),
        event(&delta(json!({"content": [{"type": "text", "text": "Hi."}]}))),
        event(&end("content_filter")),
    ])]);
    let answer = model(&peer, Provider::OpenAi).complete(&prompt(), &mut Silent).await.unwrap();
    assert_eq!((answer.content.as_str(), answer.stop), ("Hi.", StopReason::Filtered));
}

#[tokio::test]
async fn ollama_is_spoken_to_through_its_compatible_endpoint_and_without_a_key() {
    let peer = Peer::streaming(&[delta(json!({"content": "Hi."})), end("stop")]);
    let model =
        connect(agent_llm::LlmSettings { api_key: None, model: None, ..settings(&peer, Provider::Ollama) })
            .unwrap();
    let answer = model.complete(&structured(json!({"type": "object"})), &mut Silent).await.unwrap();
    assert_eq!(answer.content, "Hi.");
    assert_eq!(model.describe().provider, "ollama");
    let asked = &peer.asked()[0];
    assert_eq!(asked.path, "/v1/chat/completions");
    assert!(!asked.headers.contains_key("authorization"));
    assert_eq!(asked.body["response_format"]["type"], "json_schema");
}
