//! Which part of a conversation is sent to a model whose window is limited.
//!
//! The oldest answers of tools are shortened first, then the oldest rounds are told in a line each. Both limits only
//! ever move forward, and by more than is needed at the moment: what is sent keeps the same beginning for many calls,
//! which providers can cache.

use super::REMARK;
use crate::model::{Message, Prompt};
use crate::text::cut;
use crate::tool::name;
use std::ops::Range;

/// Tokens of a window of which nothing is known.
const USUAL_WINDOW: u64 = 32_768;
/// The part of the window that what is sent may take; the rest is for the answer.
const SHARE: f64 = 0.75;
/// The part of that limit down to which it is cut when it is exceeded.
const TARGET: f64 = 0.7;
/// Bytes of a token before a provider has counted: fewer than in most texts, so that the estimate is rather too high.
const BYTES_PER_TOKEN: f64 = 3.5;
/// The fewest and the most bytes per token that are believed.
const PLAUSIBLE: Range<f64> = 1.0..8.0;
/// How much of an old answer of a tool stays.
const SHORT_ANSWER: usize = 600;
/// How long the latest answers may be where nothing else helps.
const SHORTEST_LATEST: usize = 2_000;
/// The latest rounds are sent as they are.
const WHOLE_ROUNDS: usize = 2;
/// How often a model may find what is sent too long, and to which part of it the limit goes each time.
const MOST_SHRINKS: u32 = 5;
const SHRINK: f64 = 0.8;
/// The part of the limit that telling of old rounds may take.
const TOLD_SHARE: f64 = 0.1;

/// What is known of a model's window, and what is left out of what is sent.
#[derive(Debug, Clone)]
pub(super) struct Window {
    limit: u64,
    bytes_per_token: f64,
    shrinks: u32,
    /// Rounds, the oldest first, that are only told of.
    folded: usize,
    /// Rounds of which the answers of tools are shortened, those told of included.
    shortened: usize,
    /// Whether the latest answers are shortened, too.
    tight: bool,
}

impl Window {
    pub(super) fn new(window: Option<u64>) -> Self {
        let limit = (window.unwrap_or(USUAL_WINDOW) as f64 * SHARE) as u64;
        let (shrinks, folded, shortened) = (0, 0, 0);
        Self { limit, bytes_per_token: BYTES_PER_TOKEN, shrinks, folded, shortened, tight: false }
    }

    /// How many rounds are not sent as they are.
    pub(super) fn left_out(&self) -> usize {
        self.shortened.max(self.folded)
    }

    /// What is sent of a conversation.
    pub(super) fn view(&mut self, whole: &Prompt) -> Prompt {
        let rounds = rounds_of(&whole.messages);
        let sent = self.sent(whole, &rounds);
        if self.estimate(&sent) <= self.limit { sent } else { self.cut_down(whole, &rounds) }
    }

    fn cut_down(&mut self, whole: &Prompt, rounds: &[Range<usize>]) -> Prompt {
        let target = (self.limit as f64 * TARGET) as u64;
        let old = rounds.len().saturating_sub(WHOLE_ROUNDS);
        loop {
            let sent = self.sent(whole, rounds);
            if self.estimate(&sent) <= target {
                return sent;
            }
            if self.shortened < old {
                self.shortened += 1;
            } else if self.folded + 1 < rounds.len() {
                self.folded += 1;
            } else if !self.tight {
                self.tight = true;
            } else {
                return sent;
            }
        }
    }

    fn sent(&self, whole: &Prompt, rounds: &[Range<usize>]) -> Prompt {
        let begin = rounds.first().map_or(whole.messages.len(), |round| round.start);
        let mut messages = whole.messages[..begin].to_vec();
        let folded = &rounds[..self.folded.min(rounds.len())];
        if let (Some(first), Some(last)) = (folded.first(), folded.last()) {
            tell(&mut messages, &whole.messages[first.start..last.end], self.room_to_tell());
        }
        for (number, round) in rounds.iter().enumerate().skip(folded.len()) {
            let longest = if number < self.shortened {
                SHORT_ANSWER
            } else if self.tight {
                SHORTEST_LATEST
            } else {
                usize::MAX
            };
            messages.extend(whole.messages[round.clone()].iter().map(|message| shortened(message, longest)));
        }
        Prompt { messages, ..whole.clone() }
    }

    fn room_to_tell(&self) -> usize {
        (self.limit as f64 * self.bytes_per_token * TOLD_SHARE) as usize
    }

    pub(super) fn estimate(&self, prompt: &Prompt) -> u64 {
        (bytes_of(prompt) as f64 / self.bytes_per_token).ceil() as u64
    }

