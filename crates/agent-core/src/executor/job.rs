//! What a driver has under way: the making of the plan, or an attempt at a task.

use super::assignment::Assignment;
use super::attempt;
use super::fact::{Fact, Outcome};
use super::gate::Meter;
use super::schedule;
use super::shared::{Shared, Signals};
use super::showing::Stage;
use super::slots::Slot;
use crate::error::{Error, Result, with_causes};
use crate::ids::TaskId;
use crate::model::Silent;
use crate::plan::{Plan, PlanState};
use crate::policy::SecretFiles;
use crate::ports::{Fence, WorkspaceSecrets};
use crate::tool::ToolContext;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, Span};

/// How long an attempt rests that the store left in the lurch, before it goes on where its record ends.
const REST: Duration = Duration::from_millis(200);

/// Why a task failed in which something panicked.
pub(super) const BROKE_OFF: &str =
    "the work on this task broke off because of a defect of the program; the log of the server says where";

/// One thing under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Job {
    Planning,
    /// The rest of this version of the plan is made anew.
    Replanning(u32),
    Attempt(TaskId, u32),
}

impl Job {
    /// The task it is about.
    pub(super) fn task(&self) -> Option<TaskId> {
        match self {
            Self::Planning | Self::Replanning(_) => None,
            Self::Attempt(task, _) => Some(*task),
        }
    }
}

/// What a job came to; without a fact when it was abandoned.
pub(super) struct Report {
    pub(super) job: Job,
    pub(super) fact: Option<Fact>,
    pub(super) slot: Option<Slot>,
}

/// An attempt at a task, ready to be worked on.
pub(super) struct AttemptJob {
    pub(super) shared: Arc<Shared>,
    pub(super) state: Arc<PlanState>,
    pub(super) fence: Fence,
    pub(super) signals: Arc<Signals>,
    pub(super) meter: Arc<Meter>,
    pub(super) workspace: Arc<Workspace>,
    pub(super) task: TaskId,
    pub(super) attempt: u32,
    pub(super) cancel: CancellationToken,
    pub(super) slot: Option<Slot>,
    /// A worker that vanished had begun it.
    pub(super) resumed: bool,
}

impl AttemptJob {
    /// Works on the attempt to its end.
    pub(super) async fn run(mut self) -> Report {
        let job = Job::Attempt(self.task, self.attempt);
        self.wait_for_room().await;
        let slot = self.slot.take();
        let jitter = self.shared.ports.randomness.fraction();
        let (shared, state, signals) =
            (Arc::clone(&self.shared), Arc::clone(&self.state), Arc::clone(&self.signals));
        let (task, span) = (self.task, self.span());
        // A defect of a tool fails its task; it must not take the plan with it, again and again.
        let worked = AssertUnwindSafe(self.work()).catch_unwind().instrument(span.clone()).await;
        let worked = worked.unwrap_or_else(|_| Ok(broke_off()));
        if let (Ok(outcome), Some(task)) = (&worked, state.task(task)) {
            shared.attempts.ended(&task.spec.kind, outcome);
            span.record("outcome", outcome.name());
            span.in_scope(|| tracing::debug!("an attempt ended: {}", outcome.name()));
        }
        let fact = match worked {
            Ok(outcome) => Some(finished(job, outcome, jitter)),
            Err(Error::LeaseLost(_)) => {
                signals.lost.cancel();
                None
            }
            Err(_) => {
                tokio::time::sleep(REST).await;
                None
            }
        };
        Report { job, fact: fact.flatten(), slot }
    }

    /// What its lines in the log and its place in a trace say of it. The level is that of a span that is there whatever
    /// the log leaves out.
    fn span(&self) -> Span {
        let origin = self.signals.origin();
        tracing::error_span!(
            parent: None,
            "attempt",
            request_id = origin.as_ref().map(|origin| origin.request_id.as_ref()),
            traceparent = origin.as_ref().and_then(|origin| origin.traceparent.as_deref()),
            plan_id = self.state.plan.id.0,
            task_id = self.task.0,
            attempt = self.attempt,
            kind = self.state.task(self.task).map(|task| task.spec.kind.name()),
            outcome = tracing::field::Empty,
        )
    }

