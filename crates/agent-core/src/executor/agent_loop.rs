//! The loop in which a language model works on a task with tools until its checks pass.

mod opening;
mod stuck;

use super::assignment::Assignment;
use super::conversation::Conversation;
use super::gate::{Answer, Gate, Stop};
use super::wiring::ExecutorPorts;
use crate::model::{Completion, Message, StopReason, ToolCall};
use crate::plan::{CommandLine, Task};
use crate::ports::LanguageModel;
use crate::text::cut;
use crate::tool::{CommandInput, CommandReport, EffectClass, name};
use serde_json::{Value, json};
use std::sync::Arc;
use stuck::{Came, StuckDetector, Verdict};

/// How many times the model may be asked in one attempt.
const MAX_ROUNDS: u32 = 60;
/// The longest tool answer that goes to the model whole, in bytes.
const MAX_ANSWER: usize = 24 * 1024;

/// Tools that the loop itself answers.
const OWN_TOOLS: [&str; 3] = [name::FINISH, name::TAKE_NOTE, name::ASK_PERSON];

const CUT_OFF: &str = "Your answer was cut off because it was too long. Work in smaller steps.";
const NO_TOOL: &str =
    "Use a tool, or call finish when the task is done. Saying that it is done completes nothing.";
const HASTY: &str =
    "a call before this one, in the same answer, failed: see what it says first, then call finish again";
const AFTER_THE_END: &str = "not done: finish was called before, and the task is done";

/// Where the work of an attempt stands.
struct Work<'a> {
    gate: Gate<'a>,
    conversation: Conversation,
    progress: StuckDetector,
    verify: Option<&'a CommandLine>,
    /// The task says itself what a step of unknown outcome means; otherwise the model is told.
    stops_on_unknown: bool,
}

/// Works until the model calls finish and the verification passes.
pub(super) async fn work(
    ports: &ExecutorPorts,
    assignment: &Assignment,
    task: &Task,
    verify: Option<&CommandLine>,
    gate: Gate<'_>,
) -> Result<Value, Stop> {
    let Some(model) = &ports.model else {
        let error = crate::Error::NoLanguageModel.to_string();
        return Err(Stop::Fail { error, retryable: false });
    };
    let opening = opening::write(ports, assignment, task, verify).await;
    let tools = opening::offered_tools(ports);
    let conversation = Conversation::new(opening::SYSTEM, opening, tools, model.context_window());
    let (progress, stops_on_unknown) = (StuckDetector::default(), task.spec.on_unknown.is_some());
    let mut work = Work { gate, conversation, progress, verify, stops_on_unknown };
    for _ in 0..MAX_ROUNDS {
        if let Some(result) = work.round(model).await? {
            return Ok(result);
        }
    }
    let error = format!("the model did not finish within {MAX_ROUNDS} rounds");
    Err(Stop::Fail { error, retryable: true })
}

