//! `agent approvals`: what waits for a person, and the answers.

use super::plans::more;
use crate::backend::{Backend, Place, introduce};
use crate::exit::{Exit, Failure, Outcome};
use crate::follow::follow;
use crate::output::{Terminal, moment};
use crate::questions;
use crate::table::{Table, number, text, word};
use agent_client::ApprovalFilter;
use agent_core::approval::Resolution;
use agent_core::ids::{ApprovalId, PlanId};
use agent_core::policy::{Permission, Rule};
use agent_runtime::PersonsAnswer;
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  agent approvals list                          what waits for an answer
  agent approvals show 3                        what a yes would cover
  agent approvals approve 3 --note \"go ahead\"
  agent approvals approve 3 --for-plan          likewise whenever the same is asked in this plan
  agent approvals approve 3 --rule \"cargo test\"  likewise for every command of the plan that begins so
  agent approvals reject 3 --note \"use the staging server\"
  agent approvals reject 3 --cancel             no, and the whole plan ends

An answer makes the plan go on, on this machine's data in this process, until it has ended or asks again. At a server
(--server URL, or after `agent login URL`) it goes on by itself, and is watched.
Exit codes: 0 done, 1 the plan failed, 2 wrong usage or too late, 3 the plan asks again or you are not logged in.";

/// Arguments of `agent approvals`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Approvals {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
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
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
        /// Go on behind the page that named this
        #[arg(long, value_name = "CURSOR")]
        cursor: Option<String>,
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
        self.place.during(works, async |backend| self.action.run(backend, terminal).await).await
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

    async fn run(self, backend: &dyn Backend, terminal: Terminal) -> Outcome {
        match self {
            Self::List { plan, all, limit, cursor, json } => {
                let limit = Some(limit);
                let wanted =
                    ApprovalFilter { plan_id: plan.map(PlanId), include_decided: all, limit, cursor };
                list(backend, &wanted, json, terminal).await
            }
            Self::Show { approval_id, json } => {
                let asked = backend.approval(ApprovalId(approval_id)).await?;
                if json {
                    terminal.json(&asked.json)?;
                } else {
                    introduce(backend, &terminal);
                    questions::show(&terminal, &asked.value);
                }
                Ok(Exit::Done)
            }
            Self::Approve(Approve { answer, for_plan, rule }) => {
                let decision = match rule {
                    Some(words) => Resolution::ApproveWithRule(Box::new(rule_of(&words)?)),
                    None if for_plan => Resolution::ApproveForPlan,
                    None => Resolution::Approve,
                };
                answer.give(decision, backend, terminal).await
            }
            Self::Reject(Reject { answer, cancel }) => {
                let decision = if cancel { Resolution::Cancel } else { Resolution::Reject };
                answer.give(decision, backend, terminal).await
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

async fn list(backend: &dyn Backend, wanted: &ApprovalFilter, json: bool, terminal: Terminal) -> Outcome {
    let page = backend.approvals(wanted).await?;
    if json {
        terminal.json(&page.json)?;
        return Ok(Exit::Done);
    }
    introduce(backend, &terminal);
    let page = page.value;
    if page.approvals.is_empty() {
        terminal.note("nothing waits for an answer");
        return Ok(Exit::Done);
    }
    let columns = [
        number("id"),
        number("plan"),
        word("kind"),
        word("risk"),
        word("until"),
        text("answer"),
        text("question"),
    ];
    let mut table = Table::new(columns);
    for asked in &page.approvals {
        let by = asked.decided_by.as_deref().unwrap_or_default();
        let answer = asked.decision.as_ref().map(|decision| format!("{decision} by {by}"));
        table.row([
            asked.id.into(),
            asked.plan_id.into(),
            asked.kind.as_str().into(),
            asked.risk.as_str().into(),
            moment(asked.expires_at).into(),
            answer.unwrap_or_default().into(),
            asked.subject.as_str().into(),
        ]);
    }
    table.show(&terminal);
    more(&terminal, page.approvals.len(), page.total, page.next_cursor.as_deref());
    Ok(Exit::Done)
}

impl AnswerArguments {
    async fn give(self, decision: Resolution, backend: &dyn Backend, terminal: Terminal) -> Outcome {
        let answer = PersonsAnswer { decision, note: self.note, args_hash: self.args_hash };
        let decided = backend.decide(ApprovalId(self.approval_id), answer).await?;
        if self.json {
            terminal.json(&decided.json)?;
        } else {
            terminal.note("the answer is taken");
        }
        if self.no_follow {
            return Ok(Exit::Done);
        }
        follow(backend, decided.value.plan_id, terminal, self.json).await
    }
}
