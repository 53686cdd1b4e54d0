//! Text and structured answers.

use crate::{Live, ask};
use agent_core::model::{Message, OutputSchema, Prompt, StopReason};
use agent_core::ports::LanguageModel;
use serde_json::{Value, json};

async fn answers_streamed_and_counted(model: &dyn LanguageModel) {
    let prompt = Prompt {
        system: "You answer in one short sentence.".into(),
        messages: vec![Message::user("What is the capital of France?")],
        max_output_tokens: Some(40),
        ..Prompt::default()
    };
    // A small model may have nothing to say, or one word; not four times in a row.
    for _ in 0..4 {
        let (answer, shown) = ask(model, &prompt).await;
        assert!(answer.content == shown.text && answer.usage.input_tokens > 0);
        if shown.pieces > 1 {
            assert!(!answer.content.is_empty() && answer.usage.output_tokens > 0);
            return;
        }
    }
    panic!("none of four answers came in pieces");
}

#[tokio::test]
async fn a_real_model_answers_streamed_and_counted() {
    let Some(live) = Live::first().await else { return };
    answers_streamed_and_counted(&*live.model()).await;
}

#[tokio::test]
async fn a_real_model_answers_in_the_wire_format_of_anthropic() {
    let Some(live) = Live::first().await else { return };
    let Some(model) = live.anthropic().await else { return };
    answers_streamed_and_counted(&*model).await;
}

#[tokio::test]
async fn a_second_server_answers_streamed_and_counted() {
    let Some(live) = Live::second().await else { return };
    answers_streamed_and_counted(&*live.model()).await;
}

#[tokio::test]
async fn a_real_model_follows_an_answer_schema() {
    let Some(live) = Live::first().await else { return };
    let schema = json!({
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 30}, "is_capital": {"type": "boolean"}},
        "required": ["city", "is_capital"],
        "additionalProperties": false
    });
    let prompt = Prompt {
        system: "You answer in JSON.".into(),
        messages: vec![Message::user("Describe Paris.")],
        output: Some(OutputSchema { name: "city".into(), schema }),
        max_output_tokens: Some(120),
        ..Prompt::default()
    };
    // A schema allows any number of blanks, with which a small model may fill its answer to the end: such a one is cut,
    // and says so. One that is whole keeps to the schema.
    for _ in 0..6 {
        let (answer, _) = ask(&*live.model(), &prompt).await;
        if answer.stop == StopReason::Length {
            continue;
        }
        let value: Value = serde_json::from_str(&answer.content).unwrap();
        assert!(value["city"].is_string() && value["is_capital"].is_boolean());
        return;
    }
    panic!("none of six answers was whole");
}
