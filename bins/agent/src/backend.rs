//! Where a command works: on the user's own data in this process, or at a server. Both answer alike.

mod embedded;
mod place;
mod server;

pub(crate) use place::{Place, introduce};
pub(crate) use server::Server;

use crate::exit::Failure;
use agent_client::{
    Accepted, Approval, ApprovalFilter, ApprovalPage, Decided, Event, Executions, FiguresBy, FiguresFilter,
    FiguresPage, MessageFilter, MessagePage, Performance, PlanDetails, PlanDiff, PlanFigures, PlanFilter,
    PlanPage, PlanTasks, Summary, TaskFigures, Template, TemplateFilter, TemplateSearch, TemplateSummary,
};
use agent_core::ids::{ApprovalId, PlanId, TaskId};
use agent_runtime::PersonsAnswer;
use async_trait::async_trait;
use futures_util::stream::BoxStream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What the REST API answers: as it came, for `--json`, and as this program reads it.
#[derive(Debug, Clone)]
pub(crate) struct Document<T> {
    /// As it came, with fields that this program does not know.
    pub(crate) json: Value,
    /// As it is read.
    pub(crate) value: T,
}

impl<T: DeserializeOwned> Document<T> {
    /// Reads what a server answered.
    fn read(json: Value) -> Result<Self, Failure> {
        let value = T::deserialize(&json).map_err(|error| {
            Failure::work(format!(
                "the answer is not what was expected ({error}); is the server of another version?"
            ))
        })?;
        Ok(Self { json, value })
    }

    /// What a server would answer, from what it makes its answers of.
    pub(crate) fn of(view: impl Serialize) -> Result<Self, Failure> {
        Self::read(serde_json::to_value(view)?)
    }
}

/// What can be asked of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    /// Start it, or one task with what it needs.
    Execute(Option<TaskId>),
    /// Start nothing new.
    Pause,
    /// Go on.
    Resume,
    /// End it, what runs included.
    Cancel,
    /// Try again what did not complete, or one task.
    Retry {
        /// Only this task.
        task: Option<TaskId>,
        /// And all that follows from it.
        following: bool,
    },
}

impl Move {
    /// Whether there is work to be watched afterwards.
    pub(crate) fn begins_work(self) -> bool {
        !matches!(self, Self::Pause | Self::Cancel)
    }
}

/// What commands read and change, wherever that is.
#[async_trait]
pub(crate) trait Backend: Send + Sync {
    /// The server that is asked; `None` where the work is done in this process.
    fn server(&self) -> Option<&str>;

    /// A page of plans, newest first.
    async fn plans(&self, filter: &PlanFilter) -> Result<Document<PlanPage>, Failure>;
    /// A plan with its tasks and figures.
    async fn plan(&self, id: PlanId) -> Result<Document<PlanDetails>, Failure>;
    /// The tasks of a plan.
    async fn tasks(&self, id: PlanId) -> Result<Document<PlanTasks>, Failure>;
    /// The attempts at a task.
    async fn executions(&self, plan: PlanId, task: TaskId) -> Result<Document<Executions>, Failure>;
    /// What a plan changed.
    async fn diff(&self, id: PlanId) -> Result<Document<PlanDiff>, Failure>;
    /// Asks something of a plan.
    async fn move_plan(&self, id: PlanId, wanted: Move) -> Result<Document<Accepted>, Failure>;
    /// Recorded events of a plan behind a position, and the position where they end.
    async fn events(&self, id: PlanId, after: i64) -> Result<(Vec<Event>, i64), Failure>;
    /// The events of a plan behind a position, and those to come. The stream ends by itself after an error only.
    async fn follow(
        &self,
        id: PlanId,
        after: i64,
    ) -> Result<BoxStream<'static, Result<Event, Failure>>, Failure>;

    /// A page of what was said.
    async fn messages(&self, filter: &MessageFilter) -> Result<Document<MessagePage>, Failure>;
    /// Says something to a plan.
    async fn say(&self, plan: PlanId, text: &str) -> Result<(), Failure>;

    /// A page of questions to people, oldest first.
    async fn approvals(&self, filter: &ApprovalFilter) -> Result<Document<ApprovalPage>, Failure>;
    /// A question.
    async fn approval(&self, id: ApprovalId) -> Result<Document<Approval>, Failure>;
    /// Answers a question.
    async fn decide(&self, id: ApprovalId, answer: PersonsAnswer) -> Result<Document<Decided>, Failure>;

    /// The templates that match.
    async fn templates(&self, filter: &TemplateFilter) -> Result<Document<Vec<TemplateSummary>>, Failure>;
    /// A template with its tasks and parameters.
    async fn template(&self, id: &str) -> Result<Document<Template>, Failure>;
    /// The templates in which every word occurs, best first.
    async fn search_templates(&self, words: &str) -> Result<Document<TemplateSearch>, Failure>;

    /// The figures of everything in short.
    async fn summary(&self) -> Result<Document<Summary>, Failure>;
    /// The figures of everything in detail.
    async fn performance(&self) -> Result<Document<Performance>, Failure>;
    /// The figures of a task.
    async fn task_figures(&self, id: TaskId) -> Result<Document<TaskFigures>, Failure>;
    /// The figures of a plan.
    async fn plan_figures(&self, id: PlanId) -> Result<Document<PlanFigures>, Failure>;
    /// The figures of each template, user or model.
    async fn figures_by(
        &self,
        by: FiguresBy,
        filter: &FiguresFilter,
    ) -> Result<Document<FiguresPage>, Failure>;
}
