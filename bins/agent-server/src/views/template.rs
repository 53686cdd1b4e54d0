//! Templates as they are answered.

use super::task::CommandView;
use super::words::{DifficultyView, KindView, PriorityView};
use agent_templates::{Hit, Parameter, ParameterKind, Template, TemplateTask, WorkKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// The template in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TemplatePath {
    /// The template.
    #[param(example = "fix_failing_test")]
    pub id: String,
}

/// The words in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SearchPath {
    /// Words, taken literally, in whatever case.
    #[param(example = "test")]
    pub query: String,
}

/// Which templates to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListTemplates {
    /// Only of this difficulty.
    #[param(value_type = Option<DifficultyView>)]
    pub difficulty: Option<String>,
    /// Only with this tag.
    pub tag: Option<String>,
}

/// A template in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "fix_failing_test", "name": "Fix a failing test", "description": "…", "difficulty": "medium",
    "tags": ["testing"], "task_count": 4
}))]
pub struct TemplateSummaryView {
    /// Identifier.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// What comes out of it.
    pub description: String,
    /// How much work it is.
    pub difficulty: DifficultyView,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// How many tasks it has.
    pub task_count: usize,
}

impl From<&Template> for TemplateSummaryView {
    fn from(template: &Template) -> Self {
        Self {
            id: template.id.clone(),
            name: template.name.clone(),
            description: template.description.clone(),
            difficulty: template.difficulty.into(),
            tags: template.tags.clone(),
            task_count: template.task_count,
        }
    }
}

/// A template with its tasks and parameters.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TemplateView {
    /// Identifier.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// What comes out of it.
    pub description: String,
    /// How much work it is.
    pub difficulty: DifficultyView,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// How many tasks it has.
    pub task_count: usize,
    /// The goal of plans made from it, with placeholders.
    pub goal: String,
    /// Its tasks, by position.
    pub tasks: Vec<TemplateTaskView>,
    /// What it asks for.
    pub parameters: Vec<ParameterView>,
}

impl From<&Template> for TemplateView {
    fn from(template: &Template) -> Self {
        Self {
            id: template.id.clone(),
            name: template.name.clone(),
            description: template.description.clone(),
            difficulty: template.difficulty.into(),
            tags: template.tags.clone(),
            task_count: template.task_count,
            goal: template.goal.clone(),
            tasks: template.tasks.iter().map(Into::into).collect(),
            parameters: template.parameters.iter().map(Into::into).collect(),
        }
    }
}

/// A task of a template.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TemplateTaskView {
    /// Its position: 1 to n.
    pub id: u32,
    /// The stage of work it belongs to.
    pub phase: String,
    /// What is to be done, with placeholders.
    pub description: String,
    /// The kind of work.
    pub kind: KindView,
    /// Which of several ready tasks starts first.
    pub priority: PriorityView,
    /// Positions of the tasks that must be completed before.
    pub depends_on: Vec<u32>,
    /// What a `command` task runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandView>,
    /// What must exit 0 before an `agent` task counts as done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<CommandView>,
    /// Whether a person must approve before it starts.
    pub requires_approval: bool,
}

impl From<&TemplateTask> for TemplateTaskView {
    fn from(task: &TemplateTask) -> Self {
        Self {
            id: task.id,
            phase: task.phase.clone(),
            description: task.description.clone(),
            kind: match task.kind {
                WorkKind::Agent => KindView::Agent,
                WorkKind::Command => KindView::Command,
                WorkKind::Scan => KindView::Scan,
                WorkKind::Approval => KindView::Approval,
            },
            priority: task.priority.into(),
            depends_on: task.depends_on.clone(),
            command: task.command.clone().map(Into::into),
            verify: task.verify.clone().map(Into::into),
            requires_approval: task.requires_approval,
        }
    }
}

/// One thing that a template wants to know.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "name": "test_command", "kind": "string", "description": "The command that fails", "required": true
}))]
pub struct ParameterView {
    /// The name between the braces of `{{name}}`.
    pub name: String,
    /// `string`, `number`, `boolean` or `select`.
    pub kind: &'static str,
    /// What it is for.
    pub description: String,
    /// Whether a value must be given.
    pub required: bool,
    /// What is taken when nothing is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub default: Option<Value>,
    /// What a `select` can be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

impl From<&Parameter> for ParameterView {
    fn from(parameter: &Parameter) -> Self {
        Self {
            name: parameter.name.clone(),
            kind: match parameter.kind {
                ParameterKind::String => "string",
                ParameterKind::Number => "number",
                ParameterKind::Boolean => "boolean",
                ParameterKind::Select => "select",
            },
            description: parameter.description.clone(),
            required: parameter.required,
            default: parameter.default.clone(),
            options: parameter.options.clone(),
        }
    }
}

/// What was found, best first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TemplateSearchView {
    /// The words as they were understood.
    pub query: String,
    /// The templates.
    pub results: Vec<TemplateSummaryView>,
}

impl TemplateSearchView {
    /// The hits of a search.
    pub fn new(query: String, hits: &[Hit<'_>]) -> Self {
        Self { query, results: hits.iter().map(|hit| hit.template.into()).collect() }
    }
}
