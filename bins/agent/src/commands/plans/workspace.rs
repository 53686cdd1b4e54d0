//! `agent plans merge|discard`: what becomes of the folder of an isolated plan.

use crate::commands::patch::show_files;
use crate::diff;
use crate::embedded::Embedded;
use crate::exit::{Exit, Failure, Outcome, chain};
use crate::output::{Style, Terminal, plain};
use agent_core::ids::PlanId;
use agent_repository::patch::Rejected;
use agent_runtime::Error;
use agent_server::views::workspace::{PlanDiscardedView, PlanMergedView};
use clap::Args;
use serde_json::json;

const EXAMPLES: &str = "\
Examples:
  agent plans diff 7           what would be brought in
  agent plans merge 7          bring it to the repository's files, later edits there stay
  agent patch undo             take the merge back
  agent plans discard 7        remove folder and branch

Neither index nor branch of the repository are touched; `git merge agent/plan-7` does that.";

/// Arguments of `agent plans merge`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Merge {
    /// The plan
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    plan_id: i64,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Arguments of `agent plans discard`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Discard {
    /// The plan
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    plan_id: i64,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

impl Merge {
    pub(super) async fn run(self, embedded: &Embedded, terminal: Terminal) -> Outcome {
        let merged = match embedded.agent.plans().merge(&embedded.me, PlanId(self.plan_id)).await {
            Ok(merged) => merged,
            Err(Error::Repository(agent_repository::Error::Rejected(rejected))) => {
                return self.refused(&rejected, terminal);
            }
            Err(error) => return Err(told(error)),
        };
        if self.json {
            terminal.json(&PlanMergedView::of(self.plan_id, merged))?;
            return Ok(Exit::Done);
        }
        let report = &merged.recorded.applied;
        show_files(&terminal, &report.files);
        diff::show(&terminal, &report.diff);
        let text = match merged.recorded.id {
            Some(id) => format!(
                "merged {}: {} file(s) changed; `agent patch undo {id}` takes it back",
                merged.branch,
                report.files.len()
            ),
            None => format!("everything of {} is there already; no file was changed", merged.branch),
        };
        terminal.line(terminal.paint(Style::Green, plain(&text)));
        Ok(Exit::Done)
    }

    fn refused(&self, rejected: &Rejected, terminal: Terminal) -> Outcome {
        if self.json {
            let detail = "the merge would lose somebody's lines; no file was changed";
            terminal.json(&json!({
                "plan_id": self.plan_id, "ok": false, "error": "merge_conflict", "detail": detail,
                "files": rejected.files,
            }))?;
        } else {
            terminal.line(plain(rejected.to_string().trim_end()));
        }
        Ok(Exit::WorkFailed)
    }
}

impl Discard {
    pub(super) async fn run(self, embedded: &Embedded, terminal: Terminal) -> Outcome {
        embedded.agent.plans().discard(&embedded.me, PlanId(self.plan_id)).await.map_err(told)?;
        if self.json {
            terminal.json(&PlanDiscardedView { plan_id: self.plan_id, discarded: true })?;
        } else {
            terminal.line(format_args!("the folder and the branch of plan {} are gone", self.plan_id));
        }
        Ok(Exit::Done)
    }
}

fn told(error: Error) -> Failure {
    match error {
        Error::NotIsolated(_) => Failure::usage(chain(&error)),
        other => other.into(),
    }
}
