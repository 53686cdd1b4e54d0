//! What the model is asked when a plan is made. The stable part comes first, so that providers can cache it.

use crate::model::{Message, OutputSchema, Prompt};
use crate::plan::{PlanState, TaskStatus};
use crate::ports::Survey;
use crate::text::cut;
use serde_json::{Value, json};
use std::fmt::Write;

/// The most tasks a model may propose at once.
pub(super) const MAX_PLANNED_TASKS: usize = 12;
/// The most files that a task may name as read, and as written.
pub(super) const MAX_PLANNED_PATHS: usize = 6;
/// Ceiling for the answer; the schema's own bounds keep valid plans well below it.
const MAX_OUTPUT_TOKENS: u32 = 2_048;
/// Tasks of a plan that failed that are told of, and how much of an error and of guidance is, in bytes.
const MAX_TOLD: usize = 40;
const MAX_ERROR: usize = 2_000;
const MAX_GUIDANCE: usize = 3_000;

const SYSTEM: &str = r#"You break a goal into a short plan of tasks for a software repository.
Answer with JSON only. Each task has:
- "description": one concrete step, in one sentence.
- "kind": "agent" for work that reads or changes files; "scan" to look over the repository; "command" to run one of the given commands.
- "priority": "high", "medium" or "low".
- "reads" and "writes": the files or folders it is expected to look at and to change, relative to the repository; leave them out where you cannot tell.
- "depends_on": the numbers of EARLIER tasks that must be done first. The first task is number 1. Tasks that can run at the same time do not depend on each other.
A task may have "command" (for kind "command") or "verify" (for kind "agent": must succeed before the task counts as done); both must be one of the given commands.

Example. Goal: Add a greeting endpoint to the web service.
{"tasks":[
{"description":"Look over the repository and find where routes are defined","kind":"scan","priority":"high","depends_on":[]},
{"description":"Add GET /greeting that answers with a friendly text","kind":"agent","priority":"high","writes":["src/routes.py"],"depends_on":[1]},
{"description":"Add a test that calls GET /greeting and checks the answer","kind":"agent","priority":"medium","writes":["tests/test_routes.py"],"depends_on":[1]},
{"description":"Describe the new endpoint in the README","kind":"agent","priority":"low","reads":["src/routes.py"],"writes":["README.md"],"depends_on":[2,3]}
]}"#;

/// The request for a plan.
pub(super) fn build(goal: &str, survey: &Survey) -> Prompt {
    request(survey, format!("Goal: {goal}"))
}

/// The request for what is left of a plan in which a task has failed.
pub(super) fn build_for_rest(state: &PlanState, survey: &Survey) -> Prompt {
    let mut text = format!("Goal: {}\n\nThe plan so far:\n", state.plan.goal);
    for task in state.tasks.iter().take(MAX_TOLD) {
        let (position, kind, description) = (task.position, task.spec.kind.name(), &task.spec.description);
        let _ = write!(text, "{position}. [{kind}] {description}: {}", task.status);
        if let Some(error) = task.error.as_deref().filter(|_| task.status == TaskStatus::Failed) {
            let _ = write!(text, ": {}", cut(error, MAX_ERROR));
        }
        text.push('\n');
    }
    text.push_str(
        "\nA task failed for good. Give new tasks, numbered from 1, for all that is left to do: in the place of the \
         failed one and of those that have not begun. What is completed stays and is not repeated. Take another way \
         than the one that failed.",
    );
    request(survey, text)
}

fn request(survey: &Survey, task: String) -> Prompt {
    let commands: Vec<String> = survey.commands.iter().map(|argv| argv.join(" ")).collect();
    let mut text = format!("The repository:\n{}\n", survey.description);
    if !survey.map.is_empty() {
        let _ = write!(text, "\nThe definitions that matter most:\n{}\n", survey.map.trim_end());
    }
    for guidance in &survey.guidance {
        let (path, guidance) = (&guidance.path, cut(guidance.text.trim_end(), MAX_GUIDANCE));
        let _ = write!(text, "\nHow to work in it, as its {path} says:\n{guidance}\n");
    }
    text.push_str(&if commands.is_empty() {
        "\nNo commands are known; use kinds \"agent\" and \"scan\" only.".to_owned()
    } else {
        format!("\nCommands: {}", commands.join(" | "))
    });
    let _ = write!(text, "\n\n{task}");
    Prompt {
        system: SYSTEM.to_owned(),
        messages: vec![Message::user(text)],
        tools: Vec::new(),
        output: Some(OutputSchema { name: "plan".to_owned(), schema: schema(&commands) }),
        max_output_tokens: Some(MAX_OUTPUT_TOKENS),
    }
}

/// What the model is told about an answer that is no valid plan.
pub(super) fn repair(defects: &str) -> String {
    format!("That is no valid plan: {defects}\nAnswer again with the whole corrected plan as JSON only.")
}

/// The schema of an answer: bounded, so that it cannot be cut off, and closed, so that only commands
/// that the repository's own manifests name can be chosen.
fn schema(commands: &[String]) -> Value {
    let mut kinds = vec!["agent", "scan"];
    let mut properties = json!({
        "description": {"type": "string", "minLength": 8, "maxLength": 160},
        "priority": {"enum": ["high", "medium", "low"]},
        "reads": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 120}, "maxItems": MAX_PLANNED_PATHS},
        "writes": {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 120}, "maxItems": MAX_PLANNED_PATHS},
        "depends_on": {
            "type": "array",
            "items": {"type": "integer", "minimum": 1, "maximum": MAX_PLANNED_TASKS},
            "maxItems": 4
        },
    });
    if !commands.is_empty() {
        kinds.push("command");
        properties["command"] = json!({"enum": commands});
        properties["verify"] = json!({"enum": commands});
    }
    properties["kind"] = json!({"enum": kinds});
    json!({
        "type": "object",
        "required": ["tasks"],
        "additionalProperties": false,
        "properties": {"tasks": {
            "type": "array",
            "minItems": 2,
            "maxItems": MAX_PLANNED_TASKS,
            "items": {
                "type": "object",
                "required": ["description", "kind", "priority", "depends_on"],
                "additionalProperties": false,
                "properties": properties
            }
        }}
    })
}
