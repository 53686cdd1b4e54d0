//! `agent plans execute|pause|resume|cancel|retry`: moves plans, and watches the work that begins by it.

use crate::backend::{Backend, Move, Place};
use crate::exit::{Exit, Failure, Outcome};
use crate::follow::follow;
use crate::output::Terminal;
use crate::plan_view;
use agent_core::ids::{PlanId, TaskId};
use clap::Args;

const EXECUTE_EXAMPLES: &str = "\
Examples:
  agent plans execute 7
  agent plans execute 7 --task 12          one task, with what it needs
  agent plans execute 7 --no-follow --server https://agent.example

On this machine's data the work is done by this process, and lasts as long as it. A server goes on by itself.
Exit codes: 0 done, 1 the plan failed, 2 wrong usage, 3 the plan asks a person or you are not logged in, 4 no server.";

const PAUSE_EXAMPLES: &str = "\
Examples:
  agent plans pause 7
  agent plans pause 7 --json";

const RESUME_EXAMPLES: &str = "\
Examples:
  agent plans resume 7
  agent plans resume 7 --no-follow --server https://agent.example";

const CANCEL_EXAMPLES: &str = "\
Examples:
  agent plans cancel 7
  agent plans cancel 7 --json";

const RETRY_EXAMPLES: &str = "\
Examples:
  agent plans retry 7                        everything that did not complete
  agent plans retry 7 --task 12              one task, with what it needs
  agent plans retry 7 --task 12 --following  that task and all that follows, completed or not";

/// Arguments of `agent plans execute`.
#[derive(Debug, Args)]
#[command(after_help = EXECUTE_EXAMPLES)]
pub(super) struct Execute {
    #[command(flatten)]
    work: Work,
    /// Only this task, by its id, with what it needs
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    task: Option<i64>,
}

/// Arguments of `agent plans pause`.
#[derive(Debug, Args)]
#[command(after_help = PAUSE_EXAMPLES)]
pub(super) struct Pause {
    #[command(flatten)]
    plan: OnePlan,
}

/// Arguments of `agent plans resume`.
#[derive(Debug, Args)]
#[command(after_help = RESUME_EXAMPLES)]
pub(super) struct Resume {
    #[command(flatten)]
    work: Work,
}

/// Arguments of `agent plans cancel`.
#[derive(Debug, Args)]
#[command(after_help = CANCEL_EXAMPLES)]
pub(super) struct Cancel {
    #[command(flatten)]
    plan: OnePlan,
}

/// Arguments of `agent plans retry`.
#[derive(Debug, Args)]
#[command(after_help = RETRY_EXAMPLES)]
pub(super) struct Retry {
    #[command(flatten)]
    work: Work,
    /// Only this task, by its id
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    task: Option<i64>,
    /// Also all that follows from the task, completed or not
    #[arg(long, requires = "task")]
    following: bool,
}

#[derive(Debug, Args)]
struct OnePlan {
    /// The plan
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    plan_id: i64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Work {
    #[command(flatten)]
    plan: OnePlan,
    /// Do not wait for the end; at a server only
    #[arg(long)]
    no_follow: bool,
}

/// What is asked of a plan, and what is shown of it.
pub(super) struct Request {
    id: PlanId,
    wanted: Move,
    follow: bool,
    json: bool,
}

impl Work {
    fn request(self, wanted: Move) -> Request {
        Request { follow: !self.no_follow, ..self.plan.request(wanted) }
    }
}

impl OnePlan {
    fn request(self, wanted: Move) -> Request {
        Request { id: PlanId(self.plan_id), wanted, follow: false, json: self.json }
    }
}

impl Execute {
    pub(super) fn request(self) -> Request {
        self.work.request(Move::Execute(self.task.map(TaskId)))
    }
}

impl Pause {
    pub(super) fn request(self) -> Request {
        self.plan.request(Move::Pause)
    }
}

impl Resume {
    pub(super) fn request(self) -> Request {
        self.work.request(Move::Resume)
    }
}

impl Cancel {
    pub(super) fn request(self) -> Request {
        self.plan.request(Move::Cancel)
    }
}

impl Retry {
    pub(super) fn request(self) -> Request {
        self.work.request(Move::Retry { task: self.task.map(TaskId), following: self.following })
    }
}

impl Request {
    pub(super) async fn carry_out(self, place: Place, terminal: Terminal) -> Outcome {
        // Also a pause takes the plan in hand, with what runs of it.
        place.during(true, async |backend| self.submit(backend, terminal).await).await
    }

    async fn submit(&self, backend: &dyn Backend, terminal: Terminal) -> Outcome {
        let Self { id, wanted, follow: watch, json } = *self;
        if wanted.begins_work() && !watch && backend.server().is_none() {
            return Err(Failure::usage("without a server this process does the work; leave out --no-follow"));
        }
        let accepted = backend.move_plan(id, wanted).await?;
        if watch {
            let exit = follow(backend, id, terminal, json).await?;
            if json {
                let changes = backend.diff(id).await?.value.diff;
                terminal.json(&plan_view::as_json(backend.plan(id).await?, &changes))?;
            }
            return Ok(exit);
        }
        if json {
            terminal.json(&accepted.json)?;
        } else {
            terminal.line(format_args!("plan {id} is {}", accepted.value.status));
        }
        Ok(Exit::Done)
    }
}
