//! What a model and the server say to each other in one attempt, and how much of it is sent.
//!
//! Nothing that was said is ever taken back; where it grows longer than the model's window, only the view that is
//! sent leaves parts of it out.

mod window;

use crate::ids::MessageId;
use crate::model::{Message, Prompt, ToolDescription, Usage};
use serde::{Deserialize, Serialize};
use window::Window;

/// How a remark of a person begins in the conversation.
const REMARK: &str = "The person whose plan this is says:";

/// Something a person said to a plan while it runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Remark {
    pub(super) id: MessageId,
    pub(super) content: String,
}

/// The conversation of an attempt.
#[derive(Debug, Clone)]
pub(super) struct Conversation {
    whole: Prompt,
    window: Window,
    heard: Option<MessageId>,
}

impl Conversation {
    /// One that opens with these instructions. `window` is how many tokens the model can read, where that is known.
    pub(super) fn new(
        system: &str,
        opening: String,
        tools: Vec<ToolDescription>,
        window: Option<u64>,
    ) -> Self {
        let whole = Prompt {
            system: system.to_owned(),
            messages: vec![Message::user(opening)],
            tools,
            output: None,
            max_output_tokens: None,
        };
        Self { whole, window: Window::new(window), heard: None }
    }

    /// How it opens: the instructions, and what the work is about.
    pub(super) fn opening(&self) -> String {
        let first = self.whole.messages.first().map(Message::text).unwrap_or_default();
        format!("{}\n\n{first}", self.whole.system)
    }

    /// Whether the model has not said anything yet.
    pub(super) fn is_new(&self) -> bool {
        !self.whole.messages.iter().any(|message| matches!(message, Message::Assistant { .. }))
    }

    pub(super) fn push(&mut self, message: Message) {
        self.whole.messages.push(message);
    }

    /// The last remark that is part of it.
    pub(super) fn heard(&self) -> Option<MessageId> {
        self.heard
    }

    /// Adds what a person said meanwhile.
    pub(super) fn hear(&mut self, remarks: &[Remark]) {
        for remark in remarks {
            self.heard = self.heard.max(Some(remark.id));
            let content = format!("{REMARK}\n{}", remark.content);
            self.push(Message::user(content));
        }
    }

    /// What is sent now.
    pub(super) fn view(&mut self) -> Prompt {
        self.window.view(&self.whole)
    }

    /// How many of the messages are sent in short, or not at all.
    pub(super) fn left_out(&self) -> usize {
        self.window.left_out()
    }

    /// The most tokens that sending this can cost, before anything is known for sure.
    pub(super) fn worst_input(&self, prompt: &Prompt) -> u64 {
        self.window.worst_tokens(prompt)
    }

    /// Learns from what a provider counted.
    pub(super) fn learn(&mut self, sent: &Prompt, usage: Usage) {
        self.window.learn(sent, usage.input_tokens);
    }

    /// A smaller view after the model found `sent` too long; `None` when there is none.
    pub(super) fn shrink(&mut self, sent: &Prompt) -> Option<Prompt> {
        while self.window.shrink(sent) {
            let view = self.view();
            if self.window.estimate(&view) < self.window.estimate(sent) {
                return Some(view);
            }
        }
        None
    }
}
