//! Templates as they are answered.

use super::task::CommandView;
use super::words::{DifficultyView, ParameterKindView, PriorityView, WorkKindView};
use agent_core::time::Timestamp;
use agent_runtime::TemplateEntry;
use agent_templates::{Parameter, TemplateTask, TemplateVersion};
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

/// The version in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TemplateVersionPath {
    /// The template.
    #[param(example = "release_notes")]
    pub id: String,
    /// The version.
    #[param(minimum = 1, example = 1)]
    pub version: u32,
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
    "id": "fix_failing_test", "name": "Fix a failing test", "description": "…", "difficulty": "easy",
    "tags": ["tests"], "task_count": 3, "builtin": true, "version": 1
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
    /// Where it comes from.
    #[serde(flatten)]
    pub origin: OriginView,
}

impl From<TemplateEntry> for TemplateSummaryView {
    fn from(entry: TemplateEntry) -> Self {
        let origin = OriginView::of(&entry);
        let template = entry.template;
        Self {
            id: template.id,
            name: template.name,
            description: template.description,
            difficulty: template.difficulty.into(),
            tags: template.tags,
            task_count: template.task_count,
            origin,
        }
    }
}

/// Where a template comes from: from this program, or from somebody of the tenant.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OriginView {
    /// Whether it comes with this program; nobody changes it then.
    pub builtin: bool,
    /// How often it was written; 1 for what is built in.
    pub version: u32,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub created_at: Option<Timestamp>,
    /// When this version was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub updated_at: Option<Timestamp>,
}

impl OriginView {
    fn of(entry: &TemplateEntry) -> Self {
        let record = entry.record.as_ref();
        Self {
            builtin: record.is_none(),
            version: record.map_or(1, |record| record.version),
            author: record.map(|record| record.author.clone()),
            created_at: record.map(|record| record.created_at),
            updated_at: record.map(|record| record.updated_at),
        }
    }
}

/// A template with its tasks and parameters.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TemplateView {
    /// What a list shows of it.
    #[serde(flatten)]
    pub summary: TemplateSummaryView,
    /// The goal of plans made from it, with placeholders.
    pub goal: String,
    /// Its tasks, by position.
    pub tasks: Vec<TemplateTaskView>,
    /// What it asks for.
    pub parameters: Vec<ParameterView>,
}

impl From<TemplateEntry> for TemplateView {
    fn from(entry: TemplateEntry) -> Self {
        let template = &entry.template;
        Self {
            goal: template.goal.clone(),
            tasks: template.tasks.iter().map(Into::into).collect(),
            parameters: template.parameters.iter().map(Into::into).collect(),
            summary: entry.into(),
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
    pub kind: WorkKindView,
    /// Which of several ready tasks starts first.
    pub priority: PriorityView,
    /// Positions of the tasks that must be completed before.
    pub depends_on: Vec<u32>,
    /// Files and folders that it is expected to look at.
    pub reads: Vec<String>,
    /// Files and folders that it is expected to change.
    pub writes: Vec<String>,
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
            kind: task.kind.into(),
            priority: task.priority.into(),
            depends_on: task.depends_on.clone(),
            reads: task.reads.clone(),
            writes: task.writes.clone(),
            command: task.command.clone().map(Into::into),
            verify: task.verify.clone().map(Into::into),
            requires_approval: task.requires_approval,
        }
    }
}

/// One thing that a template wants to know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "test_command", "kind": "string", "description": "The command that fails", "required": true
}))]
pub struct ParameterView {
    /// The name between the braces of `{{name}}`.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,63}$")]
    pub name: String,
    /// What kind of value it takes.
    pub kind: ParameterKindView,
    /// What it is for.
    #[schema(min_length = 1)]
    pub description: String,
    /// Whether a value must be given.
    #[serde(default)]
    pub required: bool,
    /// What is taken when nothing is given; every parameter that is not required has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Value>)]
    pub default: Option<Value>,
    /// What a `select` can be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

impl From<&Parameter> for ParameterView {
    fn from(parameter: &Parameter) -> Self {
        Self {
            name: parameter.name.clone(),
            kind: parameter.kind.into(),
            description: parameter.description.clone(),
            required: parameter.required,
            default: parameter.default.clone(),
            options: parameter.options.clone(),
        }
    }
}

impl From<ParameterView> for Parameter {
    fn from(view: ParameterView) -> Self {
        let ParameterView { name, kind, description, required, default, options } = view;
        Self { name, kind: kind.into(), description, default, options, required }
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
    /// What a search found.
    pub fn new(query: String, found: Vec<TemplateEntry>) -> Self {
        Self { query, results: found.into_iter().map(Into::into).collect() }
    }
}

/// The versions of a template, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TemplateVersionsView {
    /// The template.
    pub id: String,
    /// Its versions; none for what is built in, which changes with the program.
    pub versions: Vec<TemplateVersionSummaryView>,
}

impl TemplateVersionsView {
    /// The versions of a template.
    pub fn new(id: String, versions: Vec<TemplateVersion>) -> Self {
        Self { id, versions: versions.iter().map(Into::into).collect() }
    }
}

/// A version of a template in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "version": 2, "author": "ada", "created_at": "2026-01-01T12:00:00.000Z", "name": "Release notes", "task_count": 3
}))]
pub struct TemplateVersionSummaryView {
    /// 1 for the template as it was made.
    pub version: u32,
    /// Who wrote it.
    pub author: String,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// The name that the template had.
    pub name: String,
    /// How many tasks it had.
    pub task_count: usize,
}

impl From<&TemplateVersion> for TemplateVersionSummaryView {
    fn from(version: &TemplateVersion) -> Self {
        Self {
            version: version.version,
            author: version.author.clone(),
            created_at: version.created_at,
            name: version.template.name.clone(),
            task_count: version.template.task_count,
        }
    }
}

/// A template as it was in one of its versions.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TemplateVersionView {
    /// What a list shows of the version.
    #[serde(flatten)]
    pub summary: TemplateVersionSummaryView,
    /// Identifier of the template.
    pub id: String,
    /// What came out of it.
    pub description: String,
    /// How much work it was.
    pub difficulty: DifficultyView,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The goal of plans made from it, with placeholders.
    pub goal: String,
    /// Its tasks, by position.
    pub tasks: Vec<TemplateTaskView>,
    /// What it asked for.
    pub parameters: Vec<ParameterView>,
}

impl From<TemplateVersion> for TemplateVersionView {
    fn from(version: TemplateVersion) -> Self {
        let summary = (&version).into();
        let template = version.template;
        Self {
            summary,
            tasks: template.tasks.iter().map(Into::into).collect(),
            parameters: template.parameters.iter().map(Into::into).collect(),
            id: template.id,
            description: template.description,
            difficulty: template.difficulty.into(),
            tags: template.tags,
            goal: template.goal,
        }
    }
}
