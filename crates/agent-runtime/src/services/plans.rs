//! Plans as a caller sees them: their own, or everybody's for administrators.

mod edit;
mod events;
mod request;
mod workspace;

pub use edit::Edited;
pub use events::{EventPage, EventQuery};
pub use request::CreatePlan;

use super::Templates;
use crate::error::Result;
use crate::repositories::RepositoryRoots;
use crate::workspaces::PlanWorkspaces;
use agent_auth::Principal;
use agent_core::Error;
use agent_core::error::Defect;
use agent_core::event::{EventBody, Topic};
use agent_core::executor::fact::Fact;
use agent_core::executor::{Executor, Submitted};
use agent_core::ids::{Owner, PlanId, TaskId};
use agent_core::plan::{Attempt, NewPlan, PlanState, PlanStatus, TaskStatus};
use agent_core::policy::Judge;
use agent_core::ports::{
    Conversations, ModelUsage, NewMessage, PlanFilter, PlanMark, PlanPage, PlanReader, PlanStore, Redactor,
    Step, Visibility,
};
use agent_core::pricing::{PriceList, dollars};
use agent_events::{Hub, Subscription};
use futures_util::StreamExt;
use request::{Bounds, check};
use std::sync::Arc;

/// Figures of one plan.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Statistics {
    /// How many tasks it has.
    pub total_tasks: u64,
    /// How many are completed.
    pub completed_tasks: u64,
    /// How many failed for good.
    pub failed_tasks: u64,
    /// How many attempts were started.
    pub total_executions: u64,
    /// Share of completed tasks, 0 to 100.
    pub progress: f64,
    /// Tokens of all answers of language models, those of the planner included.
    pub tokens: u64,
    /// Cost in US dollars; null where the price of a model that was asked is unknown.
    pub cost: Option<f64>,
}

/// A plan with its figures.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanDetails {
    /// The plan and its tasks.
    pub state: PlanState,
    /// Its figures.
    pub statistics: Statistics,
}

/// How many plans are looked at together when all of somebody's are cancelled.
const CANCELLED_AT_ONCE: u32 = 100;

/// Requests about plans.
#[derive(Clone)]
pub struct Plans {
    pub(crate) executor: Executor,
    pub(crate) store: agent_store::Store,
    pub(crate) hub: Hub,
    pub(crate) roots: Arc<RepositoryRoots>,
    pub(crate) workspaces: Arc<PlanWorkspaces>,
    pub(crate) templates: Templates,
    pub(crate) prices: PriceList,
    /// The configured language model.
    pub(crate) model: Option<String>,
    pub(crate) judge: Arc<dyn Judge>,
    pub(crate) redactor: Arc<dyn Redactor>,
    /// Live plans at once of one person, and of one tenant.
    pub(crate) most_active: (Option<u64>, Option<u64>),
}

impl Plans {
    /// Creates a plan; the answer is durable.
    ///
    /// # Errors
    /// `InvalidPlan`, `RepositoryRefused`, `NoLanguageModel`, `IdempotencyMismatch`, template errors.
    pub async fn create(&self, caller: &Principal, request: CreatePlan) -> Result<PlanState> {
        let mut request = request;
        if let Some(id) = &request.template_id {
            if !request.tasks.is_empty() {
                let defect = Defect::new("/template_id", "give either a template or tasks, not both");
                return Err(Error::InvalidPlan(vec![defect]).into());
            }
            let found = self.templates.find(caller, id).await?;
            let rendered = found.template.render(&request.parameters)?;
            request.tasks = rendered.tasks;
            if request.goal.trim().is_empty() {
                request.goal = rendered.goal;
            }
        } else if !request.parameters.is_empty() {
            let defect =
                Defect::new("/parameters", "parameters belong to a template; name it in template_id");
            return Err(Error::InvalidPlan(vec![defect]).into());
        }
        check(caller, &request, &self.bounds())?;
        if request.auto_execute || request.tasks.is_empty() {
            self.refuse_too_many(caller).await?;
        }
        let repository = self.roots.admit(caller.tenant, request.repo_path.clone()).await?;
        // A secret in a goal would reach the model, and everybody who reads the plan.
        let goal = self.redactor.redact(&request.goal).into_owned();
        let plan = NewPlan {
            owner: caller.owner(),
            goal: goal.clone(),
            repo_path: repository.display().to_string(),
            tasks: request.tasks,
            policy: request.policy,
            auto_execute: request.auto_execute,
            template_id: request.template_id,
            idempotency: request.idempotency,
        };
        let state = self.executor.create(plan).await?;
        if state.plan.status == PlanStatus::Planning {
            self.note_goal(caller, &state, goal).await?;
        }
        Ok(state)
    }

