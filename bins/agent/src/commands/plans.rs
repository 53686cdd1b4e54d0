//! `agent plans`: looks at the plans in the user's data folder, and changes them.

mod change;
mod conversation;
mod events;
mod workspace;

use crate::embedded::Embedded;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{Terminal, plain, short, table};
use crate::{diff, plan_view};
use agent_core::ids::PlanId;
use agent_core::plan::PlanStatus;
use agent_core::ports::PlanFilter;
use agent_server::views::plan::PlansView;
use clap::{Args, Subcommand};
use serde_json::json;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  agent plans list --status failed
  agent plans show 7
  agent plans events 7 --follow
  agent plans conversation 7 --search parser
  agent plans say 7 \"Leave the tests alone\"
  agent plans diff 7 | git apply -R        take a plan's changes back
  agent plans merge 7                      bring in what `agent run --isolated` did
  agent plans edit 7 edit.yaml             see `agent plans edit --help`
  agent plans versions 7
  agent plans retry 7 --task 12 --following

Works on what `agent run` and `agent plan` keep in AGENT_DATABASE_URL, or in the user's data folder.";

/// Events read at once.
const PAGE: u32 = 200;

/// Arguments of `agent plans`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Plans {
    #[command(subcommand)]
    action: Action,
    /// Settings file; without it only AGENT_… variables count
    #[arg(long, value_name = "FILE", env = "AGENT_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List plans, newest first
    #[command(after_help = EXAMPLES)]
    List {
        /// Only plans that stand there, such as completed or failed
        #[arg(long)]
        status: Option<PlanStatus>,
        /// Only plans whose goal has all of these words
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Show a plan, its tasks and figures
    #[command(after_help = EXAMPLES)]
    Show(One),
    /// Show what happened to a plan, and with --follow what happens to it
    Events(events::Events),
    /// Show what a plan changed
    #[command(after_help = EXAMPLES)]
    Diff(One),
    /// Show what people, models and tools said about a plan
    Conversation(conversation::Show),
    /// Say something to a plan; the next call to its model hears it
    Say(conversation::Say),
    /// Bring what an isolated plan did to the repository's files; later edits there stay
    Merge(workspace::Merge),
    /// Remove the folder and branch of an isolated plan; what was not merged is lost
    Discard(workspace::Discard),
    /// Change a plan's goal, rules and tasks, whatever it is doing
    Edit(change::Edit),
    /// List the versions that edits have left
    Versions(change::Versions),
    /// Try again what failed, or a task with all that follows from it
    Retry(change::Retry),
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

impl Plans {
    pub(super) async fn run(self, terminal: Terminal) -> Outcome {
        if let Action::Events(events) = &self.action
            && events.is_remote()
        {
            return events.run_remote(terminal).await;
        }
        let works = self.action.works();
        Embedded::during(self.config, works, async |embedded| self.action.run(embedded, terminal).await).await
    }
}

impl Action {
    /// Whether plans may be carried out by it.
    fn works(&self) -> bool {
        matches!(self, Self::Edit(_) | Self::Retry(_))
    }

    async fn run(self, embedded: &Embedded, terminal: Terminal) -> Outcome {
        match self {
            Self::Edit(edit) => edit.run(embedded, terminal).await,
            Self::Versions(versions) => versions.run(embedded, terminal).await,
            Self::Retry(retry) => retry.run(embedded, terminal).await,
            Self::Conversation(show) => show.run(embedded, terminal).await,
            Self::Say(say) => say.run(embedded, terminal).await,
            Self::Merge(merge) => merge.run(embedded, terminal).await,
            Self::Discard(discard) => discard.run(embedded, terminal).await,
            Self::Events(events) => events.run(embedded, terminal).await,
            Self::List { .. } | Self::Show(_) | Self::Diff(_) => {
                self.look(embedded, terminal).await.map(|()| Exit::Done)
            }
        }
    }

    async fn look(self, embedded: &Embedded, terminal: Terminal) -> Result<(), Failure> {
        let plans = embedded.agent.plans();
        let me = &embedded.me;
        match self {
            Self::List { status, search, limit, json } => {
                let filter =
                    PlanFilter { visibility: me.visibility(), status, text: search, before: None, limit };
                let page = plans.list(me, filter).await?;
                if json { terminal.json(&PlansView::from(page)) } else { list(&terminal, &page) }
            }
            Self::Show(one) => {
                let id = PlanId(one.plan_id);
                let details = plans.find(me, id).await?;
                let changes = plans.diff(me, id).await?;
                if one.json {
                    return terminal.json(&plan_view::as_json(details, &changes)?);
                }
                terminal.line(plain(&details.state.plan.goal));
                terminal.line(format_args!("in {}\n", plain(&details.state.plan.repo_path)));
                plan_view::show_outcome(&terminal, &details, &changes);
                Ok(())
            }
            Self::Diff(one) => {
                let changes = plans.diff(me, PlanId(one.plan_id)).await?;
                if one.json {
                    return terminal.json(&json!({"plan_id": one.plan_id, "diff": changes}));
                }
                diff::show(&terminal, &changes);
                Ok(())
            }
            Self::Events(_)
            | Self::Edit(_)
            | Self::Versions(_)
            | Self::Retry(_)
            | Self::Conversation(_)
            | Self::Say(_)
            | Self::Merge(_)
            | Self::Discard(_) => Ok(()),
        }
    }
}

fn list(terminal: &Terminal, page: &agent_core::ports::PlanPage) -> Result<(), Failure> {
    if page.plans.is_empty() {
        terminal.line("no plans; make one with `agent run \"GOAL\"`");
        return Ok(());
    }
    let mut table = table(["plan", "status", "tasks", "created", "goal"]);
    for listed in &page.plans {
        let plan = &listed.plan;
        table.add_row([
            plan.id.to_string(),
            plan.status.to_string(),
            format!("{}/{}", listed.completed, listed.tasks),
            plan.created_at.to_string(),
            short(&plan.goal, 60),
        ]);
    }
    terminal.line(table.trim_fmt());
    let (shown, total) = (page.plans.len(), page.total);
    if (shown as u64) < total {
        terminal.line(format_args!("{shown} of {total}; --limit shows more"));
    }
    Ok(())
}
