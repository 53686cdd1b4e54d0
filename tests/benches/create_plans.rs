//! Acknowledged creations of plans a second over HTTP: ten tasks each, 32 connections, every answer durable.
//!
//! `cargo bench -p agent-tests --bench create_plans` starts the real server on each database and has `wrk` (of the
//! Debian package of that name) send `POST /plans`. Beside the figures stand how many creations shared a commit,
//! and what the machine's disk does at most: one sync after another. Nothing is asserted.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark measures and prints")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run ends")]

mod process;
mod wrk;

use agent_testkit::TestServer;
use agent_testkit_postgres::{ClusterOptions, PostgresCluster};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use wrk::Load;

const CONNECTIONS: u32 = 32;
const SECONDS: u32 = 8;

/// The request that `wrk` sends again and again.
const REQUEST: &str = r#"
local task = '{"description":"step","kind":"command","command":["true"]}'
wrk.method = "POST"
wrk.body = '{"goal":"count creations","tasks":[' .. string.rep(task .. ',', 9) .. task .. ']}'
wrk.headers["Content-Type"] = "application/json"
"#;

fn syncs_per_second(folder: &Path) -> f64 {
    let mut file = std::fs::File::create(folder.join("syncs")).unwrap();
    let (started, mut syncs) = (Instant::now(), 0_u32);
    while started.elapsed() < Duration::from_secs(1) {
        file.write_all(&[0; 4096]).unwrap();
        file.sync_data().unwrap();
        syncs += 1;
    }
    f64::from(syncs) / started.elapsed().as_secs_f64()
}

async fn measure(name: &str, server: TestServer) {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("create.lua");
    std::fs::write(&script, REQUEST).unwrap();
    let session = serde_json::json!({"username": "demo", "password": "demo123"});
    let token = server.anonymous().post("/auth/login", session).await.json["access_token"].clone();
    let syncs = syncs_per_second(folder.path());
    let before = server.agent().store_statistics();
    let load = Load {
        url: format!("{}/plans", server.url()),
        connections: CONNECTIONS,
        seconds: SECONDS,
        token: token.as_str().map(str::to_owned),
        script: Some(script),
    };
    let Some(report) = load.run().await else {
        println!("wrk is not installed; nothing was measured");
        return server.stop().await;
    };
    let after = server.agent().store_statistics();
    // Each creation is followed by its record in the audit trail, a transaction of its own: jobs are not creations.
    let (jobs, commits) = (after.jobs - before.jobs, after.commits - before.commits);
    let (created, commits) = (report.rate() * f64::from(SECONDS), commits.max(1) as f64);
    println!(
        "{name}: {CONNECTIONS} connections, {:.1} creations a commit ({:.1} transactions); {syncs:.0} syncs/s on this disk",
        created / commits,
        jobs as f64 / commits
    );
    println!("    {}; memory: {} MiB", report.figures(), process::memory() / 1_048_576);
    if !report.all_well() {
        println!("    not every request was answered well:\n{}", report.text);
    }
    server.stop().await;
}

#[tokio::main]
async fn main() {
    measure("SQLite", TestServer::start().await).await;
    let options = ClusterOptions { fsync: true, ..ClusterOptions::default() };
    let Some(cluster) = PostgresCluster::start(options) else { return };
    let database = cluster.create_database(None);
    measure("PostgreSQL", TestServer::builder().database_url(database.url()).start().await).await;
}
