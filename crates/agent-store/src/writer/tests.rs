//! Groups of transactions in which something goes wrong.

use super::Conn;
use super::testing::{self, Engine};
use crate::database::Scope;
use crate::error::{Answer, Error};
use crate::writer::Written;
use agent_core::event::Event;
use agent_core::ports::CommitListener;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::sync::{Arc, mpsc};
use tokio::task::JoinHandle;

struct Quiet;

impl CommitListener for Quiet {
    fn committed(&self, _events: &[Event]) {}
}

type Work = Box<dyn FnOnce(&mut Conn) -> Answer<()> + Send>;

/// Runs transactions as one group: the writer is kept busy until all of them wait.
async fn as_one_group(store: &Arc<Engine>, works: Vec<Work>) -> Vec<agent_core::Result<()>> {
    let (started, has_started) = tokio::sync::oneshot::channel();
    let (release, released) = mpsc::channel::<()>();
    let keep_busy = spawn(
        store,
        Box::new(move |_| {
            started.send(()).unwrap();
            released.recv().unwrap();
            Ok(())
        }),
    );
    has_started.await.unwrap();
    let before = store.statistics();
    let waiting: Vec<_> = works.into_iter().map(|work| spawn(store, work)).collect();
    // The runtime has one thread and takes tasks in order: after this turn all of them wait with the writer.
    tokio::task::yield_now().await;
    release.send(()).unwrap();
    keep_busy.await.unwrap().unwrap();
    let mut results = Vec::new();
    for result in waiting {
        results.push(result.await.unwrap());
    }
    let commits = store.statistics().commits - before.commits;
    assert!(commits <= 2, "{commits} commits: that was no group");
    results
}

fn spawn(store: &Arc<Engine>, work: Work) -> JoinHandle<agent_core::Result<()>> {
    let store = Arc::clone(store);
    tokio::spawn(async move { store.write_silently(Scope::All, work).await })
}

fn insert(name: &'static str) -> Work {
    Box::new(move |conn| {
        let row = format!(
            "INSERT INTO users (username, username_folded, home_tenant_id, operator, disabled, tokens_valid_after,
                 created_at, password_hash)
             VALUES ('{name}', '{name}', 1, false, false, 0, 0, '')"
        );
        Ok(conn.batch_execute(&row)?)
    })
}

fn after_insert(name: &'static str, then: fn(&mut Conn) -> Answer<()>) -> Work {
    Box::new(move |conn| {
        insert(name)(conn)?;
        then(conn)
    })
}

async fn names(store: &Arc<Engine>) -> Vec<String> {
    use crate::schema::users;
    store
        .read(Scope::All, |conn| Ok(users::table.order(users::id).select(users::username).load(conn)?))
        .await
        .unwrap()
}

fn reason(result: &agent_core::Result<()>) -> Option<&Error> {
    let agent_core::Error::Unavailable(source) = result.as_ref().unwrap_err() else { panic!("{result:?}") };
    source.downcast_ref()
}

#[tokio::test]
async fn a_transaction_that_fails_is_taken_back_alone() {
    let Some((_place, store)) = testing::open(Arc::new(Quiet)) else { return };
    let failing = after_insert("b", |_| Err(agent_core::Error::Stopping.into()));
    let results = as_one_group(&store, vec![insert("a"), failing, insert("a"), insert("c")]).await;
    assert!(results[0].is_ok() && results[3].is_ok());
    assert!(matches!(results[1], Err(agent_core::Error::Stopping)));
    assert!(matches!(results[2], Err(agent_core::Error::Unavailable(_))), "the name is taken");
    assert_eq!(names(&store).await, ["a", "c"]);
}

#[tokio::test]
async fn a_panic_is_taken_back_alone_and_the_writer_goes_on() {
    let Some((_place, store)) = testing::open(Arc::new(Quiet)) else { return };
    let panicking = after_insert("b", |_| panic!("as the test wants"));
    let results = as_one_group(&store, vec![insert("a"), panicking, insert("c")]).await;
    assert!(matches!(reason(&results[1]), Some(Error::Panicked)));
    assert_eq!(names(&store).await, ["a", "c"]);
}

