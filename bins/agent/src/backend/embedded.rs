//! The user's own data, worked on in this process. Answers are made as the server makes them.

use super::{Backend, Document, Move};
use crate::embedded::Embedded;
use crate::exit::{Failure, chain};
use agent_client::{
    Accepted, Approval, ApprovalFilter, ApprovalPage, Decided, Event, Executions, FiguresBy, FiguresFilter,
    FiguresPage, MessageFilter, MessagePage, Performance, PlanDetails, PlanDiff, PlanFigures, PlanFilter,
    PlanPage, PlanTasks, Summary, TaskFigures, Template, TemplateFilter, TemplateSearch, TemplateSummary,
};
use agent_core::event::Topic;
use agent_core::ids::{ApprovalId, PlanId, TaskId};
use agent_core::ports;
use agent_runtime::{EventQuery, PersonsAnswer, WantedApprovals, WantedMessages};
use agent_server::views::analytics::{
    self as views, FiguresByView, PerformanceView, PlanFiguresView, SummaryView, TaskFiguresView,
};
use agent_server::views::approval::{ApprovalView, ApprovalsView, DecidedView};
use agent_server::views::conversation::MessagesView;
use agent_server::views::execution::ExecutionsView;
use agent_server::views::plan::{ExecutionAcceptedView, PlanDetailsView, PlanTasksView, PlansView};
use agent_server::views::task::TaskView;
use agent_server::views::template::{TemplateSearchView, TemplateSummaryView, TemplateView};
use agent_templates::{Difficulty, Filter};
use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde_json::json;
use std::str::FromStr;
use std::time::Duration;

/// How many are listed at once unless said otherwise, as at a server.
const PAGE: u32 = 50;
/// Events read at once.
const EVENTS: u32 = 200;

#[async_trait]
impl Backend for Embedded {
    fn server(&self) -> Option<&str> {
        None
    }

    async fn plans(&self, filter: &PlanFilter) -> Result<Document<PlanPage>, Failure> {
        let filter = ports::PlanFilter {
            visibility: self.me.visibility(),
            status: filter.status,
            text: filter.text.clone(),
            before: cursor(filter.cursor.as_deref())?,
            limit: filter.limit.unwrap_or(PAGE),
        };
        Document::of(PlansView::from(self.agent.plans().list(&self.me, filter).await?))
    }

    async fn plan(&self, id: PlanId) -> Result<Document<PlanDetails>, Failure> {
        Document::of(PlanDetailsView::from(self.agent.plans().find(&self.me, id).await?))
    }

    async fn tasks(&self, id: PlanId) -> Result<Document<PlanTasks>, Failure> {
        let state = self.agent.plans().state(&self.me, id).await?;
        Document::of(PlanTasksView { plan_id: id.get(), tasks: TaskView::all(&state) })
    }

    async fn executions(&self, plan: PlanId, task: TaskId) -> Result<Document<Executions>, Failure> {
        let attempts = self.agent.plans().executions(&self.me, plan, task).await?;
        let executions = attempts.into_iter().map(Into::into).collect();
        Document::of(ExecutionsView { plan_id: plan.get(), task_id: task.get(), executions })
    }

    async fn diff(&self, id: PlanId) -> Result<Document<PlanDiff>, Failure> {
        let diff = self.agent.plans().diff(&self.me, id).await?;
        Document::of(json!({"plan_id": id, "diff": diff}))
    }

    async fn move_plan(&self, id: PlanId, wanted: Move) -> Result<Document<Accepted>, Failure> {
        let (plans, me) = (self.agent.plans(), &self.me);
        let submitted = match wanted {
            Move::Execute(task) => plans.execute(me, id, task).await?,
            Move::Pause => plans.pause(me, id).await?,
            Move::Resume => plans.resume(me, id).await?,
            Move::Cancel => plans.cancel(me, id).await?,
            Move::Retry { task, following } => plans.retry(me, id, task, following).await?,
        };
        Document::of(ExecutionAcceptedView::from(submitted))
    }

    async fn events(&self, id: PlanId, after: i64) -> Result<(Vec<Event>, i64), Failure> {
        let query = EventQuery { after, limit: EVENTS, wait: Duration::ZERO };
        let page = self.agent.plans().events(&self.me, id, query).await?;
        Ok((page.events, page.next_after))
    }

