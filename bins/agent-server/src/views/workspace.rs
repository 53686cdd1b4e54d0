//! What plans changed, and how it came to the repository.

use agent_repository::patch::FileAction;
use agent_runtime::Merged;
use serde::Serialize;
use utoipa::ToSchema;

/// The changes of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"plan_id": 1, "diff": "--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -1 +1 @@\n-old\n+new\n"}))]
pub struct PlanDiffView {
    /// The plan.
    pub plan_id: i64,
    /// All its changes as one unified diff: the commits of its branch where it has one, else what its patches and
    /// file tools did, in their order.
    pub diff: String,
}

/// What a merge brought to the repository.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "plan_id": 1, "branch": "agent/plan-1", "application": 3, "diff": "…",
    "files": [{"path": "src/lib.rs", "action": "modified", "lines_added": 1, "lines_removed": 1}]
}))]
pub struct PlanMergedView {
    /// The plan.
    pub plan_id: i64,
    /// The branch that holds its commits.
    pub branch: String,
    /// The number under which `agent patch undo` takes it back; null when everything was there already.
    pub application: Option<u64>,
    /// The files that changed.
    pub files: Vec<MergedFileView>,
    /// The change of the repository's files as one unified diff.
    pub diff: String,
}

/// A file that a merge changed.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"path": "src/cart.rs", "action": "modified", "lines_added": 4, "lines_removed": 1}))]
pub struct MergedFileView {
    /// Its path, under its new name.
    pub path: String,
    /// Its path before, when it was renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_path: Option<String>,
    /// What happened to it.
    pub action: FileActionView,
    /// Lines that are new.
    pub lines_added: u64,
    /// Lines that are gone.
    pub lines_removed: u64,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileActionView {
    /// It is new.
    Created,
    /// Its content or mode changed.
    Modified,
    /// It is gone.
    Deleted,
    /// It has a new name.
    Renamed,
}

/// That a plan's folder is gone.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"plan_id": 1, "discarded": true}))]
pub struct PlanDiscardedView {
    /// The plan.
    pub plan_id: i64,
    /// Always true.
    pub discarded: bool,
}

impl PlanMergedView {
    /// What a merge of this plan did.
    pub fn of(plan_id: i64, merged: Merged) -> Self {
        let Merged { branch, recorded } = merged;
        let files = recorded.applied.files.into_iter().map(|file| MergedFileView {
            path: file.path.to_string(),
            previous_path: file.previous_path.map(|path| path.to_string()),
            action: file.action.into(),
            lines_added: file.lines_added as u64,
            lines_removed: file.lines_removed as u64,
        });
        Self {
            plan_id,
            branch,
            application: recorded.id,
            files: files.collect(),
            diff: recorded.applied.diff,
        }
    }
}

impl From<FileAction> for FileActionView {
    fn from(action: FileAction) -> Self {
        match action {
            FileAction::Created => Self::Created,
            FileAction::Modified => Self::Modified,
            FileAction::Deleted => Self::Deleted,
            FileAction::Renamed => Self::Renamed,
        }
    }
}
