//! A tool that tells what files define.

use super::{blocking, told, without_secrets};
use crate::path_guard::{RelativePath, Root};
use crate::scan::{self, FileList, Languages, ScanOptions};
use crate::symbols::{Definition, OutlineLanguage, Outliner};
use agent_core::policy::Demand;
use agent_core::tool::{EffectClass, Tool, ToolContext, ToolError, name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::Path;

/// The largest file that is outlined, in bytes.
const LARGEST_FILE: u64 = 2 << 20;
/// The most files of a folder that one call outlines.
const MOST_FILES: usize = 200;
/// The most definitions that one call shows.
const MOST_DEFINITIONS: usize = 400;

/// Lists what a file, or the files below a folder, define.
pub struct Outline;

/// What [`Outline`] is asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutlineInput {
    /// File or folder relative to the repository root; the root when absent.
    #[serde(default)]
    pub path: String,
}

/// What [`Outline`] answers.
#[derive(Debug, Serialize)]
pub struct OutlineOutput {
    /// Each file with its definitions: `LINE-LAST_LINE: SIGNATURE`, methods with the type they belong to.
    pub outline: String,
    /// How many definitions are shown.
    pub definitions: usize,
    /// Whether there are more files or definitions.
    pub truncated: bool,
}

impl Tool for Outline {
    type Input = OutlineInput;
    type Output = OutlineOutput;
    const NAME: &'static str = name::OUTLINE;
    const DESCRIPTION: &'static str = "Lists the functions, types and constants that a file, or the files below a folder, \
        define, with their lines. Cheaper than reading: use it to find what to read.";
    const EFFECT: EffectClass = EffectClass::Pure;

    fn summary(input: &OutlineInput) -> String {
        if input.path.is_empty() { ".".to_owned() } else { input.path.clone() }
    }

    fn demand(_input: &OutlineInput, _prepared: &Value) -> Demand {
        Demand::Read
    }

    async fn call(&self, input: OutlineInput, context: &ToolContext) -> Result<OutlineOutput, ToolError> {
        let (workspace, cancel) = (context.workspace.clone(), context.cancel.clone());
        blocking(move || outline(&workspace, &input.path, &|| cancel.is_cancelled())).await
    }
}

fn outline(workspace: &Path, path: &str, cancelled: &dyn Fn() -> bool) -> Result<OutlineOutput, ToolError> {
    let listed = files_of(workspace, path)?;
    let root = Root::open(workspace).map_err(|error| told(&error))?;
    let (languages, mut outliner) = (Languages::new(), Outliner::new(false));
    let mut output = OutlineOutput { outline: String::new(), definitions: 0, truncated: listed.truncated };
    for file in &listed.files {
        if cancelled() {
            return Err(ToolError::Cancelled);
        }
        let text = RelativePath::new(file).and_then(|path| root.read(&path, LARGEST_FILE));
        // What cannot be read defines nothing that a model could use.
        let Ok(text) = text.map(|content| content.bytes) else { continue };
        let file_name = file.rsplit('/').next().unwrap_or(file);
        let language = languages.name(file_name.as_bytes(), &text);
        let Some(language) = language.and_then(|name| OutlineLanguage::of(name, &text)) else { continue };
        let Ok(found) = outliner.outline(language, &text, &mut || cancelled()) else { continue };
        output.add(file, &found.definitions);
    }
    if output.definitions == 0 {
        let nothing = if path.is_empty() { "no file of the repository" } else { path };
        let why = format!("{nothing} defines nothing that can be outlined; read or search it instead");
        return Err(ToolError::Report(why));
    }
    Ok(output)
}

/// The files below a folder, or the one file that the path names.
fn files_of(workspace: &Path, path: &str) -> Result<FileList, ToolError> {
    match scan::list_files(workspace, path, MOST_FILES, &ScanOptions::default()) {
        Err(scan::Error::NotAFolder(_)) => {
            without_secrets(path)?;
            let file = RelativePath::new(path).map_err(|error| told(&error))?;
            Ok(FileList { files: vec![file.as_str().to_owned()], truncated: false })
        }
        listed => listed.map_err(|error| told(&error)),
    }
}

impl OutlineOutput {
    fn add(&mut self, file: &str, definitions: &[Definition]) {
        let room = MOST_DEFINITIONS - self.definitions;
        self.truncated |= definitions.len() > room;
        if definitions.is_empty() || room == 0 {
            return;
        }
        self.outline.push_str(&format!("{file}:\n"));
        for definition in definitions.iter().take(room) {
            let Definition { line, end_line, signature, container, .. } = definition;
            let of = container.as_ref().map(|container| format!("[{container}] ")).unwrap_or_default();
            self.outline.push_str(&format!("  {line}-{end_line}: {of}{signature}\n"));
            self.definitions += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn call(workspace: &Path, path: &str) -> Result<OutlineOutput, ToolError> {
        outline(workspace, path, &|| false)
    }

    #[test]
    fn a_folder_is_outlined_file_by_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(folder.path().join("src/a.py"), "class Cart:\n    def total(self):\n        return 1\n")
            .unwrap();
        fs::write(folder.path().join("src/notes.md"), "# Notes\n").unwrap();
        fs::write(folder.path().join("b.rs"), "pub fn price() -> u32 {\n    1\n}\n").unwrap();
        let all = call(folder.path(), "").unwrap();
        assert_eq!(
            all.outline,
            "b.rs:\n  1-3: pub fn price() -> u32\nsrc/a.py:\n  1-3: class Cart\n  2-3: [Cart] def total(self)\n"
        );
        assert_eq!((all.definitions, all.truncated), (3, false));
        assert_eq!(call(folder.path(), "src/a.py").unwrap().definitions, 2);
        assert!(
            matches!(call(folder.path(), "src/notes.md"), Err(ToolError::Report(why)) if why.contains("nothing"))
        );
        assert!(matches!(call(folder.path(), "../elsewhere"), Err(ToolError::Report(_))));
        fs::write(folder.path().join(".env"), "A = 1\n").unwrap();
        assert!(
            matches!(call(folder.path(), ".env"), Err(ToolError::Report(why)) if why.contains("secrets"))
        );
    }
}