    async fn follow(
        &self,
        id: PlanId,
        after: i64,
    ) -> Result<BoxStream<'static, Result<Event, Failure>>, Failure> {
        // Whether it is the caller's plan is known only to those who look at it.
        self.agent.plans().state(&self.me, id).await?;
        let topic = Topic::Plan(self.me.tenant, id);
        let subscribed = self.agent.events().subscribe(topic, Some(after)).await;
        let events = subscribed.map_err(agent_runtime::Error::from)?.stream;
        let told = events.map(|envelope| match envelope {
            Ok(envelope) => Ok(envelope.event.clone()),
            Err(error) => Err(agent_runtime::Error::from(error).into()),
        });
        Ok(told.boxed())
    }

    async fn messages(&self, filter: &MessageFilter) -> Result<Document<MessagePage>, Failure> {
        let wanted = WantedMessages {
            plan_id: filter.plan_id,
            role: filter.role.clone(),
            text: filter.text.clone(),
            after: cursor(filter.cursor.as_deref())?,
            limit: filter.limit.unwrap_or(PAGE),
        };
        Document::of(MessagesView::from(self.agent.conversation().list(&self.me, wanted).await?))
    }

    async fn say(&self, plan: PlanId, text: &str) -> Result<(), Failure> {
        let conversation = self.agent.conversation();
        conversation.add(&self.me, "user".to_owned(), text.to_owned(), Some(plan), None).await?;
        Ok(())
    }

    async fn approvals(&self, filter: &ApprovalFilter) -> Result<Document<ApprovalPage>, Failure> {
        let wanted = WantedApprovals {
            plan_id: filter.plan_id,
            include_decided: filter.include_decided,
            after: cursor(filter.cursor.as_deref())?,
            limit: filter.limit.unwrap_or(PAGE),
        };
        Document::of(ApprovalsView::from(self.agent.approvals().list(&self.me, wanted).await?))
    }

    async fn approval(&self, id: ApprovalId) -> Result<Document<Approval>, Failure> {
        Document::of(ApprovalView::from(self.agent.approvals().find(&self.me, id).await?))
    }

    async fn decide(&self, id: ApprovalId, answer: PersonsAnswer) -> Result<Document<Decided>, Failure> {
        Document::of(DecidedView::from(self.agent.approvals().decide(&self.me, id, answer).await?))
    }

    async fn templates(&self, filter: &TemplateFilter) -> Result<Document<Vec<TemplateSummary>>, Failure> {
        let difficulty = match filter.difficulty.as_deref() {
            None => None,
            Some("easy") => Some(Difficulty::Easy),
            Some("medium") => Some(Difficulty::Medium),
            Some("hard") => Some(Difficulty::Hard),
            Some(word) => return Err(Failure::usage(format!("{word:?} is none of: easy, medium, hard"))),
        };
        let filter = Filter { difficulty, tag: filter.tag.clone() };
        let found = self.agent.templates().list(&self.me, &filter).await?;
        Document::of(found.into_iter().map(TemplateSummaryView::from).collect::<Vec<_>>())
    }

    async fn template(&self, id: &str) -> Result<Document<Template>, Failure> {
        Document::of(TemplateView::from(self.agent.templates().find(&self.me, id).await?))
    }

    async fn search_templates(&self, words: &str) -> Result<Document<TemplateSearch>, Failure> {
        let found = self.agent.templates().search(&self.me, words).await?;
        Document::of(TemplateSearchView::new(words.to_owned(), found))
    }

    async fn summary(&self) -> Result<Document<Summary>, Failure> {
        let figures = self.agent.analytics().summary(self.me.tenant).await;
        Document::of(SummaryView(figures.map_err(uncounted)?))
    }

    async fn performance(&self) -> Result<Document<Performance>, Failure> {
        let figures = self.agent.analytics().performance(self.me.tenant).await;
        Document::of(PerformanceView(figures.map_err(uncounted)?))
    }

    async fn task_figures(&self, id: TaskId) -> Result<Document<TaskFigures>, Failure> {
        let figures = self.agent.analytics().task(self.me.tenant, id).await;
        let none = || Failure::usage(format!("task {id} has no finished execution"));
        Document::of(TaskFiguresView(figures.map_err(uncounted)?.ok_or_else(none)?))
    }

    async fn plan_figures(&self, id: PlanId) -> Result<Document<PlanFigures>, Failure> {
        self.agent.plans().state(&self.me, id).await?;
        let figures = self.agent.analytics().plan(self.me.tenant, id).await;
        Document::of(PlanFiguresView::new(id, figures.map_err(uncounted)?))
    }

    async fn figures_by(
        &self,
        by: FiguresBy,
        filter: &FiguresFilter,
    ) -> Result<Document<FiguresPage>, Failure> {
        let by = match by {
            FiguresBy::Templates => views::FiguresBy::Templates,
            FiguresBy::Users => views::FiguresBy::Users,
            FiguresBy::Models => views::FiguresBy::Models,
        };
        let page = views::ListFiguresBy { limit: None, cursor: filter.cursor.clone() };
        let after = page.after().map_err(|wrong| Failure::usage(format!("--cursor {wrong}")))?;
        let limit = filter.limit.unwrap_or(PAGE);
        let page = self.agent.analytics().by(self.me.tenant, by.into(), after, limit).await;
        Document::of(FiguresByView::from(page.map_err(uncounted)?))
    }
}

/// Figures that cannot be had.
fn uncounted(error: impl std::error::Error + 'static) -> Failure {
    Failure::work(chain(&error))
}

/// Where the page before ended.
fn cursor<I: From<i64>>(text: Option<&str>) -> Result<Option<I>, Failure> {
    let read = |text: &str| {
        let number = i64::from_str(text).ok().filter(|number| *number > 0);
        number
            .map(I::from)
            .ok_or_else(|| Failure::usage(format!("--cursor {text:?} is none that a list named")))
    };
    text.map(read).transpose()
}
