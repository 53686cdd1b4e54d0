//! Backup and restore, with the real programs: under load, killed half-way, refused where something would be lost.

use crate::fixture::{Ended, Workplace, line_with};
use agent_client::{Client, CreatePlan, TaskKind, TaskSpec};
use agent_core::ids::PlanId;
use secrecy::ExposeSecret;
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// A server with its data in a folder of the place; killed when it goes out of scope.
struct Server {
    child: Option<Child>,
    url: String,
}

impl Server {
    fn start(place: &Workplace, data: &str) -> Self {
        let (root, database) = (place.repository().display().to_string(), url_of(place, data));
        let flags = ["serve", "--dev", "--bind", "127.0.0.1:0", "--log", "error"];
        let mut child =
            place.start(&[&flags[..], &["--repository-root", &root, "--database-url", &database]].concat());
        let ready = line_with(child.stdout.as_mut().unwrap(), "ready on http://");
        let url = format!("http://{}", ready.rsplit("http://").next().unwrap());
        Self { child: Some(child), url }
    }

    /// Asks it to end in order, and waits for that.
    fn stop(mut self, place: &Workplace) {
        let child = self.child.take().unwrap();
        place.signal("TERM", &child);
        Ended::of(child).with_code(0);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended, which is as well.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn url_of(place: &Workplace, data: &str) -> String {
    let folder = place.path(data);
    fs::create_dir_all(&folder).unwrap();
    format!("sqlite://{}", folder.join("agent.db").display())
}

fn asked<F: Future>(ask: F) -> F::Output {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(ask)
}

fn echo(word: &str) -> CreatePlan {
    CreatePlan::new(word).with_tasks([TaskSpec::new(word, TaskKind::argv(["echo", word]))])
}

/// Files of a folder, but for what is only there while the database is open.
fn files_in(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Backs up while plans are made and executed; gives the plans that were acknowledged shortly before it began.
async fn back_up_under_load(place: &Workplace, client: &Client, backup: &Path) -> Vec<PlanId> {
    let stop = AtomicBool::new(false);
    let load = async {
        let mut plans = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            plans.push(client.plans().create(&echo("busy").execute()).await.unwrap().plan_id);
        }
        plans
    };
    let backing_up = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut before = Vec::new();
        for _ in 0..10 {
            before.push(client.plans().create(&echo("before")).await.unwrap().plan_id);
        }
        let database = url_of(place, "data");
        let child = place.start(&["backup", "--database-url", &database, backup.to_str().unwrap()]);
        let ended = tokio::task::spawn_blocking(|| Ended::of(child)).await.unwrap();
        stop.store(true, Ordering::Relaxed);
        (ended.with_code(0), before)
    };
    let (plans, (ended, before)) = tokio::join!(load, backing_up);
    assert!(plans.len() > 20, "only {} plans were made meanwhile", plans.len());
    assert!(ended.stdout.contains("2 files beside it, checked"), "{}", ended.stdout);
    before
}

#[test]
fn what_was_acknowledged_before_a_backup_under_load_is_there_after_its_restore_and_goes_on() {
    let place = Workplace::with_repository();
    let server = Server::start(&place, "data");
    let history = place.path("data").join(".agent-history").join("some-workspace");
    fs::create_dir_all(&history).unwrap();
    fs::write(history.join("1.json"), "what was applied").unwrap();
    let backup = place.path("copy.backup");
    let (token, before, waiting) = asked(async {
        let client = Client::builder(&server.url).build().unwrap();
        let token = client.log_in("demo", "demo123").await.unwrap().access_token;
        let waiting = client.plans().create(&echo("later")).await.unwrap().plan_id;
        let before = back_up_under_load(&place, &client, &backup).await;
        (token.expose_secret().to_owned(), before, waiting)
    });
    drop(server);

    let restored = url_of(&place, "elsewhere");
    place.agent(&["restore", "--database-url", &restored, backup.to_str().unwrap()]).with_code(0);
    let restored = files_in(&place.path("elsewhere"));
    assert_eq!(restored, [".agent-history", "agent.db", "agent.db.jwt-secret", "agent.db.lock"]);
    let below = place.path("elsewhere").join(".agent-history/some-workspace/1.json");
    assert_eq!(fs::read_to_string(below).unwrap(), "what was applied");
    let server = Server::start(&place, "elsewhere");
    // The session of before the backup is still good: the signing secret came along.
    let client = Client::builder(&server.url).token(token.clone()).build().unwrap();
    asked(async {
        for plan in before {
            client.plans().get(plan).await.unwrap();
        }
        client.plans().execute(waiting).await.unwrap();
    });
    let waiting = waiting.to_string();
    let follow =
        ["plans", "events", &waiting, "--follow", "--json", "--server", &server.url, "--token", &token];
    let followed = place.agent(&follow).with_code(0).stdout;
    assert!(followed.lines().last().unwrap().contains(r#""status":"completed""#), "{followed}");
    server.stop(&place);
}

/// A place with the data of a server that has stopped, and how many bytes of history it has.
fn with_data(bytes: u64) -> Workplace {
    let place = Workplace::with_repository();
    let server = Server::start(&place, "data");
    server.stop(&place);
    let history = place.path("data").join(".agent-history");
    fs::create_dir_all(&history).unwrap();
    fs::File::create(history.join("large")).unwrap().set_len(bytes).unwrap();
    place
}

fn back_up(place: &Workplace) -> PathBuf {
    let path = place.path("copy.backup");
    let database = url_of(place, "data");
    place.agent(&["backup", "--database-url", &database, path.to_str().unwrap()]).with_code(0);
    path
}

#[test]
fn a_backup_that_is_killed_leaves_nothing_under_its_name() {
    let place = with_data(200 * 1024 * 1024);
    let (database, backups) = (url_of(&place, "data"), place.path("backups"));
    fs::create_dir(&backups).unwrap();
    let backup = backups.join("copy.backup");
    let arguments = ["backup", "--database-url", &database, backup.to_str().unwrap()];
    let mut child = place.start(&arguments);
    let is_begun = || {
        let mut sizes = fs::read_dir(&backups).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len());
        sizes.any(|size| size > 1024 * 1024)
    };
    let patience = Instant::now() + Duration::from_secs(60);
    while !is_begun() {
        assert!(Instant::now() < patience && child.try_wait().unwrap().is_none(), "it was never half done");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let left = files_in(&backups);
    assert!(!backup.exists() && left.iter().all(|name| name.starts_with(".copy.backup.")), "{left:?}");
    place.agent(&arguments).with_code(0);
    let restored = url_of(&place, "elsewhere");
    place.agent(&["restore", "--database-url", &restored, backup.to_str().unwrap()]).with_code(0);
}

#[test]
fn nothing_is_overwritten_unless_it_is_kept_aside() {
    let place = with_data(10);
    let backup = back_up(&place);
    let (database, backup) = (url_of(&place, "data"), backup.to_str().unwrap());
    let size = fs::metadata(backup).unwrap().len();
    let again = place.agent(&["backup", "--database-url", &database, backup]).with_code(2);
    assert!(again.stderr.contains("is there already"), "{}", again.stderr);
    assert_eq!(fs::metadata(backup).unwrap().len(), size);

    let before = fs::read(place.path("data/agent.db")).unwrap();
    let restore = ["restore", "--database-url", &database, backup];
    let refused = place.agent(&restore).with_code(2);
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
    assert_eq!(fs::read(place.path("data/agent.db")).unwrap(), before);

    let forced = place.agent(&[&restore[..], &["--force", "--json"]].concat()).with_code(0).json();
    let aside: Vec<&str> =
        forced["kept_aside"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
    let database = aside.iter().find(|path| path.ends_with("-agent.db")).unwrap();
    assert_eq!(fs::read(database).unwrap(), before);
    assert!(aside.iter().any(|path| path.ends_with("-agent.db.jwt-secret")), "{aside:?}");
    let server = Server::start(&place, "data");
    drop(server);
}

#[test]
fn where_a_server_runs_nothing_is_restored() {
    let place = with_data(10);
    let backup = back_up(&place);
    let server = Server::start(&place, "data");
    let database = url_of(&place, "data");
    let refused = place
        .agent(&["restore", "--force", "--database-url", &database, backup.to_str().unwrap()])
        .with_code(2);
    assert!(refused.stderr.contains("a server runs on"), "{}", refused.stderr);
    let client = Client::builder(&server.url).build().unwrap();
    asked(client.log_in("demo", "demo123")).unwrap();
    drop(server);
}

#[test]
fn what_is_no_sound_backup_is_refused_and_changes_nothing() {
    let place = with_data(3 * 1024 * 1024);
    let backup = back_up(&place);
    let mut bytes = fs::read(&backup).unwrap();
    let middle = bytes.len() / 2;
    // A page of another one's content: the file is as long as before, and its beginning is sound.
    let page = bytes[4096..8192].to_vec();
    bytes[middle / 4096 * 4096..][..4096].copy_from_slice(&page);
    fs::write(place.path("damaged.backup"), bytes).unwrap();
    let text = place.beside("letter.txt", "Dear database,");
    let foreign = place.path("data/agent.db").display().to_string();
    let damaged = place.path("damaged.backup").display().to_string();
    let elsewhere = url_of(&place, "elsewhere");
    for (file, words) in [(damaged, "is damaged"), (text, "no backup"), (foreign, "no backup")] {
        let refused = place.agent(&["restore", "--database-url", &elsewhere, &file]).with_code(1);
        assert!(refused.stderr.contains(words) && refused.stderr.contains(&file), "{}", refused.stderr);
        let left = files_in(&place.path("elsewhere"));
        assert!(left.iter().all(|name| name == "agent.db.lock"), "{left:?}");
    }
}

#[test]
fn a_database_on_a_server_is_left_to_the_tools_of_that_server() {
    let place = Workplace::new();
    let file = place.path("copy.backup").display().to_string();
    for command in ["backup", "restore"] {
        let url = "postgres://ada:canary@db/agent";
        let refused = place.agent(&[command, "--database-url", url, &file]).with_code(2);
        assert!(
            refused.stderr.contains("pg_dump") && !refused.stderr.contains("canary"),
            "{}",
            refused.stderr
        );
    }
}
