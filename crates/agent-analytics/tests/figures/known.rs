//! Known attempts and the figures they must yield.

use crate::recorded::{HOUR, NOON, Noon, Recorded, attempt};
use agent_analytics::ports::{AnalyticsStore, AttemptRecord, AttemptsOf, Snapshot, Wanted};
use agent_analytics::{Analytics, Error, Overview, Rollups};
use agent_core::ids::{PlanId, TaskId, TenantId};
use agent_core::pricing::PriceList;
use agent_core::time::Timestamp;
use async_trait::async_trait;
use serde_json::{Value, json};
use std::sync::Arc;

struct Unplugged;

fn unplugged<T>() -> agent_core::Result<T> {
    Err(agent_core::Error::Unavailable("unplugged".into()))
}

#[async_trait]
impl AnalyticsStore for Unplugged {
    async fn snapshot(&self, _: TenantId, _: u32, _: &Wanted) -> agent_core::Result<Snapshot> {
        unplugged()
    }

    async fn attempts_of(&self, _: TenantId, _: AttemptsOf) -> agent_core::Result<Vec<AttemptRecord>> {
        unplugged()
    }

    async fn behind(&self) -> agent_core::Result<Vec<TenantId>> {
        unplugged()
    }

    async fn keep_sums(&self, _: TenantId, _: i64, _: &Overview, _: &Rollups) -> agent_core::Result<bool> {
        unplugged()
    }
}

fn analytics(records: Vec<AttemptRecord>) -> Analytics {
    crate::recorded::analytics(&Recorded::of(records))
}

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() < 1e-9
}

#[tokio::test]
async fn the_figures_of_a_task_are_those_of_the_textbook() {
    let seconds = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
    let records = seconds.iter().enumerate().map(|(i, s)| attempt(1, 1, i as f64, *s, i % 4 != 0)).collect();
    let task = analytics(records).task(TenantId::DEFAULT, TaskId(1)).await.unwrap().unwrap().figures;
    assert_eq!((task.execution_count, task.success_count, task.failure_count), (8, 6, 2));
    assert_eq!(task.success_rate, 75.0);
    assert_eq!((task.avg_duration, task.min_duration, task.max_duration), (5.0, 2.0, 9.0));
    assert!(close(task.std_dev, (32.0_f64 / 7.0).sqrt()), "{}", task.std_dev);
    assert_eq!((task.p50, task.p95, task.p99), (4.0, 9.0, 9.0));
    assert_eq!(task.total_results_length, 60);
}

#[tokio::test]
async fn a_single_attempt_has_no_spread() {
    let task = analytics(vec![attempt(1, 7, 0.0, 1.5, true)])
        .task(TenantId::DEFAULT, TaskId(7))
        .await
        .unwrap()
        .unwrap()
        .figures;
    assert_eq!((task.std_dev, task.p50, task.p99, task.avg_duration), (0.0, 1.5, 1.5, 1.5));
}

#[tokio::test]
async fn percentiles_are_durations_that_were_measured() {
    let records = (1..=60).map(|n| attempt(1, 1, 0.0, f64::from(n), true)).collect();
    let task = analytics(records).task(TenantId::DEFAULT, TaskId(1)).await.unwrap().unwrap().figures;
    assert_eq!((task.p50, task.p95, task.p99), (30.0, 57.0, 60.0));
    let records = (1..=20).map(|n| attempt(1, 1, 0.0, f64::from(n), true)).collect();
    let task = analytics(records).task(TenantId::DEFAULT, TaskId(1)).await.unwrap().unwrap().figures;
    assert_eq!((task.p50, task.p95, task.p99), (10.0, 19.0, 20.0));
}

#[tokio::test]
async fn what_was_never_executed_has_no_figures() {
    let analytics = analytics(vec![attempt(1, 1, 0.0, 1.0, true)]);
    assert_eq!(analytics.task(TenantId::DEFAULT, TaskId(2)).await.unwrap(), None);
    assert_eq!(analytics.plan(TenantId::DEFAULT, PlanId(2)).await.unwrap(), None);
}

