//! `agent chat`: a goal, its plan and the work on it in one conversation.

mod line;

use super::run::introduce_model;
use crate::backend::Backend;
use crate::embedded::{Embedded, EmbeddedArguments, repository};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{Style, Terminal, plain};
use crate::progress::Progress;
use crate::signals::interrupted;
use crate::{diff, plan_view, questions, watch};
use agent_client::MessageFilter;
use agent_core::approval::Resolution;
use agent_core::ids::PlanId;
use agent_core::plan::PlanStatus;
use agent_runtime::CreatePlan;
use clap::Args;
use line::{HELP, Line};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;

const EXAMPLES: &str = "\
Examples:
  agent chat --repo ../shop
  > Make the failing tests pass
  > exec
  > leave the public API as it is        heard by the model's next call
  > diff

  printf 'plan Add a --version flag\\nexec\\n' | agent chat --repo .

`help` lists what can be typed. Plans are kept; `agent plans list` shows them.";

/// How long what runs may take to end when the person leaves.
const GRACE: Duration = Duration::from_secs(3);
/// Messages that `history` shows.
const MOST_MESSAGES: u32 = 200;

/// Arguments of `agent chat`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Chat {
    /// The repository to work on
    #[arg(long, default_value = ".", value_name = "DIR")]
    repo: PathBuf,
    /// Go on with this plan
    #[arg(long, value_name = "PLAN_ID", value_parser = clap::value_parser!(i64).range(1..))]
    resume: Option<i64>,
    #[command(flatten)]
    embedded: EmbeddedArguments,
}

impl Chat {
    pub(super) async fn run(self, terminal: Terminal) -> Outcome {
        let root = repository(&self.repo)?;
        let embedded = Embedded::start(&self.embedded, vec![root.clone()]).await?;
        let interactive = std::io::stdin().is_terminal();
        let plan = self.resume.map(PlanId);
        let mut talk = Talk { embedded: &embedded, terminal, interactive, root, plan, last: None };
        let outcome = talk.go().await;
        embedded.agent.stop_within(GRACE).await;
        outcome
    }
}

/// A conversation under way.
struct Talk<'e> {
    embedded: &'e Embedded,
    terminal: Terminal,
    /// Whether a person types; then what is typed during the work is for the plan.
    interactive: bool,
    root: PathBuf,
    plan: Option<PlanId>,
    /// How the plan last stood after it was carried out.
    last: Option<PlanStatus>,
}

