//! What is in a repository.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which repository to describe, and how closely.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ScanRepository {
    /// Below one of the roots of the server; its first root when `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repo_path: Option<String>,
    /// Whether to outline the files too.
    pub symbols: bool,
}

/// The description of a repository.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Scan {
    /// Where it is.
    pub repository: String,
    /// `total_files`, `languages`, `directory_tree`, `git`, `manifests` and the other fields of the server's OpenAPI document.
    pub info: Value,
}
