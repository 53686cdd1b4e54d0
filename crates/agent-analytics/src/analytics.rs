//! The questions that can be asked, and the work that keeps the answers short.

use crate::error::Result;
use crate::overview::{Dimension, add_up, increments};
use crate::ports::{AnalyticsStore, AttemptsOf, Snapshot, Wanted};
use crate::report::PerformanceReport;
use crate::statistics::{ExecutionStatistics, PlanStatistics, TaskStatistics};
use crate::trend::{self, PeriodSummary, TrendingTask};
use agent_core::ids::{PlanId, TaskId, TenantId};
use agent_core::ports::Clock;
use agent_core::pricing::PriceList;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// So many attempts are added up while somebody waits for an answer; with more, the answer says that it is behind.
const COUNTED_AT_ONCE: u32 = 10_000;
/// So many attempts are counted in one transaction.
const COUNTED_TOGETHER: u32 = 2_000;

/// Answers questions about executions, and counts them.
///
/// Attempts are counted once, after they were recorded, by whichever server comes first ([`Analytics::roll_up`]); an answer
/// adds to what is counted those few that are not, so that it is as of the moment of the question.
#[derive(Clone)]
pub struct Analytics {
    store: Arc<dyn AnalyticsStore>,
    clock: Arc<dyn Clock>,
    prices: Arc<PriceList>,
}

/// Everything in four figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Finished attempts.
    pub total_executions: u64,
    /// Mean of the tasks' success rates in percent, each task counting once however often it ran; 0 when
    /// there are none. The share over all attempts stands in the report's totals.
    pub average_success_rate: f64,
    /// Tasks that have finished attempts.
    pub tasks_analyzed: u64,
    /// The details.
    pub performance_report: PerformanceReport,
}

/// How things go, and how they have gone lately.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Performance {
    /// The details.
    pub performance_report: PerformanceReport,
    /// The ten tasks that are executed most lately, by a score that halves with each day of age.
    pub trending_tasks: Vec<TrendingTask>,
    /// The last 24 hours in UTC, oldest first, the present one last.
    pub hourly_summary: Vec<PeriodSummary>,
    /// The last 30 days in UTC, oldest first, today last.
    pub daily_summary: Vec<PeriodSummary>,
}

/// How the executions of one template, user or model have gone.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SubjectStatistics {
    /// The id of the template or user, or the name of the model.
    pub subject: String,
    /// How they have gone.
    #[serde(flatten)]
    pub figures: ExecutionStatistics,
}

/// Some of the templates, users or models.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectPage {
    /// Ordered by subject as text.
    pub subjects: Vec<SubjectStatistics>,
    /// How many there are in all.
    pub total: u64,
    /// Behind which the next page begins; `None` on the last one.
    pub next: Option<String>,
}

impl fmt::Debug for Analytics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Analytics").finish_non_exhaustive()
    }
}

impl Analytics {
    /// Figures over what this store keeps, with costs by these prices. What was counted at other prices stays as it is.
    pub fn new(store: Arc<dyn AnalyticsStore>, clock: Arc<dyn Clock>, prices: PriceList) -> Self {
        Self { store, clock, prices: Arc::new(prices) }
    }

    /// Everything of a tenant in short.
    ///
    /// # Errors
    /// [`crate::Error::Unreadable`] when the figures cannot be read.
    pub async fn summary(&self, tenant: TenantId) -> Result<Summary> {
        let Snapshot { overview, more, .. } = self.now(tenant, &Wanted::Nothing).await?;
        Ok(Summary {
            total_executions: overview.figures.executions,
            average_success_rate: overview.average_success_rate(),
            tasks_analyzed: overview.tasks,
            performance_report: PerformanceReport::of(&overview, more, self.clock.now()),
        })
    }

    /// Everything of a tenant in detail, with what happened lately.
    ///
    /// # Errors
    /// [`crate::Error::Unreadable`] when the figures cannot be read.
    pub async fn performance(&self, tenant: TenantId) -> Result<Performance> {
        let now = self.clock.now();
        let wanted = Wanted::From(trend::beginnings(now));
        let Snapshot { overview, rollups, more, .. } = self.now(tenant, &wanted).await?;
        let trending = overview.ranking.trending.iter().map(|task| TrendingTask::of(task, now));
        Ok(Performance {
            trending_tasks: trending.collect(),
            performance_report: PerformanceReport::of(&overview, more, now),
            hourly_summary: trend::hourly(&rollups, now),
            daily_summary: trend::daily(&rollups, now),
        })
    }

