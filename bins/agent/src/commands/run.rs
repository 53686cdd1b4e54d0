//! `agent run`: reaches a goal, carries out an explicit plan, or goes on with one that was left unfinished.

mod elsewhere;
mod template;

use crate::backend::Backend;
use crate::embedded::{Embedded, EmbeddedArguments, repository};
use crate::exit::{Failure, Outcome};
use crate::follow::watch_until_settled;
use crate::output::{Style, Terminal};
use crate::progress::Progress;
use crate::{diff, plan_file, plan_view, questions, watch};
use agent_core::ids::PlanId;
use agent_core::plan::{PlanState, PlanStatus};
use agent_core::policy::WorkspaceMode;
use agent_runtime::CreatePlan;
use clap::{ArgGroup, Args};
use elsewhere::ServerArguments;
use std::path::PathBuf;
use std::time::Duration;
use template::TemplateArguments;

const EXAMPLES: &str = "\
Examples:
  agent run \"Make the failing tests pass\" --repo .
  agent run --plan plan.yaml --repo .        explicit tasks; no language model is asked
  agent run --plan plan.yaml --json          one JSON document at the end
  agent run --isolated \"Upgrade serde\"     on a branch of its own, until `agent plans merge`
  agent run --resume 7                       go on after a crash or an interruption
  agent run \"Make cargo test pass\" --template fix_failing_test --parameter test_command=\"cargo test\"
  agent run \"Upgrade serde\" --server https://agent.example --repo /srv/shop

A plan file:
  goal: Check the repository
  tasks:
    - {description: Look around, kind: scan}
    - {description: Run the tests, kind: command, command: [make, test], depends_on: [1]}

Kinds: scan, command, patch, agent, approval. The data is kept in AGENT_DATABASE_URL, or in
$XDG_DATA_HOME/agent (~/.local/share/agent); never in the repository.";

/// How long what runs may take to end when the command is interrupted.
const GRACE: Duration = Duration::from_secs(3);

/// Arguments of `agent run`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, group = ArgGroup::new("work").required(true).args(["goal", "plan", "resume"]))]
pub(super) struct Run {
    /// What is to be reached; a language model makes the plan
    goal: Option<String>,
    /// An explicit plan in YAML; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Go on with a plan that was left unfinished, or carry out one that `agent plan` made
    #[arg(long, value_name = "PLAN_ID", value_parser = clap::value_parser!(i64).range(1..))]
    resume: Option<i64>,
    /// The repository to work on [default: this folder]
    #[arg(long, value_name = "DIR")]
    repo: Option<PathBuf>,
    /// Let commands of the plan reach the network
    #[arg(long, conflicts_with_all = ["plan", "resume"])]
    network: bool,
    /// Work in a folder and on a branch of its own; `agent plans merge` brings the result in
    #[arg(long, conflicts_with = "resume")]
    isolated: bool,
    /// Show the diff at the end
    #[arg(long)]
    diff: bool,
    /// Print one JSON document at the end: `plan`, `tasks`, `statistics`, `diff`
    #[arg(long)]
    json: bool,
    /// Print every event as a line of JSON while it happens
    #[arg(long)]
    events: bool,
    #[command(flatten)]
    template: TemplateArguments,
    #[command(flatten)]
    server: ServerArguments,
    #[command(flatten)]
    embedded: EmbeddedArguments,
}

impl Run {
    pub(super) async fn run(self, terminal: Terminal) -> Outcome {
        let request = self.request()?;
        if let (Some(server), Some(request)) = (self.server.named()?, &request) {
            return elsewhere::run(&self, &server, request.clone(), terminal).await;
        }
        // A plan that exists names its repository itself, and was admitted to it when it was made.
        let default = if self.resume.is_some() { "/" } else { "." };
        let root = repository(self.repo.as_deref().unwrap_or(default.as_ref()))?;
        let embedded = Embedded::start(&self.embedded, vec![root]).await?;
        let outcome = self.work(&embedded, request, terminal).await;
        embedded.agent.stop_within(GRACE).await;
        outcome
    }

    /// The plan that is asked for; `None` when one exists already.
    fn request(&self) -> Result<Option<CreatePlan>, Failure> {
        let mut request = match (&self.plan, &self.goal) {
            (Some(file), _) => plan_file::read(file)?,
            (None, Some(goal)) => {
                let mut request = CreatePlan::new(goal);
                request.policy.network = self.network;
                request
            }
            (None, None) => return Ok(None),
        };
        if self.isolated {
            request.policy.workspace = WorkspaceMode::Isolated;
        }
        Ok(Some(request.execute()))
    }

