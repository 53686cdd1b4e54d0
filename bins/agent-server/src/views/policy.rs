//! The rules under which a plan runs.

use super::words::{ApprovalModeView, OnFailureView, SandboxView, WorkspaceModeView};
use agent_core::policy::{Budget, Policy};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The rules under which one plan runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"approval": "writes", "sandbox": "workspace_write", "network": false, "on_failure": "stop"}))]
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
    /// Ceilings.
    pub budget: BudgetView,
}

/// Ceilings for one plan; absent means none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
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
        let PolicyView { approval, max_parallel, on_failure, workspace, sandbox, network, budget } = view;
        let BudgetView { max_tokens, max_cost, max_duration_ms, max_model_calls } = budget;
        Self {
            approval: approval.into(),
            max_parallel,
            on_failure: on_failure.into(),
            workspace: workspace.into(),
            sandbox: sandbox.into(),
            network,
            budget: Budget { max_tokens, max_cost, max_duration_ms, max_model_calls },
        }
    }
}

impl From<Policy> for PolicyView {
    fn from(policy: Policy) -> Self {
        let Policy { approval, max_parallel, on_failure, workspace, sandbox, network, budget } = policy;
        let Budget { max_tokens, max_cost, max_duration_ms, max_model_calls } = budget;
        Self {
            approval: approval.into(),
            max_parallel,
            on_failure: on_failure.into(),
            workspace: workspace.into(),
            sandbox: sandbox.into(),
            network,
            budget: BudgetView { max_tokens, max_cost, max_duration_ms, max_model_calls },
        }
    }
}
