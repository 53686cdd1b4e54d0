//! Where a case takes place: a data folder, a repository, and one server after another.

use crate::effects::{Effects, LIFE};
use agent_core::time::Timestamp;
use agent_testkit::{Client, Database, ServerCommand, ServerProcess};
use agent_testkit_postgres::TestDatabase;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use tempfile::TempDir;

/// The longest any state is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How often is looked whether it has come.
const GLANCE: Duration = Duration::from_millis(10);
/// Where a plan stays.
pub(crate) const ENDS: [&str; 3] = ["completed", "failed", "cancelled"];

/// A data folder and a repository, gone with this value.
pub(crate) struct Scene {
    _folder: TempDir,
    pub(crate) data: PathBuf,
    pub(crate) repository: PathBuf,
    pub(crate) database: Database,
    /// When each life of the server began, in the words of its events.
    pub(crate) lives: Vec<String>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::on(Database::Sqlite)
    }

    /// On a database of its own.
    pub(crate) fn on(database: Database) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (data, repository) = (folder.path().join("data"), folder.path().join("repository"));
        std::fs::create_dir(&data).unwrap();
        std::fs::create_dir(&repository).unwrap();
        Self { _folder: folder, data, repository, database, lives: Vec::new() }
    }

    /// With its data on a server, which is to be kept as long as the scene.
    pub(crate) fn on_database(database: &TestDatabase) -> Self {
        Self::on(Database::At(database.url().to_owned()))
    }

    /// A new scene with the accounts and the secret of another, whose server is gone: a token that was valid there
    /// is valid here.
    pub(crate) fn with_accounts_of(other: &Self) -> Self {
        let scene = Self::new();
        for file in std::fs::read_dir(&other.data).unwrap() {
            let (path, name) = (file.as_ref().unwrap().path(), file.unwrap().file_name());
            if name.to_string_lossy().starts_with("agent.db") {
                std::fs::copy(path, scene.data.join(name)).unwrap();
            }
        }
        scene
    }

    /// The server of this scene, to be started.
    pub(crate) fn server(&self) -> ServerCommand {
        let program = env!("CARGO_BIN_EXE_agent-server");
        // More than there are cores, so that a kill catches several tasks.
        ServerCommand::new(program, &self.data, &self.repository, &self.database)
            .env("AGENT_MAX_PARALLEL_TASKS", "8")
            .env(LIFE, self.lives.len().to_string())
            // What kills the server here is the suite, not the tasks that it catches again and again.
            .env("AGENT_MAX_RECOVERIES", "1000")
    }

    /// Begins the next life: what commands of servers made from now on log carries its number.
    pub(crate) fn next_life(&mut self) -> usize {
        self.lives.push(Timestamp::from_micros(wall_clock()).to_string());
        self.lives.len()
    }

    /// The life at a moment.
    pub(crate) fn life_at(&self, timestamp: &str) -> usize {
        self.lives.iter().take_while(|began| began.as_str() <= timestamp).count()
    }

    /// Writes a file of the repository.
    pub(crate) fn write(&self, name: &str, text: &str) {
        // Whole or not at all: commands read while it is written.
        let aside = self.repository.join(format!(".{name}.new"));
        std::fs::write(&aside, text).unwrap();
        std::fs::rename(aside, self.repository.join(name)).unwrap();
    }

    /// What the commands of all plans did.
    pub(crate) fn effects(&self) -> Effects {
        Effects::read(&self.repository.join("effects.log"))
    }

    /// A file of the repository; empty where there is none.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.repository.join(name)).unwrap_or_default()
    }
}

#[expect(clippy::disallowed_methods, reason = "compared with what the server reads from the same clock")]
fn wall_clock() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros() as i64
}

#[expect(clippy::disallowed_methods, reason = "a deadline of the test itself")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Waits until something is there, and fails with what there is instead.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let begun = now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(instead) => assert!(begun.elapsed() < PATIENCE, "{what} never came: {instead}"),
        }
        tokio::time::sleep(GLANCE).await;
    }
}

/// Waits until no command works in the repository any more: one may outlive its killed server by a moment.
pub(crate) async fn until_nothing_runs(scene: &Scene) {
    until("the end of all commands", async || {
        let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
        let mut places = processes.filter_map(|process| std::fs::read_link(process.path().join("cwd")).ok());
        match places.find(|place| place.starts_with(&scene.repository)) {
            Some(place) => Err(format!("something runs in {}", place.display())),
            None => Ok(()),
        }
    })
    .await;
}

/// Waits until a file of the repository holds a text.
pub(crate) async fn until_written(path: &Path, text: &str) {
    until(text, async || {
        let found = std::fs::read_to_string(path).unwrap_or_default();
        if found.contains(text) { Ok(()) } else { Err(found) }
    })
    .await;
}

/// Waits until a plan has ended, and returns it.
pub(crate) async fn until_over(caller: &Client, plan: i64) -> Value {
    until_status(caller, plan, &ENDS).await
}

/// Waits until a plan stands in one of these places, and returns it.
pub(crate) async fn until_status(caller: &Client, plan: i64, statuses: &[&str]) -> Value {
    until("the end of the plan", async || {
        let found = caller.get(&format!("/plans/{plan}")).await.expect(200).json;
        let there = statuses.contains(&found["plan"]["status"].as_str().unwrap());
        if there { Ok(found) } else { Err(format!("{found:#}")) }
    })
    .await
}

/// All events of a plan.
pub(crate) async fn events(caller: &Client, plan: i64) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let after = events.len();
        let page = caller.get(&format!("/plans/{plan}/events?limit=200&after={after}")).await.expect(200);
        let found = page.json["events"].as_array().unwrap().clone();
        if found.is_empty() {
            return events;
        }
        events.extend(found);
    }
}

/// Starts the server in its next life, with a client that is logged in.
pub(crate) async fn begin(scene: &mut Scene) -> (ServerProcess, Client) {
    scene.next_life();
    let server = scene.server().start();
    let caller = server.demo().await;
    (server, caller)
}
