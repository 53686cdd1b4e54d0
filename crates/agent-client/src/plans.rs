//! Plans: making them, looking at them, moving them.

use crate::client::Client;
use crate::error::Result;
use crate::events::{ListEvents, Topic};
use crate::http::Call;
use crate::paging;
use crate::wire::create_plan::CreatePlan;
use crate::wire::execution::Executions;
use crate::wire::plan::{
    Accepted, CreatedPlan, PlanDetails, PlanDiff, PlanFilter, PlanPage, PlanSummary, PlanTasks, RetryTask,
    SelectTask, Task,
};
use agent_core::ids::{PlanId, TaskId};
use futures_util::Stream;
use url::Url;
use uuid::Uuid;

/// The plans of a server. What any request may end with: `Unreachable`, `Protocol`, and `Problem` with `unauthenticated`,
/// `invalid_token`, `forbidden`, `rate_limited`, `unavailable` and others that are listed in the server's `docs/errors.md`.
#[derive(Debug, Clone)]
pub struct Plans {
    client: Client,
}

impl Plans {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Creates a plan, once: a request whose answer was lost is sent again under the same idempotency key, which is made up
    /// for it.
    ///
    /// # Errors
    /// `Problem` with `invalid_plan`, `repository_refused`, `no_language_model` and others, and what any request may end with.
    pub async fn create(&self, plan: &CreatePlan) -> Result<CreatedPlan> {
        self.create_once(&Uuid::new_v4().to_string(), plan).await
    }

    /// Creates a plan under a key of one's own (1 to 255 visible ASCII characters), so that a program which was itself cut
    /// off can ask again within 24 hours and gets the same plan.
    ///
    /// # Errors
    /// As [`Plans::create`], and `Problem` with `idempotency_mismatch` when the key was used for another request.
    pub async fn create_once(&self, key: &str, plan: &CreatePlan) -> Result<CreatedPlan> {
        let call = Call::post(self.client.url(&["plans"])).json(plan)?;
        self.client.send(call.once(key.to_owned())).await
    }

    /// A plan with its tasks and figures.
    ///
    /// # Errors
    /// `Problem` with `plan_not_found`, and what any request may end with.
    pub async fn get(&self, plan: impl Into<PlanId>) -> Result<PlanDetails> {
        self.client.send(Call::get(self.url(plan, &[]))).await
    }

    /// The tasks of a plan, by position.
    ///
    /// # Errors
    /// As [`Plans::get`].
    pub async fn tasks(&self, plan: impl Into<PlanId>) -> Result<Vec<Task>> {
        let answer: PlanTasks = self.client.send(Call::get(self.url(plan, &["tasks"]))).await?;
        Ok(answer.tasks)
    }

    /// A page of plans, newest first.
    ///
    /// # Errors
    /// What any request may end with.
    pub async fn list(&self, filter: &PlanFilter) -> Result<PlanPage> {
        self.client.send(Call::get(self.client.url(&["plans"])).query(filter)?).await
    }

    /// All plans, newest first, from the filter's `cursor` on; pages are fetched as they are needed. Ends with the first
    /// error.
    pub fn all(&self, filter: PlanFilter) -> impl Stream<Item = Result<PlanSummary>> + Send + use<> {
        let plans = self.clone();
        paging::all(filter.cursor.clone(), move |cursor| {
            let (plans, filter) = (plans.clone(), PlanFilter { cursor, ..filter.clone() });
            async move { plans.list(&filter).await.map(|page| (page.plans, page.next_cursor)) }
        })
    }

    /// Starts executing a plan.
    ///
    /// # Errors
    /// `Unanswered` when the answer was lost; `Problem` with `illegal_move`; and what any request may end with.
    pub async fn execute(&self, plan: impl Into<PlanId>) -> Result<Accepted> {
        self.client.send(Call::post(self.url(plan, &["execute"]))).await
    }

    /// Starts executing one task of a plan, with what it needs.
    ///
    /// # Errors
    /// As [`Plans::execute`], and `Problem` with `task_not_found`.
    pub async fn execute_task(&self, plan: impl Into<PlanId>, task: impl Into<TaskId>) -> Result<Accepted> {
        let call = Call::post(self.url(plan, &["execute"]));
        self.client.send(call.json(&SelectTask { task_id: task.into() })?).await
    }

    /// Starts nothing new of a plan until it is resumed; what runs goes on to its end.
    ///
    /// # Errors
    /// As [`Plans::execute`].
    pub async fn pause(&self, plan: impl Into<PlanId>) -> Result<Accepted> {
        self.client.send(Call::post(self.url(plan, &["pause"]))).await
    }

    /// Goes on with a paused plan.
    ///
    /// # Errors
    /// As [`Plans::execute`].
    pub async fn resume(&self, plan: impl Into<PlanId>) -> Result<Accepted> {
        self.client.send(Call::post(self.url(plan, &["resume"]))).await
    }

    /// Ends a plan, what runs of it included.
    ///
    /// # Errors
    /// As [`Plans::execute`].
    pub async fn cancel(&self, plan: impl Into<PlanId>) -> Result<Accepted> {
        self.client.send(Call::post(self.url(plan, &["cancel"]))).await
    }

    /// Tries again everything of a plan that did not complete.
    ///
    /// # Errors
    /// As [`Plans::execute`].
    pub async fn retry(&self, plan: impl Into<PlanId>) -> Result<Accepted> {
        self.client.send(Call::post(self.url(plan, &["retry"]))).await
    }

    /// Tries one task again, with what it needs and what waited for it; with `following`, all that follows from it runs
    /// again too, completed or not.
    ///
    /// # Errors
    /// As [`Plans::execute_task`].
    pub async fn retry_task(
        &self,
        plan: impl Into<PlanId>,
        task: impl Into<TaskId>,
        following: bool,
    ) -> Result<Accepted> {
        let call = Call::post(self.url(plan, &["retry"]));
        self.client.send(call.json(&RetryTask { task_id: task.into(), following })?).await
    }

    /// All changes that a plan made to files, as one unified diff.
    ///
    /// # Errors
    /// As [`Plans::get`].
    pub async fn diff(&self, plan: impl Into<PlanId>) -> Result<String> {
        let answer: PlanDiff = self.client.send(Call::get(self.url(plan, &["diff"]))).await?;
        Ok(answer.diff)
    }

    /// The attempts at a task, oldest first, each with its recorded steps.
    ///
    /// # Errors
    /// As [`Plans::get`], and `Problem` with `task_not_found`.
    pub async fn executions(&self, plan: impl Into<PlanId>, task: impl Into<TaskId>) -> Result<Executions> {
        let task = task.into().to_string();
        self.client.send(Call::get(self.url(plan, &["tasks", &task, "executions"]))).await
    }

    /// The events of a plan as a list; [`Client::events`] follows them.
    pub fn events(&self, plan: impl Into<PlanId>) -> ListEvents {
        ListEvents::new(self.client.clone(), Topic::Plan(plan.into()))
    }

    fn url(&self, plan: impl Into<PlanId>, rest: &[&str]) -> Url {
        let id = plan.into().to_string();
        let parts: Vec<&str> = ["plans", &id].into_iter().chain(rest.iter().copied()).collect();
        self.client.url(&parts)
    }
}
