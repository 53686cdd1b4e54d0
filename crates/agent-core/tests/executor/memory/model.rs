//! A language model that follows a script and remembers what it was asked.

use agent_core::model::{
    Completion, Message, ModelDescription, ModelError, Prompt, StopReason, TokenSink, ToolCall, Usage,
};
use agent_core::ports::LanguageModel;
use async_trait::async_trait;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Mutex;
use tokio::sync::watch;

/// What the model does next.
pub(crate) enum Turn {
    /// It says something.
    Say(&'static str),
    /// It calls tools.
    Call(Vec<(&'static str, Value)>),
    /// It does not answer.
    Fail(ModelError),
    /// It thinks for ever.
    Hang,
}

impl Turn {
    /// One call of a tool that does the word.
    pub(crate) fn tool(name: &'static str, word: &str) -> Self {
        Self::Call(vec![(name, json!({"do": word}))])
    }

    pub(crate) fn finish() -> Self {
        Self::Call(vec![("finish", json!({"summary": "It works now."}))])
    }
}

pub(crate) struct ScriptedModel {
    turns: Mutex<VecDeque<Turn>>,
    prompts: Mutex<Vec<Prompt>>,
    asked: watch::Sender<usize>,
}

impl ScriptedModel {
    pub(crate) fn new(turns: Vec<Turn>) -> Self {
        Self { turns: Mutex::new(turns.into()), prompts: Mutex::default(), asked: watch::channel(0).0 }
    }

    pub(crate) fn prompts(&self) -> Vec<Prompt> {
        self.prompts.lock().unwrap().clone()
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> watch::Receiver<usize> {
        self.asked.subscribe()
    }

    pub(crate) fn calls(&self) -> usize {
        *self.asked.borrow()
    }

    /// What the model was told last, as text.
    pub(crate) fn last_words(&self) -> String {
        let prompts = self.prompts.lock().unwrap();
        match prompts.last().and_then(|prompt| prompt.messages.last()) {
            Some(Message::User { content } | Message::Tool { content, .. }) => content.clone(),
            Some(Message::Assistant { content, .. }) => content.clone(),
            None => String::new(),
        }
    }
}

#[async_trait]
impl LanguageModel for ScriptedModel {
    fn describe(&self) -> ModelDescription {
        ModelDescription { provider: "scripted".into(), model: "script-1".into() }
    }

    async fn complete(&self, prompt: &Prompt, _sink: &mut dyn TokenSink) -> Result<Completion, ModelError> {
        self.prompts.lock().unwrap().push(prompt.clone());
        self.asked.send_modify(|count| *count += 1);
        let number = self.calls();
        let turn = self.turns.lock().unwrap().pop_front();
        let (content, calls) = match turn {
            Some(Turn::Say(text)) => (text.to_owned(), Vec::new()),
            Some(Turn::Call(calls)) => (String::new(), calls),
            Some(Turn::Fail(error)) => return Err(error),
            Some(Turn::Hang) => std::future::pending().await,
            None => return Err(ModelError::ScriptExhausted(format!("it was asked {number} times"))),
        };
        let call = |(index, (name, arguments)): (usize, (&str, Value))| ToolCall {
            id: format!("call-{number}-{index}"),
            name: name.to_owned(),
            arguments,
        };
        let tool_calls: Vec<ToolCall> = calls.into_iter().enumerate().map(call).collect();
        let stop = if tool_calls.is_empty() { StopReason::EndTurn } else { StopReason::ToolCalls };
        let usage = Usage { input_tokens: 100, output_tokens: 10 };
        Ok(Completion { content, tool_calls, usage, stop, model: "script-1".into() })
    }
}
