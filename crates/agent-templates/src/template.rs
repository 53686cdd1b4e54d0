//! Templates: a goal and tasks with places for parameters.

use crate::check;
use crate::error::{Error, Result};
use crate::parameters::Parameter;
use crate::yaml::{read_yaml, write_yaml};
use agent_core::plan::{CommandLine, Priority};
use serde::{Deserialize, Serialize};

/// The largest template, in bytes of its JSON.
pub const MAX_DOCUMENT: usize = 64 * 1024;

/// How much work a template is, by its number of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difficulty {
    /// Up to 3 tasks.
    Easy,
    /// 4 to 7 tasks.
    Medium,
    /// 8 tasks and more.
    Hard,
}

impl Difficulty {
    /// The difficulty of so many tasks.
    pub fn of(task_count: usize) -> Self {
        match task_count {
            0..=3 => Self::Easy,
            4..=7 => Self::Medium,
            _ => Self::Hard,
        }
    }
}

/// The kind of work of a template's task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkKind {
    /// A language model works with tools.
    #[default]
    Agent,
    /// A command is run.
    Command,
    /// The repository is described.
    Scan,
    /// A person decides.
    Approval,
}

/// One task of a template.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateTask {
    /// Its position: 1 to n, counted when the template is made; 0 before that, and never read or written then.
    #[serde(skip_deserializing, skip_serializing_if = "is_zero")]
    pub id: u32,
    /// The stage of work it belongs to, in one or two words.
    pub phase: String,
    /// What is to be done; may hold placeholders.
    pub description: String,
    /// Which of several ready tasks starts first.
    #[serde(default)]
    pub priority: Priority,
    /// Positions of the tasks that must be completed before.
    #[serde(default)]
    pub depends_on: Vec<u32>,
    /// The kind of work.
    #[serde(default)]
    pub kind: WorkKind,
    /// What a `command` task runs; may hold placeholders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandLine>,
    /// Files and folders it builds on, relative to the repository; may hold placeholders.
    #[serde(default)]
    pub reads: Vec<String>,
    /// Files and folders it makes or changes. No task that may run at the same time touches them.
    #[serde(default)]
    pub writes: Vec<String>,
    /// Must exit 0 before an `agent` task counts as done; nothing is run when it is empty once filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify: Option<CommandLine>,
    /// Whether a person must approve before it starts.
    #[serde(default)]
    pub requires_approval: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_zero(id: &u32) -> bool {
    *id == 0
}

/// A template as it is handed in, and as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTemplate {
    /// Identifier, such as `rest_api`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// What comes out of it, in a sentence or two.
    pub description: String,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// The goal of plans made from it; may hold placeholders.
    pub goal: String,
    /// What it asks for.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// Its tasks, by position.
    pub tasks: Vec<TemplateTask>,
}

impl From<&Template> for NewTemplate {
    /// As the template could be handed in again.
    fn from(template: &Template) -> Self {
        let tasks = template.tasks.iter().map(|task| TemplateTask { id: 0, ..task.clone() });
        Self {
            id: template.id.clone(),
            name: template.name.clone(),
            description: template.description.clone(),
            tags: template.tags.clone(),
            goal: template.goal.clone(),
            parameters: template.parameters.clone(),
            tasks: tasks.collect(),
        }
    }
}

/// A template that has been checked. Made by [`Template::new`] and what stands on it, or read back by
/// [`Template::kept`], nowhere else.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Template {
    /// Identifier, such as `rest_api`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// What comes out of it, in a sentence or two.
    pub description: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// How much work it is.
    pub difficulty: Difficulty,
    /// How many tasks it has.
    pub task_count: usize,
    /// The goal of plans made from it; may hold placeholders.
    pub goal: String,
    /// What it asks for.
    pub parameters: Vec<Parameter>,
    /// Its tasks, by position.
    pub tasks: Vec<TemplateTask>,
}

impl Template {
    /// Numbers the tasks and checks everything: size, names, parameters and their defaults, placeholders, the
    /// dependency graph, that no two tasks that may run at once touch the same file, hidden characters.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the first hundred defects found.
    pub fn new(new: NewTemplate) -> Result<Self> {
        let template = Self::kept(new);
        let defects = check::defects(&template);
        if defects.is_empty() { Ok(template) } else { Err(Error::Invalid { id: template.id, defects }) }
    }

    /// A template that was checked when it was handed in, read back from where it was kept. Rules that have become
    /// stricter since do not take it away from anybody: what is made of it is checked as a plan.
    pub fn kept(new: NewTemplate) -> Self {
        let NewTemplate { id, name, description, tags, goal, parameters, mut tasks } = new;
        for (position, task) in (1..).zip(&mut tasks) {
            task.id = position;
        }
        let (task_count, difficulty) = (tasks.len(), Difficulty::of(tasks.len()));
        Self { id, name, description, tags, difficulty, task_count, goal, parameters, tasks }
    }

    /// Reads a template from TOML; the fields are those of [`NewTemplate`].
    ///
    /// # Errors
    /// [`Error::Unreadable`] with the place in the text, [`Error::Invalid`] as for [`Template::new`].
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::new(toml::from_str(text).map_err(Error::Unreadable)?)
    }

    /// Reads a template from YAML; the fields are those of [`NewTemplate`].
    ///
    /// # Errors
    /// [`Error::UnreadableYaml`] with the place in the text, [`Error::Invalid`] as for [`Template::new`].
    pub fn from_yaml(text: &str) -> Result<Self> {
        Self::new(read_yaml(text)?)
    }

    /// The template as YAML that [`Template::from_yaml`] reads.
    ///
    /// # Errors
    /// [`Error::UnreadableYaml`] where a value has no form in YAML, which none of a checked template is.
    pub fn to_yaml(&self) -> Result<String> {
        write_yaml(&NewTemplate::from(self))
    }
}
