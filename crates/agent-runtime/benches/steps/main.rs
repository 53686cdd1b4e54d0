//! Durable steps per second: plans of ten steps that do nothing, every step recorded before the next.
//!
//! ```text
//! cargo bench -p agent-runtime --bench steps               # 1, 32 and 128 plans at once, on both databases
//! cargo bench -p agent-runtime --bench steps -- sqlite     # on one of them; also: postgresql
//! cargo bench -p agent-runtime --bench steps -- history    # the cost per step up to the millionth
//! cargo bench -p agent-runtime --bench steps -- recovery   # forty plans of 50 ms steps, left in the middle
//! cargo bench -p agent-runtime --bench steps -- memory     # a thousand plans of ten tasks at once
//! ```
//!
//! Each figure stands beside the machine's own ceilings, measured in the same minute on the same disk: one sync
//! after another of a growing file, and one commit of a row after another in the same database by a tool of
//! somebody else (Python's `sqlite3`, `pgbench`). Nothing is asserted.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark measures and prints")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run ends")]

mod ceilings;
mod plans;

use agent_runtime::{Agent, Settings};
use agent_testkit_postgres::{ClusterOptions, PostgresCluster};
use ceilings::Ceiling;
use plans::{Nothing, run_plans};
use std::path::Path;
use std::time::{Duration, Instant};

/// As in the programs.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long each figure is measured.
const PATIENCE: Duration = Duration::from_secs(5);

async fn start(folder: &Path, database_url: Option<&str>) -> Agent {
    let mut settings = Settings { max_parallel_tasks: 256, ..Settings::embedded(folder) };
    if let Some(url) = database_url {
        url.clone_into(&mut settings.database_url);
    }
    Agent::builder(settings).tool(Nothing).start().await.unwrap()
}

/// Steps a second with so many plans at once.
async fn throughput(agent: &Agent, plans_at_once: u32) -> f64 {
    let (started, mut steps) = (Instant::now(), 0);
    while started.elapsed() < PATIENCE {
        steps += run_plans(agent, plans_at_once).await;
    }
    f64::from(steps) / started.elapsed().as_secs_f64()
}

async fn compare(name: &str, agent: &Agent, folder: &Path, ceiling: &dyn Ceiling) {
    run_plans(agent, 32).await;
    for plans_at_once in [1, 32, 128] {
        let syncs = ceilings::syncs_per_second(folder);
        let commits = ceiling.commits_per_second();
        let before = agent.store_statistics();
        let reached = throughput(agent, plans_at_once).await;
        let after = agent.store_statistics();
        let shared = (after.jobs - before.jobs) as f64 / (after.commits - before.commits).max(1) as f64;
        println!(
            "{name:>10} {plans_at_once:>4} plans at once: {reached:>7.0} steps/s; {syncs:>6.0} syncs/s (ratio {:>5.2}); \
             {commits:>6.0} sequential commits/s (ratio {:>5.2}); {shared:.1} transactions a commit",
            reached / syncs,
            reached / commits
        );
    }
}

async fn sqlite() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let agent = start(folder.path(), None).await;
    compare("SQLite", &agent, folder.path(), &ceilings::Sqlite(folder.path())).await;
    agent.stop().await;
}

async fn postgresql() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let options = ClusterOptions { fsync: true, ..ClusterOptions::default() };
    let Some(cluster) = PostgresCluster::start(options) else { return };
    let database = cluster.create_database(None);
    let agent = start(folder.path(), Some(database.url())).await;
    compare("PostgreSQL", &agent, folder.path(), &ceilings::Postgres(&database)).await;
    agent.stop().await;
}

/// The cost of a step as history grows.
async fn history() {
    const MILESTONE: u32 = 100_000;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let agent = start(folder.path(), None).await;
    run_plans(&agent, 128).await;
    let (mut steps, mut milestone, mut since) = (0, MILESTONE, Instant::now());
    while milestone <= 1_000_000 {
        steps += run_plans(&agent, 128).await;
        if steps >= milestone {
            let cost = since.elapsed() / MILESTONE;
            println!("steps up to {milestone:>9}: {:>6.1} µs each", cost.as_secs_f64() * 1e6);
            (milestone, since) = (milestone + MILESTONE, Instant::now());
        }
    }
    agent.stop().await;
}

#[tokio::main]
async fn main() {
    let asked = |word: &str| std::env::args().any(|argument| argument == word);
    if asked("history") {
        history().await;
    } else if asked("recovery") {
        plans::recovery().await;
    } else if asked("memory") {
        plans::memory().await;
    } else {
        if !asked("postgresql") {
            sqlite().await;
        }
        if !asked("sqlite") {
            postgresql().await;
        }
    }
}
