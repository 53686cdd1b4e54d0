//! Figures over ten million executions: how fast they are counted, and how long an answer takes.
//!
//! `cargo bench -p agent-store --bench analytics` fills a SQLite file with them (`AGENT_BENCH_EXECUTIONS` for another
//! number), counts them as a server does, and asks each question a thousand times, with the attempts of the last second not
//! counted yet. Nothing is asserted.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark measures and prints")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run ends")]

use agent_analytics::{Analytics, Dimension};
use agent_core::event::Event;
use agent_core::ids::{PlanId, TaskId, TenantId};
use agent_core::ports::{Clock, CommitListener};
use agent_core::pricing::PriceList;
use agent_core::time::Timestamp;
use agent_store::Store;
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const TENANT: TenantId = TenantId::DEFAULT;
const QUESTIONS: usize = 1_000;
/// What is not counted yet when the questions are asked.
const FRESH: u64 = 1_000;

struct Nobody;

impl CommitListener for Nobody {
    fn committed(&self, _: &[Event]) {}
}

struct Now;

impl Clock for Now {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// Adds attempts from one number to another: ten tasks to a plan, every tenth tried twice, spread over sixty days.
fn fill(path: &Path, from: u64, to: u64) {
    let now = Now.now().as_micros();
    let each = 60 * 86_400 * 1_000_000 / i64::try_from(to.max(1)).unwrap();
    let numbers =
        format!("WITH RECURSIVE n(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {to})");
    let ended = format!("({now} - ({to} - i) * {each})");
    let statements = format!(
        "PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -400000; BEGIN;
        INSERT INTO plans (id, owner_id, status, auto_execute, cancel_requested, revision, next_seq, lease_generation,
            created_at, updated_at, template_id, policy, repo_path, goal, version, tenant_id)
        {numbers} SELECT i / 10 + 1, 1 + i / 10 % 50, 'completed', 0, 0, 1, 1, 0, 0, 0, 'template_' || (i / 10 % 20), '{{}}',
            '/repository', 'a goal', 1, 1 FROM n WHERE i % 10 = 0;
        INSERT INTO tasks (id, plan_id, position, status, selected, attempts, attempt_limit, recoveries, approved, kind,
            priority, description, spec, questions, tenant_id)
        {numbers} SELECT i + 1, i / 10 + 1, i % 10 + 1, 'completed', 1, 1, 1, 0, 0, 'command', 'medium', 'task ' || i, '{{}}', 0, 1
            FROM n WHERE i % 10 <> 9;
        INSERT INTO attempts (task_id, attempt, plan_id, status, started_at, finished_at, result_length, tokens, error,
            tenant_id, cursor)
        {numbers} SELECT CASE WHEN i % 10 = 9 THEN i ELSE i + 1 END, CASE WHEN i % 10 = 9 THEN 2 ELSE 1 END, i / 10 + 1,
            CASE WHEN i % 10 = 8 THEN 'failed' ELSE 'completed' END, {ended} - 1000 * (i * 7919 % 30011), {ended}, 100, 0,
            CASE WHEN i % 10 = 8 THEN 'exit code ' || (i % 3) END, 1, i + 1 FROM n;
        COMMIT;"
    );
    SqliteConnection::establish(path.to_str().unwrap()).unwrap().batch_execute(&statements).unwrap();
}

async fn ask<F: Future<Output = bool>>(name: &str, question: impl Fn() -> F) {
    let mut took = Vec::with_capacity(QUESTIONS);
    for _ in 0..QUESTIONS {
        let started = Instant::now();
        assert!(question().await, "{name} has no answer");
        took.push(started.elapsed());
    }
    took.sort_unstable();
    let at = |percent: usize| took[percent * (QUESTIONS - 1) / 100];
    println!("  {name:<28} p50 {:>9.3?}  p99 {:>9.3?}", at(50), at(99));
}

#[tokio::main]
async fn main() {
    let executions = std::env::var("AGENT_BENCH_EXECUTIONS").ok().and_then(|n| n.parse().ok());
    let executions: u64 = executions.unwrap_or(10_000_000);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.db");
    let store = Store::open(&format!("sqlite://{}", path.display()), Arc::new(Nobody)).unwrap();
    let started = Instant::now();
    fill(&path, 0, executions);
    println!("{executions} executions recorded in {:.1?}", started.elapsed());
    let analytics = Analytics::new(Arc::new(store.clone()), Arc::new(Now), PriceList::known());
    let started = Instant::now();
    let counted = analytics.roll_up().await.unwrap();
    let took = started.elapsed();
    let each = took.as_secs_f64() * 1e6 / counted as f64;
    println!("{counted} counted in {took:.1?}: {each:.1} µs each");
    fill(&path, executions, executions + FRESH);
    println!("questions, with {FRESH} executions not counted yet:");
    ask("summary", || async { analytics.summary(TENANT).await.unwrap().total_executions > 0 }).await;
    ask("performance", || async {
        let performance = analytics.performance(TENANT).await.unwrap();
        !serde_json::to_string(&performance).unwrap().is_empty()
    })
    .await;
    ask("a task", || async { analytics.task(TENANT, TaskId(1_001)).await.unwrap().is_some() }).await;
    ask("a plan", || async { analytics.plan(TENANT, PlanId(101)).await.unwrap().is_some() }).await;
    ask("by user", || async {
        !analytics.by(TENANT, Dimension::User, None, 50).await.unwrap().subjects.is_empty()
    })
    .await;
    ask("by template", || async {
        !analytics.by(TENANT, Dimension::Template, None, 50).await.unwrap().subjects.is_empty()
    })
    .await;
    let size = std::fs::metadata(&path).unwrap().len();
    println!("database: {} MiB", size / 1_048_576);
    tokio::time::timeout(Duration::from_secs(60), store.close()).await.unwrap().unwrap();
}
