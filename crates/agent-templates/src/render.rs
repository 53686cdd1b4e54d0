//! A template filled in: a goal and tasks, ready to become a plan.

use crate::error::{Error, Result};
use crate::parameters::resolve;
use crate::placeholder::{fill, fill_shell};
use crate::template::{Template, TemplateTask, WorkKind};
use agent_core::error::Defect;
use agent_core::plan::{CommandLine, TaskKind, TaskSpec};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The longest path of `reads` and `writes`, in bytes, as written and filled in.
pub(crate) const MAX_PATH: usize = 1_024;

/// The longest text with its values filled in, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// The largest plan with its values filled in, in bytes of all its texts.
const MAX_PLAN: usize = 1024 * 1024;

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
    /// [`Error::Parameters`] naming the parameters that are unknown, missing, of the wrong type, or hold
    /// invisible characters, or when with their values a path has more than 1,024 bytes, a text more than 64 KiB, or
    /// all texts together more than 1 MiB.
    pub fn render(&self, parameters: &Map<String, Value>) -> Result<RenderedPlan> {
        let values = resolve(&self.parameters, parameters).map_err(Error::Parameters)?;
        let mut filling = Filling { values: &values, left: MAX_PLAN };
        let tasks = self.tasks.iter().map(|task| filling.task(task)).collect::<Result<_>>()?;
        Ok(RenderedPlan { goal: filling.text(&self.goal)?, tasks })
    }
}

/// A plan while its texts are filled in.
struct Filling<'a> {
    values: &'a BTreeMap<String, String>,
    /// How many bytes the texts to come may have together.
    left: usize,
}

impl Filling<'_> {
    fn task(&mut self, task: &TemplateTask) -> Result<TaskSpec> {
        let description = format!("{}: {}", task.phase, self.text(task.description.trim())?);
        let mut spec = TaskSpec::new(description, self.kind(task)?);
        spec.priority = task.priority;
        spec.depends_on.clone_from(&task.depends_on);
        spec.reads = self.paths(&task.reads)?;
        spec.writes = self.paths(&task.writes)?;
        spec.requires_approval = task.requires_approval;
        Ok(spec)
    }

    /// The paths with their values; one of which nothing is left is none.
    fn paths(&mut self, paths: &[String]) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for path in paths {
            let path = self.within(MAX_PATH, |max, value| fill(path, max, value))?;
            if !path.trim().is_empty() {
                found.push(path);
            }
        }
        Ok(found)
    }

    fn kind(&mut self, task: &TemplateTask) -> Result<TaskKind> {
        Ok(match task.kind {
            WorkKind::Agent => TaskKind::Agent { verify: self.command(task.verify.as_ref())? },
            WorkKind::Scan => TaskKind::Scan,
            WorkKind::Approval => TaskKind::Approval,
            WorkKind::Command => {
                // An empty command is refused by the plan's own checks, which name the task.
                let command = self.command(task.command.as_ref())?.unwrap_or(CommandLine::Argv(Vec::new()));
                TaskKind::Command { command, env: BTreeMap::new(), working_directory: None }
            }
        })
    }

    /// The command with its values, or `None` when nothing is left to run.
    fn command(&mut self, command: Option<&CommandLine>) -> Result<Option<CommandLine>> {
        Ok(match command {
            Some(CommandLine::Argv(argv)) => {
                let argv = argv.iter().map(|argument| self.text(argument)).collect::<Result<Vec<_>>>()?;
                let runs = argv.first().is_some_and(|program| !program.trim().is_empty());
                runs.then_some(CommandLine::Argv(argv))
            }
            Some(CommandLine::Shell(line)) => {
                let line = self.within(MAX_TEXT, |max, value| fill_shell(line, max, value))?;
                (!line.trim().is_empty()).then_some(CommandLine::Shell(line))
            }
            None => None,
        })
    }

    fn text(&mut self, text: &str) -> Result<String> {
        self.within(MAX_TEXT, |max, value| fill(text, max, value))
    }

    /// A filled text of at most `max` bytes, taken from what is left for all.
    fn within(
        &mut self,
        max: usize,
        fill: impl FnOnce(usize, &dyn Fn(&str) -> String) -> Option<String>,
    ) -> Result<String> {
        // Every placeholder of a checked template has a parameter, and every parameter a value.
        let value = |name: &str| self.values.get(name).cloned().unwrap_or_default();
        let Some(filled) = fill(max.min(self.left), &value) else { return Err(self.too_long(max)) };
        self.left = self.left.saturating_sub(filled.len());
        Ok(filled)
    }

    fn too_long(&self, max: usize) -> Error {
        let detail = if self.left < max {
            format!("with these values the plan has more than {MAX_PLAN} bytes; shorten them")
        } else if max == MAX_PATH {
            format!("with these values a path has more than {MAX_PATH} bytes; shorten them")
        } else {
            format!("with these values a text has more than {MAX_TEXT} bytes; shorten them")
        };
        Error::Parameters(vec![Defect::new("/parameters", detail)])
    }
}
