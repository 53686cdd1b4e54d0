//! Templates as they are answered.

use agent_core::plan::{CommandLine, Priority};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Which templates to list; the default is all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TemplateFilter {
    /// Only of this difficulty: `easy`, `medium` or `hard`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difficulty: Option<String>,
    /// Only with this tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// A template in a list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TemplateSummary {
    /// Identifier.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// What comes out of it.
    pub description: String,
    /// How much work it is: `easy`, `medium` or `hard`.
    pub difficulty: String,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// How many tasks it has.
    pub task_count: u64,
}

/// A template with its tasks and parameters.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Template {
    /// What lists say of it, too.
    #[serde(flatten)]
    pub summary: TemplateSummary,
    /// The goal of plans made from it, with `{{name}}` where values go.
    #[serde(default)]
    pub goal: String,
    /// Its tasks, by position.
    pub tasks: Vec<TemplateTask>,
    /// What it asks for.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
}

/// A task of a template.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct TemplateTask {
    /// Its position: 1 to n.
    pub id: u32,
    /// The stage of work it belongs to.
    #[serde(default)]
    pub phase: String,
    /// What is to be done, with `{{name}}` where values go.
    pub description: String,
    /// The kind of work.
    #[serde(default)]
    pub kind: String,
    /// Which of several ready tasks starts first.
    pub priority: Priority,
    /// Positions of the tasks that must be completed before.
    #[serde(default)]
    pub depends_on: Vec<u32>,
    /// What a `command` task runs.
    #[serde(default)]
    pub command: Option<CommandLine>,
    /// What must exit 0 before an `agent` task counts as done.
    #[serde(default)]
    pub verify: Option<CommandLine>,
    /// Whether a person must approve before it starts.
    #[serde(default)]
    pub requires_approval: bool,
}

/// One thing that a template wants to know.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Parameter {
    /// The name between the braces of `{{name}}`.
    pub name: String,
    /// `string`, `number`, `boolean` or `select`.
    pub kind: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Whether a value must be given.
    pub required: bool,
    /// What is taken when nothing is given.
    #[serde(default)]
    pub default: Option<Value>,
    /// What a `select` can be.
    #[serde(default)]
    pub options: Vec<String>,
}

/// What a search found, best first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct TemplateSearch {
    /// The words as they were understood.
    pub query: String,
    /// The templates.
    pub results: Vec<TemplateSummary>,
}
