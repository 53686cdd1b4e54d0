//! Figures about executions.

use crate::client::Client;
use crate::error::Result;
use crate::http::Call;
use crate::wire::analytics::{
    FiguresBy, FiguresFilter, FiguresPage, Performance, PlanFigures, Summary, TaskFigures,
};
use agent_core::ids::{PlanId, TaskId};

/// Figures about what was executed in the caller's tenant; all but those of a plan are for administrators.
#[derive(Debug, Clone)]
pub struct Analytics {
    client: Client,
}

impl Analytics {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Everything in short.
    ///
    /// # Errors
    /// `Problem` with `forbidden`, and what any request may end with.
    pub async fn summary(&self) -> Result<Summary> {
        self.client.send(Call::get(self.client.url(&["analytics"]))).await
    }

    /// How things go, and how they have gone lately.
    ///
    /// # Errors
    /// As [`Analytics::summary`].
    pub async fn performance(&self) -> Result<Performance> {
        self.client.send(Call::get(self.client.url(&["analytics", "performance"]))).await
    }

    /// The figures of a task.
    ///
    /// # Errors
    /// As [`Analytics::summary`], and `Problem` with `no_executions` where nothing of it has finished.
    pub async fn task(&self, task: impl Into<TaskId>) -> Result<TaskFigures> {
        let id = task.into().to_string();
        self.client.send(Call::get(self.client.url(&["analytics", "tasks", &id]))).await
    }

    /// The figures of a plan that the caller may see; all zero while nothing of it has finished.
    ///
    /// # Errors
    /// `Problem` with `plan_not_found`, and what any request may end with.
    pub async fn plan(&self, plan: impl Into<PlanId>) -> Result<PlanFigures> {
        let id = plan.into().to_string();
        self.client.send(Call::get(self.client.url(&["analytics", "plans", &id]))).await
    }

    /// The figures of each template, user or model.
    ///
    /// # Errors
    /// As [`Analytics::summary`].
    pub async fn by(&self, by: FiguresBy, filter: &FiguresFilter) -> Result<FiguresPage> {
        let url = self.client.url(&["analytics", "by", by.as_str()]);
        self.client.send(Call::get(url).query(filter)?).await
    }
}
