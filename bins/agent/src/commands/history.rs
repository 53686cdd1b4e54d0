//! `agent history`: what was done, newest first, and with `--plan` each attempt of a plan.

use super::plans::more;
use crate::backend::{Backend, Document, Place, introduce};
use crate::exit::{Exit, Outcome};
use crate::output::{Terminal, moment, seconds};
use crate::plan_view;
use crate::table::{Cell, Table, number, text, word};
use agent_client::{Executions, Plan, PlanDetails, PlanFilter, Task, Timestamp};
use agent_core::ids::PlanId;
use agent_core::plan::PlanStatus;
use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};

const EXAMPLES: &str = "\
Examples:
  agent history                          the last 20 plans: outcome, duration, tasks, attempts, tokens
  agent history --status failed
  agent history --limit 50 --cursor 81   the page that the one before named
  agent history --plan 7                 each attempt at each task of a plan
  agent history --json | jq '.plans[] | {id: .plan.id, duration_ms}'";

/// Plans looked at together.
const AT_ONCE: usize = 8;

/// Arguments of `agent history`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct History {
    /// Only plans that stand there, such as completed or failed
    #[arg(long)]
    status: Option<PlanStatus>,
    /// Only plans whose goal has all of these words
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// At most so many plans
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
    /// Go on behind the page that named this
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    /// The attempts at the tasks of this plan
    #[arg(long, value_name = "PLAN_ID", value_parser = clap::value_parser!(i64).range(1..),
          conflicts_with_all = ["status", "search", "cursor"])]
    plan: Option<i64>,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

impl History {
    pub(super) async fn run(self, terminal: Terminal) -> Outcome {
        let place = self.place.clone();
        let looking = async |backend: &dyn Backend| match self.plan {
            Some(plan) => attempts(backend, PlanId(plan), self.json, terminal).await,
            None => self.plans(backend, terminal).await,
        };
        place.during(false, looking).await
    }

    async fn plans(&self, backend: &dyn Backend, terminal: Terminal) -> Outcome {
        let filter = PlanFilter {
            status: self.status,
            text: self.search.clone(),
            limit: Some(self.limit),
            cursor: self.cursor.clone(),
        };
        let page = backend.plans(&filter).await?.value;
        let looked_at = stream::iter(&page.plans).map(|plan| backend.plan(plan.id)).buffered(AT_ONCE);
        let plans: Vec<Document<PlanDetails>> = looked_at.try_collect().await?;
        if self.json {
            let plans: Vec<Value> = plans.into_iter().map(as_json).collect();
            terminal.json(&json!({"plans": plans, "total": page.total, "next_cursor": page.next_cursor}))?;
            return Ok(Exit::Done);
        }
        introduce(backend, &terminal);
        if plans.is_empty() {
            terminal.line("nothing was done yet; begin with `agent run \"GOAL\"`");
            return Ok(Exit::Done);
        }
        show(&terminal, &plans);
        more(&terminal, plans.len(), page.total, page.next_cursor.as_deref());
        Ok(Exit::Done)
    }
}

/// How long the work on a plan took, or has taken until it last changed.
fn taken(plan: &Plan) -> Option<std::time::Duration> {
    plan.started_at.map(|started| plan.finished_at.unwrap_or(plan.updated_at).since(started))
}

fn as_json(details: Document<PlanDetails>) -> Value {
    let taken = taken(&details.value.plan).map(|taken| taken.as_millis());
    json!({
        "plan": details.json["plan"], "statistics": details.json["statistics"],
        "duration_ms": taken.and_then(|taken| u64::try_from(taken).ok()),
    })
}

fn show(terminal: &Terminal, plans: &[Document<PlanDetails>]) {
    let columns = [
        number("plan"),
        word("outcome"),
        word("started"),
        number("took"),
        number("tasks"),
        number("attempts"),
        number("tokens"),
        text("goal"),
    ];
    let mut table = Table::new(columns);
    for PlanDetails { plan, statistics, .. } in plans.iter().map(|details| &details.value) {
        table.row([
            plan.id.into(),
            Cell::styled(plan.status, plan_view::style_of(plan.status)),
            when(plan.started_at).into(),
            taken(plan).map(seconds).unwrap_or_default().into(),
            format!("{}/{}", statistics.completed_tasks, statistics.total_tasks).into(),
            statistics.total_executions.into(),
            statistics.tokens.into(),
            plan.goal.as_str().into(),
        ]);
    }
    table.show(terminal);
}

fn when(time: Option<Timestamp>) -> String {
    time.map(moment).unwrap_or_default()
}

async fn attempts(backend: &dyn Backend, id: PlanId, as_json: bool, terminal: Terminal) -> Outcome {
    let tasks = backend.tasks(id).await?.value.tasks;
    let looked_at = stream::iter(&tasks).map(|task| backend.executions(id, task.id)).buffered(AT_ONCE);
    let executions: Vec<Document<Executions>> = looked_at.try_collect().await?;
    if as_json {
        let tasks: Vec<Value> = executions.into_iter().map(|of_task| of_task.json).collect();
        terminal.json(&json!({"plan_id": id, "tasks": tasks}))?;
        return Ok(Exit::Done);
    }
    introduce(backend, &terminal);
    show_attempts(&terminal, &tasks, &executions);
    Ok(Exit::Done)
}

fn show_attempts(terminal: &Terminal, tasks: &[Task], executions: &[Document<Executions>]) {
    let columns = [
        number("#"),
        text("task"),
        number("attempt"),
        word("outcome"),
        word("started"),
        number("took"),
        number("steps"),
        number("tokens"),
        text("error"),
    ];
    let mut table = Table::new(columns);
    for (task, of_task) in tasks.iter().zip(executions) {
        for attempt in &of_task.value.executions {
            let taken = attempt.finished_at.map(|finished| seconds(finished.since(attempt.started_at)));
            table.row([
                task.position.into(),
                task.spec.description.as_str().into(),
                attempt.attempt.into(),
                attempt.status.into(),
                moment(attempt.started_at).into(),
                taken.unwrap_or_default().into(),
                attempt.steps.len().into(),
                attempt.tokens.into(),
                attempt.error.as_deref().unwrap_or_default().into(),
            ]);
        }
    }
    if table.is_empty() {
        terminal.line("nothing of this plan was tried yet");
    } else {
        table.show(terminal);
    }
}
