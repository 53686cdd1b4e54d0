//! What this crate needs kept and read: finished attempts, and the sums that were made of them.

use crate::overview::{Batch, Dimension, Overview, Rollups};
use agent_core::Result;
use agent_core::ids::{PlanId, TaskId, TenantId, UserId};
use agent_core::ports::ModelUsage;
use agent_core::pricing::PriceList;
use agent_core::time::Timestamp;
use async_trait::async_trait;

/// A finished attempt: one that completed or failed. Cancelled ones say nothing about their task and count nowhere.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptRecord {
    /// Its place among the attempts of its tenant, in the order in which they were recorded.
    pub cursor: i64,
    /// Its plan.
    pub plan_id: PlanId,
    /// Its task.
    pub task_id: TaskId,
    /// 1 for the first of the task.
    pub attempt: u32,
    /// The task's description.
    pub description: String,
    /// The template that the plan was made from.
    pub template_id: Option<String>,
    /// Whose plan it is.
    pub user_id: UserId,
    /// Whether it completed.
    pub succeeded: bool,
    /// Why it failed.
    pub error: Option<String>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// Length of its result as JSON text, in bytes.
    pub result_length: u64,
    /// Model tokens.
    pub tokens: u64,
    /// The language models that answered in it, each once, with what they read and wrote.
    pub models: Vec<ModelUsage>,
}

impl AttemptRecord {
    /// How long it took, in seconds.
    pub fn seconds(&self) -> f64 {
        self.finished_at.since(self.started_at).as_secs_f64()
    }

    /// What its models cost in US dollars, as far as their prices are known.
    pub fn cost(&self, prices: &PriceList) -> f64 {
        let costs = self.models.iter().filter_map(|usage| prices.cost(&usage.model, usage.usage));
        // Of nothing, the sum of the standard library is minus zero.
        costs.sum::<f64>() + 0.0
    }
}

/// Which attempts to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptsOf {
    /// Of a task.
    Task(TaskId),
    /// Of a plan.
    Plan(PlanId),
}

/// Which sums to read beside the overview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// None.
    Nothing,
    /// Those to which the attempts belong that are not counted yet.
    Touched,
    /// Of each dimension all from a subject on, in order.
    From(Vec<(Dimension, String)>),
    /// Some of a dimension behind a subject, in order.
    Page {
        /// The dimension.
        dimension: Dimension,
        /// Behind this one; from the beginning without.
        after: Option<String>,
        /// At most so many.
        limit: u32,
    },
}

/// What was kept at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// The overview; one of nothing where none is kept yet.
    pub overview: Overview,
    /// The sums that were wanted, as far as they are kept.
    pub rollups: Rollups,
    /// How many sums there are of the dimension of a page.
    pub total: u64,
    /// Attempts behind the overview's cursor.
    pub batch: Batch,
    /// Whether there are more attempts behind the batch.
    pub more: bool,
}

/// Keeps attempts, and sums of them. A sum and the cursor up to which it counts change together: that is why no attempt is
/// ever counted twice or left out, whatever crashes and whoever counts at the same time.
#[async_trait]
pub trait AnalyticsStore: Send + Sync {
    /// What is kept of a tenant, with at most `limit` attempts that are not counted yet, all as of the same moment.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn snapshot(&self, tenant: TenantId, limit: u32, wanted: &Wanted) -> Result<Snapshot>;

    /// All finished attempts of a task or plan of a tenant, in the order in which they ended.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn attempts_of(&self, tenant: TenantId, of: AttemptsOf) -> Result<Vec<AttemptRecord>>;

    /// The tenants that have attempts which are not counted yet.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn behind(&self) -> Result<Vec<TenantId>>;

    /// Keeps a later overview and the sums that changed with it, unless somebody else counted in the meantime: false where the
    /// cursor that is kept is no longer `counted`, and nothing changes then.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn keep_sums(
        &self,
        tenant: TenantId,
        counted: i64,
        overview: &Overview,
        rollups: &Rollups,
    ) -> Result<bool>;
}