#[tokio::test]
async fn nothing_recorded_yields_zeros_and_not_errors() {
    let summary = analytics(Vec::new()).summary(TenantId::DEFAULT).await.unwrap();
    assert_eq!((summary.total_executions, summary.tasks_analyzed), (0, 0));
    assert_eq!(summary.average_success_rate, 0.0);
    let text =
        serde_json::to_string(&analytics(Vec::new()).performance(TenantId::DEFAULT).await.unwrap()).unwrap();
    assert!(text.contains(r#""p95":0.0"#), "{text}");
}

#[tokio::test]
async fn the_summary_counts_each_task_once_and_the_totals_each_attempt() {
    let mut records: Vec<AttemptRecord> = (0..8).map(|_| attempt(1, 1, 1.0, 2.0, true)).collect();
    records.extend([attempt(1, 2, 2.0, 10.0, false), attempt(2, 3, 3.0, 1.0, true)]);
    records.push(attempt(2, 3, 1.0, 3.0, false));
    let summary = analytics(records).summary(TenantId::DEFAULT).await.unwrap();
    assert_eq!((summary.total_executions, summary.tasks_analyzed), (11, 3));
    assert!(close(summary.average_success_rate, (100.0 + 0.0 + 50.0) / 3.0));
    let report = summary.performance_report;
    assert!(close(report.totals.success_rate, 900.0 / 11.0));
    assert_eq!((report.totals.successes, report.totals.failures, report.totals.tokens), (9, 2, 55));
    assert_eq!(report.totals.total_duration, 30.0);
    let slow: Vec<i64> = report.slowest_tasks.iter().map(|task| task.task_id.get()).collect();
    assert_eq!(slow, [2, 3, 1]);
    let failing: Vec<i64> = report.most_failing_tasks.iter().map(|task| task.task_id.get()).collect();
    assert_eq!(failing, [2, 3], "task 1 never failed");
    assert_eq!(report.most_failing_tasks[1].last_error.as_deref(), Some("failed 1 hours ago"));
}

#[tokio::test]
async fn a_plan_adds_up_its_tasks_and_leaves_others_out() {
    let records =
        vec![attempt(1, 1, 0.0, 2.0, true), attempt(1, 2, 0.0, 4.0, false), attempt(2, 3, 0.0, 100.0, true)];
    let plan = analytics(records).plan(TenantId::DEFAULT, PlanId(1)).await.unwrap().unwrap();
    let figures = &plan.figures;
    assert_eq!((figures.execution_count, figures.success_count, figures.failure_count), (2, 1, 1));
    assert_eq!((figures.success_rate, figures.total_duration, figures.avg_duration), (50.0, 6.0, 3.0));
    assert_eq!((figures.tokens, figures.total_results_length), (10, 10));
    assert_eq!(plan.failure_reasons[0].reason.as_deref(), Some("failed N hours ago"));
    let tasks: Vec<i64> = plan.tasks.iter().map(|task| task.task_id.get()).collect();
    assert_eq!(tasks, [1, 2]);
}

#[tokio::test]
async fn a_trend_halves_with_each_day_so_that_new_work_overtakes_old() {
    let mut records: Vec<AttemptRecord> = (0..6).map(|_| attempt(1, 1, 72.0, 1.0, true)).collect();
    records.extend([attempt(1, 2, 0.0, 1.0, true), attempt(1, 3, 24.0, 1.0, false)]);
    let trend = analytics(records).performance(TenantId::DEFAULT).await.unwrap().trending_tasks;
    let shown: Vec<(i64, f64)> = trend.iter().map(|task| (task.task_id.get(), task.score)).collect();
    assert_eq!(shown.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [2, 1, 3]);
    for ((_, score), expected) in shown.iter().zip([1.0, 6.0 / 8.0, 0.5]) {
        assert!(close(*score, expected), "{score} {expected}");
    }
}

#[tokio::test]
async fn hours_and_days_are_whole_in_utc_and_empty_ones_are_shown() {
    let records = vec![
        attempt(1, 1, 24.0 * 40.0, 1.0, true),
        attempt(1, 1, 24.5, 1.0, true),
        attempt(1, 1, 1.0, 2.0, true),
        attempt(1, 1, 0.5, 4.0, false),
        attempt(1, 1, 0.0, 6.0, true),
    ];
    let performance = analytics(records).performance(TenantId::DEFAULT).await.unwrap();
    let hours = &performance.hourly_summary;
    assert_eq!(hours.len(), 24);
    assert_eq!(hours[0].period_start.to_string(), "2025-12-31T13:00:00.000Z");
    assert_eq!(hours[23].period_start.to_string(), "2026-01-01T12:00:00.000Z");
    assert_eq!((hours[23].execution_count, hours[23].avg_duration), (1, Some(6.0)));
    assert_eq!((hours[22].execution_count, hours[22].success_rate), (2, Some(50.0)));
    assert_eq!((hours[0].execution_count, hours[0].success_rate, hours[0].avg_duration), (0, None, None));
    let days = &performance.daily_summary;
    assert_eq!(days.len(), 30);
    assert_eq!(days[29].period_start.to_string(), "2026-01-01T00:00:00.000Z");
    assert_eq!((days[29].execution_count, days[28].execution_count), (3, 1));
    assert_eq!(days.iter().map(|day| day.execution_count).sum::<u64>(), 4, "forty days ago is too long ago");
}

#[tokio::test]
async fn an_attempt_whose_clock_ran_backwards_took_no_time() {
    let mut record = attempt(1, 1, 0.0, 1.0, true);
    record.started_at = Timestamp::from_micros(NOON + HOUR);
    let task = analytics(vec![record]).task(TenantId::DEFAULT, TaskId(1)).await.unwrap().unwrap().figures;
    assert_eq!((task.min_duration, task.max_duration), (0.0, 0.0));
}

#[tokio::test]
async fn the_json_has_the_names_of_the_contract() {
    fn names(value: &Value) -> Vec<&str> {
        value.as_object().unwrap().keys().map(String::as_str).collect()
    }
    let analytics = analytics(vec![attempt(1, 1, 0.0, 1.0, true)]);
    let summary = serde_json::to_value(analytics.summary(TenantId::DEFAULT).await.unwrap()).unwrap();
    for name in ["total_executions", "average_success_rate", "tasks_analyzed"] {
        assert!(summary[name].is_number(), "{name}");
    }
    assert!(summary["performance_report"].is_object());
    let task = serde_json::to_value(analytics.task(TenantId::DEFAULT, TaskId(1)).await.unwrap()).unwrap();
    let expected = json!({
        "task_id": 1, "execution_count": 1, "success_count": 1, "failure_count": 0, "success_rate": 100.0,
        "total_duration": 1.0, "avg_duration": 1.0, "min_duration": 1.0, "max_duration": 1.0, "std_dev": 0.0,
        "p50": 1.0, "p95": 1.0, "p99": 1.0, "total_results_length": 10, "tokens": 5, "cost": 0.0,
        "last_executed_at": "2026-01-01T12:00:00.000Z"
    });
    assert_eq!(task, expected);
    let performance = serde_json::to_value(analytics.performance(TenantId::DEFAULT).await.unwrap()).unwrap();
    for name in ["performance_report", "trending_tasks", "hourly_summary", "daily_summary"] {
        assert!(names(&performance).contains(&name), "{name}");
    }
}

#[tokio::test]
async fn a_source_out_of_reach_is_an_error_and_not_zero() {
    let analytics = Analytics::new(Arc::new(Unplugged), Arc::new(Noon), PriceList::default());
    assert!(matches!(analytics.summary(TenantId::DEFAULT).await, Err(Error::Unreadable(_))));
    assert!(matches!(analytics.task(TenantId::DEFAULT, TaskId(1)).await, Err(Error::Unreadable(_))));
}

/// The attempts of two tenants, of which those of the first cannot be read.
struct HalfUnplugged(Arc<Recorded>);

const UNREADABLE: TenantId = TenantId(7);

#[async_trait]
impl AnalyticsStore for HalfUnplugged {
    async fn snapshot(&self, tenant: TenantId, limit: u32, wanted: &Wanted) -> agent_core::Result<Snapshot> {
        if tenant == UNREADABLE { unplugged() } else { self.0.snapshot(tenant, limit, wanted).await }
    }

    async fn attempts_of(&self, _: TenantId, _: AttemptsOf) -> agent_core::Result<Vec<AttemptRecord>> {
        unplugged()
    }

    async fn behind(&self) -> agent_core::Result<Vec<TenantId>> {
        Ok([vec![UNREADABLE], self.0.behind().await?].concat())
    }

    async fn keep_sums(
        &self,
        tenant: TenantId,
        counted: i64,
        overview: &Overview,
        rollups: &Rollups,
    ) -> agent_core::Result<bool> {
        self.0.keep_sums(tenant, counted, overview, rollups).await
    }
}

#[tokio::test]
async fn what_one_tenant_has_keeps_no_other_from_being_counted() {
    let store = Recorded::of(vec![attempt(1, 1, 0.0, 1.0, true)]);
    let half = Arc::new(HalfUnplugged(Arc::clone(&store)));
    let analytics = Analytics::new(half, Arc::new(Noon), PriceList::default());
    assert!(matches!(analytics.roll_up().await, Err(Error::Unreadable(_))));
    assert_eq!(store.behind().await.unwrap(), [], "the other was counted all the same");
}
