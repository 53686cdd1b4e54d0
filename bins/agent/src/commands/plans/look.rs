//! `agent plans list|show|tasks|diff`: looks at plans.

use crate::backend::{Backend, introduce};
use crate::exit::{Exit, Outcome};
use crate::output::{Terminal, moment, plain};
use crate::table::{Cell, Table, number, text, word};
use crate::{diff, plan_view};
use agent_client::{PlanFilter, PlanPage};
use agent_core::ids::PlanId;
use agent_core::plan::PlanStatus;
use clap::Args;

const LIST_EXAMPLES: &str = "\
Examples:
  agent plans list
  agent plans list --status failed --search tests
  agent plans list --limit 20 --cursor 81      the page that the one before named
  agent plans list --json | jq '.plans[].goal'";

const SHOW_EXAMPLES: &str = "\
Examples:
  agent plans show 7
  agent plans show 7 --json | jq .statistics";

const TASKS_EXAMPLES: &str = "\
Examples:
  agent plans tasks 7
  agent plans tasks 7 --json | jq '.tasks[] | {id, status}'";

const DIFF_EXAMPLES: &str = "\
Examples:
  agent plans diff 7
  agent plans diff 7 | git apply -R        take the changes back
  agent plans diff 7 > fix.patch";

/// Arguments of `agent plans list`.
#[derive(Debug, Args)]
#[command(after_help = LIST_EXAMPLES)]
pub(super) struct List {
    /// Only plans that stand there, such as completed or failed
    #[arg(long)]
    status: Option<PlanStatus>,
    /// Only plans whose goal has all of these words
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    /// Go on behind the page that named this
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Arguments of `agent plans show`.
#[derive(Debug, Args)]
#[command(after_help = SHOW_EXAMPLES)]
pub(super) struct Show {
    #[command(flatten)]
    one: One,
}

/// Arguments of `agent plans tasks`.
#[derive(Debug, Args)]
#[command(after_help = TASKS_EXAMPLES)]
pub(super) struct Tasks {
    #[command(flatten)]
    one: One,
}

/// Arguments of `agent plans diff`.
#[derive(Debug, Args)]
#[command(after_help = DIFF_EXAMPLES)]
pub(super) struct Diff {
    #[command(flatten)]
    one: One,
}

#[derive(Debug, Args)]
struct One {
    /// The plan
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    plan_id: i64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) async fn run(self, backend: &dyn Backend, terminal: Terminal) -> Outcome {
        let filter = PlanFilter {
            status: self.status,
            text: self.search,
            limit: Some(self.limit),
            cursor: self.cursor,
        };
        let page = backend.plans(&filter).await?;
        if self.json {
            terminal.json(&page.json)?;
        } else {
            introduce(backend, &terminal);
            show(&terminal, &page.value);
        }
        Ok(Exit::Done)
    }
}

fn show(terminal: &Terminal, page: &PlanPage) {
    if page.plans.is_empty() {
        terminal.line("no plans; make one with `agent run \"GOAL\"`");
        return;
    }
    let mut table =
        Table::new([number("plan"), word("status"), number("tasks"), word("created"), text("goal")]);
    for plan in &page.plans {
        table.row([
            plan.id.into(),
            Cell::styled(plan.status, plan_view::style_of(plan.status)),
            format!("{}/{}", plan.completed_tasks, plan.tasks).into(),
            moment(plan.created_at).into(),
            plan.goal.as_str().into(),
        ]);
    }
    table.show(terminal);
    more(terminal, page.plans.len(), page.total, page.next_cursor.as_deref());
}

/// Says how a list goes on.
pub(in crate::commands) fn more(terminal: &Terminal, shown: usize, total: u64, cursor: Option<&str>) {
    if let Some(cursor) = cursor.filter(|_| (shown as u64) < total) {
        terminal.note(format_args!("{shown} of {total}; --cursor {} shows what follows", plain(cursor)));
    }
}

impl Show {
    pub(super) async fn run(self, backend: &dyn Backend, terminal: Terminal) -> Outcome {
        let id = PlanId(self.one.plan_id);
        let details = backend.plan(id).await?;
        let changes = backend.diff(id).await?.value.diff;
        if self.one.json {
            terminal.json(&plan_view::as_json(details, &changes))?;
            return Ok(Exit::Done);
        }
        introduce(backend, &terminal);
        let details = details.value;
        terminal.line(plain(&details.plan.goal));
        terminal.line(format_args!("in {}\n", plain(&details.plan.repo_path)));
        plan_view::show_outcome(&terminal, &details, &changes);
        Ok(Exit::Done)
    }
}

impl Tasks {
    pub(super) async fn run(self, backend: &dyn Backend, terminal: Terminal) -> Outcome {
        let tasks = backend.tasks(PlanId(self.one.plan_id)).await?;
        if self.one.json {
            terminal.json(&tasks.json)?;
        } else {
            introduce(backend, &terminal);
            plan_view::show_task_table(&terminal, &tasks.value.tasks);
        }
        Ok(Exit::Done)
    }
}

impl Diff {
    pub(super) async fn run(self, backend: &dyn Backend, terminal: Terminal) -> Outcome {
        let changes = backend.diff(PlanId(self.one.plan_id)).await?;
        if self.one.json {
            terminal.json(&changes.json)?;
        } else {
            diff::show(&terminal, &changes.value.diff);
        }
        Ok(Exit::Done)
    }
}
