//! Verified tokens a second over HTTP, beside a constant answer of the same web framework; and whether a hundred
//! logins at once, each a slow hash of a password, hold anybody else up.
//!
//! `cargo bench -p agent-tests --bench validate_tokens` starts the real server and has `wrk` (of the Debian package of
//! that name) ask. Nothing is asserted.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark measures and prints")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run ends")]

mod constant;
mod process;
mod wrk;

use agent_testkit::{Client, TestServer};
use constant::constant_answer;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use wrk::{Load, Report};

const CONNECTIONS: u32 = 32;
const SECONDS: u32 = 8;
const LOGINS: usize = 100;

fn load(url: String, token: Option<String>) -> Load {
    Load { url, connections: CONNECTIONS, seconds: SECONDS, token, script: None }
}

fn print(name: &str, report: &Report) {
    println!("{name}: {}", report.figures());
    if !report.all_well() {
        println!("    not every request was answered well:\n{}", report.text);
    }
}

/// Logs in without end on many connections until told to stop; how often it worked.
async fn log_in_without_end(client: Client, stop: Arc<AtomicBool>, done: Arc<AtomicU32>) {
    while !stop.load(Ordering::Relaxed) {
        let session = json!({"username": "demo", "password": "demo123"});
        // 503 says that too many wait for their turn already.
        let answer = client.post("/auth/login", session).await;
        if answer.status != 503 {
            answer.expect(200);
            done.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn health_while_many_log_in(server: &TestServer) -> Option<()> {
    let quiet = load(format!("{}/health", server.url()), None);
    print("/health alone", &Load { connections: 4, ..quiet.clone() }.run().await?);
    let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
    let logins: Vec<_> = (0..LOGINS)
        .map(|_| tokio::spawn(log_in_without_end(server.anonymous(), stop.clone(), done.clone())))
        .collect();
    let report = Load { connections: 4, ..quiet }.run().await?;
    stop.store(true, Ordering::Relaxed);
    for login in logins {
        login.await.unwrap();
    }
    print(&format!("/health while {LOGINS} log in at once"), &report);
    println!("    {} logins in that time", done.load(Ordering::Relaxed));
    Some(())
}

async fn measure() -> Option<()> {
    let constant = constant_answer(CONNECTIONS, SECONDS).await?;
    print("constant answer", &constant);
    let server = TestServer::start().await;
    let token = server.demo().await.token().unwrap().to_owned();
    let validated = load(format!("{}/auth/validate", server.url()), Some(token)).run().await?;
    print("GET /auth/validate", &validated);
    println!("    {:.2} of the constant answer", validated.rate() / constant.rate());
    health_while_many_log_in(&server).await?;
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
