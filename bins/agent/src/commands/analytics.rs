//! `agent analytics`: how the work goes, in tables and small bars.

mod show;

use super::plans::more;
use crate::backend::{Backend, Place, introduce};
use crate::exit::{Exit, Outcome};
use crate::output::Terminal;
use agent_client::{FiguresBy, FiguresFilter};
use agent_core::ids::{PlanId, TaskId};
use clap::{Args, ValueEnum};
use serde_json::Value;

const EXAMPLES: &str = "\
Examples:
  agent analytics                    everything: figures, the last day and month, slow, failing and busy tasks
  agent analytics --plan 7
  agent analytics --task 12
  agent analytics --by models        of each language model; also templates and users
  agent analytics --json | jq .performance_report.totals
  agent analytics --server https://agent.example

At a server all but --plan is for administrators. Durations are seconds; hours and days are in UTC.";

/// Arguments of `agent analytics`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Analytics {
    /// Only the figures of this plan
    #[arg(long, value_name = "PLAN_ID", value_parser = clap::value_parser!(i64).range(1..), conflicts_with = "task")]
    plan: Option<i64>,
    /// Only the figures of this task
    #[arg(long, value_name = "TASK_ID", value_parser = clap::value_parser!(i64).range(1..))]
    task: Option<i64>,
    /// The figures of each of these
    #[arg(long, value_enum, conflicts_with_all = ["plan", "task"])]
    by: Option<By>,
    /// At most so many, with --by
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200), requires = "by")]
    limit: u32,
    /// Go on where the page before ended, with --by
    #[arg(long, requires = "by")]
    cursor: Option<String>,
    /// Print one JSON document, as the REST API answers
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// By what figures are added up.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum By {
    /// The templates that plans were made from
    Templates,
    /// The people whose plans they are
    Users,
    /// The language models that answered
    Models,
}

impl From<By> for FiguresBy {
    fn from(by: By) -> Self {
        match by {
            By::Templates => Self::Templates,
            By::Users => Self::Users,
            By::Models => Self::Models,
        }
    }
}

impl Analytics {
    pub(super) async fn run(self, terminal: Terminal) -> Outcome {
        let Self { plan, task, by, limit, cursor, json, place } = self;
        let filter = FiguresFilter { limit: Some(limit), cursor };
        let looking = async |backend: &dyn Backend| match (plan, task, by) {
            (Some(plan), ..) => of_plan(backend, PlanId(plan), json, terminal).await,
            (None, Some(task), _) => of_task(backend, TaskId(task), json, terminal).await,
            (None, None, Some(by)) => of_each(backend, by.into(), &filter, json, terminal).await,
            (None, None, None) => of_everything(backend, json, terminal).await,
        };
        place.during(false, looking).await
    }
}

async fn of_everything(backend: &dyn Backend, json: bool, terminal: Terminal) -> Outcome {
    let summary = backend.summary().await?;
    let performance = backend.performance().await?;
    if json {
        terminal.json(&merged(summary.json, performance.json))?;
    } else {
        introduce(backend, &terminal);
        show::everything(&terminal, &summary.value, &performance.value);
    }
    Ok(Exit::Done)
}

async fn of_each(
    backend: &dyn Backend,
    by: FiguresBy,
    filter: &FiguresFilter,
    json: bool,
    terminal: Terminal,
) -> Outcome {
    let page = backend.figures_by(by, filter).await?;
    if json {
        terminal.json(&page.json)?;
    } else {
        introduce(backend, &terminal);
        show::each(&terminal, by, &page.value);
        let cursor = page.value.next_cursor.as_deref();
        more(&terminal, page.value.figures.len(), page.value.total, cursor);
    }
    Ok(Exit::Done)
}

async fn of_plan(backend: &dyn Backend, id: PlanId, json: bool, terminal: Terminal) -> Outcome {
    let figures = backend.plan_figures(id).await?;
    if json {
        terminal.json(&figures.json)?;
    } else {
        introduce(backend, &terminal);
        show::plan(&terminal, &figures.value, &backend.tasks(id).await?.value.tasks);
    }
    Ok(Exit::Done)
}

async fn of_task(backend: &dyn Backend, id: TaskId, json: bool, terminal: Terminal) -> Outcome {
    let figures = backend.task_figures(id).await?;
    if json {
        terminal.json(&figures.json)?;
    } else {
        introduce(backend, &terminal);
        show::task(&terminal, &figures.value);
    }
    Ok(Exit::Done)
}

/// The fields of both answers in one document.
fn merged(summary: Value, performance: Value) -> Value {
    match (summary, performance) {
        (Value::Object(mut summary), Value::Object(performance)) => {
            summary.extend(performance);
            Value::Object(summary)
        }
        (_, performance) => performance,
    }
}
