//! Tools of every effect class that do what a word says and remember each call.

use agent_core::model::ToolDescription;
use agent_core::policy::Demand;
use agent_core::tool::{
    AnyTool, CommandInput, CommandReport, EffectClass, Recovery, ToolContext, ToolError, Toolbox,
};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Barrier, Semaphore, watch};

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Call {
    pub(crate) tool: &'static str,
    pub(crate) word: String,
    pub(crate) key: String,
    pub(crate) timeout: Duration,
}

/// Where all tools work. The words: `ok`, `fail`, `fail N` (the first N times), `meet` (until two have
/// met), `wait` (until let go or cancelled), `reluctant` (until cancelled and let go), `deaf` (until let go),
/// `report`, `panic`.
pub(crate) struct Workshop {
    calls: Mutex<Vec<Call>>,
    began: watch::Sender<usize>,
    stopped: watch::Sender<usize>,
    /// How many calls are under way, and the most that ever were.
    at_once: Mutex<(usize, usize)>,
    meeting: Barrier,
    gate: Semaphore,
    /// What a compensatable call left behind, in the eyes of recovery.
    pub(crate) left: Mutex<Recovery>,
}

impl Default for Workshop {
    fn default() -> Self {
        Self {
            calls: Mutex::default(),
            began: watch::channel(0).0,
            stopped: watch::channel(0).0,
            at_once: Mutex::default(),
            meeting: Barrier::new(2),
            gate: Semaphore::new(0),
            left: Mutex::new(Recovery::Redo),
        }
    }
}

impl Workshop {
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    /// The words of the calls of a tool, in order.
    pub(crate) fn words(&self, tool: &str) -> Vec<String> {
        self.calls().into_iter().filter(|call| call.tool == tool).map(|call| call.word).collect()
    }

    /// How many calls have begun.
    pub(crate) fn began(&self) -> watch::Receiver<usize> {
        self.began.subscribe()
    }

    /// How many calls were stopped by their token.
    pub(crate) fn stopped(&self) -> usize {
        *self.stopped.borrow()
    }

    /// The most calls that were under way at the same time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.at_once.lock().unwrap().1
    }

    fn enter(&self) {
        let mut at_once = self.at_once.lock().unwrap();
        at_once.0 += 1;
        at_once.1 = at_once.0.max(at_once.1);
    }

    fn leave(&self) {
        self.at_once.lock().unwrap().0 -= 1;
    }

    /// Lets one waiting call go on.
    pub(crate) fn let_go(&self) {
        self.gate.add_permits(1);
    }

    pub(crate) fn toolbox(self: &Arc<Self>) -> Toolbox {
        let classes = [
            ("run_command", EffectClass::Opaque),
            ("scan_repository", EffectClass::Pure),
            ("apply_patch", EffectClass::Compensatable),
            ("look", EffectClass::Pure),
            ("tidy", EffectClass::Idempotent),
            ("launch", EffectClass::Opaque),
        ];
        classes.into_iter().fold(Toolbox::default(), |toolbox, (name, effect)| {
            toolbox.with_any(name, Arc::new(RecordingTool { name, effect, workshop: Arc::clone(self) }))
        })
    }

    async fn act(&self, tool: &'static str, word: &str, context: &ToolContext) -> Result<bool, ToolError> {
        let before = self.words(tool).iter().filter(|earlier| *earlier == word).count();
        let (key, timeout) = (context.idempotency_key.clone(), context.timeout);
        self.calls.lock().unwrap().push(Call { tool, word: word.to_owned(), key, timeout });
        self.began.send_modify(|count| *count += 1);
        match word.split_once(' ').map_or((word, 0), |(verb, n)| (verb, n.parse().unwrap_or(0))) {
            ("fail", times) => return Ok(times > 0 && before >= times),
            ("meet", _) => {
                self.meeting.wait().await;
            }
            ("wait", _) => {
                tokio::select! {
                    permit = self.gate.acquire() => permit.unwrap().forget(),
                    () = context.cancel.cancelled() => {
                        self.stopped.send_modify(|count| *count += 1);
                        return Err(ToolError::Cancelled);
                    }
                }
            }
            ("reluctant", _) => {
                context.cancel.cancelled().await;
                self.gate.acquire().await.unwrap().forget();
                self.stopped.send_modify(|count| *count += 1);
                return Err(ToolError::Cancelled);
            }
            ("deaf", _) => self.gate.acquire().await.unwrap().forget(),
            ("report", _) => return Err(ToolError::Report("there is no such file".into())),
            ("panic", _) => panic!("a defect of the tool"),
            _ => {}
        }
        Ok(true)
    }
}

struct RecordingTool {
    name: &'static str,
    effect: EffectClass,
    workshop: Arc<Workshop>,
}

fn word(input: &Value) -> String {
    let command = serde_json::from_value::<CommandInput>(input.clone()).ok();
    let word = command.map(|input| input.command.join(" "));
    let patch = input.get("patch").or(input.get("do")).and_then(Value::as_str).map(str::to_owned);
    word.or(patch).unwrap_or_else(|| "ok".into())
}

#[async_trait]
impl AnyTool for RecordingTool {
    fn description(&self) -> ToolDescription {
        let input_schema = json!({"type": "object"});
        ToolDescription {
            name: self.name.into(),
            description: "Does what the word says.".into(),
            input_schema,
        }
    }

    fn effect(&self) -> EffectClass {
        self.effect
    }

    fn summary_json(&self, input: &Value) -> String {
        word(input)
    }

    fn demand_json(&self, input: &Value, _prepared: &Value) -> Demand {
        match self.effect {
            EffectClass::Pure => Demand::Read,
            EffectClass::Compensatable => Demand::Write(vec![word(input)]),
            EffectClass::Idempotent | EffectClass::Opaque => Demand::Command(vec![word(input)]),
        }
    }

    async fn prepare_json(&self, _input: &Value, _context: &ToolContext) -> Result<Value, ToolError> {
        Ok(json!({"before": "a hash"}))
    }

    async fn call_json(&self, input: Value, context: &ToolContext) -> Result<Value, ToolError> {
        self.workshop.enter();
        let done = self.workshop.act(self.name, &word(&input), context).await;
        self.workshop.leave();
        let done = done?;
        if self.name != "run_command" {
            return Ok(json!({"summary": if done { "done" } else { "not done" }}));
        }
        let report = CommandReport {
            exit_code: Some(i32::from(!done)),
            ended_by: None,
            stdout: String::new(),
            stderr: if done { String::new() } else { "2 tests failed\n".into() },
            truncated: false,
            duration_ms: 1,
            sandbox: "none".into(),
            refused_hosts: Vec::new(),
        };
        Ok(json!(report))
    }

    async fn recover_json(&self, _input: Value, prepared: Value, _context: &ToolContext) -> Recovery {
        assert_eq!(prepared, json!({"before": "a hash"}), "recovery sees what was prepared");
        self.workshop.left.lock().unwrap().clone()
    }
}
