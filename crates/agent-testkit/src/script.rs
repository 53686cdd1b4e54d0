//! Scripts for the scripted language model.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Writes turns as a script file into a folder and returns its path. A turn has `text`, `json` or
/// `tool_calls` of `{name, arguments}`, and optionally `when`, `usage`, `delay_ms` and `repeat`.
pub fn write_script(folder: &Path, turns: &Value) -> PathBuf {
    let path = folder.join("script.json");
    std::fs::write(&path, json!({"turns": turns}).to_string()).expect("the script is written");
    path
}
