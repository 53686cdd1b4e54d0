//! What callers ask of plans, and what can be said about it without looking at the world.

use crate::error::Result;
use agent_auth::{Principal, Role};
use agent_core::Error;
use agent_core::error::Defect;
use agent_core::plan::{Idempotency, TaskSpec, graph};
use agent_core::policy::{Policy, SandboxLevel};
use serde_json::{Map, Value};

/// A plan as a caller asks for it.
#[derive(Debug, Clone, Default)]
pub struct CreatePlan {
    /// What is to be reached.
    pub goal: String,
    /// The repository; the first root when absent.
    pub repo_path: Option<String>,
    /// A template to take the tasks from.
    pub template_id: Option<String>,
    /// The template's parameters.
    pub parameters: Map<String, Value>,
    /// The tasks; empty when a template or a language model gives them.
    pub tasks: Vec<TaskSpec>,
    /// The rules.
    pub policy: Policy,
    /// Whether it starts as soon as it has tasks.
    pub auto_execute: bool,
    /// Makes a repeated request find the plan of the first.
    pub idempotency: Option<Idempotency>,
}

impl CreatePlan {
    /// A plan for a goal, every option at its default.
    pub fn new(goal: impl Into<String>) -> Self {
        Self { goal: goal.into(), ..Self::default() }
    }

    /// With explicit tasks; no language model is asked then.
    #[must_use]
    pub fn with_tasks(mut self, tasks: impl IntoIterator<Item = TaskSpec>) -> Self {
        self.tasks = tasks.into_iter().collect();
        self
    }

    /// In this repository.
    #[must_use]
    pub fn in_repository(mut self, path: impl Into<String>) -> Self {
        self.repo_path = Some(path.into());
        self
    }

    /// To start as soon as it has tasks.
    #[must_use]
    pub fn execute(mut self) -> Self {
        self.auto_execute = true;
        self
    }
}

/// What can be said about a request without looking at the world.
pub(super) fn check(caller: &Principal, request: &CreatePlan, unpriced: Option<&str>) -> Result<()> {
    let mut defects = Vec::new();
    check_goal(&request.goal, &mut defects);
    check_policy(caller, &request.policy, unpriced, &mut defects);
    if defects.is_empty() { Ok(()) } else { Err(Error::InvalidPlan(defects).into()) }
}

/// What can be said about a goal.
pub(super) fn check_goal(goal: &str, defects: &mut Vec<Defect>) {
    if goal.trim().is_empty() {
        defects.push(Defect::new("/goal", "must say what is to be reached"));
    }
    if goal.len() > graph::MAX_TEXT {
        defects.push(Defect::new("/goal", format!("longer than {} bytes", graph::MAX_TEXT)));
    }
    if goal.contains('\0') {
        defects.push(Defect::new("/goal", "may hold no NUL"));
    }
}

/// What can be said about the rules a caller asks for; `unpriced` is the model where its price is unknown.
pub(super) fn check_policy(
    caller: &Principal,
    policy: &Policy,
    unpriced: Option<&str>,
    defects: &mut Vec<Defect>,
) {
    if policy.sandbox == SandboxLevel::FullAccess && caller.role != Role::Admin {
        let detail = "full_access gives commands all that the server's account may do; only an administrator may ask for it";
        defects.push(Defect::new("/policy/sandbox", detail));
    }
    if policy.max_parallel == Some(0) {
        defects.push(Defect::new("/policy/max_parallel", "must be at least 1"));
    }
    if let (Some(_), Some(model)) = (policy.budget.max_cost, unpriced) {
        let detail = format!(
            "the price of {model} is unknown, so that no cost can be kept to: set AGENT_LLM_PRICES, or use max_tokens or \
             max_model_calls"
        );
        defects.push(Defect::new("/policy/budget/max_cost", detail));
    }
    if policy.budget.max_cost.is_some_and(|most| !most.is_finite() || most < 0.0) {
        defects.push(Defect::new("/policy/budget/max_cost", "must be a number of US dollars of at least 0"));
    }
}
