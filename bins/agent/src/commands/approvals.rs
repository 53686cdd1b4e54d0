//! `agent approvals`: what waits for a person, and the answers.

use crate::embedded::Embedded;
use crate::exit::{Exit, Failure, Outcome};
use crate::follow::follow;
use crate::output::{Terminal, plain, short, table};
use crate::questions;
use agent_core::approval::Resolution;
use agent_core::ids::{ApprovalId, PlanId};
use agent_core::policy::{Permission, Rule};
use agent_runtime::{PersonsAnswer, WantedApprovals};
use agent_server::views::approval::{ApprovalView, ApprovalsView, DecidedView};
use clap::{Args, Subcommand};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  agent approvals list                          what waits for an answer
  agent approvals show 3                        what a yes would cover
  agent approvals approve 3 --note \"go ahead\"
  agent approvals approve 3 --for-plan          likewise whenever the same is asked in this plan
  agent approvals approve 3 --rule \"cargo test\"  likewise for every command of the plan that begins so
  agent approvals reject 3 --note \"use the staging server\"
  agent approvals reject 3 --cancel             no, and the whole plan ends

An answer makes the plan go on in this process, until it has ended or asks again.
Exit codes: 0 done, 1 the plan failed, 2 wrong usage or too late, 3 the plan asks again.";

/// Questions listed at once.
const PAGE: u32 = 200;

/// Arguments of `agent approvals`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Approvals {
    #[command(subcommand)]
    action: Action,
    /// Settings file; without it only AGENT_… variables count
    #[arg(long, value_name = "FILE", env = "AGENT_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List questions, oldest first
    #[command(after_help = EXAMPLES)]
    List {
        /// Only of this plan
        #[arg(long, value_name = "PLAN_ID", value_parser = clap::value_parser!(i64).range(1..))]
        plan: Option<i64>,
        /// Also those that are no longer open
        #[arg(long)]
        all: bool,
        /// Print one JSON document
        #[arg(long)]
        json: bool,
    },
    /// Show a question and what a yes to it covers
    #[command(after_help = EXAMPLES)]
    Show {
        /// The question
        #[arg(value_parser = clap::value_parser!(i64).range(1..))]
        approval_id: i64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say yes
    #[command(after_help = EXAMPLES)]
    Approve(Approve),
    /// Say no
    #[command(after_help = EXAMPLES)]
    Reject(Reject),
}

#[derive(Debug, Args)]
struct Approve {
    #[command(flatten)]
    answer: AnswerArguments,
    /// Likewise whenever the same is asked in this plan
    #[arg(long, conflicts_with = "rule")]
    for_plan: bool,
    /// Likewise for every command of the plan that begins with these words
    #[arg(long, value_name = "WORDS")]
    rule: Option<String>,
}

#[derive(Debug, Args)]
struct Reject {
    #[command(flatten)]
    answer: AnswerArguments,
    /// End the whole plan
    #[arg(long)]
    cancel: bool,
}

#[derive(Debug, Args)]
struct AnswerArguments {
    /// The question
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    approval_id: i64,
    /// What is said with the answer; a model that asked is told
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// The hash of what was looked at; refused when the question is about other bytes
    #[arg(long, value_name = "SHA256")]
    args_hash: Option<String>,
    /// Only answer; `agent run --resume` goes on with the plan
    #[arg(long)]
    no_follow: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Approvals {
    pub(super) async fn run(self, terminal: Terminal) -> Outcome {
        let works = self.action.works();
        Embedded::during(self.config, works, async |embedded| self.action.run(embedded, terminal).await).await
    }
}

impl Action {
    /// Whether a plan goes on by it.
    fn works(&self) -> bool {
        match self {
            Self::List { .. } | Self::Show { .. } => false,
            Self::Approve(Approve { answer, .. }) | Self::Reject(Reject { answer, .. }) => !answer.no_follow,
        }
    }

    async fn run(self, embedded: &Embedded, terminal: Terminal) -> Outcome {
        match self {
            Self::List { plan, all, json } => list(embedded, plan, all, json, terminal).await,
            Self::Show { approval_id, json } => {
                let id = ApprovalId(approval_id);
                let asked = embedded.agent.approvals().find(&embedded.me, id).await?;
                if json {
                    terminal.json(&ApprovalView::from(asked))?;
                } else {
                    questions::show(&terminal, &asked);
                }
                Ok(Exit::Done)
            }
            Self::Approve(Approve { answer, for_plan, rule }) => {
                let decision = match rule {
                    Some(words) => Resolution::ApproveWithRule(Box::new(rule_of(&words)?)),
                    None if for_plan => Resolution::ApproveForPlan,
                    None => Resolution::Approve,
                };
                answer.give(decision, embedded, terminal).await
            }
            Self::Reject(Reject { answer, cancel }) => {
                let decision = if cancel { Resolution::Cancel } else { Resolution::Reject };
                answer.give(decision, embedded, terminal).await
            }
        }
    }
}

/// A rule that allows commands which begin with these words.
fn rule_of(words: &str) -> Result<Rule, Failure> {
    let words: Vec<&str> = words.split_whitespace().collect();
    if words.is_empty() {
        return Err(Failure::usage("--rule needs the first words of a command, such as \"cargo test\""));
    }
    Ok(Rule::command(Permission::Allow, words))
}

async fn list(
    embedded: &Embedded,
    plan: Option<i64>,
    include_decided: bool,
    json: bool,
    terminal: Terminal,
) -> Outcome {
    let wanted = WantedApprovals { plan_id: plan.map(PlanId), include_decided, after: None, limit: PAGE };
    let page = embedded.agent.approvals().list(&embedded.me, wanted).await?;
    if json {
        terminal.json(&ApprovalsView::from(page))?;
        return Ok(Exit::Done);
    }
    if page.approvals.is_empty() {
        terminal.note("nothing waits for an answer");
        return Ok(Exit::Done);
    }
    let mut table = table(["id", "plan", "kind", "risk", "until", "answer", "question"]);
    for asked in &page.approvals {
        let answer = asked.decision.as_ref().map_or_else(String::new, |decision| {
            format!("{} by {}", decision.as_str(), plain(asked.decided_by.as_deref().unwrap_or_default()))
        });
        table.add_row([
            asked.id.to_string(),
            asked.plan_id.to_string(),
            asked.question.kind.as_str().to_owned(),
            asked.question.risk.as_str().to_owned(),
            asked.expires_at.to_string(),
            answer,
            short(&asked.question.subject, 60),
        ]);
    }
    terminal.line(table.trim_fmt());
    Ok(Exit::Done)
}

impl AnswerArguments {
    async fn give(self, decision: Resolution, embedded: &Embedded, terminal: Terminal) -> Outcome {
        let answer = PersonsAnswer { decision, note: self.note, args_hash: self.args_hash };
        let id = ApprovalId(self.approval_id);
        let decided = embedded.agent.approvals().decide(&embedded.me, id, answer).await?;
        let plan = decided.state.plan.id;
        if self.json {
            terminal.json(&DecidedView::from(decided))?;
        } else {
            terminal.note(format_args!("the answer is taken"));
        }
        if self.no_follow {
            return Ok(Exit::Done);
        }
        follow(embedded, plan, terminal, self.json).await
    }
}