#[tokio::test]
async fn when_the_commit_fails_nobody_is_told_that_it_succeeded() {
    let Some((_place, store)) = testing::open(Arc::new(Quiet)) else { return };
    let orphan = after_insert("b", |conn| {
        // A check that waits for the commit makes the commit itself fail.
        Ok(conn.batch_execute(testing::FAILS_AT_THE_COMMIT)?)
    });
    let results = as_one_group(&store, vec![insert("a"), orphan, insert("c")]).await;
    for result in &results {
        assert!(matches!(reason(result), Some(Error::NotCommitted(_))), "{result:?}");
    }
    assert_eq!(names(&store).await, Vec::<String>::new());
    assert!(as_one_group(&store, vec![insert("later")]).await[0].is_ok());
    assert_eq!(names(&store).await, ["later"]);
}

#[tokio::test]
async fn when_the_database_gives_up_the_whole_transaction_nothing_commits_by_itself() {
    let Some((_place, store)) = testing::open(Arc::new(Quiet)) else { return };
    let given_up = after_insert("b", |conn| {
        // What SQLite does by itself when the disk is full.
        conn.batch_execute("ROLLBACK")?;
        Err(agent_core::Error::Stopping.into())
    });
    let results = as_one_group(&store, vec![insert("a"), given_up, insert("c")]).await;
    for result in &results {
        assert!(matches!(reason(result), Some(Error::NotCommitted(_))), "{result:?}");
    }
    assert_eq!(names(&store).await, Vec::<String>::new());
    let alone = after_insert("d", |conn| Ok(conn.batch_execute("ROLLBACK")?));
    let result = &as_one_group(&store, vec![alone]).await[0];
    assert!(matches!(reason(result), Some(Error::NotCommitted(_))), "{result:?}");
}

#[tokio::test]
async fn a_failure_that_nobody_told_of_is_not_committed() {
    let Some((_place, store)) = testing::open(Arc::new(Quiet)) else { return };
    let careless = after_insert("b", |conn| {
        drop(conn.batch_execute("INSERT INTO nowhere VALUES (1)"));
        Ok(())
    });
    // SQLite takes back the statement, PostgreSQL the transaction; neither acknowledges what is not there.
    let results = as_one_group(&store, vec![careless]).await;
    assert_eq!(names(&store).await.contains(&"b".to_owned()), results[0].is_ok());
}

#[tokio::test]
async fn a_full_disk_is_told_to_everybody_whose_commit_it_cost() {
    let Some((_place, store)) = testing::open(Arc::new(Quiet)) else { return };
    let full = after_insert("b", |conn| {
        conn.batch_execute("ROLLBACK")?;
        let words = Box::new("database or disk is full".to_owned());
        let kind = diesel::result::DatabaseErrorKind::Unknown;
        Err(diesel::result::Error::DatabaseError(kind, words).into())
    });
    let results = as_one_group(&store, vec![insert("a"), full, insert("c")]).await;
    for result in &results {
        assert!(matches!(result, Err(agent_core::Error::StorageFull(_))), "{result:?}");
    }
    assert_eq!(names(&store).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_panic_of_a_listener_does_not_stop_the_writer() {
    struct Loud;
    impl CommitListener for Loud {
        fn committed(&self, _events: &[Event]) {
            panic!("as the test wants");
        }
    }
    let Some((_place, store)) = testing::open(Arc::new(Loud)) else { return };
    for _ in 0..2 {
        let told =
            store.write(Scope::All, |_| Ok(Written { value: (), events: vec![event()] })).await.unwrap();
        assert_eq!(told.events.len(), 1);
    }
}

fn event() -> Event {
    use agent_core::event::EventBody;
    Event {
        seq: 1,
        cursor: 1,
        plan_id: 1.into(),
        task_id: None,
        timestamp: agent_core::time::Timestamp::default(),
        owner: agent_core::ids::Owner::default(),
        body: EventBody::TaskCancelled { reason: String::new() },
    }
}