    /// Whether there is room for one more live plan. Of many requests at once a few more than the limit may get through.
    async fn refuse_too_many(&self, caller: &Principal) -> Result<()> {
        let (of_user, of_tenant) = self.most_active;
        let scopes = [
            ("you have", of_user, Visibility::Owner(caller.owner())),
            ("your tenant has", of_tenant, Visibility::Tenant(caller.tenant)),
        ];
        for (who, most, visibility) in scopes {
            let Some(most) = most else { continue };
            if PlanReader::counts(&self.store, visibility).await?.live >= most {
                return Err(crate::Error::TooManyActivePlans { who, most });
            }
        }
        Ok(())
    }

    /// A goal in plain words is the first line of the plan's conversation.
    async fn note_goal(&self, caller: &Principal, state: &PlanState, goal: String) -> Result<()> {
        let plan_id = Some(state.plan.id);
        let message = NewMessage {
            owner: caller.owner(),
            role: "user".to_owned(),
            content: goal,
            plan_id,
            idempotency: None,
        };
        Conversations::add(&self.store, &message, state.plan.created_at).await?;
        Ok(())
    }

    /// A page of the caller's plans, newest first.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list(&self, caller: &Principal, filter: PlanFilter) -> Result<PlanPage> {
        let filter = PlanFilter { visibility: caller.visibility(), ..filter };
        Ok(PlanReader::list(&self.store, &filter).await?)
    }

    /// The plan and its tasks.
    ///
    /// # Errors
    /// `PlanNotFound`, also for plans of others.
    pub async fn state(&self, caller: &Principal, id: PlanId) -> Result<PlanState> {
        Ok(PlanStore::load(&self.store, Some(caller.visibility()), id).await?)
    }

    /// By what the plan's present state is told from any other: as long as it stays the same, so does what
    /// [`Plans::find`] answers.
    ///
    /// # Errors
    /// `PlanNotFound`, also for plans of others.
    pub async fn mark(&self, caller: &Principal, id: PlanId) -> Result<PlanMark> {
        Ok(PlanReader::mark(&self.store, caller.visibility(), id).await?)
    }

    /// The plan with its figures.
    ///
    /// # Errors
    /// `PlanNotFound`.
    pub async fn find(&self, caller: &Principal, id: PlanId) -> Result<PlanDetails> {
        let state = self.state(caller, id).await?;
        let attempts = PlanReader::attempts(&self.store, caller.tenant, id).await?;
        let used = PlanReader::model_usage(&self.store, caller.tenant, id).await?;
        let count = |status| state.tasks.iter().filter(|task| task.status == status).count() as u64;
        let statistics = Statistics {
            total_tasks: state.tasks.len() as u64,
            completed_tasks: count(TaskStatus::Completed),
            failed_tasks: count(TaskStatus::Failed),
            total_executions: attempts.len() as u64,
            progress: state.progress(),
            tokens: used.iter().map(|used| used.usage.total()).sum(),
            cost: self.cost(&used),
        };
        Ok(PlanDetails { state, statistics })
    }

    /// What the rules of plans are held against.
    fn bounds(&self) -> Bounds<'_> {
        let unpriced = self.model.as_deref().filter(|model| self.prices.of(model).is_none());
        Bounds { unpriced, judge: self.judge.as_ref() }
    }

    /// What the models of a plan have cost in US dollars; `None` where a price is unknown.
    fn cost(&self, used: &[ModelUsage]) -> Option<f64> {
        let micros = used.iter().map(|used| Some(self.prices.of(&used.model)?.micros(used.usage)));
        micros.sum::<Option<u64>>().map(dollars)
    }

    /// Starts the plan, or one task with what it needs.
    ///
    /// # Errors
    /// `PlanNotFound`, `TaskNotFound`, `IllegalPlanMove`, `IllegalTaskMove`.
    pub async fn execute(&self, caller: &Principal, id: PlanId, task: Option<TaskId>) -> Result<Submitted> {
        self.refuse_too_many(caller).await?;
        self.submit(caller, id, Fact::ExecuteRequested { task }).await
    }

    /// Starts nothing new until it is resumed.
    ///
    /// # Errors
    /// `PlanNotFound`, `IllegalPlanMove`.
    pub async fn pause(&self, caller: &Principal, id: PlanId) -> Result<Submitted> {
        self.submit(caller, id, Fact::PauseRequested).await
    }

    /// Goes on.
    ///
    /// # Errors
    /// `PlanNotFound`, `IllegalPlanMove`.
    pub async fn resume(&self, caller: &Principal, id: PlanId) -> Result<Submitted> {
        self.submit(caller, id, Fact::ResumeRequested).await
    }

    /// Ends everything, what runs included.
    ///
    /// # Errors
    /// `PlanNotFound`, `IllegalPlanMove`.
    pub async fn cancel(&self, caller: &Principal, id: PlanId) -> Result<Submitted> {
        self.submit(caller, id, Fact::CancelRequested).await
    }

    /// Ends all plans of somebody who is no member any more. One that has ended meanwhile stays as it is.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn cancel_all(&self, owner: Owner) -> Result<()> {
        let visibility = Visibility::Owner(owner);
        let mut before = None;
        loop {
            let filter =
                PlanFilter { visibility, status: None, text: None, before, limit: CANCELLED_AT_ONCE };
            let page = PlanReader::list(&self.store, &filter).await?;
            for plan in
                page.plans.iter().map(|summary| &summary.plan).filter(|plan| !plan.status.is_terminal())
            {
                match self.executor.submit(visibility, plan.id, Fact::CancelRequested).await {
                    Ok(_) | Err(Error::IllegalPlanMove { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            before = page.next;
            if before.is_none() {
                return Ok(());
            }
        }
    }

    /// Tries again what failed, or one task; with `following`, a task and all that follows from it.
    ///
    /// # Errors
    /// `PlanNotFound`, `TaskNotFound`, `IllegalPlanMove`, `IllegalTaskMove`.
    pub async fn retry(
        &self,
        caller: &Principal,
        id: PlanId,
        task: Option<TaskId>,
        following: bool,
    ) -> Result<Submitted> {
        self.submit(caller, id, Fact::RetryRequested { task, following }).await
    }

    async fn submit(&self, caller: &Principal, id: PlanId, fact: Fact) -> Result<Submitted> {
        Ok(self.executor.submit(caller.visibility(), id, fact).await?)
    }

    /// The attempts at a task, oldest first, each with its recorded steps.
    ///
    /// # Errors
    /// `PlanNotFound`, `TaskNotFound`.
    pub async fn executions(
        &self,
        caller: &Principal,
        id: PlanId,
        task: TaskId,
    ) -> Result<Vec<(Attempt, Vec<Step>)>> {
        let state = self.state(caller, id).await?;
        if state.task(task).is_none() {
            return Err(Error::TaskNotFound { plan: id, task }.into());
        }
        let attempts = PlanReader::attempts(&self.store, caller.tenant, id).await?;
        let steps = PlanReader::steps(&self.store, caller.tenant, id).await?;
        let of_task = attempts.into_iter().filter(|attempt| attempt.task_id == task);
        let with_steps = of_task.map(|attempt| {
            let own = steps.iter().filter(|s| s.key.task_id == task && s.key.attempt == attempt.attempt);
            let own = own.cloned().collect();
            (attempt, own)
        });
        Ok(with_steps.collect())
    }

    /// Waits until the plan has ended, waits for a person, or is planned and not to be executed by itself.
    ///
    /// # Errors
    /// `PlanNotFound`; event errors.
    pub async fn wait(&self, caller: &Principal, id: PlanId) -> Result<PlanState> {
        // Listening comes before looking, so that nothing falls between.
        let mut events = self.hub.subscribe(Topic::Plan(caller.tenant, id), None).await?;
        loop {
            let state = self.state(caller, id).await?;
            if !is_busy(state.plan.status) {
                return Ok(state);
            }
            wait_for_rest(&mut events).await?;
        }
    }
}

fn is_busy(status: PlanStatus) -> bool {
    matches!(status, PlanStatus::Planning | PlanStatus::Running)
}

/// Reads on until an event tells that the plan no longer works; the others change nothing of interest here.
async fn wait_for_rest(events: &mut Subscription) -> Result<()> {
    while let Some(envelope) = events.stream.next().await.transpose()? {
        if matches!(envelope.event.body, EventBody::PlanUpdated { status, .. } if !is_busy(status)) {
            return Ok(());
        }
    }
    Ok(())
}
