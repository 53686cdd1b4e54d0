//! Tools that only read.

use super::{blocking, told, without_secrets};
use crate::path_guard::{RelativePath, Root};
use crate::scan::{self, FileList, ScanOptions, ScanReport};
use crate::search::{self, SearchQuery, SearchReport};
use agent_core::policy::Demand;
use agent_core::tool::{EffectClass, Tool, ToolContext, ToolError, name};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The largest file that is read, in bytes.
const LARGEST_FILE: u64 = 8 << 20;
/// The most lines that one call shows.
const MOST_LINES: usize = 800;
/// The most files that one call lists.
const MOST_FILES: usize = 1_000;

/// Lists the files below a folder.
pub struct ListFiles;

/// What [`ListFiles`] is asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListInput {
    /// Folder relative to the repository root; the root when absent.
    #[serde(default)]
    pub path: String,
}

impl Tool for ListFiles {
    type Input = ListInput;
    type Output = FileList;
    const NAME: &'static str = name::LIST_FILES;
    const DESCRIPTION: &'static str =
        "Lists the files below a folder of the repository, ignored and hidden ones left out.";
    const EFFECT: EffectClass = EffectClass::Pure;

    fn summary(input: &ListInput) -> String {
        if input.path.is_empty() { ".".to_owned() } else { input.path.clone() }
    }

    fn demand(_input: &ListInput, _prepared: &Value) -> Demand {
        Demand::Read
    }

    async fn call(&self, input: ListInput, context: &ToolContext) -> Result<FileList, ToolError> {
        let workspace = context.workspace.clone();
        blocking(move || {
            scan::list_files(&workspace, &input.path, MOST_FILES, &ScanOptions::default())
                .map_err(|error| told(&error))
        })
        .await
    }
}

/// Reads a text file or a range of its lines.
pub struct ReadFile;

/// What [`ReadFile`] is asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadInput {
    /// File relative to the repository root.
    pub path: String,
    /// First line to show, from 1.
    #[serde(default)]
    pub first_line: Option<usize>,
    /// Last line to show.
    #[serde(default)]
    pub last_line: Option<usize>,
}

/// What [`ReadFile`] answers.
#[derive(Debug, Serialize)]
pub struct ReadOutput {
    /// The file.
    pub path: String,
    /// Number of the first line shown.
    pub first_line: usize,
    /// How many lines the file has.
    pub total_lines: usize,
    /// The lines, as they are.
    pub content: String,
}

impl Tool for ReadFile {
    type Input = ReadInput;
    type Output = ReadOutput;
    const NAME: &'static str = name::READ_FILE;
    const DESCRIPTION: &'static str =
        "Reads a text file of the repository, or a range of its lines (at most 800 at once).";
    const EFFECT: EffectClass = EffectClass::Pure;

    fn summary(input: &ReadInput) -> String {
        input.path.clone()
    }

    fn demand(_input: &ReadInput, _prepared: &Value) -> Demand {
        Demand::Read
    }

    async fn call(&self, input: ReadInput, context: &ToolContext) -> Result<ReadOutput, ToolError> {
        let workspace = context.workspace.clone();
        blocking(move || {
            without_secrets(&input.path)?;
            let read = || -> Result<Vec<u8>, crate::Error> {
                let path = RelativePath::new(&input.path)?;
                Ok(Root::open(&workspace)?.read(&path, LARGEST_FILE)?.bytes)
            };
            let bytes = read().map_err(|error| told(&error))?;
            let text = String::from_utf8(bytes)
                .map_err(|_binary| ToolError::Report(format!("{} is not a text file", input.path)))?;
            Ok(lines_of(input, &text))
        })
        .await
    }
}

fn lines_of(input: ReadInput, text: &str) -> ReadOutput {
    let lines: Vec<&str> = text.lines().collect();
    let first = input.first_line.unwrap_or(1).max(1);
    let last =
        input.last_line.unwrap_or(usize::MAX).min(lines.len()).min(first.saturating_add(MOST_LINES - 1));
    let shown = lines.get(first - 1..last).unwrap_or_default();
    let mut content = shown.join("\n");
    if !content.is_empty() {
        content.push('\n');
    }
    ReadOutput { path: input.path, first_line: first, total_lines: lines.len(), content }
}

/// Searches text.
pub struct Search;

impl Tool for Search {
    type Input = SearchQuery;
    type Output = SearchReport;
    const NAME: &'static str = name::SEARCH;
    const DESCRIPTION: &'static str = "Searches the text of the repository and names the lines that match.";
    const EFFECT: EffectClass = EffectClass::Pure;

    fn summary(input: &SearchQuery) -> String {
        input.pattern.clone()
    }

    fn demand(_input: &SearchQuery, _prepared: &Value) -> Demand {
        Demand::Read
    }

    async fn call(&self, input: SearchQuery, context: &ToolContext) -> Result<SearchReport, ToolError> {
        let workspace = context.workspace.clone();
        blocking(move || {
            search::search(&workspace, &input, &ScanOptions::default()).map_err(|error| told(&error))
        })
        .await
    }
}

/// Describes the repository.
pub struct ScanRepository;

/// What [`ScanRepository`] is asked: nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanInput {}

impl Tool for ScanRepository {
    type Input = ScanInput;
    type Output = ScanReport;
    const NAME: &'static str = name::SCAN_REPOSITORY;
    const DESCRIPTION: &'static str =
        "Describes the repository: languages, sizes, folder tree, git state, and what builds and tests it.";
    const EFFECT: EffectClass = EffectClass::Pure;

    fn summary(_input: &ScanInput) -> String {
        "the repository".to_owned()
    }

    fn demand(_input: &ScanInput, _prepared: &Value) -> Demand {
        Demand::Read
    }

    async fn call(&self, _input: ScanInput, context: &ToolContext) -> Result<ScanReport, ToolError> {
        let (workspace, cancel) = (context.workspace.clone(), context.cancel.clone());
        blocking(move || {
            let cancelled = || cancel.is_cancelled();
            let options = ScanOptions { cancelled: Some(&cancelled), ..ScanOptions::default() };
            let report = scan::scan(&workspace, &options).map_err(|error| told(&error))?;
            if cancel.is_cancelled() { Err(ToolError::Cancelled) } else { Ok(report) }
        })
        .await
    }
}
