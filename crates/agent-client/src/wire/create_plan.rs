//! A plan as it is asked for.

use agent_core::plan::TaskSpec;
use agent_core::policy::Policy;
use serde::Serialize;
use serde_json::{Map, Value};

/// A plan to be created: from explicit tasks, from a template, or by a language model from the goal alone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CreatePlan {
    goal: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    repo_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    template_id: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    parameters: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks: Option<Vec<TaskSpec>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Policy>,
    auto_execute: bool,
}

impl CreatePlan {
    /// A plan for this goal (1 to 32,768 characters), in the first repository root of the server and with the usual
    /// rules, whose tasks a language model finds unless something else gives them.
    pub fn new(goal: impl Into<String>) -> Self {
        Self {
            goal: goal.into(),
            repo_path: None,
            template_id: None,
            parameters: Map::new(),
            tasks: None,
            policy: None,
            auto_execute: false,
        }
    }

    /// In this repository, below one of the roots of the server.
    #[must_use]
    pub fn in_repository(mut self, path: impl Into<String>) -> Self {
        self.repo_path = Some(path.into());
        self
    }

    /// With these tasks; no language model is asked then.
    #[must_use]
    pub fn with_tasks(mut self, tasks: impl IntoIterator<Item = TaskSpec>) -> Self {
        self.tasks = Some(tasks.into_iter().collect());
        self
    }

    /// With the tasks of this template.
    #[must_use]
    pub fn from_template(mut self, id: impl Into<String>, parameters: Map<String, Value>) -> Self {
        (self.template_id, self.parameters) = (Some(id.into()), parameters);
        self
    }

    /// Under these rules.
    #[must_use]
    pub fn under(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// To be started as soon as it has tasks.
    #[must_use]
    pub fn execute(mut self) -> Self {
        self.auto_execute = true;
        self
    }
}
