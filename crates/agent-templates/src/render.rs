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
    let verify = task.verify.as_ref().and_then(|command| filled_command(command, values));
    let mut spec = TaskSpec::new(described(task, verify.as_ref(), values), filled_kind(task, verify, values));
    spec.priority = task.priority;
    spec.depends_on.clone_from(&task.depends_on);
    spec.requires_approval = task.requires_approval;
    spec
}

fn filled_kind(
    task: &TemplateTask,
    verify: Option<CommandLine>,
    values: &BTreeMap<String, String>,
) -> TaskKind {
    match task.kind {
        WorkKind::Agent => TaskKind::Agent { verify },
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

/// The description with what the task builds on, makes, and is measured by.
fn described(task: &TemplateTask, verify: Option<&CommandLine>, values: &BTreeMap<String, String>) -> String {
    let mut text = format!("{}: {}", task.phase, filled(task.description.trim(), values));
    for (label, paths) in [("Reads", &task.reads), ("Writes", &task.writes)] {
        if !paths.is_empty() {
            let paths: Vec<String> = paths.iter().map(|path| filled(path, values)).collect();
            text.push_str(&format!("\n{label}: {}", paths.join(", ")));
        }
    }
    if let Some(command) = verify {
        text.push_str(&format!("\nDone when this exits 0: {command}"));
    }
    text
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
