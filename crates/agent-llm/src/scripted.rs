//! A language model that plays a script. Only what the model would say is scripted; the tools it
//! calls, the files they change and the records they leave are real.
//!
//! # The format
//! A JSON file with `turns`, a JSON list of turns, or JSON lines with a turn on each. Unknown
//! fields are errors. A turn may hold:
//!
//! | field | meaning |
//! | --- | --- |
//! | `when` | conditions, all of which must hold; without it the turn fits every request |
//! | `text` | what is said |
//! | `tool_calls` | `[{"name", "arguments"}]` |
//! | `json` | a structured answer, given back as its JSON text; in place of `text` |
//! | `usage` | `{"input_tokens", "output_tokens"}`; zero when left out |
//! | `delay_ms` | how long the answer takes to write |
//! | `fault` | fails instead: `unauthorized`, `rate_limited`, `unavailable`, `malformed`, `timed_out`, `context_overflow` |
//! | `repeat` | may be used any number of times |
//!
//! Conditions: `system_contains` (in the system prompt), `task_contains` (in the system prompt or
//! in what the user said), `last_message_contains`, `structured` (whether an answer of a JSON
//! schema is asked for), and `turn` (how many answers the conversation already holds).
//!
//! The first unused turn that fits is played. Which turns are used is remembered by this process
//! and also read from the conversation itself: an answer that already stands in it counts as
//! played. So a server that was restarted, and asks for the next answer of a conversation it has
//! recorded, goes on where it was. Give the turns of tasks that run in parallel a `when` that
//! tells the tasks apart, and a `turn` where two answers of a conversation are alike.
//! An answer that was dropped half way is unused again.
//!
//! ```
//! use agent_core::model::{Message, Prompt, Silent};
//! use agent_core::ports::LanguageModel;
//! use agent_llm::{Script, ScriptedModel};
//!
//! let script = Script::parse(r#"{
//!   "turns": [
//!     { "when": { "structured": true }, "json": { "tasks": [] } },
//!     { "when": { "task_contains": "Fix the sum", "turn": 0 },
//!       "text": "I read the file first.",
//!       "tool_calls": [{ "name": "read_file", "arguments": { "path": "sum.py" } }],
//!       "usage": { "input_tokens": 310, "output_tokens": 24 } },
//!     { "when": { "last_message_contains": "def sum" }, "text": "Found it.", "delay_ms": 5 }
//!   ]
//! }"#)?;
//! let model = ScriptedModel::new(script);
//! let prompt = Prompt { messages: vec![Message::user("Fix the sum")], ..Prompt::default() };
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
//! # runtime.block_on(async {
//! let answer = model.complete(&prompt, &mut Silent).await?;
//! assert_eq!(answer.tool_calls[0].name, "read_file");
//! # Ok::<(), agent_core::model::ModelError>(())
//! # })?;
//! # Ok::<(), agent_core::model::ModelError>(())
//! ```

mod matching;
mod script;

pub use script::{Fault, Match, Script, Turn, TurnToolCall};

use crate::failure::bounded;
use crate::settings::Provider;
use crate::tool_calls::{Unidentified, identify, numbered};
use agent_core::model::{Completion, ModelDescription, ModelError, Prompt, StopReason, TokenSink};
use agent_core::ports::LanguageModel;
use async_trait::async_trait;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::sleep;

/// Plays a [`Script`].
pub struct ScriptedModel {
    script: Script,
    used: Mutex<Vec<bool>>,
    name: String,
}

impl ScriptedModel {
    /// Plays a script from memory.
    pub fn new(script: Script) -> Self {
        let used = Mutex::new(vec![false; script.turns.len()]);
        Self { script, used, name: Provider::Scripted.default_model().into() }
    }

