//! `agent plan`: makes a plan for a goal and prints it.

use super::run::introduce_model;
use crate::embedded::{Embedded, EmbeddedArguments, repository};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::Terminal;
use crate::progress::Progress;
use crate::signals::interrupted;
use crate::{plan_file, plan_view, watch};
use agent_core::plan::PlanStatus;
use agent_runtime::CreatePlan;
use clap::Args;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  agent plan \"Add a --version flag\" --repo .
  agent plan \"Add a --version flag\" --yaml > plan.yaml    edit it, then: agent run --plan plan.yaml
  agent plan \"Add a --version flag\" --json

Needs a language model: set AGENT_LLM_PROVIDER and its key, or pass --provider.";

/// Arguments of `agent plan`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Plan {
    /// What is to be reached
    goal: String,
    /// The repository it is about
    #[arg(long, default_value = ".", value_name = "DIR")]
    repo: PathBuf,
    /// Print one JSON document: `plan`, `tasks`, `statistics`
    #[arg(long, conflicts_with = "yaml")]
    json: bool,
    /// Print a plan file for `agent run --plan`
    #[arg(long)]
    yaml: bool,
    #[command(flatten)]
    embedded: EmbeddedArguments,
}

impl Plan {
    pub(super) async fn run(self, terminal: Terminal) -> Outcome {
        let root = repository(&self.repo)?;
        let embedded = Embedded::start(&self.embedded, vec![root]).await?;
        let outcome = self.work(&embedded, terminal).await;
        embedded.agent.stop().await;
        outcome
    }

    async fn work(&self, embedded: &Embedded, terminal: Terminal) -> Outcome {
        let Embedded { agent, me } = embedded;
        let quiet = self.json || self.yaml;
        if !quiet {
            introduce_model(embedded, terminal);
        }
        let created = agent.plans().create(me, CreatePlan::new(&self.goal)).await?;
        let id = created.plan.id;
        let mut progress = if quiet { Progress::silent(terminal) } else { Progress::new(terminal) };
        let made = tokio::select! {
            settled = watch::until_settled(embedded, id, &mut progress, None) => settled?,
            () = interrupted() => return Err(Failure::work("interrupted before the plan was made")),
        };
        progress.end();
        let plan = &made.value.plan;
        if plan.status != PlanStatus::Created {
            let why = plan.summary.clone().unwrap_or_else(|| plan.status.to_string());
            return Err(Failure::work(why));
        }
        if self.json {
            terminal.json(&plan_view::as_json(made, ""))?;
        } else if self.yaml {
            terminal.line(plan_file::write(&agent.plans().state(me, id).await?)?.trim_end());
        } else {
            plan_view::show_tasks(&terminal, &made.value.tasks);
            terminal.line(format_args!("\nplan {id} is made; carry it out with `agent run --resume {id}`"));
        }
        Ok(Exit::Done)
    }
}