impl Talk<'_> {
    async fn go(&mut self) -> Outcome {
        if self.interactive {
            introduce_model(self.embedded, self.terminal);
            self.terminal.note("What is to be reached? `help` lists what can be typed.");
        }
        if let Some(id) = self.plan {
            self.show_plan(id).await?;
        }
        let mut lines = typed();
        loop {
            self.prompt();
            let line = tokio::select! {
                line = lines.recv() => line,
                () = interrupted() => None,
            };
            let Some(line) = line.map(|line| Line::parse(&line)).filter(|line| *line != Line::Exit) else {
                return Ok(self.last.map_or(Exit::Done, plan_view::exit_of));
            };
            match self.answer(line, &mut lines).await {
                Ok(()) => {}
                // A mistake ends a script; a person can do better.
                Err(failure) if self.interactive => self.terminal.complain(&failure),
                Err(failure) => return Err(failure),
            }
        }
    }

    fn prompt(&self) {
        if self.interactive {
            let mut error = std::io::stderr().lock();
            let mark = crate::output::paint(self.terminal.error_colours, Style::Cyan, "> ");
            // A terminal that is gone is noticed when the next line is read.
            let _gone = write!(error, "{mark}").and_then(|()| error.flush());
        }
    }

    async fn answer(&mut self, line: Line, lines: &mut mpsc::Receiver<String>) -> Result<(), Failure> {
        match line {
            Line::Empty | Line::Exit => Ok(()),
            Line::Help => {
                self.terminal.line(HELP);
                Ok(())
            }
            Line::Scan => self.scan().await,
            Line::Plan(goal) => self.make_plan(goal).await,
            Line::Say(goal) if self.plan.is_none() => self.make_plan(goal).await,
            Line::Say(words) => self.say(words).await,
            other => {
                let id = self.plan.ok_or_else(|| Failure::usage("there is no plan yet; type `plan GOAL`"))?;
                self.about_plan(id, other, lines).await
            }
        }
    }

    async fn about_plan(
        &mut self,
        id: PlanId,
        line: Line,
        lines: &mut mpsc::Receiver<String>,
    ) -> Result<(), Failure> {
        let Embedded { agent, me } = self.embedded;
        match line {
            Line::Execute => self.execute(id, lines).await,
            Line::ShowPlan => self.show_plan(id).await,
            Line::Diff => {
                diff::show(&self.terminal, &self.embedded.diff(id).await?.value.diff);
                Ok(())
            }
            Line::History => self.history(id).await,
            Line::Approve(note) => self.decide(id, true, note, lines).await,
            Line::Reject(note) => self.decide(id, false, note, lines).await,
            Line::Cancel => {
                agent.plans().cancel(me, id).await?;
                self.terminal.line("cancelled");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn make_plan(&mut self, goal: String) -> Result<(), Failure> {
        let Embedded { agent, me } = self.embedded;
        let mut request = CreatePlan::new(goal);
        request.repo_path = Some(self.root.display().to_string());
        let created = agent.plans().create(me, request).await?;
        let id = created.plan.id;
        self.plan = Some(id);
        self.last = None;
        let mut progress = self.progress();
        let made = tokio::select! {
            settled = watch::until_settled(self.embedded, id, &mut progress, None) => settled?,
            () = interrupted() => {
                agent.plans().cancel(me, id).await?;
                return Err(Failure::work("interrupted before the plan was made"));
            }
        };
        progress.end();
        let plan = &made.value.plan;
        if plan.status != PlanStatus::Created {
            self.last = Some(plan.status);
            let why = plan.summary.clone().unwrap_or_else(|| plan.status.to_string());
            return Err(Failure::work(why));
        }
        plan_view::show_tasks(&self.terminal, &made.value.tasks);
        self.terminal.note(format_args!("plan {id}; `exec` carries it out"));
        Ok(())
    }

    async fn execute(&mut self, id: PlanId, lines: &mut mpsc::Receiver<String>) -> Result<(), Failure> {
        let Embedded { agent, me } = self.embedded;
        let plans = agent.plans();
        match plans.state(me, id).await?.plan.status {
            PlanStatus::Created => plans.execute(me, id, None).await?,
            PlanStatus::Paused => plans.resume(me, id).await?,
            PlanStatus::Failed | PlanStatus::Cancelled => plans.retry(me, id, None, false).await?,
            PlanStatus::Running | PlanStatus::AwaitingApproval => {
                // A request that changes the plan is what makes an executor take it in hand.
                plans.pause(me, id).await?;
                plans.resume(me, id).await?
            }
            status @ (PlanStatus::Planning | PlanStatus::Completed) => {
                return Err(Failure::usage(format!(
                    "plan {id} is {status}; type `plan GOAL` for another one"
                )));
            }
        };
        self.follow(id, lines).await
    }

    /// Shows the work until it ends, and passes on what is typed meanwhile.
    async fn follow(&mut self, id: PlanId, lines: &mut mpsc::Receiver<String>) -> Result<(), Failure> {
        let Embedded { agent, me } = self.embedded;
        let mut progress = self.progress();
        progress.plan(watch::task_lines(&self.embedded.tasks(id).await?.value.tasks));
        let interactive = self.interactive;
        {
            let mut settled = std::pin::pin!(watch::until_settled(self.embedded, id, &mut progress, None));
            loop {
                tokio::select! {
                    settled = &mut settled => { settled?; break; }
                    Some(line) = lines.recv(), if interactive => match Line::parse(&line) {
                        Line::Cancel => { agent.plans().cancel(me, id).await?; }
                        Line::Empty => {}
                        _ => self.say(line).await?,
                    },
                    () = interrupted() => {
                        agent.plans().pause(me, id).await?;
                        self.terminal.note("paused after what runs; `exec` goes on, `cancel` stops it");
                    }
                }
            }
        }
        progress.end();
        let details = self.embedded.plan(id).await?.value;
        let changes = self.embedded.diff(id).await?.value.diff;
        self.last = Some(details.plan.status);
        plan_view::show_outcome(&self.terminal, &details, &changes);
        if self.last == Some(PlanStatus::AwaitingApproval) {
            self.show_questions(id).await?;
        }
        Ok(())
    }

    async fn show_questions(&self, id: PlanId) -> Result<(), Failure> {
        for asked in questions::open(self.embedded, id).await? {
            let risk = asked.risk.as_str();
            self.terminal.line(format_args!("? {} ({risk} risk)", plain(&asked.subject)));
        }
        self.terminal.note("`approve` or `reject WHY`");
        Ok(())
    }

    /// Answers the oldest question of the plan, and goes on.
    async fn decide(
        &mut self,
        id: PlanId,
        approve: bool,
        note: Option<String>,
        lines: &mut mpsc::Receiver<String>,
    ) -> Result<(), Failure> {
        let asked = questions::open(self.embedded, id).await?.into_iter().next();
        let asked = asked.ok_or_else(|| Failure::usage("the plan asks nothing"))?;
        let decision = if approve { Resolution::Approve } else { Resolution::Reject };
        questions::answer(self.embedded, asked, decision, note).await?;
        self.follow(id, lines).await
    }

    async fn say(&self, words: String) -> Result<(), Failure> {
        let Embedded { agent, me } = self.embedded;
        agent.conversation().add(me, "user".to_owned(), words, self.plan, None).await?;
        self.terminal.note("said; the model's next call hears it");
        Ok(())
    }

    async fn show_plan(&self, id: PlanId) -> Result<(), Failure> {
        let details = self.embedded.plan(id).await?.value;
        let status = self.terminal.paint(Style::Bold, details.plan.status);
        self.terminal.line(format_args!("plan {id}: {} ({status})", plain(&details.plan.goal)));
        plan_view::show_tasks(&self.terminal, &details.tasks);
        Ok(())
    }

    async fn history(&self, id: PlanId) -> Result<(), Failure> {
        let wanted =
            MessageFilter { plan_id: Some(id), limit: Some(MOST_MESSAGES), ..MessageFilter::default() };
        let page = self.embedded.messages(&wanted).await?.value;
        plan_view::show_messages(&self.terminal, &page.messages);
        Ok(())
    }

    async fn scan(&self) -> Result<(), Failure> {
        let root = self.root.display().to_string();
        let (_, report) =
            self.embedded.agent.repositories().scan(&self.embedded.me, Some(&root), false).await?;
        super::scan::show(&self.terminal, &report);
        Ok(())
    }

    fn progress(&self) -> Progress {
        Progress::new(self.terminal)
    }
}

/// The lines of standard input, read by a thread of their own: a read cannot be taken back.
fn typed() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(16);
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    });
    lines
}
