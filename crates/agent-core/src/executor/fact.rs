//! What the state machine is told, and what it decides.

use crate::approval::{Question, Resolution};
use crate::ids::TaskId;
use crate::plan::{PlanEdit, PlanState, TaskSpec};
use crate::ports::Change;
use crate::time::Timestamp;
use serde_json::Value;

/// Something that happened, or that somebody asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// The planner found the tasks.
    Planned {
        /// Valid tasks, by position.
        tasks: Vec<TaskSpec>,
    },
    /// The planner gave up.
    PlanningFailed {
        /// Why.
        error: String,
    },
    /// The planner made the rest of the plan anew, or could not.
    Replanned {
        /// The edit, of the version that the planner has seen; or why there is none.
        edit: std::result::Result<PlanEdit, String>,
    },
    /// Somebody asked for the plan, or one task with what it needs, to run.
    ExecuteRequested {
        /// The task, or all of them.
        task: Option<TaskId>,
    },
    /// Nothing new shall start.
    PauseRequested,
    /// Work shall go on.
    ResumeRequested,
    /// Everything shall end, what runs included.
    CancelRequested,
    /// What failed shall be tried again.
    RetryRequested {
        /// The task, or everything that did not complete.
        task: Option<TaskId>,
        /// Whether the task and all that follows from it run again, completed or not.
        following: bool,
    },
    /// The definition of the plan shall change.
    EditRequested {
        /// How, and of which version.
        edit: PlanEdit,
        /// Who asks.
        by: String,
    },
    /// The server has room for so many attempts.
    SlotsGranted {
        /// How many.
        slots: u32,
    },
    /// An attempt ended.
    AttemptFinished {
        /// The task.
        task: TaskId,
        /// Which attempt.
        attempt: u32,
        /// How.
        outcome: Outcome,
        /// Randomness for the pause before a retry, in `0.0..1.0`.
        jitter: f64,
    },
    /// A person answered.
    ApprovalDecided {
        /// The task that waits.
        task: TaskId,
        /// Which of the questions about it.
        sequence: u32,
        /// The answer.
        decision: Resolution,
        /// Who.
        by: String,
        /// What they said.
        note: Option<String>,
    },
    /// A worker took over from one that vanished.
    Recovered {
        /// The generation it was given.
        generation: i64,
        /// How many crashes may catch the same attempt in flight before it fails as a `crash_loop`.
        max_recoveries: u32,
    },
    /// Time went on; whatever was due is due now.
    TimeReached,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Done and verified.
    Completed {
        /// What it yielded.
        result: Value,
    },
    /// Not done.
    Failed {
        /// Why.
        error: String,
        /// Whether another attempt makes sense.
        retryable: bool,
    },
    /// A crash caught it in flight and nobody can tell what it did.
    Unknown {
        /// What is known.
        detail: String,
    },
    /// It waits for a person, and goes on with the answer: the same attempt, from its record.
    Asks {
        /// What is asked.
        question: Box<Question>,
    },
    /// Stopped because the plan was cancelled; nothing of it runs any more.
    Cancelled,
}

impl Outcome {
    /// How the attempt ended, in a word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Completed { .. } => "completed",
            Self::Failed { .. } => "failed",
            Self::Unknown { .. } => "outcome_unknown",
            Self::Asks { .. } => "asks",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Something to be done in the world.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Turn the goal into tasks.
    MakePlan,
    /// Make new tasks for what is left of the plan after one has failed.
    Replan,
    /// Run this attempt, or go on with it where its record ends.
    RunAttempt {
        /// The task.
        task: TaskId,
        /// Which attempt.
        attempt: u32,
    },
    /// Report [`Fact::TimeReached`] then.
    WakeAt(Timestamp),
}

/// What follows from a fact.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What to commit; `None` when the fact changes nothing (a repeated delivery, for one).
    pub change: Option<Change>,
    /// The state once that is committed, without tasks that the change adds: those get their ids from the store.
    pub next: Option<PlanState>,
    /// Everything that shall be under way after the commit. Complete and level-triggered: what is
    /// under way and not named here is to be stopped, what is named twice is done once.
    pub effects: Vec<Effect>,
}
