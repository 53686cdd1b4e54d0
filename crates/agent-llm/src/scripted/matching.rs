//! Which turn of a script answers a prompt.

use super::script::{Match, Script, Turn};
use agent_core::model::{Message, Prompt, ToolCall};

/// The first turn that fits, is not used up, and has not been said in this conversation.
pub(super) fn choose(script: &Script, used: &[bool], prompt: &Prompt) -> Option<usize> {
    let mut said: Vec<(&str, &[ToolCall])> = prompt.messages.iter().filter_map(answer_of).collect();
    for (place, turn) in script.turns.iter().enumerate() {
        let when = turn.when.as_ref();
        if !when.is_none_or(|when| is_about(when, prompt)) {
            continue;
        }
        if turn.repeat {
            if when.is_none_or(|when| is_now(when, prompt)) {
                return Some(place);
            }
            continue;
        }
        // Each answer in the conversation is the doing of one turn: the first that says the same.
        if let Some(index) = said.iter().position(|answer| says(turn, answer)) {
            said.remove(index);
        } else if !used[place] && when.is_none_or(|when| is_now(when, prompt)) {
            return Some(place);
        }
    }
    None
}

/// How many answers a conversation holds.
pub(super) fn answers_in(prompt: &Prompt) -> usize {
    prompt.messages.iter().filter_map(answer_of).count()
}

/// The text of a message.
pub(super) fn text_of(message: &Message) -> &str {
    match message {
        Message::User { content } | Message::Assistant { content, .. } | Message::Tool { content, .. } => {
            content
        }
    }
}

fn answer_of(message: &Message) -> Option<(&str, &[ToolCall])> {
    match message {
        Message::Assistant { content, tool_calls } => Some((content, tool_calls)),
        _ => None,
    }
}

fn says(turn: &Turn, (content, calls): &(&str, &[ToolCall])) -> bool {
    turn.fault.is_none()
        && turn.content() == *content
        && turn.tool_calls.len() == calls.len()
        && turn
            .tool_calls
            .iter()
            .zip(*calls)
            .all(|(own, call)| own.name == call.name && own.arguments == call.arguments)
}

/// The conditions that hold for a whole conversation.
fn is_about(when: &Match, prompt: &Prompt) -> bool {
    let in_user_message = |text: &str| {
        prompt.messages.iter().any(|message| match message {
            Message::User { content } => content.contains(text),
            _ => false,
        })
    };
    when.system_contains.as_deref().is_none_or(|text| prompt.system.contains(text))
        && when
            .task_contains
            .as_deref()
            .is_none_or(|text| prompt.system.contains(text) || in_user_message(text))
        && when.structured.is_none_or(|structured| structured == prompt.output.is_some())
}

/// The conditions that hold at one point of a conversation.
fn is_now(when: &Match, prompt: &Prompt) -> bool {
    let last = prompt.messages.last().map(text_of).unwrap_or_default();
    when.last_message_contains.as_deref().is_none_or(|text| last.contains(text))
        && when.turn.is_none_or(|turn| turn == answers_in(prompt))
}
