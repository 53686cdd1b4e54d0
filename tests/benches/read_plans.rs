//! Plans read a second over HTTP, with authentication, permission and database, beside a constant answer of the same web
//! framework.
//!
//! `cargo bench -p agent-tests --bench read_plans` starts the real server with plans of ten tasks and has `wrk` (of the
//! Debian package of that name) send `GET /plans/{id}` on 32 connections: one plan again and again, and a thousand in
//! turn. Nothing is asserted.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark measures and prints")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run ends")]

mod constant;
mod process;
mod wrk;

use agent_testkit::{Client, TestServer};
use constant::constant_answer;
use serde_json::json;
use std::path::PathBuf;
use wrk::{Load, Report};

// As the programs have it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONNECTIONS: u32 = 32;
const SECONDS: u32 = 8;
const PLANS: usize = 1_000;

fn load(url: String, client: &Client, script: Option<PathBuf>) -> Load {
    let token = client.token().map(str::to_owned);
    Load { url, connections: CONNECTIONS, seconds: SECONDS, token, script }
}

fn print(name: &str, report: &Report, constant: &Report) {
    let share = report.rate() / constant.rate();
    println!("{name}: {share:.2} of the constant answer, {}", report.figures());
    if !report.all_well() {
        println!("    not every request was answered well:\n{}", report.text);
    }
}

async fn measure() -> Option<()> {
    let constant = constant_answer(CONNECTIONS, SECONDS).await?;
    print("constant answer", &constant, &constant);
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let task = json!({"description": "step", "kind": "command", "command": ["true"]});
    for _ in 0..PLANS {
        demo.create_plan(json!({"goal": "Be read", "tasks": vec![&task; 10]})).await;
    }
    let one = load(format!("{}/plans/1", server.url()), &demo, None).run().await?;
    print("GET /plans/1", &one, &constant);
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("turn.lua");
    let turn = format!(
        "n = 0\nfunction request() n = n % {PLANS} + 1\nreturn wrk.format('GET', '/plans/' .. n) end"
    );
    std::fs::write(&script, turn).unwrap();
    let many = load(server.url().to_owned(), &demo, Some(script)).run().await?;
    print(&format!("GET /plans/1 to {PLANS} in turn"), &many, &constant);
    let listed = load(format!("{}/plans?limit=50", server.url()), &demo, None).run().await?;
    print("GET /plans?limit=50", &listed, &constant);
    println!("memory: {} MiB", process::memory() / 1_048_576);
    server.stop().await;
    Some(())
}

#[tokio::main]
async fn main() {
    if measure().await.is_none() {
        println!("wrk is not installed; nothing was measured");
    }
}
