//! The rules under which a plan runs.

use super::rule::RuleView;
use super::words::{
    ApprovalModeView, OnExpiryView, OnFailureView, SandboxView, SecretFilesView, WorkspaceModeView,
};
use agent_core::policy::{Budget, Policy};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The rules under which one plan runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({
    "approval": "writes", "sandbox": "workspace_write", "network": false, "domains": ["crates.io"],
    "rules": [{"command": ["git", "push"], "permission": "deny"}], "on_failure": "stop"
}))]
pub struct PolicyView {
    /// When a person is asked.
    pub approval: ApprovalModeView,
    /// How many tasks of this plan may run at once; the server decides when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub max_parallel: Option<u32>,
    /// What a failed task means for the rest.
    pub on_failure: OnFailureView,
    /// Where the plan works; it stays there once it was started.
    pub workspace: WorkspaceModeView,
    /// What commands may touch.
    pub sandbox: SandboxView,
    /// Whether commands may reach the network.
    pub network: bool,
    /// Hosts that commands may reach over HTTP although the network is closed, such as `crates.io` or `*.npmjs.org`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub domains: Vec<String>,
    /// Whether files that hold secrets (`.env`, keys) and are not part of the repository's history are within reach.
    pub secret_files: SecretFilesView,
    /// How long a person has to answer, in milliseconds; a day when absent, and never longer than 30 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 2_592_000_000_u64)]
    pub approval_timeout_ms: Option<u64>,
    /// What becomes of a call that nobody answered in time.
    pub on_expiry: OnExpiryView,
    /// Rules about single calls; they can only tighten what the server's rules say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 200)]
    pub rules: Vec<RuleView>,
    /// Ceilings.
    pub budget: BudgetView,
}

/// Ceilings for one plan; absent means none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"max_tokens": 200000, "max_cost": 1.5, "max_duration_ms": 3600000, "max_model_calls": 100}))]
pub struct BudgetView {
    /// Model tokens, input and output together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// Cost in US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_cost: Option<f64>,
    /// From the first start to the last finish, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_duration_ms: Option<u64>,
    /// Calls to a language model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_model_calls: Option<u64>,
}

impl Default for PolicyView {
    fn default() -> Self {
        Policy::default().into()
    }
}

impl From<PolicyView> for Policy {
    fn from(view: PolicyView) -> Self {
        let BudgetView { max_tokens, max_cost, max_duration_ms, max_model_calls } = view.budget;
        Self {
            approval: view.approval.into(),
            max_parallel: view.max_parallel,
            on_failure: view.on_failure.into(),
            workspace: view.workspace.into(),
            sandbox: view.sandbox.into(),
            network: view.network,
            domains: view.domains,
            secret_files: view.secret_files.into(),
            approval_timeout_ms: view.approval_timeout_ms,
            on_expiry: view.on_expiry.into(),
            rules: view.rules.into_iter().map(Into::into).collect(),
            budget: Budget { max_tokens, max_cost, max_duration_ms, max_model_calls },
        }
    }
}

impl From<Policy> for PolicyView {
    fn from(policy: Policy) -> Self {
        let Budget { max_tokens, max_cost, max_duration_ms, max_model_calls } = policy.budget;
        Self {
            approval: policy.approval.into(),
            max_parallel: policy.max_parallel,
            on_failure: policy.on_failure.into(),
            workspace: policy.workspace.into(),
            sandbox: policy.sandbox.into(),
            network: policy.network,
            domains: policy.domains,
            secret_files: policy.secret_files.into(),
            approval_timeout_ms: policy.approval_timeout_ms,
            on_expiry: policy.on_expiry.into(),
            rules: policy.rules.into_iter().map(Into::into).collect(),
            budget: BudgetView { max_tokens, max_cost, max_duration_ms, max_model_calls },
        }
    }
}