    /// Whether standard output is for a program.
    fn quiet(&self) -> bool {
        self.json || self.events
    }

    async fn work(&self, embedded: &Embedded, request: Option<CreatePlan>, terminal: Terminal) -> Outcome {
        let state = match (request, self.resume) {
            (Some(mut request), _) => {
                if let Some((id, parameters)) = self.template.chosen(embedded).await? {
                    (request.template_id, request.parameters) = (Some(id), parameters);
                } else if request.tasks.is_empty() && !self.quiet() {
                    introduce_model(embedded, terminal);
                }
                embedded.agent.plans().create(&embedded.me, request).await?
            }
            (None, id) => take_up(embedded, PlanId(id.unwrap_or_default())).await?,
        };
        self.watch(embedded, state.plan.id, terminal).await
    }

    /// Watches the plan, and asks the person at the terminal what it asks.
    async fn watch(&self, backend: &dyn Backend, id: PlanId, terminal: Terminal) -> Outcome {
        let lines = self.events.then_some(terminal);
        loop {
            let mut progress =
                if self.quiet() { Progress::silent(terminal) } else { Progress::new(terminal) };
            let tasks = backend.tasks(id).await?.value.tasks;
            if !tasks.is_empty() {
                progress.plan(watch::task_lines(&tasks));
            }
            let settled = watch_until_settled(backend, id, &mut progress, lines).await?;
            let asks = settled.value.plan.status == PlanStatus::AwaitingApproval;
            let ask = asks && !self.quiet() && questions::somebody_is_there(&terminal);
            if !ask || !questions::ask(backend, id, &terminal).await? {
                break;
            }
        }
        self.report(backend, id, terminal).await
    }

    async fn report(&self, backend: &dyn Backend, id: PlanId, terminal: Terminal) -> Outcome {
        let details = backend.plan(id).await?;
        let changes = backend.diff(id).await?.value.diff;
        let status = details.value.plan.status;
        let isolated = details.value.plan.policy.workspace == WorkspaceMode::Isolated;
        let mergeable = isolated && status.is_terminal() && backend.server().is_none();
        if self.json {
            terminal.json(&plan_view::as_json(details, &changes))?;
        } else if !self.events {
            if self.diff {
                diff::show(&terminal, &changes);
            }
            plan_view::show_outcome(&terminal, &details.value, &changes);
        }
        if mergeable && !changes.is_empty() {
            terminal.note(format_args!(
                "the repository is as it was; `agent plans merge {id}` brings the changes in, \
                 `agent plans discard {id}` throws them away"
            ));
        }
        if status == PlanStatus::AwaitingApproval {
            terminal.note(format_args!(
                "plan {id} waits for a person: `agent approvals list` shows what is asked, \
                 `agent approvals approve ID` or `reject ID` answers and goes on"
            ));
        }
        Ok(plan_view::exit_of(status))
    }
}

/// Says in words who is going to answer.
pub(super) fn introduce_model(embedded: &Embedded, terminal: Terminal) {
    match embedded.agent.model() {
        Some(model) if model.provider == "scripted" => {
            let text = format!("no language model: the script {:?} says what a model would say", model.model);
            terminal.note(crate::output::paint(terminal.error_colours, Style::Yellow, text));
        }
        Some(model) => terminal.note(format_args!("language model: {} ({})", model.model, model.provider)),
        None => {}
    }
}

/// Makes this process work on a plan that exists.
async fn take_up(embedded: &Embedded, id: PlanId) -> Result<PlanState, Failure> {
    let Embedded { agent, me } = embedded;
    let plans = agent.plans();
    let state = plans.state(me, id).await?;
    let submitted = match state.plan.status {
        PlanStatus::Created => plans.execute(me, id, None).await?,
        PlanStatus::Paused => plans.resume(me, id).await?,
        PlanStatus::Running | PlanStatus::AwaitingApproval => {
            // A request that changes the plan is what makes an executor take it in hand.
            plans.pause(me, id).await?;
            plans.resume(me, id).await?
        }
        PlanStatus::Planning => {
            return Err(Failure::usage(format!(
                "plan {id} was interrupted while it was being made; start it anew with `agent run \"GOAL\"`"
            )));
        }
        PlanStatus::Completed | PlanStatus::Failed | PlanStatus::Cancelled => {
            let status = state.plan.status;
            let advice = "start a new one with `agent run`";
            return Err(Failure::usage(format!("plan {id} has ended ({status}); {advice}")));
        }
    };
    Ok(submitted.state)
}
