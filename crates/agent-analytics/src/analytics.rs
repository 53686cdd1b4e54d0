//! The questions that can be asked.

use crate::error::Result;
use crate::ports::{AttemptFilter, AttemptRecord, AttemptSource};
use crate::report::{PerformanceReport, measured};
use crate::statistics::{PlanStatistics, Tally, TaskStatistics};
use crate::trend::{self, PeriodSummary, TrendingTask};
use agent_core::ids::{PlanId, TaskId, TenantId};
use agent_core::ports::Clock;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

/// Answers questions about executions, each from the attempts as they are recorded at that moment.
#[derive(Clone)]
pub struct Analytics {
    source: Arc<dyn AttemptSource>,
    clock: Arc<dyn Clock>,
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

impl fmt::Debug for Analytics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Analytics").finish_non_exhaustive()
    }
}

impl Analytics {
    /// Figures over what this source has recorded.
    pub fn new(source: Arc<dyn AttemptSource>, clock: Arc<dyn Clock>) -> Self {
        Self { source, clock }
    }

    /// Everything of a tenant in short.
    ///
    /// # Errors
    /// [`crate::Error::Unreadable`] when the attempts cannot be read.
    pub async fn summary(&self, tenant: TenantId) -> Result<Summary> {
        let records = self.read(AttemptFilter::all_of(tenant)).await?;
        let tasks = measured(&records);
        let rates: f64 = tasks.iter().map(|task| task.tally.success_rate()).sum();
        Ok(Summary {
            total_executions: records.len() as u64,
            average_success_rate: if tasks.is_empty() { 0.0 } else { rates / tasks.len() as f64 },
            tasks_analyzed: tasks.len() as u64,
            performance_report: PerformanceReport::of(&records, &tasks, self.clock.now()),
        })
    }

    /// The figures of a tenant's task; `None` while it has no finished attempt.
    ///
    /// # Errors
    /// [`crate::Error::Unreadable`] when the attempts cannot be read.
    pub async fn task(&self, tenant: TenantId, id: TaskId) -> Result<Option<TaskStatistics>> {
        let records = self.read(AttemptFilter { task_id: Some(id), ..AttemptFilter::all_of(tenant) }).await?;
        Ok((!records.is_empty()).then(|| TaskStatistics::of(id, &Tally::of(&records))))
    }

    /// The figures of a tenant's plan; `None` while none of its tasks has a finished attempt.
    ///
    /// # Errors
    /// [`crate::Error::Unreadable`] when the attempts cannot be read.
    pub async fn plan(&self, tenant: TenantId, id: PlanId) -> Result<Option<PlanStatistics>> {
        let records = self.read(AttemptFilter { plan_id: Some(id), ..AttemptFilter::all_of(tenant) }).await?;
        Ok((!records.is_empty()).then(|| PlanStatistics::of(id, &records)))
    }

    /// Everything of a tenant in detail, with what happened lately.
    ///
    /// # Errors
    /// [`crate::Error::Unreadable`] when the attempts cannot be read.
    pub async fn performance(&self, tenant: TenantId) -> Result<Performance> {
        let records = self.read(AttemptFilter::all_of(tenant)).await?;
        let (tasks, now) = (measured(&records), self.clock.now());
        Ok(Performance {
            performance_report: PerformanceReport::of(&records, &tasks, now),
            trending_tasks: trend::trending(&tasks, now),
            hourly_summary: trend::hourly(&records, now),
            daily_summary: trend::daily(&records, now),
        })
    }

    async fn read(&self, filter: AttemptFilter) -> Result<Vec<AttemptRecord>> {
        Ok(self.source.finished(&filter).await?)
    }
}
