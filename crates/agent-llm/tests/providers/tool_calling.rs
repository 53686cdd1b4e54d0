//! Tools on servers that do not know them.

use crate::peer::{Peer, Reply, refusal, stream_of};
use crate::{Shown, model, prompt_with_tool, settings};
use agent_core::model::{
    Completion, Message, ModelError, OutputSchema, Prompt, Silent, StopReason, ToolDescription,
};
use agent_core::ports::LanguageModel;
use agent_llm::{LlmSettings, Provider, ToolCalling, connect};
use serde_json::{Value, json};
use std::sync::Arc;

const CALL: &str = r#"{"action":{"name":"read_file","parameters":{"path":"a"}}}"#;

fn says(text: &str) -> Reply {
    says_until(text, "stop")
}

fn says_until(text: &str, reason: &str) -> Reply {
    stream_of(&[
        json!({"choices": [{"delta": {"content": text}}]}),
        json!({"choices": [{"delta": {}, "finish_reason": reason}]}),
    ])
}

fn calls_natively() -> Reply {
    let function = json!({"name": "read_file", "arguments": "{\"path\":\"a\"}"});
    stream_of(&[
        json!({"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "n", "function": function}]}}]}),
        json!({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}),
    ])
}

fn refuses(message: &str) -> Reply {
    refusal(400, json!({"error": {"message": message}}))
}

fn calling(peer: &Peer, way: ToolCalling) -> Arc<dyn LanguageModel> {
    connect(LlmSettings { tool_calling: way, ..settings(peer, Provider::OpenAi) }).unwrap()
}

async fn ask(model: &dyn LanguageModel) -> Completion {
    model.complete(&prompt_with_tool(), &mut Silent).await.unwrap()
}

fn is_by_schema(body: &Value) -> bool {
    body.get("tools").is_none() && body["response_format"]["json_schema"]["name"] == "action"
}

#[tokio::test]
async fn a_server_that_refuses_tools_is_asked_by_schema_and_refuses_once() {
    let peer = Peer::start(vec![refuses("gemma does not support tools"), says(CALL), says(CALL)]);
    let model = model(&peer, Provider::OpenAi);
    for _ in 0..2 {
        let answer = ask(&*model).await;
        assert_eq!((answer.content.as_str(), answer.stop), ("", StopReason::ToolCalls));
        let call = &answer.tool_calls[0];
        assert_eq!((call.id.as_str(), call.name.as_str()), ("call_1", "read_file"));
        assert_eq!(call.arguments, json!({"path": "a"}));
    }
    let bodies: Vec<bool> = peer.asked().iter().map(|asked| is_by_schema(&asked.body)).collect();
    assert_eq!(bodies, [false, true, true]);
}

#[tokio::test]
async fn the_tools_are_told_in_words_and_chosen_by_schema() {
    let peer = Peer::start(vec![says(CALL)]);
    ask(&*calling(&peer, ToolCalling::Schema)).await;
    let body = &peer.asked()[0].body;
    let system = body["messages"][0]["content"].as_str().unwrap();
    assert!(
        system.starts_with("Be brief.") && system.contains("- read_file: Reads a file.\n  - path (string")
    );
    let choices = &body["response_format"]["json_schema"]["schema"]["properties"]["action"]["anyOf"];
    assert_eq!(choices[0]["properties"]["name"]["enum"], json!(["read_file"]));
    assert_eq!(choices[0]["properties"]["parameters"]["properties"]["path"]["type"], "string");
    assert_eq!(choices[1]["required"], json!(["answer"]));
}

#[tokio::test]
async fn a_server_that_writes_calls_into_the_text_is_asked_by_schema_from_then_on() {
    let written = r#"{"name": "read_file", "arguments": {"path": "a"}}"#;
    let peer = Peer::start(vec![says(written), says(CALL)]);
    let model = model(&peer, Provider::OpenAi);
    assert_eq!(ask(&*model).await.tool_calls, ask(&*model).await.tool_calls);
    assert!(is_by_schema(&peer.asked()[1].body));
}

#[tokio::test]
async fn a_call_in_the_text_is_a_slip_where_the_server_has_called_before() {
    let written = r#"{"name": "read_file", "arguments": {"path": "a"}}"#;
    let peer = Peer::start(vec![calls_natively(), says(written), calls_natively()]);
    let model = model(&peer, Provider::OpenAi);
    for _ in 0..3 {
        assert_eq!(ask(&*model).await.tool_calls.len(), 1);
    }
    assert!(!peer.asked().iter().any(|asked| is_by_schema(&asked.body)));
}

#[tokio::test]
async fn the_native_way_can_be_insisted_on() {
    let written = r#"{"name": "read_file", "arguments": {"path": "a"}}"#;
    let peer = Peer::start(vec![says(written), refuses("tools are not supported")]);
    let model = calling(&peer, ToolCalling::Native);
    assert_eq!(ask(&*model).await.tool_calls.len(), 1);
    let error = model.complete(&prompt_with_tool(), &mut Silent).await.unwrap_err();
    assert!(matches!(error, ModelError::Refused(_)));
    assert_eq!(peer.asked().len(), 2);
}

#[tokio::test]
async fn a_refusal_that_schemas_do_not_mend_is_handed_on_and_not_remembered() {
    let why = "tools are not supported";
    let peer = Peer::start(vec![refuses(why), refuses("no such model"), calls_natively()]);
    let model = model(&peer, Provider::OpenAi);
    let error = model.complete(&prompt_with_tool(), &mut Silent).await.unwrap_err();
    assert!(error.to_string().contains("no such model"), "{error}");
    assert_eq!(ask(&*model).await.tool_calls[0].id, "n");
}

#[tokio::test]
async fn a_server_that_knows_neither_tools_nor_schemas_is_told_everything_in_words() {
    let peer = Peer::start(vec![
        refuses("tools: unknown field"),
        refuses("response_format: unknown field"),
        says(&format!("```json\n{CALL}\n```")),
        says(CALL),
    ]);
    let model = model(&peer, Provider::OpenAi);
    for _ in 0..2 {
        assert_eq!(ask(&*model).await.tool_calls[0].arguments, json!({"path": "a"}));
    }
    let last = &peer.asked()[3].body;
    assert!(last.get("tools").is_none() && last.get("response_format").is_none());
    let system = last["messages"][0]["content"].as_str().unwrap();
    assert!(system.contains("- read_file: Reads a file.") && system.contains("\"anyOf\""));
}

#[tokio::test]
async fn an_answer_in_words_is_shown_once_it_is_whole() {
    let peer = Peer::start(vec![says(r#"{"action":{"answer":"Hello."}}"#)]);
    let mut shown = Shown::default();
    let model = calling(&peer, ToolCalling::Schema);
    let answer = model.complete(&prompt_with_tool(), &mut shown).await.unwrap();
    assert_eq!((answer.content.as_str(), answer.stop), ("Hello.", StopReason::EndTurn));
    assert_eq!(shown.0, ["Hello."]);
}

#[tokio::test]
async fn a_structured_answer_takes_the_place_of_words() {
    let peer = Peer::start(vec![says(r#"{"action":{"answer":{"size":3}}}"#)]);
    let output = OutputSchema {
        name: "report".into(),
        schema: json!({"$ref": "#/$defs/Report", "$defs": {"Report": {"type": "object"}}}),
    };
    let prompt = Prompt { output: Some(output), ..prompt_with_tool() };
    let answer = calling(&peer, ToolCalling::Schema).complete(&prompt, &mut Silent).await.unwrap();
    assert_eq!(answer.content, r#"{"size":3}"#);
    let schema = &peer.asked()[0].body["response_format"]["json_schema"]["schema"];
    let choice = &schema["properties"]["action"]["anyOf"][1]["properties"]["answer"];
    assert_eq!(choice, &json!({"$ref": "#/$defs/report.Report"}));
    assert_eq!(schema["$defs"], json!({"report.Report": {"type": "object"}}));
}

#[tokio::test]
async fn definitions_of_tools_are_kept_apart() {
    let tool = |name: &str, kind: &str| ToolDescription {
        name: name.into(),
        description: String::new(),
        input_schema: json!({
            "type": "object",
            "properties": {"all": {"type": "array", "items": {"$ref": "#/$defs/Item"}}},
            "$defs": {"Item": {"type": kind}}
        }),
    };
    let peer = Peer::start(vec![says(CALL)]);
    let prompt = Prompt { tools: vec![tool("one", "string"), tool("two", "integer")], ..prompt_with_tool() };
    calling(&peer, ToolCalling::Schema).complete(&prompt, &mut Silent).await.unwrap();
    let schema = &peer.asked()[0].body["response_format"]["json_schema"]["schema"];
    assert_eq!(schema["$defs"], json!({"one.Item": {"type": "string"}, "two.Item": {"type": "integer"}}));
    let second = &schema["properties"]["action"]["anyOf"][1]["properties"]["parameters"];
    assert_eq!(second["properties"]["all"]["items"], json!({"$ref": "#/$defs/two.Item"}));
}

#[tokio::test]
async fn the_conversation_is_told_in_the_same_form_and_its_ids_go_on() {
    let peer = Peer::start(vec![says(CALL), says(CALL)]);
    let model = calling(&peer, ToolCalling::Schema);
    let mut prompt = prompt_with_tool();
    let first = model.complete(&prompt, &mut Silent).await.unwrap();
    let call = first.tool_calls[0].clone();
    prompt.messages.push(Message::Assistant { content: first.content, tool_calls: first.tool_calls });
    prompt.messages.push(Message::Tool { call_id: call.id, name: call.name, content: "Buy milk.".into() });
    prompt.messages.push(Message::user("Go on."));
    let second = model.complete(&prompt, &mut Silent).await.unwrap();
    assert_eq!(second.tool_calls[0].id, "call_2");
    let messages = peer.asked()[1].body["messages"].clone();
    assert_eq!(messages.as_array().unwrap().len(), 4);
    let said: Value = serde_json::from_str(messages[2]["content"].as_str().unwrap()).unwrap();
    assert_eq!(said, serde_json::from_str::<Value>(CALL).unwrap());
    assert_eq!(messages[3]["role"], "user");
    assert_eq!(messages[3]["content"], "The tool read_file answered:\nBuy milk.\n\nGo on.");
}

#[tokio::test]
async fn what_follows_no_schema_stays_what_it_is() {
    let peer = Peer::start(vec![
        says_until(r#"{"action":{"name":"read_file","param"#, "length"),
        says("I cannot."),
        says(r#"{"action":{"name":"delete_all"}}"#),
    ]);
    let model = calling(&peer, ToolCalling::Schema);
    let cut = ask(&*model).await;
    assert_eq!((cut.stop, cut.tool_calls.len()), (StopReason::Length, 0));
    assert_eq!(ask(&*model).await.content, "I cannot.");
    // Whoever runs the tools knows best how to tell the model that there is none of that name.
    assert_eq!(ask(&*model).await.tool_calls[0].name, "delete_all");
}

#[test]
fn the_ways_are_named() {
    for way in ToolCalling::ALL {
        assert_eq!(way.to_string().to_uppercase().parse(), Ok(way));
    }
    let error = "json".parse::<ToolCalling>().unwrap_err().to_string();
    assert!(error.contains("`json`") && error.contains("schema"), "{error}");
}
