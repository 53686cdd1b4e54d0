//! The providers' wire formats as other people understand them.
//!
//! `AGENT_TEST_LLMOCK` is the program that `tests/fetch-llmock.sh` names: a server that misbehaves on
//! request and judges how its client copes. `AGENT_TEST_AIMOCK` is the program that
//! `tests/fetch-aimock.sh` names: a server that gives prepared answers. Tests whose program is not
//! given say so and pass.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot be set up must fail, and one that does nothing says so"
)]

mod aimock;
mod llmock;
mod program;

use agent_core::model::{Message, Prompt, ToolDescription};
use serde_json::json;

/// A prompt that no other call repeats: `llmock` tells calls apart by their bodies.
fn saying(words: &str) -> Prompt {
    Prompt {
        system: "Be brief.".into(),
        messages: vec![Message::user(words)],
        max_output_tokens: Some(200),
        ..Prompt::default()
    }
}

fn with_tool(words: &str) -> Prompt {
    Prompt {
        tools: vec![ToolDescription {
            name: "read_file".into(),
            description: "Reads a file.".into(),
            input_schema: json!({
                "type": "object",
                "properties": {"path": {"type": "string"}},
                "required": ["path"]
            }),
        }],
        ..saying(words)
    }
}
