//! Attempts and sums kept in memory, as a database would.

use agent_analytics::ports::{AnalyticsStore, AttemptRecord, AttemptsOf, Snapshot, Wanted};
use agent_analytics::{Analytics, Batch, Overview, RollupKey, Rollups, keys_of};
use agent_core::Result;
use agent_core::ids::{PlanId, TaskId, TenantId, UserId};
use agent_core::ports::Clock;
use agent_core::pricing::{Price, PriceList};
use agent_core::time::Timestamp;
use async_trait::async_trait;
use std::sync::{Arc, Mutex};

/// 2026-01-01T12:00:00Z
pub(crate) const NOON: i64 = 1_767_268_800_000_000;
pub(crate) const HOUR: i64 = 3_600_000_000;

/// The attempts of one tenant in the order in which they were recorded, and what is kept of their sums: as text, so that
/// nothing survives but what a database would give back.
#[derive(Default)]
pub(crate) struct Recorded {
    attempts: Mutex<Vec<AttemptRecord>>,
    kept: Mutex<(String, Vec<(RollupKey, String)>)>,
}

impl Recorded {
    pub(crate) fn of(records: Vec<AttemptRecord>) -> Arc<Self> {
        let recorded = Arc::new(Self::default());
        records.into_iter().for_each(|record| recorded.record(record));
        recorded
    }

    pub(crate) fn record(&self, mut record: AttemptRecord) {
        let mut attempts = self.attempts.lock().unwrap();
        record.cursor = attempts.len() as i64 + 1;
        record.attempt = 1 + attempts.iter().filter(|other| other.task_id == record.task_id).count() as u32;
        attempts.push(record);
    }

    fn overview(&self) -> Overview {
        serde_json::from_str(&self.kept.lock().unwrap().0).unwrap_or_default()
    }
}

pub(crate) fn parsed(rows: &[(RollupKey, String)]) -> Rollups {
    rows.iter().map(|(key, text)| (key.clone(), serde_json::from_str(text).unwrap())).collect()
}

#[async_trait]
impl AnalyticsStore for Recorded {
    async fn snapshot(&self, _: TenantId, limit: u32, wanted: &Wanted) -> Result<Snapshot> {
        let overview = self.overview();
        let all = self.attempts.lock().unwrap();
        let fresh = all.iter().filter(|record| record.cursor > overview.cursor);
        let attempts: Vec<AttemptRecord> = fresh.take(limit as usize).cloned().collect();
        let again = |record: &&AttemptRecord| {
            record.cursor <= overview.cursor && attempts.iter().any(|new| new.task_id == record.task_id)
        };
        let earlier = all.iter().filter(again).cloned().collect();
        let through = attempts.last().map_or(overview.cursor, |record| record.cursor);
        let more = attempts.len() >= limit as usize;
        let mut rollups = parsed(&self.kept.lock().unwrap().1);
        let total = match wanted {
            Wanted::Page { dimension, .. } => {
                rollups.keys().filter(|key| key.dimension == *dimension).count()
            }
            _ => 0,
        };
        rollups.retain(|key, _| match wanted {
            Wanted::Nothing => false,
            Wanted::Touched => attempts.iter().any(|record| keys_of(record).contains(key)),
            Wanted::From(from) => {
                from.iter().any(|(dimension, first)| key.dimension == *dimension && key.subject >= *first)
            }
            Wanted::Page { dimension, after, .. } => {
                key.dimension == *dimension && after.as_ref().is_none_or(|after| key.subject > *after)
            }
        });
        if let Wanted::Page { limit, .. } = wanted {
            rollups = rollups.into_iter().take(*limit as usize).collect();
        }
        Ok(Snapshot {
            overview,
            rollups,
            total: total as u64,
            batch: Batch { attempts, earlier, through },
            more,
        })
    }

    async fn attempts_of(&self, _: TenantId, of: AttemptsOf) -> Result<Vec<AttemptRecord>> {
        let matches = |record: &&AttemptRecord| match of {
            AttemptsOf::Task(id) => record.task_id == id,
            AttemptsOf::Plan(id) => record.plan_id == id,
        };
        Ok(self.attempts.lock().unwrap().iter().filter(matches).cloned().collect())
    }

    async fn behind(&self) -> Result<Vec<TenantId>> {
        let newest = self.attempts.lock().unwrap().last().map_or(0, |record| record.cursor);
        Ok(if newest > self.overview().cursor { vec![TenantId::DEFAULT] } else { Vec::new() })
    }

    async fn keep_sums(
        &self,
        _: TenantId,
        counted: i64,
        overview: &Overview,
        rollups: &Rollups,
    ) -> Result<bool> {
        if self.overview().cursor != counted {
            return Ok(false);
        }
        let mut kept = self.kept.lock().unwrap();
        kept.0 = serde_json::to_string(overview).unwrap();
        for (key, figures) in rollups {
            kept.1.retain(|(other, _)| other != key);
            kept.1.push((key.clone(), serde_json::to_string(figures).unwrap()));
        }
        Ok(true)
    }
}

pub(crate) struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(NOON)
    }
}

/// A dollar for a million tokens of the model that is called so.
pub(crate) fn prices() -> PriceList {
    PriceList::default().with("priced", Price { input: 1.0, output: 1.0 })
}

pub(crate) fn analytics(store: &Arc<Recorded>) -> Analytics {
    Analytics::new(Arc::clone(store) as Arc<dyn AnalyticsStore>, Arc::new(Noon), prices())
}

/// An attempt that ended so many hours before noon, after so many seconds.
pub(crate) fn attempt(plan: i64, task: i64, hours_ago: f64, seconds: f64, succeeded: bool) -> AttemptRecord {
    let finished = NOON - (hours_ago * HOUR as f64) as i64;
    AttemptRecord {
        cursor: 0,
        plan_id: PlanId(plan),
        task_id: TaskId(task),
        attempt: 1,
        description: format!("task {task}"),
        template_id: None,
        user_id: UserId(1),
        succeeded,
        error: (!succeeded).then(|| format!("failed {hours_ago} hours ago")),
        started_at: Timestamp::from_micros(finished - (seconds * 1e6) as i64),
        finished_at: Timestamp::from_micros(finished),
        result_length: if succeeded { 10 } else { 0 },
        tokens: 5,
        models: Vec::new(),
    }
}
