//! `agent plans edit|versions`: changing what a plan is to do.

use crate::backend::Backend;
use crate::embedded::Embedded;
use crate::exit::{Exit, Outcome};
use crate::follow::follow;
use crate::output::{Terminal, moment};
use crate::table::{Table, number, text, word};
use crate::{plan_file, plan_view};
use agent_client::Task;
use agent_core::ids::PlanId;
use agent_core::plan::{DefinitionChange, DefinitionFate, PlanState, PlanStatus, WorkFate};
use agent_runtime::Edited;
use agent_server::views::version::{EditedPlanView, PlanVersionsView};
use clap::Args;
use std::path::PathBuf;

const EDIT_EXAMPLES: &str = "\
Examples:
  agent plans edit 7 edit.yaml
  agent plans edit 7 edit.json --if-version 3     only if nobody has edited it since
  echo '{\"operations\": [{\"op\": \"remove\", \"task_id\": 12}]}' | agent plans edit 7 -

The file has the fields of PATCH /plans/{id}, in YAML or JSON:
  operations:
    - {op: update, task_id: 11, task: {command: [cargo, test]}}
    - {op: add, task: {description: Look around, kind: scan, depends_on: [2]}}

What is done and not concerned stays done. A plan that was running goes on here.";

const VERSIONS_EXAMPLES: &str = "\
Examples:
  agent plans versions 7
  agent plans versions 7 --json";

/// Arguments of `agent plans edit`.
#[derive(Debug, Args)]
#[command(after_help = EDIT_EXAMPLES)]
pub(super) struct Edit {
    /// The plan
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    plan_id: i64,
    /// The edit, in YAML or JSON (`-`: standard input)
    file: PathBuf,
    /// Refuse when the plan has another version by now
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    if_version: Option<u32>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Arguments of `agent plans versions`.
#[derive(Debug, Args)]
#[command(after_help = VERSIONS_EXAMPLES)]
pub(super) struct Versions {
    /// The plan
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    plan_id: i64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Edit {
    pub(super) async fn run(self, embedded: &Embedded, terminal: Terminal) -> Outcome {
        let view = plan_file::read_edit(&self.file)?;
        let id = PlanId(self.plan_id);
        let make = |state: &PlanState| view.clone().into_edit(state);
        let edited = embedded.agent.plans().edit_with(&embedded.me, id, self.if_version, make).await?;
        let goes_on = edited.details.state.plan.status == PlanStatus::Running;
        if self.json {
            terminal.json(&EditedPlanView::from(edited))?;
        } else {
            show(&terminal, &edited, &embedded.tasks(id).await?.value.tasks);
        }
        if goes_on { follow(embedded, id, terminal, self.json).await } else { Ok(Exit::Done) }
    }
}

impl Versions {
    pub(super) async fn run(self, embedded: &Embedded, terminal: Terminal) -> Outcome {
        let versions = embedded.agent.plans().versions(&embedded.me, PlanId(self.plan_id)).await?;
        if self.json {
            terminal.json(&PlanVersionsView::of(self.plan_id, versions))?;
            return Ok(Exit::Done);
        }
        let columns =
            [number("version"), word("made"), word("by"), number("tasks"), text("changes"), text("goal")];
        let mut table = Table::new(columns);
        for version in versions {
            table.row([
                version.definition.version.into(),
                moment(version.created_at).into(),
                version.by.as_deref().unwrap_or_default().into(),
                version.definition.tasks.len().into(),
                counted(&version.changes).into(),
                version.definition.goal.as_str().into(),
            ]);
        }
        table.show(&terminal);
        Ok(Exit::Done)
    }
}

fn show(terminal: &Terminal, edited: &Edited, tasks: &[Task]) {
    let state = &edited.details.state;
    let (id, version) = (state.plan.id, edited.version);
    if edited.changes.is_empty() {
        terminal.line(format_args!("plan {id} is so already; it stays at version {version}"));
        return;
    }
    plan_view::show_tasks(terminal, tasks);
    terminal.line(format_args!("\nplan {id} is at version {version}: {}", counted(&edited.changes)));
    if state.plan.status == PlanStatus::Created {
        terminal.line(format_args!("carry it out with `agent run --resume {id}`"));
    }
}

/// What an edit meant, in words; empty for the first version.
fn counted(changes: &[DefinitionChange]) -> String {
    let definitions = |fate| changes.iter().filter(|change| change.definition == fate).count();
    let works = |fate| changes.iter().filter(|change| change.work == fate).count();
    let counts = [
        (definitions(DefinitionFate::Added), "added"),
        (definitions(DefinitionFate::Changed), "changed"),
        (definitions(DefinitionFate::Removed), "removed"),
        (works(WorkFate::Kept), "kept"),
        (works(WorkFate::Invalidated), "to be done again"),
        (works(WorkFate::Cancelled), "stopped"),
    ];
    let told = counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}"));
    told.collect::<Vec<_>>().join(", ")
}
