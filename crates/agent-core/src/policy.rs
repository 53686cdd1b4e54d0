//! What a plan may do, how much, and what happens when something goes wrong.

use serde::{Deserialize, Serialize};

/// When a person is asked before the work goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalMode {
    /// Nobody is asked.
    #[default]
    Never,
    /// Before files are written.
    Writes,
    /// Before commands are run.
    Commands,
    /// Before both.
    Always,
}

/// What happens to the rest of a plan when a task fails for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Nothing new is started.
    #[default]
    Stop,
    /// Branches that do not depend on the failed task go on.
    Continue,
    /// The planner makes new tasks for what is left, as an edit of the plan, a few times at most; after that, as
    /// `Stop`. Needs a language model.
    Replan,
}

/// What a command may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxLevel {
    /// Nothing outside a private temporary folder is writable.
    ReadOnly,
    /// The workspace is writable too.
    #[default]
    WorkspaceWrite,
    /// Everything the server's own account may do; only limits and a cleaned environment hold.
    FullAccess,
}

impl SandboxLevel {
    /// The word used in settings, JSON and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReadOnly => "read_only",
            Self::WorkspaceWrite => "workspace_write",
            Self::FullAccess => "full_access",
        }
    }

    /// Whether the level restricts what files can be reached.
    pub fn is_confined(self) -> bool {
        self != Self::FullAccess
    }
}

impl std::fmt::Display for SandboxLevel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a plan works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceMode {
    /// In the repository itself.
    #[default]
    Repository,
    /// In a folder of its own, on a branch of its own, until somebody merges it.
    Isolated,
}

/// Ceilings for one plan; `None` means no ceiling.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Model tokens, input and output together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Cost in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost: Option<f64>,
    /// Time from the first start to the last finish, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_duration_ms: Option<u64>,
    /// Calls to a language model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_model_calls: Option<u64>,
}

/// The rules under which one plan runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// When a person is asked.
    pub approval: ApprovalMode,
    /// How many tasks of this plan may run at once; `None` leaves it to the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_parallel: Option<u32>,
    /// What a failed task means for the rest.
    pub on_failure: OnFailure,
    /// Where the plan works.
    pub workspace: WorkspaceMode,
    /// What commands may touch.
    pub sandbox: SandboxLevel,
    /// Whether commands may reach the network.
    pub network: bool,
    /// Ceilings.
    pub budget: Budget,
}
