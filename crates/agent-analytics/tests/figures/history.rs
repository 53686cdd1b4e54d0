//! Any history, counted in whatever portions by whoever comes, says the same as all of it computed at once.

use crate::recorded::{HOUR, NOON, Recorded, analytics, attempt, prices};
use agent_analytics::ports::AttemptRecord;
use agent_analytics::{Dimension, RELATIVE_ERROR};
use agent_core::ids::{TenantId, UserId};
use agent_core::model::Usage;
use agent_core::ports::ModelUsage;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;

const TENANT: TenantId = TenantId::DEFAULT;

fn record() -> impl Strategy<Value = AttemptRecord> {
    let what = (1_i64..12, 0.0..60.0_f64 * 24.0, 0.0..10_000.0_f64, any::<bool>());
    let whose = (1_i64..4, 0_usize..3, 0_u64..5_000);
    (what, whose).prop_map(|((task, hours_ago, seconds, succeeded), (user, template, tokens))| {
        let mut record = attempt(task % 4, task, hours_ago, seconds, succeeded);
        record.user_id = UserId(user);
        record.template_id = ["rest_api", "web_scraper"].get(template).map(|&id| id.to_owned());
        record.tokens = tokens;
        let usage = Usage { input_tokens: tokens, output_tokens: 0 };
        record.models = if tokens == 0 {
            Vec::new()
        } else {
            vec![ModelUsage { model: "priced-model".to_owned(), usage }]
        };
        record
    })
}

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-9 * left.abs().max(right.abs()).max(1.0)
}

/// Figures by definition.
struct Direct {
    seconds: Vec<f64>,
    successes: usize,
    tokens: u64,
    cost: f64,
}

impl Direct {
    fn of<'a>(records: impl Iterator<Item = &'a AttemptRecord>) -> Self {
        let mut direct = Self { seconds: Vec::new(), successes: 0, tokens: 0, cost: 0.0 };
        for record in records {
            direct.seconds.push(record.seconds());
            direct.successes += usize::from(record.succeeded);
            direct.tokens += record.tokens;
            direct.cost += record.cost(&prices());
        }
        direct.seconds.sort_by(f64::total_cmp);
        direct
    }

    fn mean(&self) -> f64 {
        self.seconds.iter().sum::<f64>() / self.seconds.len() as f64
    }

    fn deviation(&self) -> f64 {
        let squares: f64 = self.seconds.iter().map(|second| (second - self.mean()).powi(2)).sum();
        if self.seconds.len() < 2 { 0.0 } else { (squares / (self.seconds.len() - 1) as f64).sqrt() }
    }

    fn percentile(&self, percent: usize) -> f64 {
        self.seconds[(percent * self.seconds.len()).div_ceil(100).max(1) - 1]
    }

    /// Whether the JSON of some statistics says the same.
    fn check(&self, said: &Value, counts: [&str; 2]) {
        assert_eq!(said[counts[0]], self.seconds.len(), "{said}");
        assert_eq!(said[counts[1]], self.successes, "{said}");
        assert_eq!(said["tokens"], self.tokens);
        let number = |name: &str| said[name].as_f64().unwrap();
        assert!(close(number("cost"), self.cost));
        assert!(close(number("avg_duration"), self.mean()), "{said} {}", self.mean());
        assert!(close(number("std_dev"), self.deviation()), "{said} {}", self.deviation());
        assert!(close(number("total_duration"), self.seconds.iter().sum()));
        assert_eq!(number("min_duration"), self.seconds[0]);
        assert_eq!(number("max_duration"), *self.seconds.last().unwrap());
        for (name, percent) in [("p50", 50), ("p95", 95), ("p99", 99)] {
            let measured = self.percentile(percent);
            let off = (number(name) - measured).abs();
            assert!(off <= RELATIVE_ERROR * measured * (1.0 + 1e-9), "{name}: {said} {measured}");
        }
    }
}

fn check_overview(said: &Value, records: &[AttemptRecord]) {
    let report = &said["performance_report"];
    Direct::of(records.iter()).check(&report["totals"], ["executions", "successes"]);
    let mut tasks: BTreeMap<i64, Vec<&AttemptRecord>> = BTreeMap::new();
    records.iter().for_each(|record| tasks.entry(record.task_id.get()).or_default().push(record));
    assert_eq!(report["totals"]["tasks"], tasks.len());
    let longest =
        |records: &[&AttemptRecord]| records.iter().map(|record| record.seconds()).fold(0.0, f64::max);
    let failed = |records: &[&AttemptRecord]| records.iter().filter(|record| !record.succeeded).count();
    let mut slow: Vec<i64> = tasks.keys().copied().collect();
    slow.sort_by(|a, b| longest(&tasks[b]).total_cmp(&longest(&tasks[a])).then(a.cmp(b)));
    slow.truncate(5);
    assert_eq!(ids(&report["slowest_tasks"]), slow);
    let mut failing: Vec<i64> = tasks.keys().copied().filter(|id| failed(&tasks[id]) > 0).collect();
    failing.sort_by_key(|id| (std::cmp::Reverse(failed(&tasks[id])), *id));
    failing.truncate(5);
    assert_eq!(ids(&report["most_failing_tasks"]), failing);
    let reasons = report["failure_reasons"].as_array().unwrap();
    let n: u64 = reasons.iter().map(|reason| reason["count"].as_u64().unwrap()).sum();
    assert_eq!(n, records.iter().filter(|record| !record.succeeded).count() as u64);
}