    /// Plays the script of a file; the file's name becomes the model's.
    ///
    /// # Errors
    /// [`ModelError::Misconfigured`] naming the file, and the line and field that are wrong.
    pub fn from_file(path: &Path) -> Result<Self, ModelError> {
        let faulty = |why: String| {
            ModelError::Misconfigured(format!("the script {} (AGENT_LLM_SCRIPT) {why}", path.display()))
        };
        let text =
            std::fs::read_to_string(path).map_err(|error| faulty(format!("cannot be read: {error}")))?;
        let script = Script::read(&text).map_err(faulty)?;
        let mut model = Self::new(script);
        if let Some(stem) = path.file_stem() {
            model.name = stem.to_string_lossy().into_owned();
        }
        Ok(model)
    }

    fn used(&self) -> MutexGuard<'_, Vec<bool>> {
        // A list of flags is whole even if its holder panicked.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the turn for a prompt, so that no parallel request gets it too.
    fn reserve(&self, prompt: &Prompt) -> Result<Reservation<'_>, ModelError> {
        let mut used = self.used();
        let Some(place) = matching::choose(&self.script, &used, prompt) else {
            let spent = used.iter().filter(|used| **used).count();
            return Err(exhausted(prompt, spent, used.len()));
        };
        let turn = &self.script.turns[place];
        if !turn.repeat {
            used[place] = true;
        }
        Ok(Reservation { model: self, place, turn, played: turn.repeat })
    }
}

fn exhausted(prompt: &Prompt, spent: usize, turns: usize) -> ModelError {
    let last = prompt.messages.last().map(matching::text_of).unwrap_or_default();
    let last: String = bounded(last).chars().take(200).collect();
    ModelError::ScriptExhausted(format!(
        "no unused turn fits answer {} of the conversation{} whose last message is {last:?} \
         ({spent} of {turns} turns are used); add a turn to AGENT_LLM_SCRIPT, or configure a real provider",
        matching::answers_in(prompt) + 1,
        if prompt.output.is_some() { " (a structured one)" } else { "" },
    ))
}

/// A turn that is being played; given back when the answer is dropped before its end.
struct Reservation<'a> {
    model: &'a ScriptedModel,
    place: usize,
    turn: &'a Turn,
    played: bool,
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if !self.played {
            self.model.used()[self.place] = false;
        }
    }
}

#[async_trait]
impl LanguageModel for ScriptedModel {
    fn describe(&self) -> ModelDescription {
        ModelDescription { provider: Provider::Scripted.as_str().into(), model: self.name.clone() }
    }

    async fn complete(&self, prompt: &Prompt, sink: &mut dyn TokenSink) -> Result<Completion, ModelError> {
        let mut reservation = self.reserve(prompt)?;
        let turn = reservation.turn;
        let delay = Duration::from_millis(turn.delay_ms);
        if let Some(fault) = turn.fault {
            sleep(delay).await;
            reservation.played = true;
            return Err(fault.error(delay));
        }
        let content = turn.content();
        write_out(&content, delay, sink).await;
        reservation.played = true;
        let calls = turn
            .tool_calls
            .iter()
            .map(|call| Unidentified {
                id: String::new(),
                name: call.name.clone(),
                arguments: call.arguments.clone(),
            })
            .collect::<Vec<_>>();
        let stop = if calls.is_empty() { StopReason::EndTurn } else { StopReason::ToolCalls };
        Ok(Completion {
            content,
            tool_calls: identify(prompt, calls, numbered),
            usage: turn.usage,
            stop,
            model: self.name.clone(),
        })
    }
}

/// Shows the text word by word, spread over the delay.
async fn write_out(text: &str, delay: Duration, sink: &mut dyn TokenSink) {
    let words: Vec<&str> = text.split_inclusive(char::is_whitespace).collect();
    let pieces = u32::try_from(words.len().max(1)).unwrap_or(u32::MAX);
    let pause = delay / pieces;
    if words.is_empty() {
        sleep(delay).await;
    }
    for word in words {
        if !pause.is_zero() {
            sleep(pause).await;
        }
        sink.token(word);
    }
}