    /// The figures of a tenant's task; `None` while it has no finished attempt.
    ///
    /// # Errors
    /// [`crate::Error::Unreadable`] when the attempts cannot be read.
    pub async fn task(&self, tenant: TenantId, id: TaskId) -> Result<Option<TaskStatistics>> {
        let records = self.store.attempts_of(tenant, AttemptsOf::Task(id)).await?;
        Ok((!records.is_empty()).then(|| TaskStatistics::of(id, &records, &self.prices)))
    }

    /// The figures of a tenant's plan; `None` while none of its tasks has a finished attempt.
    ///
    /// # Errors
    /// [`crate::Error::Unreadable`] when the attempts cannot be read.
    pub async fn plan(&self, tenant: TenantId, id: PlanId) -> Result<Option<PlanStatistics>> {
        let records = self.store.attempts_of(tenant, AttemptsOf::Plan(id)).await?;
        Ok((!records.is_empty()).then(|| PlanStatistics::of(id, &records, &self.prices)))
    }

    /// The figures of each template, user or model of a tenant, ordered by subject as text: at most `limit`, those behind
    /// `after`. What is not counted yet is counted first.
    ///
    /// # Errors
    /// [`crate::Error::Unreadable`] when the figures cannot be read, or what was counted cannot be kept.
    pub async fn by(
        &self,
        tenant: TenantId,
        dimension: Dimension,
        after: Option<String>,
        limit: u32,
    ) -> Result<SubjectPage> {
        self.roll_up_tenant(tenant).await?;
        // One more shows whether there is a next page.
        let wanted = Wanted::Page { dimension, after, limit: limit.saturating_add(1) };
        let Snapshot { rollups, total, .. } = self.store.snapshot(tenant, 0, &wanted).await?;
        let is_last = rollups.len() <= limit as usize;
        let subjects = rollups.into_iter().take(limit as usize).map(|(key, figures)| SubjectStatistics {
            subject: key.subject,
            figures: ExecutionStatistics::from(&figures),
        });
        let subjects: Vec<SubjectStatistics> = subjects.collect();
        let next = subjects.last().filter(|_| !is_last).map(|last| last.subject.clone());
        Ok(SubjectPage { subjects, total, next })
    }

    /// Counts what was recorded and is not counted yet, of all tenants. Answers how many attempts it counted.
    ///
    /// # Errors
    /// [`crate::Error::Unreadable`] when the attempts cannot be read, or what was counted cannot be kept.
    pub async fn roll_up(&self) -> Result<u64> {
        let (mut counted, mut failed) = (0, None);
        for tenant in self.store.behind().await? {
            // What one tenant has must not keep all others from being counted.
            match self.roll_up_tenant(tenant).await {
                Ok(attempts) => counted += attempts,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(counted), Err)
    }

    async fn roll_up_tenant(&self, tenant: TenantId) -> Result<u64> {
        let mut counted = 0;
        loop {
            let (attempts, more) = self.roll_up_some(tenant).await?;
            counted += attempts;
            if !more {
                return Ok(counted);
            }
        }
    }

    /// Counts a batch of a tenant's attempts; how many, and whether there are more.
    async fn roll_up_some(&self, tenant: TenantId) -> Result<(u64, bool)> {
        let mut kept = self.store.snapshot(tenant, COUNTED_TOGETHER, &Wanted::Touched).await?;
        let counted = kept.overview.cursor;
        if kept.batch.through <= counted {
            return Ok((0, false));
        }
        kept.overview.count(&kept.batch, &self.prices);
        add_up(&mut kept.rollups, &increments(&kept.batch.attempts, &self.prices));
        // Where somebody else was first, they go on with it.
        let first = self.store.keep_sums(tenant, counted, &kept.overview, &kept.rollups).await?;
        Ok(if first { (kept.batch.attempts.len() as u64, kept.more) } else { (0, false) })
    }

    /// What is kept, with what is not counted yet added to it.
    async fn now(&self, tenant: TenantId, wanted: &Wanted) -> Result<Snapshot> {
        let mut snapshot = self.store.snapshot(tenant, COUNTED_AT_ONCE, wanted).await?;
        snapshot.overview.count(&snapshot.batch, &self.prices);
        if *wanted != Wanted::Nothing {
            add_up(&mut snapshot.rollups, &increments(&snapshot.batch.attempts, &self.prices));
        }
        Ok(snapshot)
    }
}
