//! What is recorded.

use agent_core::model::{
    Completion, Message, ModelError, OutputSchema, Prompt, Silent, StopReason, ToolDescription,
};
use agent_core::ports::LanguageModel;
use agent_llm::{Provider, ToolCalling};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::sync::Arc;

/// The answers, or why the model did not do what the scenario is about.
type Played = Result<Vec<Completion>, String>;

/// One cassette.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) provider: Provider,
    pub(crate) way: ToolCalling,
    pub(crate) play: fn(Arc<dyn LanguageModel>) -> BoxFuture<'static, Played>,
}

const fn scenario(
    name: &'static str,
    provider: Provider,
    play: fn(Arc<dyn LanguageModel>) -> BoxFuture<'static, Played>,
) -> Scenario {
    Scenario { name, provider, way: ToolCalling::Native, play }
}

/// All of them.
pub(crate) const SCENARIOS: &[Scenario] = &[
    scenario("openai_text", Provider::OpenAi, |model| Box::pin(text(model))),
    scenario("openai_tools", Provider::OpenAi, |model| Box::pin(tools(model))),
    scenario("openai_schema", Provider::OpenAi, |model| Box::pin(schema(model))),
    scenario("openai_overflow", Provider::OpenAi, |model| Box::pin(overflow(model))),
    Scenario {
        way: ToolCalling::Schema,
        ..scenario("openai_tools_by_schema", Provider::OpenAi, |model| Box::pin(tools(model)))
    },
    scenario("anthropic_text", Provider::Anthropic, |model| Box::pin(text(model))),
    scenario("anthropic_tools", Provider::Anthropic, |model| Box::pin(tools(model))),
    scenario("anthropic_overflow", Provider::Anthropic, |model| Box::pin(overflow(model))),
];

fn prompt(system: &str, user: &str) -> Prompt {
    Prompt {
        system: system.into(),
        messages: vec![Message::user(user)],
        max_output_tokens: Some(60),
        ..Prompt::default()
    }
}

async fn ask(model: &dyn LanguageModel, prompt: &Prompt) -> Result<Completion, String> {
    model.complete(prompt, &mut Silent).await.map_err(|error| error.to_string())
}

fn wanted(holds: bool, otherwise: &Completion) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("{otherwise:?}")) }
}

/// The same question twice: the answers may differ, and are replayed in order.
async fn text(model: Arc<dyn LanguageModel>) -> Played {
    let prompt = prompt("You answer in one short sentence.", "What is the capital of France?");
    let answers = vec![ask(&*model, &prompt).await?, ask(&*model, &prompt).await?];
    let [one, two] = &answers[..] else { unreachable!() };
    wanted(one.stop == StopReason::EndTurn && one.content != two.content, one)?;
    wanted(one.usage.input_tokens > 0 && one.usage.output_tokens > 1, one)?;
    Ok(answers)
}

/// A call, and what is said once its answer is known.
async fn tools(model: Arc<dyn LanguageModel>) -> Played {
    let mut prompt = prompt("", "Use read_file to read the file notes.txt.");
    prompt.tools.push(ToolDescription {
        name: "read_file".into(),
        description: "Reads a file.".into(),
        input_schema: json!({
            "type": "object",
            "properties": {"path": {"type": "string"}},
            "required": ["path"],
            "additionalProperties": false
        }),
    });
    let first = ask(&*model, &prompt).await?;
    let names_file = |arguments: &Value| arguments["path"].as_str().is_some_and(|path| path.contains(".txt"));
    wanted(first.stop == StopReason::ToolCalls && first.tool_calls.len() == 1, &first)?;
    wanted(names_file(&first.tool_calls[0].arguments), &first)?;
    let call = first.tool_calls[0].clone();
    let said = Message::Assistant { content: first.content.clone(), tool_calls: first.tool_calls.clone() };
    let told = Message::Tool { call_id: call.id, name: call.name, content: "Buy milk.".into() };
    prompt.messages.extend([said, told]);
    let second = ask(&*model, &prompt).await?;
    wanted(!second.content.is_empty() || !second.tool_calls.is_empty(), &second)?;
    Ok(vec![first, second])
}

async fn schema(model: Arc<dyn LanguageModel>) -> Played {
    let schema = json!({
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 30}, "is_capital": {"type": "boolean"}},
        "required": ["city", "is_capital"],
        "additionalProperties": false
    });
    let output = Some(OutputSchema { name: "city".into(), schema });
    let answer = ask(&*model, &Prompt { output, ..prompt("You answer in JSON.", "Describe Paris.") }).await?;
    let value: Value =
        serde_json::from_str(&answer.content).map_err(|error| format!("{error}: {answer:?}"))?;
    wanted(value["city"].is_string() && value["is_capital"].is_boolean(), &answer)?;
    Ok(vec![answer])
}

async fn overflow(model: Arc<dyn LanguageModel>) -> Played {
    let long = "This text goes on and on. ".repeat(100);
    match model.complete(&prompt("", &long), &mut Silent).await {
        Err(ModelError::ContextOverflow(_)) => Ok(vec![]),
        other => Err(format!("{other:?}")),
    }
}