impl Work<'_> {
    /// One answer of the model and what it asks for. `Some` when the task is done.
    async fn round(&mut self, model: &Arc<dyn LanguageModel>) -> Result<Option<Value>, Stop> {
        let Completion { content, tool_calls: calls, stop, .. } =
            self.gate.model(model, &mut self.conversation).await?;
        self.conversation.push(Message::Assistant { content, tool_calls: calls.clone() });
        if calls.is_empty() {
            let hint = if stop == StopReason::Length { CUT_OFF } else { NO_TOOL };
            self.conversation.push(Message::user(hint));
            self.judge(&[])?;
            return Ok(None);
        }
        let (answers, finished) = self.answer(&calls).await?;
        if finished.is_none() {
            let values: Vec<Value> = answers.iter().map(Answer::value).collect();
            let came = calls.iter().zip(&answers).zip(&values).map(|((call, answer), value)| Came {
                call,
                answer: value,
                failed: failed(answer),
            });
            self.judge(&came.collect::<Vec<_>>())?;
        }
        Ok(finished)
    }

    /// Does what an answer asks for, and tells the model what came of it.
    async fn answer(&mut self, calls: &[ToolCall]) -> Result<(Vec<Answer>, Option<Value>), Stop> {
        let (mut answers, mut finished) = (Vec::with_capacity(calls.len()), None);
        let own = |call: &ToolCall| OWN_TOOLS.contains(&call.name.as_str());
        for together in calls.chunk_by(|one, next| !own(one) && !own(next)) {
            match together {
                // No check has seen what would come now.
                _ if finished.is_some() => {
                    answers.extend(together.iter().map(|_| Answer::Error(AFTER_THE_END.to_owned())));
                }
                [call]
                    if call.name == name::FINISH && self.verify.is_none() && answers.iter().any(failed) =>
                {
                    answers.push(Answer::Error(HASTY.to_owned()));
                }
                [call] if call.name == name::FINISH => {
                    let (answer, result) = self.finish(call).await?;
                    finished = finished.or(result);
                    answers.push(answer);
                }
                [call] if call.name == name::TAKE_NOTE => answers.push(noted(call)),
                [call] if call.name == name::ASK_PERSON => answers.push(self.ask_person(call).await?),
                _ => answers.extend(self.gate.tools(&together.iter().collect::<Vec<_>>()).await?),
            }
        }
        for (call, answer) in calls.iter().zip(&answers) {
            if let Answer::Unknown(detail) = answer
                && self.stops_on_unknown
            {
                return Err(Stop::Unknown(detail.clone()));
            }
            let (call_id, name) = (call.id.clone(), call.name.clone());
            let content = cut(&answer.as_text(), MAX_ANSWER);
            self.conversation.push(Message::Tool { call_id, name, content });
        }
        Ok((answers, finished))
    }

    async fn ask_person(&mut self, call: &ToolCall) -> Result<Answer, Stop> {
        match call.arguments.get("question").and_then(Value::as_str).filter(|text| !text.trim().is_empty()) {
            Some(question) => self.gate.ask_person(question).await,
            None => Ok(Answer::Error("ask_person needs a question: {\"question\": \"…\"}".to_owned())),
        }
    }

    /// The verification after the model says it is done: its answer for the model, and the result when it passed.
    async fn finish(&mut self, call: &ToolCall) -> Result<(Answer, Option<Value>), Stop> {
        let Some(summary) = call.arguments.get("summary").and_then(Value::as_str) else {
            let needs = "finish needs a summary: {\"summary\": \"…\"}";
            return Ok((Answer::Error(needs.to_owned()), None));
        };
        let tokens = self.gate.usage.total();
        let Some(command) = self.verify else {
            let result = json!({"summary": summary, "tokens": tokens});
            return Ok((Answer::Ok(json!("done")), Some(result)));
        };
        let input = CommandInput {
            command: command.argv(),
            working_directory: None,
            env: std::collections::BTreeMap::new(),
        };
        let answer = self.gate.tool(name::RUN_COMMAND, json!(input), Some(EffectClass::Idempotent)).await?;
        let report: Option<CommandReport> = match &answer {
            Answer::Ok(output) => serde_json::from_value(output.clone()).ok(),
            Answer::Error(_) | Answer::Unknown(_) => None,
        };
        match report {
            Some(report) if report.succeeded() => {
                let verified = json!({"command": command.to_string(), "exit_code": report.exit_code});
                let result = json!({"summary": summary, "verified": verified, "tokens": tokens});
                Ok((Answer::Ok(json!("done, and verified")), Some(result)))
            }
            Some(report) => {
                let failed = format!("The check `{command}` failed. {}", report.failure());
                Ok((Answer::Error(failed), None))
            }
            None => {
                let broken = format!("The check `{command}` could not run. {}", answer.as_text());
                Ok((Answer::Error(broken), None))
            }
        }
    }

    /// Asks a model that does not get on for another way, once; after that the attempt fails.
    fn judge(&mut self, round: &[Came<'_>]) -> Result<(), Stop> {
        match self.progress.observe(round) {
            Verdict::GettingOn => Ok(()),
            Verdict::Rethink(why) => {
                self.conversation.push(Message::user(opening::rethink(&why)));
                Ok(())
            }
            Verdict::Stuck(why) => {
                let error = format!("the model is stuck, also after it was asked for another way: {why}");
                Err(Stop::Fail { error, retryable: true })
            }
        }
    }
}

/// A note is kept by standing in the conversation, of which it is never left out.
fn noted(call: &ToolCall) -> Answer {
    match call.arguments.get("note").and_then(Value::as_str).filter(|note| !note.trim().is_empty()) {
        Some(_) => Answer::Ok(json!("noted")),
        None => Answer::Error("take_note needs a note: {\"note\": \"…\"}".to_owned()),
    }
}

/// Whether an answer says that nothing came of the call.
fn failed(answer: &Answer) -> bool {
    match answer {
        Answer::Error(_) => true,
        Answer::Ok(output) => output.get("exit_code").is_some_and(|code| *code != 0),
        Answer::Unknown(_) => false,
    }
}
