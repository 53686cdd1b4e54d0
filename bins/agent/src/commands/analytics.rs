//! `agent analytics`: how the work goes, in tables and small bars.

mod show;

use crate::backend::{Backend, Place, introduce};
use crate::exit::{Exit, Outcome};
use crate::output::Terminal;
use agent_core::ids::{PlanId, TaskId};
use clap::Args;
use serde_json::Value;

const EXAMPLES: &str = "\
Examples:
  agent analytics                    everything: figures, the last day and month, slow, failing and busy tasks
  agent analytics --plan 7
  agent analytics --task 12
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
    /// Print one JSON document, as the REST API answers
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

impl Analytics {
    pub(super) async fn run(self, terminal: Terminal) -> Outcome {
        let Self { plan, task, json, place } = self;
        let looking = async |backend: &dyn Backend| match (plan, task) {
            (Some(plan), _) => of_plan(backend, PlanId(plan), json, terminal).await,
            (None, Some(task)) => of_task(backend, TaskId(task), json, terminal).await,
            (None, None) => of_everything(backend, json, terminal).await,
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