    /// An attempt that was taken over comes without a slot.
    async fn wait_for_room(&mut self) {
        if self.slot.is_some() {
            return;
        }
        let plan = &self.state.plan;
        self.slot = tokio::select! {
            slot = self.shared.slots.acquire(plan.owner, plan.id, 1) => Some(slot),
            () = self.cancel.cancelled() => None,
        };
    }

    /// The folder to work in, and what is secret there.
    async fn open(&self) -> Result<(PathBuf, WorkspaceSecrets)> {
        let path = self.workspace.open(&self.shared, &self.state.plan).await?;
        let secrets = self.shared.ports.secrets.of_workspace(&path).await?;
        Ok((path, secrets))
    }

    async fn work(self) -> Result<Outcome> {
        if self.cancel.is_cancelled() {
            return Ok(Outcome::Cancelled);
        }
        let (path, secrets) = match self.open().await {
            Ok(opened) => opened,
            Err(error) => return Ok(Outcome::Failed { error: error.to_string(), retryable: false }),
        };
        let context = assign(&self.shared, &self.state, (self.task, self.cancel), path, secrets.files);
        let state = Arc::clone(&self.state);
        let mut assignment = Assignment {
            state: self.state,
            task: self.task,
            attempt: self.attempt,
            fence: self.fence,
            context,
            redactor: secrets.redactor,
            leaving: self.signals.lost.clone(),
            resumed: self.resumed,
            limits: self.shared.settings.daily_limits,
            meter: self.meter,
        };
        if let Some(stage) = Stage::of(&self.shared.ports, &assignment) {
            assignment.context.progress = Arc::new(stage);
        }
        let outcome = attempt::run(Arc::clone(&self.shared.ports), assignment).await?;
        Ok(keep(&self.shared, &state, self.task, outcome).await)
    }
}

/// What is completed is kept first: a record that says so must not outlive the work.
async fn keep(shared: &Shared, state: &PlanState, task: TaskId, outcome: Outcome) -> Outcome {
    let Some(task) = state.task(task).filter(|_| matches!(outcome, Outcome::Completed { .. })) else {
        return outcome;
    };
    match shared.ports.workspaces.keep(&state.plan, task).await {
        Ok(()) => outcome,
        Err(error) => {
            let error = format!("its work is done, but could not be kept: {}", with_causes(&error));
            Outcome::Failed { error, retryable: false }
        }
    }
}

fn broke_off() -> Outcome {
    Outcome::Failed { error: BROKE_OFF.to_owned(), retryable: false }
}

/// The fact that an attempt ended; nothing for what is no attempt.
pub(super) fn finished(job: Job, outcome: Outcome, jitter: f64) -> Option<Fact> {
    match job {
        Job::Attempt(task, attempt) => Some(Fact::AttemptFinished { task, attempt, outcome, jitter }),
        Job::Planning | Job::Replanning(_) => None,
    }
}

/// The folder that a plan works in, looked up when it is first needed and then used as long as the plan is driven.
#[derive(Default)]
pub(super) struct Workspace(OnceCell<PathBuf>);

impl Workspace {
    async fn open(&self, shared: &Shared, plan: &Plan) -> Result<PathBuf> {
        self.0.get_or_try_init(|| shared.ports.workspaces.open(plan)).await.cloned()
    }
}

/// What an attempt works under.
fn assign(
    shared: &Shared,
    state: &PlanState,
    (task, cancel): (TaskId, CancellationToken),
    workspace: PathBuf,
    secret_files: Vec<PathBuf>,
) -> ToolContext {
    let policy = &state.plan.policy;
    let hidden = if policy.secret_files == SecretFiles::Hidden { secret_files } else { Vec::new() };
    let asked = state.task(task).and_then(|task| task.spec.timeout_ms).map(Duration::from_millis);
    let mut timeout = asked.unwrap_or(shared.settings.task_timeout);
    if let Some(deadline) = schedule::deadline(&state.plan) {
        timeout = timeout.min(deadline.since(shared.ports.clock.now()));
    }
    ToolContext {
        workspace,
        sandbox: policy.sandbox,
        network: policy.network,
        domains: policy.domains.clone().into(),
        hidden: hidden.into(),
        timeout,
        cancel,
        idempotency_key: String::new(),
        progress: Arc::new(Silent),
    }
}