    /// An estimate that is not meant to be passed: a tenth above what was seen of this model.
    pub(super) fn worst_tokens(&self, prompt: &Prompt) -> u64 {
        (bytes_of(prompt) as f64 / self.bytes_per_token.min(BYTES_PER_TOKEN) * 1.1).ceil() as u64
    }

    pub(super) fn learn(&mut self, sent: &Prompt, tokens: u64) {
        let seen = bytes_of(sent) as f64 / tokens.max(1) as f64;
        if tokens > 0 && PLAUSIBLE.contains(&seen) {
            self.bytes_per_token = seen;
        }
    }

    pub(super) fn shrink(&mut self, sent: &Prompt) -> bool {
        if self.shrinks == MOST_SHRINKS {
            return false;
        }
        self.shrinks += 1;
        let estimate = self.estimate(sent);
        self.limit = (self.limit.min(estimate) as f64 * SHRINK) as u64;
        true
    }
}

/// The rounds of a conversation: an answer of the model with all that follows on it.
fn rounds_of(messages: &[Message]) -> Vec<Range<usize>> {
    let starts =
        messages.iter().enumerate().filter(|(_, message)| matches!(message, Message::Assistant { .. }));
    let starts: Vec<usize> = starts.map(|(index, _)| index).collect();
    let ends = starts.iter().skip(1).copied().chain([messages.len()]);
    starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
}

/// Adds to the opening what was done in rounds that are left out, the latest of it if not all has room, and all that
/// the person said in them.
fn tell(messages: &mut [Message], left_out: &[Message], room: usize) {
    let Some(Message::User { content: opening }) = messages.last_mut() else { return };
    let remarks = left_out.iter().filter_map(|message| match message {
        Message::User { content } => content.starts_with(REMARK).then_some(content.as_str()),
        _ => None,
    });
    remarks.for_each(|remark| opening.push_str(&format!("\n\n{remark}")));
    left_out.iter().flat_map(notes).for_each(|note| opening.push_str(&format!("\n\nYour note: {note}")));
    let lines: Vec<String> = left_out.iter().flat_map(in_a_line).collect();
    let (mut length, mut first) = (0, lines.len());
    while first > 0 && length + lines[first - 1].len() < room {
        first -= 1;
        length += lines[first].len() + 1;
    }
    let more = if first > 0 { format!("- {first} earlier steps\n") } else { String::new() };
    opening.push_str(&format!(
        "\n\nWhat you have done so far, in short (the details were left out to save room):\n{more}{}",
        lines[first..].join("\n")
    ));
}

/// The notes that a message takes.
fn notes(message: &Message) -> Vec<&str> {
    let Message::Assistant { tool_calls, .. } = message else { return Vec::new() };
    let takes = tool_calls.iter().filter(|call| call.name == name::TAKE_NOTE);
    takes.filter_map(|call| call.arguments.get("note")?.as_str()).collect()
}

/// What was said and called, as one line each; what came of it can be asked for again.
fn in_a_line(message: &Message) -> Vec<String> {
    const LONGEST: usize = 120;
    let short = |text: &str| match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    match message {
        Message::Assistant { content, tool_calls } => {
            let said = content.lines().next().filter(|line| !line.is_empty());
            let said = said.map(|line| format!("- you said: {}", short(line)));
            let called = tool_calls.iter().filter(|call| call.name != name::TAKE_NOTE);
            let called = called.map(|call| format!("- {} {}", call.name, short(&call.arguments.to_string())));
            said.into_iter().chain(called).collect()
        }
        Message::Tool { content, .. } => match content.strip_prefix("error: ") {
            Some(error) => vec![format!("  failed: {}", short(error.lines().next().unwrap_or_default()))],
            None => Vec::new(),
        },
        Message::User { .. } => Vec::new(),
    }
}

fn shortened(message: &Message, longest: usize) -> Message {
    match message {
        Message::Tool { call_id, name, content } if content.len() > longest => {
            Message::Tool { call_id: call_id.clone(), name: name.clone(), content: cut(content, longest) }
        }
        other => other.clone(),
    }
}

