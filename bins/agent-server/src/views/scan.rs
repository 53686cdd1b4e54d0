//! What a scan tells.

use agent_repository::scan::ScanReport;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The repository, as a query parameter.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ScanQuery {
    /// The repository, below one of the roots; wins over the body.
    pub repo_path: Option<String>,
    /// Whether to outline the files, too; wins over the body.
    pub symbols: Option<bool>,
}

/// The repository to scan.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"repo_path": "shop", "symbols": true}))]
pub struct ScanRepository {
    /// The repository, below one of the roots; the first root when absent.
    #[serde(default)]
    pub repo_path: Option<String>,
    /// Whether to outline the files, too: Rust, Python, JavaScript, TypeScript, Go, Java, C and C++.
    #[serde(default)]
    pub symbols: Option<bool>,
}

/// A described repository.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ScanView {
    /// Its real path.
    pub repository: String,
    /// What is in it.
    #[schema(value_type = ScanInfoView)]
    pub info: ScanReport,
}

/// Figures and outline of a repository.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "total_files": 4, "total_directories": 1, "total_lines": 120, "total_code_lines": 90, "total_bytes": 4096,
    "languages": [{"name": "Rust", "files": 3, "lines": 110, "code": 85, "comments": 15, "blanks": 10}],
    "directory_tree": "shop\n└── src\n", "git": {"branch": "main", "head": "6f1c0a", "dirty": false},
    "manifests": [{"path": "Cargo.toml", "kind": "cargo", "build": ["cargo", "build"], "test": ["cargo", "test"]}],
    "skipped": [{"path": "target", "reason": "ignored"}], "duration_ms": 3
}))]
pub struct ScanInfoView {
    /// Regular files that are not left out, binary files included.
    pub total_files: u64,
    /// Folders that are not left out, without the root.
    pub total_directories: u64,
    /// Lines of all files in `languages`.
    pub total_lines: u64,
    /// Lines of code of all files in `languages`.
    pub total_code_lines: u64,
    /// Sizes of all files.
    pub total_bytes: u64,
    /// Languages, most lines of code first.
    pub languages: Vec<LanguageView>,
    /// The folder tree as text.
    pub directory_tree: String,
    /// The state of the git repository; null for other folders.
    pub git: Option<GitView>,
    /// What builds and tests it.
    pub manifests: Vec<ManifestView>,
    /// Definitions in the order of files and lines; only on request, and not more than 200,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbols: Option<Vec<SymbolView>>,
    /// What was left out and why.
    pub skipped: Vec<SkippedView>,
    /// How long the scan took.
    pub duration_ms: u64,
}

/// The lines of one language.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"name": "Rust", "files": 41, "lines": 6120, "code": 4815, "comments": 702, "blanks": 603}))]
pub struct LanguageView {
    /// The usual name.
    pub name: String,
    /// Files.
    pub files: u64,
    /// All lines.
    pub lines: u64,
    /// Lines that hold code.
    pub code: u64,
    /// Lines that hold only comments.
    pub comments: u64,
    /// Empty lines.
    pub blanks: u64,
}

/// The state of a git repository.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"branch": "main", "head": "4f0c2d1b9e8a7c6d5e4f3a2b1c0d9e8f7a6b5c4d", "dirty": false}))]
pub struct GitView {
    /// The branch; null when a commit is checked out directly.
    pub branch: Option<String>,
    /// The commit; null before the first.
    pub head: Option<String>,
    /// Whether files differ from the commit.
    pub dirty: bool,
}

/// A file that says how a folder is built and tested.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"path": "Cargo.toml", "kind": "cargo", "build": ["cargo", "build"], "test": ["cargo", "test"]}))]
pub struct ManifestView {
    /// Where it is.
    pub path: String,
    /// `cargo`, `npm`, `python`, `go` and so on.
    pub kind: String,
    /// The command that builds.
    pub build: Option<Vec<String>>,
    /// The command that tests.
    pub test: Option<Vec<String>>,
}

/// A definition.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "name": "total", "kind": "method", "file": "src/cart.rs", "line": 12, "end_line": 18, "container": "Cart",
    "signature": "pub fn total(&self) -> u64"
}))]
pub struct SymbolView {
    /// What it is called.
    pub name: String,
    /// `function`, `method`, `class`, `struct`, `union`, `enum`, `trait`, `interface`, `type`, `module`, `constant`,
    /// `variable` or `macro`.
    pub kind: String,
    /// Where it is.
    pub file: String,
    /// The line of its name, from 1.
    pub line: u32,
    /// The line on which it ends.
    pub end_line: u32,
    /// The definition that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The line of its name, without values and without what stands in quotes.
    pub signature: String,
}

/// Something the scan left out.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"path": "assets/video.mp4", "reason": "too_large"}))]
pub struct SkippedView {
    /// Where it is.
    pub path: String,
    /// Why: `hidden`, `vendored`, `ignored`, `sensitive`, `symlink`, `special_file`, `unreadable`, `too_large`
    /// or `truncated`.
    pub reason: String,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::ScanInfoView;
    use agent_repository::scan::{ScanOptions, scan};
    use serde_json::Value;
    use utoipa::PartialSchema;

    #[test]
    fn the_documented_fields_are_those_of_a_report() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.rs"), "impl A { fn b() {} }\n").unwrap();
        let options = ScanOptions { symbols: true, ..ScanOptions::default() };
        let report = scan(folder.path(), &options).unwrap();
        let Value::Object(sent) = serde_json::to_value(report).unwrap() else {
            panic!("a report is an object")
        };
        let schema = serde_json::to_value(ScanInfoView::schema()).unwrap();
        let documented = schema["properties"].as_object().unwrap();
        let mut sent: Vec<&String> = sent.keys().collect();
        let mut documented: Vec<&String> = documented.keys().collect();
        sent.sort_unstable();
        documented.sort_unstable();
        assert_eq!(sent, documented);
    }
}
