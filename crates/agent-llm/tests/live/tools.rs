//! Calls, and what is said once they are answered.

use crate::{Live, ask};
use agent_core::model::{Completion, Message, Prompt, StopReason, ToolDescription};
use agent_core::ports::LanguageModel;
use agent_llm::ToolCalling;
use serde_json::json;

fn with_tool() -> Prompt {
    Prompt {
        messages: vec![Message::user("Use read_file to read the file notes.txt.")],
        tools: vec![ToolDescription {
            name: "read_file".into(),
            description: "Reads a file.".into(),
            input_schema: json!({
                "type": "object",
                "properties": {"path": {"type": "string"}},
                "required": ["path"],
                "additionalProperties": false
            }),
        }],
        max_output_tokens: Some(80),
        ..Prompt::default()
    }
}

/// Asks until the model calls, and then for what it says to the answer. Whether a small model calls
/// is its own affair, but of a dozen answers one is a call.
async fn calls_and_goes_on(model: &dyn LanguageModel) {
    let mut prompt = with_tool();
    let mut called: Option<Completion> = None;
    for _ in 0..12 {
        let (answer, shown) = ask(model, &prompt).await;
        assert!(answer.content.is_empty() || answer.content == shown.text);
        if !answer.tool_calls.is_empty() {
            called = Some(answer);
            break;
        }
    }
    let answer = called.unwrap();
    assert!(matches!(answer.stop, StopReason::ToolCalls | StopReason::Length));
    let calls = answer.tool_calls.clone();
    prompt.messages.push(Message::Assistant { content: answer.content, tool_calls: answer.tool_calls });
    for call in calls {
        assert!(!call.id.is_empty() && !call.name.is_empty());
        let content = "Buy milk.".into();
        prompt.messages.push(Message::Tool { call_id: call.id, name: call.name, content });
    }
    for _ in 0..4 {
        let (second, _) = ask(model, &prompt).await;
        if !second.content.is_empty() || !second.tool_calls.is_empty() {
            return;
        }
    }
    panic!("it had nothing to say to the answer four times");
}

#[tokio::test]
async fn a_real_model_calls_a_tool_and_is_told_its_answer() {
    let Some(live) = Live::first().await else { return };
    calls_and_goes_on(&*live.model()).await;
}

#[tokio::test]
async fn a_real_model_calls_a_tool_by_schema() {
    let Some(live) = Live::first().await else { return };
    calls_and_goes_on(&*live.calling(ToolCalling::Schema)).await;
}

#[tokio::test]
async fn a_real_model_calls_a_tool_in_the_wire_format_of_anthropic() {
    let Some(live) = Live::first().await else { return };
    let Some(model) = live.anthropic().await else { return };
    calls_and_goes_on(&*model).await;
}

#[tokio::test]
async fn a_server_that_knows_no_tools_calls_them_by_schema() {
    let Some(live) = Live::second().await else { return };
    calls_and_goes_on(&*live.calling(ToolCalling::Schema)).await;
}

#[tokio::test]
async fn what_a_server_that_knows_no_tools_says_instead_can_be_read() {
    let Some(live) = Live::second().await else { return };
    let model = live.model();
    for _ in 0..6 {
        let (answer, _) = ask(&*model, &with_tool()).await;
        if !answer.tool_calls.is_empty() || !answer.content.is_empty() {
            return;
        }
    }
    panic!("none of six answers said anything");
}
