//! A template filled in: a goal and tasks, ready to become a plan.

use crate::error::{Error, Result};
use crate::parameters::resolve;
use crate::placeholder::{fill, fill_shell};
use crate::template::{Template, TemplateTask, WorkKind};
use agent_core::plan::{CommandLine, TaskKind, TaskSpec};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What a template yields.
#[derive(Debug, Clone, PartialEq)]
pub struct RenderedPlan {
    /// What is to be reached.
    pub goal: String,
    /// The tasks, by position.
    pub tasks: Vec<TaskSpec>,
}

impl Template {
    /// Fills in the parameters; those not given take their defaults. The same parameters always yield the
    /// same plan.
    ///
    /// # Errors
    /// [`Error::Parameters`] naming every parameter that is unknown, missing, of the wrong type, or holds
    /// invisible characters.
    pub fn render(&self, parameters: &Map<String, Value>) -> Result<RenderedPlan> {
        let values = resolve(&self.parameters, parameters).map_err(Error::Parameters)?;
        let tasks = self.tasks.iter().map(|task| filled_task(task, &values)).collect();
        Ok(RenderedPlan { goal: filled(&self.goal, &values), tasks })
    }
}

fn filled_task(task: &TemplateTask, values: &BTreeMap<String, String>) -> TaskSpec {
    let description = format!("{}: {}", task.phase, filled(task.description.trim(), values));
    let mut spec = TaskSpec::new(description, filled_kind(task, values));
    spec.priority = task.priority;
    spec.depends_on.clone_from(&task.depends_on);
    spec.reads = filled_paths(&task.reads, values);
    spec.writes = filled_paths(&task.writes, values);
    spec.requires_approval = task.requires_approval;
    spec
}

/// The paths with their values; one of which nothing is left is none.
fn filled_paths(paths: &[String], values: &BTreeMap<String, String>) -> Vec<String> {
    paths.iter().map(|path| filled(path, values)).filter(|path| !path.trim().is_empty()).collect()
}

fn filled_kind(task: &TemplateTask, values: &BTreeMap<String, String>) -> TaskKind {
    match task.kind {
        WorkKind::Agent => {
            let verify = task.verify.as_ref().and_then(|command| filled_command(command, values));
            TaskKind::Agent { verify }
        }
        WorkKind::Scan => TaskKind::Scan,
        WorkKind::Approval => TaskKind::Approval,
        WorkKind::Command => {
            let command = task.command.as_ref().and_then(|command| filled_command(command, values));
            // An empty command is refused by the plan's own checks, which name the task.
            let command = command.unwrap_or(CommandLine::Argv(Vec::new()));
            TaskKind::Command { command, env: BTreeMap::new(), working_directory: None }
        }
    }
}

fn filled(text: &str, values: &BTreeMap<String, String>) -> String {
    fill(text, &|name| value(values, name))
}

/// The command with its values, or `None` when nothing is left to run.
fn filled_command(command: &CommandLine, values: &BTreeMap<String, String>) -> Option<CommandLine> {
    match command {
        CommandLine::Argv(argv) => {
            let argv: Vec<String> = argv.iter().map(|argument| filled(argument, values)).collect();
            argv.first().is_some_and(|program| !program.trim().is_empty()).then_some(CommandLine::Argv(argv))
        }
        CommandLine::Shell(line) => {
            let line = fill_shell(line, &|name| value(values, name));
            (!line.trim().is_empty()).then_some(CommandLine::Shell(line))
        }
    }
}

/// Every placeholder of a checked template has a parameter, and every parameter a value.
fn value(values: &BTreeMap<String, String>, name: &str) -> String {
    values.get(name).cloned().unwrap_or_default()
}
