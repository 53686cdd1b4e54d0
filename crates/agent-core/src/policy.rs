//! What a plan may do, how much, and what happens when something goes wrong.

mod rule;
mod verdict;

pub use rule::{Permission, Rule, Words};
pub use verdict::{Demand, Judge, Judged, Layer, ModeJudge, Risk, RuleProblem, Verdict};

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

impl ApprovalMode {
    /// The word used in JSON and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Writes => "writes",
            Self::Commands => "commands",
            Self::Always => "always",
        }
    }
}

/// What becomes of a call that a person was asked about and nobody answered in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExpiry {
    /// It is not made, and the model is told.
    #[default]
    Deny,
    /// The task fails.
    Stop,
}

impl OnExpiry {
    /// The word used in JSON, events and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Stop => "stop",
        }
    }
}

/// Whether files that hold secrets (`.env`, keys, credentials) are within reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretFiles {
    /// Commands find them empty where the sandbox can cover them; tools leave them out.
    #[default]
    Hidden,
    /// Commands may read them; what they print of them is masked all the same.
    Readable,
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
    /// Hosts that commands may reach over HTTP although the network is closed, such as `crates.io` or `*.npmjs.org`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// Whether files that hold secrets are within reach.
    pub secret_files: SecretFiles,
    /// How long a person has to answer, in milliseconds; a day when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_timeout_ms: Option<u64>,
    /// What becomes of a call that nobody answered in time.
    pub on_expiry: OnExpiry,
    /// Rules about single calls; they can only tighten what the server's rules say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Ceilings.
    pub budget: Budget,
}
