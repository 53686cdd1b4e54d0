//! Whether what a task was computed from has come out the same again.

use crate::plan::Task;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Fields of a result that differ from run to run without meaning anything.
const INCIDENTAL: [&str; 1] = ["duration_ms"];

/// A fingerprint (SHA-256, hexadecimal) of the results of everything that a task depends on.
pub(super) fn of_inputs(tasks: &[Task], task: &Task) -> String {
    let mut hash = Sha256::new();
    for &position in &task.spec.depends_on {
        let result = tasks.get(position as usize - 1).and_then(|dependency| dependency.result.as_deref());
        let text = result.map(essence).unwrap_or_default();
        // The length keeps two neighbouring results from being read as two others.
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The result as text, keys in order, without what is incidental.
fn essence(result: &Value) -> String {
    match result {
        Value::Object(fields) => {
            let telling = fields.iter().filter(|(name, _)| !INCIDENTAL.contains(&name.as_str()));
            Value::Object(telling.map(|(name, value)| (name.clone(), value.clone())).collect()).to_string()
        }
        other => other.to_string(),
    }
}
