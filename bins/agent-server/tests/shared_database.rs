//! A server whose data is on PostgreSQL: killed, joined by another, and left by its database.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use agent_testkit_postgres::{ClusterOptions, PostgresCluster, TestDatabase};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The longest any state is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The real program, killed when the test ends.
struct Server {
    child: Child,
    url: String,
}

impl Server {
    fn start(scene: &Scene) -> Self {
        Self::start_in(&scene.data, scene)
    }

    #[expect(clippy::disallowed_methods, reason = "the test starts the program as a user would")]
    fn start_in(data: &Path, scene: &Scene) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_agent-server"))
            .args(["--dev", "--bind", "127.0.0.1:0"])
            .arg("--repository-root")
            .arg(&scene.repository)
            .env("AGENT_DATABASE_URL", &scene.database_url)
            .current_dir(data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let url = ready.split_whitespace().last().unwrap_or_default().trim_end_matches('/').to_owned();
        assert!(url.starts_with("http://"), "no ready line: {ready:?}");
        Self { child, url }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Caller {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Caller {
    async fn log_in(server: &Server) -> Self {
        let http = reqwest::Client::new();
        let body = json!({"username": "demo", "password": "demo123"});
        let answer = http.post(format!("{}/auth/login", server.url)).json(&body).send().await.unwrap();
        let session: Value = answer.json().await.unwrap();
        let token = session["access_token"].as_str().expect("a token").to_owned();
        Self { http, url: server.url.clone(), token }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(&self.token).json(&body);
        request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }

    async fn wait_for_end(&self, plan: i64) -> Value {
        let started = now();
        loop {
            let found = self.get(&format!("/plans/{plan}")).await;
            if ["completed", "failed", "cancelled"].contains(&found["plan"]["status"].as_str().unwrap()) {
                return found;
            }
            assert!(started.elapsed() < PATIENCE, "the plan does not end: {found:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a deadline of the test itself")]
fn now() -> Instant {
    Instant::now()
}

fn lines(log: &Path) -> Vec<String> {
    std::fs::read_to_string(log).unwrap_or_default().lines().map(str::to_owned).collect()
}

async fn wait_for_line(log: &Path, line: &str) {
    let started = now();
    while !lines(log).iter().any(|found| found == line) {
        assert!(started.elapsed() < PATIENCE, "{line:?} never came; there is {:?}", lines(log));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

struct Scene {
    _folder: tempfile::TempDir,
    _database: Option<TestDatabase>,
    database_url: String,
    data: PathBuf,
    repository: PathBuf,
    log: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (data, repository) = (folder.path().join("data"), folder.path().join("repository"));
        std::fs::create_dir(&data).unwrap();
        std::fs::create_dir(&repository).unwrap();
        let log = repository.join("effects.log");
        let database_url = format!("sqlite://{}", data.join("agent.db").display());
        Self { _folder: folder, _database: None, database_url, data, repository, log }
    }

    /// With its data on a server; `None` where there is no PostgreSQL.
    fn on_postgres() -> Option<Self> {
        PostgresCluster::shared().map(|cluster| Self::on(cluster.create_database(None)))
    }

    fn on(database: TestDatabase) -> Self {
        Self { database_url: database.url().to_owned(), _database: Some(database), ..Self::new() }
    }
}

/// A task that says when it begins, and ends once it is let go.
fn held_task() -> Value {
    let script = "echo middle >> effects.log; while [ ! -e release ]; do sleep 0.02; done; echo released >> effects.log";
    json!({"description": "wait to be released", "kind": "command", "command": script, "effect": "idempotent", "depends_on": [1]})
}

fn logged(line: &str, depends_on: &[u32]) -> Value {
    let command = format!("echo {line} >> effects.log");
    json!({"description": line, "kind": "command", "command": command, "depends_on": depends_on})
}

async fn run_until_held(scene: &Scene) -> i64 {
    let server = Server::start(scene);
    let caller = Caller::log_in(&server).await;
    let tasks = json!([logged("first", &[]), held_task(), logged("last", &[2])]);
    let created = caller.post("/plans", json!({"goal": "survive", "tasks": tasks})).await;
    let plan = created["plan_id"].as_i64().unwrap();
    caller.post(&format!("/plans/{plan}/execute"), json!({})).await;
    wait_for_line(&scene.log, "middle").await;
    server.kill();
    std::fs::write(scene.repository.join("release"), "").unwrap();
    plan
}

#[tokio::test]
async fn a_killed_server_with_its_data_elsewhere_finishes_its_plan_when_it_is_started_again() {
    let Some(scene) = Scene::on_postgres() else { return };
    finishes_after_a_restart(scene).await;
}

async fn finishes_after_a_restart(scene: Scene) {
    let plan = run_until_held(&scene).await;

    let server = Server::start(&scene);
    let caller = Caller::log_in(&server).await;
    let found = caller.wait_for_end(plan).await;

    assert_eq!(found["plan"]["status"], "completed", "{found:#}");
    let log = lines(&scene.log);
    assert_eq!(log.iter().filter(|line| *line == "first").count(), 1, "a recorded step ran again: {log:?}");
    assert_eq!(log.iter().filter(|line| *line == "middle").count(), 2, "{log:?}");
    assert_eq!(log.last().map(String::as_str), Some("last"));

    let events = caller.get(&format!("/plans/{plan}/events?limit=200")).await;
    let events = events["events"].as_array().unwrap();
    let positions: Vec<i64> = events.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert_eq!(positions, (1..=positions.len() as i64).collect::<Vec<_>>(), "gaps in the log");
    assert_eq!(events.iter().filter(|event| event["event"] == "run_recovered").count(), 1);
}

#[tokio::test]
async fn a_plan_of_a_killed_server_is_finished_by_another_that_shares_its_database() {
    let Some(scene) = Scene::on_postgres() else { return };
    let other_data = scene.data.with_file_name("other");
    std::fs::create_dir(&other_data).unwrap();
    let other = Server::start_in(&other_data, &scene);
    let caller = Caller::log_in(&other).await;
    let plan = run_until_held(&scene).await;
    // It is not this server's before the lease is over, and then it is.
    let found = caller.wait_for_end(plan).await;
    assert_eq!(found["plan"]["status"], "completed", "{found:#}");
    let log = lines(&scene.log);
    assert_eq!(log.iter().filter(|line| *line == "first").count(), 1, "{log:?}");
    assert_eq!(log.last().map(String::as_str), Some("last"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_database_is_away_requests_are_told_to_come_back_and_then_are_served() {
    let Some(mut cluster) = PostgresCluster::start(ClusterOptions::default()) else { return };
    let scene = Scene::on(cluster.create_database(None));
    let server = Server::start(&scene);
    let caller = Caller::log_in(&server).await;
    let created = caller.post("/plans", json!({"goal": "stay", "tasks": [logged("first", &[])]})).await;
    tokio::task::block_in_place(|| cluster.kill());
    for path in ["/plans", "/ready"] {
        let asked = now();
        let request = caller.http.get(format!("{}{path}", caller.url)).bearer_auth(&caller.token);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 503, "{path}");
        assert!(path == "/ready" || answer.headers().contains_key("retry-after"), "{path}");
        assert!(asked.elapsed() < Duration::from_secs(5), "{path} took {:?}", asked.elapsed());
    }
    tokio::task::block_in_place(|| cluster.restart());
    let ready = now();
    while caller.http.get(format!("{}/ready", caller.url)).send().await.unwrap().status() != 200 {
        assert!(
            ready.elapsed() < Duration::from_secs(5),
            "not ready {:?} after the database",
            ready.elapsed()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let plan = created["plan_id"].as_i64().unwrap();
    caller.post(&format!("/plans/{plan}/execute"), json!({})).await;
    assert_eq!(caller.wait_for_end(plan).await["plan"]["status"], "completed");
    assert_eq!(lines(&scene.log), ["first"]);
    drop((server, scene));
}
