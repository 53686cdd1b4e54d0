//! A template as it is handed in, as JSON or YAML.

use super::task::CommandView;
use super::template::ParameterView;
use super::words::{PriorityView, WorkKindView};
use agent_templates::{NewTemplate, TemplateTask};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A template to be made, or what one is to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "id": "release_notes",
    "name": "Release notes",
    "description": "Writes the notes of a release from its history.",
    "tags": ["release", "writing"],
    "goal": "Write the notes of release {{version}}",
    "parameters": [
        {"name": "version", "kind": "string", "description": "The release, such as 1.4.0", "required": true}
    ],
    "tasks": [
        {"phase": "History", "description": "Gather what changed since the release before {{version}}.", "priority": "high"},
        {"phase": "Writing", "description": "Write the notes.", "depends_on": [1], "writes": ["CHANGELOG.md"]}
    ]
}))]
pub struct WriteTemplate {
    /// Identifier, not that of a template that is built in.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,63}$")]
    pub id: String,
    /// Name for people.
    #[schema(min_length = 1)]
    pub name: String,
    /// What comes out of it, in a sentence or two.
    #[schema(min_length = 1)]
    pub description: String,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The goal of plans made from it; may hold places for parameters.
    #[schema(min_length = 1)]
    pub goal: String,
    /// What it asks for.
    #[serde(default)]
    pub parameters: Vec<ParameterView>,
    /// Its tasks, by position.
    #[schema(min_items = 1, max_items = 200)]
    pub tasks: Vec<WriteTemplateTask>,
}

/// A task of a template as it is handed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WriteTemplateTask {
    /// The stage of work it belongs to, in one or two words.
    #[schema(min_length = 1)]
    pub phase: String,
    /// What is to be done; may hold places for parameters.
    #[schema(min_length = 1)]
    pub description: String,
    /// The kind of work; `agent` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<WorkKindView>,
    /// Which of several ready tasks starts first; `medium` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<PriorityView>,
    /// Positions of the tasks that must be completed before.
    #[serde(default)]
    pub depends_on: Vec<u32>,
    /// Files and folders that it is expected to look at, relative to the repository; may hold places for parameters.
    #[serde(default)]
    pub reads: Vec<String>,
    /// Files and folders that it is expected to change. No task that may run at the same time touches them.
    #[serde(default)]
    pub writes: Vec<String>,
    /// `command` only: what to run; may hold places for parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandView>,
    /// `agent` only: must exit 0 before the task counts as done; may hold places for parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<CommandView>,
    /// Whether a person must approve before it starts.
    #[serde(default)]
    pub requires_approval: bool,
}

impl From<WriteTemplate> for NewTemplate {
    fn from(view: WriteTemplate) -> Self {
        Self {
            id: view.id,
            name: view.name,
            description: view.description,
            tags: view.tags,
            goal: view.goal,
            parameters: view.parameters.into_iter().map(Into::into).collect(),
            tasks: view.tasks.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<WriteTemplateTask> for TemplateTask {
    fn from(view: WriteTemplateTask) -> Self {
        Self {
            id: 0,
            phase: view.phase,
            description: view.description,
            priority: view.priority.map(Into::into).unwrap_or_default(),
            depends_on: view.depends_on,
            kind: view.kind.map(Into::into).unwrap_or_default(),
            command: view.command.map(Into::into),
            reads: view.reads,
            writes: view.writes,
            verify: view.verify.map(Into::into),
            requires_approval: view.requires_approval,
        }
    }
}