fn bytes_of(prompt: &Prompt) -> usize {
    let tools = prompt
        .tools
        .iter()
        .map(|tool| tool.name.len() + tool.description.len() + tool.input_schema.to_string().len());
    let messages = prompt.messages.iter().map(|message| {
        let calls = match message {
            Message::Assistant { tool_calls, .. } => {
                tool_calls.iter().map(|call| call.name.len() + call.arguments.to_string().len()).sum()
            }
            _ => 0,
        };
        // What a provider puts around a message.
        message.text().len() + calls + 16
    });
    prompt.system.len() + tools.sum::<usize>() + messages.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ToolCall;
    use serde_json::json;

    fn conversation(rounds: usize, answer: usize) -> Prompt {
        let mut messages = vec![Message::user("Mend the parser")];
        for number in 0..rounds {
            let call = ToolCall {
                id: format!("call-{number}"),
                name: "read_file".into(),
                arguments: json!({"path": format!("file-{number}.py")}),
            };
            messages.push(Message::Assistant { content: String::new(), tool_calls: vec![call] });
            let content = "x".repeat(answer);
            messages.push(Message::Tool {
                call_id: format!("call-{number}"),
                name: "read_file".into(),
                content,
            });
        }
        Prompt { system: "Be careful.".into(), messages, ..Prompt::default() }
    }

    /// Every answer of a tool stands behind its call, and every call has its answer.
    fn assert_paired(prompt: &Prompt) {
        let mut open: Vec<&str> = Vec::new();
        for message in &prompt.messages {
            match message {
                Message::Assistant { tool_calls, .. } => {
                    assert!(open.is_empty(), "a call without an answer: {open:?}");
                    open.extend(tool_calls.iter().map(|call| call.id.as_str()));
                }
                Message::Tool { call_id, .. } => {
                    let known = open.iter().position(|id| id == call_id);
                    open.remove(known.expect("an answer without a call"));
                }
                Message::User { .. } => {}
            }
        }
        assert!(open.is_empty());
    }

    #[test]
    fn what_fits_is_sent_as_it_is() {
        let whole = conversation(5, 1_000);
        assert_eq!(Window::new(Some(8_192)).view(&whole), whole);
    }

    #[test]
    fn what_does_not_fit_loses_old_answers_first_and_then_old_rounds() {
        let mut window = Window::new(Some(8_192));
        let sent = window.view(&conversation(12, 3_000));
        assert!(window.estimate(&sent) <= window.limit);
        assert_paired(&sent);
        let longest = |message: &Message| message.text().len();
        assert!(
            sent.messages.iter().rev().take(4).any(|message| longest(message) == 3_000),
            "the latest stay"
        );
        let sent = window.view(&conversation(60, 3_000));
        assert!(window.estimate(&sent) <= window.limit);
        assert_paired(&sent);
        assert!(
            sent.messages[0].text().contains("- read_file {\"path\":\"file-0.py\"}"),
            "{:?}",
            sent.messages[0]
        );
        assert!(sent.messages[0].text().starts_with("Mend the parser"));
    }

    #[test]
    fn notes_and_what_a_person_said_are_never_left_out() {
        let mut whole = conversation(30, 2_000);
        let note = ToolCall {
            id: "note".into(),
            name: name::TAKE_NOTE.into(),
            arguments: json!({"note": "The limit is 4096."}),
        };
        let answer =
            Message::Tool { call_id: "note".into(), name: name::TAKE_NOTE.into(), content: "noted".into() };
        let remark = Message::user(format!("{REMARK}\nLeave the tests alone."));
        let taken = Message::Assistant { content: String::new(), tool_calls: vec![note] };
        whole.messages.splice(3..3, [taken, answer, remark]);
        let sent = Window::new(Some(4_096)).view(&whole);
        assert_paired(&sent);
        let opening = sent.messages[0].text();
        assert!(opening.contains("Your note: The limit is 4096."), "{opening}");
        assert!(opening.contains("Leave the tests alone."), "{opening}");
    }

    #[test]
    fn the_beginning_of_what_is_sent_stays_for_many_calls() {
        let mut window = Window::new(Some(8_192));
        let mut changes = 0;
        let mut before = window.view(&conversation(1, 1_500)).messages;
        for rounds in 2..60 {
            let sent = window.view(&conversation(rounds, 1_500)).messages;
            assert!(window.estimate(&Prompt { messages: sent.clone(), ..Prompt::default() }) <= window.limit);
            changes += usize::from(!sent.starts_with(&before));
            before = sent;
        }
        assert!(changes <= 20, "{changes} of 58 calls cannot use what the provider has cached");
    }

    #[test]
    fn a_model_that_finds_it_too_long_gets_less_a_few_times() {
        let whole = conversation(20, 2_000);
        let mut window = Window::new(None);
        let mut sent = window.view(&whole);
        for _ in 0..MOST_SHRINKS {
            assert!(window.shrink(&sent));
            let smaller = window.view(&whole);
            assert!(window.estimate(&smaller) < window.estimate(&sent));
            assert_paired(&smaller);
            sent = smaller;
        }
        assert!(!window.shrink(&sent));
    }

    #[test]
    fn what_a_provider_counted_is_believed_if_it_can_be() {
        let whole = conversation(3, 1_000);
        let mut window = Window::new(None);
        let guessed = window.estimate(&whole);
        window.learn(&whole, guessed * 2);
        assert_eq!(window.estimate(&whole), guessed * 2);
        window.learn(&whole, 1_000_000);
        assert_eq!(window.estimate(&whole), guessed * 2);
    }
}
