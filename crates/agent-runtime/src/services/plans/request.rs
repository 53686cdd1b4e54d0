//! What callers ask of plans, and what can be said about it without looking at the world.

use crate::error::Result;
use agent_auth::{Principal, Scope};
use agent_core::Error;
use agent_core::error::Defect;
use agent_core::plan::{Idempotency, TaskSpec, graph};
use agent_core::policy::{Demand, Judge, Judged, Permission, Policy, SandboxLevel};
use agent_core::tool::name::RUN_COMMAND;
use serde_json::{Map, Value};

/// The longest that a question may wait for an answer, in milliseconds.
const LONGEST_WAIT_MS: u64 = 30 * 24 * 60 * 60 * 1_000;

/// The longest name of a host (RFC 1035), with its port, in bytes.
const LONGEST_DOMAIN: usize = 260;

/// A plan as a caller asks for it.
#[derive(Debug, Clone, Default)]
pub struct CreatePlan {
    /// What is to be reached; that of the template when empty.
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
pub(super) fn check(caller: &Principal, request: &CreatePlan, bounds: &Bounds<'_>) -> Result<()> {
    let mut defects = Vec::new();
    check_goal(&request.goal, &mut defects);
    check_policy(caller, &request.policy, bounds, &mut defects);
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

/// What the rules of a plan are held against.
pub(super) struct Bounds<'a> {
    /// The configured model, where its price is unknown.
    pub(super) unpriced: Option<&'a str>,
    /// The server's own rules.
    pub(super) judge: &'a dyn Judge,
}

/// What can be said about the rules a caller asks for.
pub(super) fn check_policy(
    caller: &Principal,
    policy: &Policy,
    bounds: &Bounds<'_>,
    defects: &mut Vec<Defect>,
) {
    for problem in bounds.judge.problems(&policy.rules) {
        defects.push(Defect::new(format!("/policy/rules/{}", problem.index), problem.detail));
    }
    check_network(policy, bounds.judge, defects);
    if policy.sandbox == SandboxLevel::FullAccess && !caller.may(Scope::TenantsManage) {
        let detail = "full_access gives commands all that the server's account may do; only an operator of the server may ask for it, with a token or key for tenants:manage";
        defects.push(Defect::new("/policy/sandbox", detail));
    }
    if policy.approval_timeout_ms.is_some_and(|most| most > LONGEST_WAIT_MS) {
        let detail = format!("must be at most {LONGEST_WAIT_MS} (30 days): nothing waits for ever");
        defects.push(Defect::new("/policy/approval_timeout_ms", detail));
    }
    if policy.max_parallel == Some(0) {
        defects.push(Defect::new("/policy/max_parallel", "must be at least 1"));
    }
    if let (Some(_), Some(model)) = (policy.budget.max_cost, bounds.unpriced) {
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

/// What commands shall reach must be allowed from the start: nobody can be asked about each connection.
fn check_network(policy: &Policy, judge: &dyn Judge, defects: &mut Vec<Defect>) {
    let all = policy.network.then(|| ("/policy/network".to_owned(), "*".to_owned()));
    let named = policy.domains.iter().enumerate();
    let named = named.map(|(index, name)| (format!("/policy/domains/{index}"), name.clone()));
    for (pointer, name) in all.into_iter().chain(named) {
        let demand = Demand::Domain(name);
        let verdict = judge.judge(Judged { tool: RUN_COMMAND, demand: &demand, policy });
        if verdict.permission != Permission::Allow {
            defects.push(Defect::new(pointer, format!("policy_denied: {}", verdict.reason)));
        }
    }
    for (index, name) in policy.domains.iter().enumerate() {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || ".-*:[]".contains(c));
        if name.is_empty() || name.len() > LONGEST_DOMAIN || !plain {
            let detail = "must be the name of a host such as crates.io or *.npmjs.org, with a port where it is another";
            defects.push(Defect::new(format!("/policy/domains/{index}"), detail));
        }
    }
}
