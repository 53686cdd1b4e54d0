//! What the model is asked when a plan is made. The stable part comes first, so that providers can cache it.

use crate::model::{Message, OutputSchema, Prompt};
use crate::ports::Survey;
use serde_json::{Value, json};

/// The most tasks a model may propose at once.
pub(super) const MAX_PLANNED_TASKS: usize = 12;
/// Ceiling for the answer; the schema's own bounds keep valid plans well below it.
const MAX_OUTPUT_TOKENS: u32 = 2_048;

const SYSTEM: &str = r#"You break a goal into a short plan of tasks for a software repository.
Answer with JSON only. Each task has:
- "description": one concrete step, in one sentence.
- "kind": "agent" for work that reads or changes files; "scan" to look over the repository; "command" to run one of the given commands.
- "priority": "high", "medium" or "low".
- "depends_on": the numbers of EARLIER tasks that must be done first. The first task is number 1. Tasks that can run at the same time do not depend on each other.
A task may have "command" (for kind "command") or "verify" (for kind "agent": must succeed before the task counts as done); both must be one of the given commands.

Example. Goal: Add a greeting endpoint to the web service.
{"tasks":[
{"description":"Look over the repository and find where routes are defined","kind":"scan","priority":"high","depends_on":[]},
{"description":"Add GET /greeting that answers with a friendly text","kind":"agent","priority":"high","depends_on":[1]},
{"description":"Add a test that calls GET /greeting and checks the answer","kind":"agent","priority":"medium","depends_on":[1]},
{"description":"Describe the new endpoint in the README","kind":"agent","priority":"low","depends_on":[2,3]}
]}"#;

/// The request for a plan.
pub(super) fn build(goal: &str, survey: &Survey) -> Prompt {
    let commands: Vec<String> = survey.commands.iter().map(|argv| argv.join(" ")).collect();
    let known = if commands.is_empty() {
        "No commands are known; use kinds \"agent\" and \"scan\" only.".to_owned()
    } else {
        format!("Commands: {}", commands.join(" | "))
    };
    let text = format!("The repository:\n{}\n{known}\n\nGoal: {goal}", survey.description);
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