fn check_lately(said: &Value, records: &[AttemptRecord]) {
    for task in said["trending_tasks"].as_array().unwrap() {
        let own = records.iter().filter(|record| record.task_id.get() == task["task_id"].as_i64().unwrap());
        let age =
            |record: &AttemptRecord| (NOON - record.finished_at.as_micros()) as f64 / (24 * HOUR) as f64;
        let score: f64 = own.map(|record| (-age(record)).exp2()).sum();
        assert!(close(task["score"].as_f64().unwrap(), score), "{task} {score}");
    }
    for (summary, length) in [("hourly_summary", HOUR), ("daily_summary", 24 * HOUR)] {
        for period in said[summary].as_array().unwrap() {
            let start = period["period_start"].as_str().unwrap();
            let within = |record: &&AttemptRecord| {
                let begins = record.finished_at.as_micros().div_euclid(length) * length;
                agent_core::time::Timestamp::from_micros(begins).to_string() == start
            };
            let direct = Direct::of(records.iter().filter(within));
            assert_eq!(period["execution_count"], direct.seconds.len(), "{period}");
            assert_eq!(period["success_count"], direct.successes);
            assert_eq!(period["tokens"], direct.tokens);
            if !direct.seconds.is_empty() {
                assert!(close(period["avg_duration"].as_f64().unwrap(), direct.mean()));
            }
        }
    }
}

fn ids(tasks: &Value) -> Vec<i64> {
    tasks.as_array().unwrap().iter().map(|task| task["task_id"].as_i64().unwrap()).collect()
}

async fn check_everything(store: &std::sync::Arc<Recorded>, records: &[AttemptRecord]) {
    let analytics = analytics(store);
    let summary = serde_json::to_value(analytics.summary(TENANT).await.unwrap()).unwrap();
    check_overview(&summary, records);
    let mut rates = BTreeMap::<i64, (f64, f64)>::new();
    for record in records {
        let rate = rates.entry(record.task_id.get()).or_default();
        *rate = (rate.0 + f64::from(u8::from(record.succeeded)), rate.1 + 1.0);
    }
    let mean = rates.values().map(|(good, all)| good * 100.0 / all).sum::<f64>() / rates.len() as f64;
    assert!(close(summary["average_success_rate"].as_f64().unwrap(), mean));
    let performance = serde_json::to_value(analytics.performance(TENANT).await.unwrap()).unwrap();
    check_overview(&performance, records);
    check_lately(&performance, records);
    type Subject = fn(&AttemptRecord) -> Option<String>;
    let dimensions: [(Dimension, Subject); 3] = [
        (Dimension::User, |record| Some(record.user_id.to_string())),
        (Dimension::Template, |record| record.template_id.clone()),
        (Dimension::Model, |record| record.models.first().map(|usage| usage.model.clone())),
    ];
    for (dimension, subject) in dimensions {
        let page = analytics.by(TENANT, dimension, None, 200).await.unwrap();
        let said: Vec<&String> = page.subjects.iter().map(|found| &found.subject).collect();
        let expected: std::collections::BTreeSet<String> = records.iter().filter_map(subject).collect();
        assert_eq!(said, expected.iter().collect::<Vec<_>>());
        assert_eq!((page.total, page.next), (expected.len() as u64, None));
        for found in &page.subjects {
            let own = records.iter().filter(|record| subject(record).as_ref() == Some(&found.subject));
            let figures = serde_json::to_value(found).unwrap();
            Direct::of(own).check(&figures, ["execution_count", "success_count"]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn counted_in_any_portions_it_says_the_same_as_all_at_once(
        history in prop::collection::vec((record(), prop::bool::weighted(0.1)), 1..200),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = Recorded::of(Vec::new());
            let mut records = Vec::new();
            for (record, count) in history {
                store.record(record.clone());
                records.push(record);
                if count {
                    analytics(&store).roll_up().await.unwrap();
                }
            }
            check_everything(&store, &records).await;
            let left = analytics(&store).roll_up().await.unwrap();
            assert_eq!(left, 0, "asking by subject has counted everything");
            check_everything(&store, &records).await;
        });
    }
}

#[tokio::test]
async fn subjects_come_in_pages_and_none_is_missing() {
    let records = (1..=7).map(|user| {
        let mut record = attempt(1, user, 0.0, 1.0, true);
        record.user_id = UserId(user);
        record
    });
    let analytics = analytics(&Recorded::of(records.collect()));
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = analytics.by(TENANT, Dimension::User, after, 3).await.unwrap();
        assert_eq!(page.total, 7);
        seen.extend(page.subjects.into_iter().map(|found| found.subject));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["1", "2", "3", "4", "5", "6", "7"]);
}
