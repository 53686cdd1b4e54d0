//! A server, asked over REST and WebSocket.

use super::{Backend, Document, Move};
use crate::exit::Failure;
use agent_client::{
    Accepted, Answer, Approval, ApprovalFilter, ApprovalPage, Client, Decided, Decision, Event, Executions,
    FiguresBy, FiguresFilter, FiguresPage, MessageFilter, MessagePage, Performance, PlanDetails, PlanDiff,
    PlanFigures, PlanFilter, PlanPage, PlanTasks, Summary, TaskFigures, Template, TemplateFilter,
    TemplateSearch, TemplateSummary, Topic,
};
use agent_core::approval::Resolution;
use agent_core::ids::{ApprovalId, PlanId, TaskId};
use agent_runtime::PersonsAnswer;
use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// Events read at once.
const PAGE: u32 = 200;

/// A server, and who asks it.
pub(crate) struct Server {
    /// What asks it.
    pub(crate) client: Client,
    /// Its address.
    pub(crate) url: String,
}

impl Server {
    /// The answer to `GET` of a path, given by its parts.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &(impl Serialize + Sync),
    ) -> Result<Document<T>, Failure> {
        Document::read(self.client.document(path, query).await?)
    }
}

#[async_trait]
impl Backend for Server {
    fn server(&self) -> Option<&str> {
        Some(&self.url)
    }

    async fn plans(&self, filter: &PlanFilter) -> Result<Document<PlanPage>, Failure> {
        self.get(&["plans"], filter).await
    }

    async fn plan(&self, id: PlanId) -> Result<Document<PlanDetails>, Failure> {
        self.get(&["plans", &id.to_string()], &()).await
    }

    async fn tasks(&self, id: PlanId) -> Result<Document<PlanTasks>, Failure> {
        self.get(&["plans", &id.to_string(), "tasks"], &()).await
    }

    async fn executions(&self, plan: PlanId, task: TaskId) -> Result<Document<Executions>, Failure> {
        self.get(&["plans", &plan.to_string(), "tasks", &task.to_string(), "executions"], &()).await
    }

    async fn diff(&self, id: PlanId) -> Result<Document<PlanDiff>, Failure> {
        self.get(&["plans", &id.to_string(), "diff"], &()).await
    }

    async fn move_plan(&self, id: PlanId, wanted: Move) -> Result<Document<Accepted>, Failure> {
        let plans = self.client.plans();
        let accepted = match wanted {
            Move::Execute(None) => plans.execute(id).await?,
            Move::Execute(Some(task)) => plans.execute_task(id, task).await?,
            Move::Pause => plans.pause(id).await?,
            Move::Resume => plans.resume(id).await?,
            Move::Cancel => plans.cancel(id).await?,
            Move::Retry { task: None, .. } => plans.retry(id).await?,
            Move::Retry { task: Some(task), following } => plans.retry_task(id, task, following).await?,
        };
        let mut json = serde_json::to_value(&accepted)?;
        json["success"] = json!(true);
        Ok(Document { json, value: accepted })
    }

    async fn events(&self, id: PlanId, after: i64) -> Result<(Vec<Event>, i64), Failure> {
        let page = self.client.plans().events(id).after(after).limit(PAGE).fetch().await?;
        Ok((page.events, page.next_after))
    }

    async fn follow(
        &self,
        id: PlanId,
        after: i64,
    ) -> Result<BoxStream<'static, Result<Event, Failure>>, Failure> {
        let events = self.client.events().topic(Topic::Plan(id)).after(after).follow();
        Ok(events.map(|event| event.map_err(Failure::from)).boxed())
    }

    async fn messages(&self, filter: &MessageFilter) -> Result<Document<MessagePage>, Failure> {
        self.get(&["conversation"], filter).await
    }

    async fn say(&self, plan: PlanId, text: &str) -> Result<(), Failure> {
        self.client.conversation().say(text, Some(plan)).await?;
        Ok(())
    }

    async fn approvals(&self, filter: &ApprovalFilter) -> Result<Document<ApprovalPage>, Failure> {
        self.get(&["approvals"], filter).await
    }

    async fn approval(&self, id: ApprovalId) -> Result<Document<Approval>, Failure> {
        self.get(&["approvals", &id.to_string()], &()).await
    }

    async fn decide(&self, id: ApprovalId, answer: PersonsAnswer) -> Result<Document<Decided>, Failure> {
        let PersonsAnswer { decision, note, args_hash } = answer;
        let mut answer = Answer::new(decision_of(decision)?);
        if let Some(note) = note {
            answer = answer.note(note);
        }
        if let Some(hash) = args_hash {
            answer = answer.covering_hash(hash);
        }
        Document::of(self.client.approvals().decide(id, &answer).await?)
    }

    async fn templates(&self, filter: &TemplateFilter) -> Result<Document<Vec<TemplateSummary>>, Failure> {
        self.get(&["templates"], filter).await
    }

    async fn template(&self, id: &str) -> Result<Document<Template>, Failure> {
        self.get(&["templates", id], &()).await
    }

    async fn search_templates(&self, words: &str) -> Result<Document<TemplateSearch>, Failure> {
        self.get(&["templates", "search", words], &()).await
    }

    async fn summary(&self) -> Result<Document<Summary>, Failure> {
        self.get(&["analytics"], &()).await
    }

    async fn performance(&self) -> Result<Document<Performance>, Failure> {
        self.get(&["analytics", "performance"], &()).await
    }

    async fn task_figures(&self, id: TaskId) -> Result<Document<TaskFigures>, Failure> {
        self.get(&["analytics", "tasks", &id.to_string()], &()).await
    }

    async fn plan_figures(&self, id: PlanId) -> Result<Document<PlanFigures>, Failure> {
        self.get(&["analytics", "plans", &id.to_string()], &()).await
    }

    async fn figures_by(
        &self,
        by: FiguresBy,
        filter: &FiguresFilter,
    ) -> Result<Document<FiguresPage>, Failure> {
        self.get(&["analytics", "by", by.as_str()], filter).await
    }
}

fn decision_of(decision: Resolution) -> Result<Decision, Failure> {
    match decision {
        Resolution::Approve => Ok(Decision::Approve),
        Resolution::ApproveForPlan => Ok(Decision::ApproveForPlan),
        Resolution::ApproveWithRule(rule) => Ok(Decision::ApproveWithRule(rule)),
        Resolution::Reject => Ok(Decision::Reject),
        Resolution::Cancel => Ok(Decision::Cancel),
        Resolution::Expired | Resolution::Withdrawn => {
            Err(Failure::usage(format!("{} is nothing that a person answers", decision.as_str())))
        }
    }
}
