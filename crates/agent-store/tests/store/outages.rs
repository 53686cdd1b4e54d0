//! A server that is killed, falls silent, or loses the line at the worst moment.

#![expect(clippy::disallowed_methods, reason = "how long an outage lasts is what is tested")]

use crate::world::{Recorder, at, change, make, new_plan, numbers, open, progress, user};
use agent_core::Error;
use agent_core::event::Topic;
use agent_core::ids::{Owner, PlanId, TenantId};
use agent_core::plan::{Idempotency, NewPlan, PlanStatus};
use agent_core::ports::{EventLog, PlanReader, PlanStore, Visibility};
use agent_store::Store;
use agent_testkit_postgres::{ClusterOptions, CuttingProxy, PostgresCluster, TestDatabase};
use std::error::Error as _;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const KILLS: usize = 8;
/// How soon everything must work again.
const SOON: Duration = Duration::from_secs(5);
const MOMENT: Duration = Duration::from_millis(10);

fn keyed(owner: Owner, number: usize) -> NewPlan {
    let idempotency = Idempotency { key: format!("k-{number}"), fingerprint: "same".into() };
    NewPlan { idempotency: Some(idempotency), ..new_plan(owner, 2) }
}

/// Makes plans one after the other until told to stop; each is asked for, under its key, until it is acknowledged.
async fn make_plans(
    store: Store,
    owner: Owner,
    acknowledged: Arc<Mutex<Vec<PlanId>>>,
    stop: Arc<AtomicBool>,
) {
    for number in 0.. {
        let plan = keyed(owner, number);
        loop {
            match make(&store, &plan, PlanStatus::Created, at(0)).await {
                Ok(made) => break acknowledged.lock().unwrap().push(made.plan.id),
                Err(Error::Unavailable(_)) => tokio::time::sleep(MOMENT).await,
                Err(other) => panic!("{other:?}"),
            }
        }
        if stop.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// Waits until so many plans are acknowledged.
async fn reach(acknowledged: &Mutex<Vec<PlanId>>, count: usize) {
    while acknowledged.lock().unwrap().len() < count {
        tokio::time::sleep(MOMENT).await;
    }
}

/// Reads until reading succeeds.
async fn read(store: &Store) {
    while let Err(error) = store.counts(Visibility::Tenant(TenantId::DEFAULT)).await {
        assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
        tokio::time::sleep(MOMENT).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed_again_and_again() {
    let options = ClusterOptions { fsync: true, ..ClusterOptions::default() };
    let Some(mut cluster) = PostgresCluster::start(options) else { return };
    let database = cluster.create_database(None);
    let store = open(database.url()).unwrap();
    let owner = user(&store, "ada").await;
    let (acknowledged, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
    let making = make_plans(store.clone(), owner, Arc::clone(&acknowledged), Arc::clone(&stop));
    let making = tokio::spawn(making);
    for _ in 0..KILLS {
        let before = acknowledged.lock().unwrap().len();
        reach(&acknowledged, before + 20).await;
        tokio::task::block_in_place(|| cluster.kill());
        let before = acknowledged.lock().unwrap().len();
        let refused = loop {
            if let Err(error) = store.counts(Visibility::Tenant(TenantId::DEFAULT)).await {
                break error;
            }
        };
        assert!(matches!(refused, Error::Unavailable(_)), "{refused:?}");
        tokio::task::block_in_place(|| cluster.restart());
        let ready = Instant::now();
        reach(&acknowledged, before + 1).await;
        read(&store).await;
        assert!(ready.elapsed() < SOON, "served again after {:?}", ready.elapsed());
    }
    stop.store(true, Ordering::Relaxed);
    making.await.unwrap();
    let acknowledged = acknowledged.lock().unwrap().clone();
    for id in &acknowledged {
        assert_eq!(store.load(None, *id).await.unwrap().tasks.len(), 2);
    }
    let all = store.counts(Visibility::Tenant(TenantId::DEFAULT)).await.unwrap().total;
    assert_eq!(all, acknowledged.len() as u64, "each key has one plan");
    let events = EventLog::read(&store, Topic::Everything, 0, u32::MAX).await.unwrap();
    assert_eq!(events.len(), acknowledged.len());
    drop((store, database));
}

/// A store that reaches the server through a proxy.
async fn behind_a_proxy() -> Option<(CuttingProxy, Store, Arc<Recorder>, Owner, TestDatabase)> {
    let cluster = PostgresCluster::shared().filter(|cluster| cluster.certificate("").is_some())?;
    let database = cluster.create_database(None);
    // What the writer commits with; readers have other words.
    let proxy = CuttingProxy::start(cluster.port(), "SAVEPOINT kept; COMMIT");
    let url = database.url().replacen(&format!(":{}/", cluster.port()), &format!(":{}/", proxy.port()), 1);
    let told = Arc::new(Recorder::default());
    let listener: Arc<Recorder> = Arc::clone(&told);
    let store = Store::open(&url, listener).unwrap();
    let owner = user(&store, "ada").await;
    Some((proxy, store, told, owner, database))
}

fn is_unknown(error: &Error) -> bool {
    let reason = error.source().and_then(|source| source.downcast_ref());
    matches!(reason, Some(agent_store::Error::OutcomeUnknown(_)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_cut_behind_a_commit_leaves_one_plan_however_often_it_is_asked_for() {
    let Some((proxy, store, _, owner, _database)) = behind_a_proxy().await else { return };
    let plan = keyed(owner, 1);
    proxy.arm();
    let error = make(&store, &plan, PlanStatus::Created, at(0)).await.unwrap_err();
    assert!(is_unknown(&error), "{error:?}");
    assert_eq!(proxy.cuts(), 1);
    let first = make(&store, &plan, PlanStatus::Created, at(1)).await.unwrap();
    let second = make(&store, &plan, PlanStatus::Created, at(2)).await.unwrap();
    assert_eq!((first.plan.id, first.plan.created_at), (second.plan.id, at(0)));
    assert_eq!(store.counts(Visibility::Tenant(TenantId::DEFAULT)).await.unwrap().total, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_cut_behind_a_commit_changes_a_plan_once() {
    let Some((proxy, store, told, owner, _database)) = behind_a_proxy().await else { return };
    let state = make(&store, &new_plan(owner, 1), PlanStatus::Created, at(0)).await.unwrap();
    let mut next = change(&state);
    next.plan.summary = Some("changed".into());
    next.events = vec![progress("changed")];
    proxy.arm();
    let error = store.commit(&next, None).await.unwrap_err();
    assert!(is_unknown(&error), "{error:?}");
    let again = store.commit(&next, None).await.unwrap_err();
    assert!(matches!(again, Error::Conflict { .. }), "{again:?}");
    assert_eq!(store.load(None, state.plan.id).await.unwrap().plan.summary.as_deref(), Some("changed"));
    let logged = EventLog::read(&store, Topic::Plan(TenantId::DEFAULT, state.plan.id), 0, 10).await.unwrap();
    assert_eq!(numbers(&logged, state.plan.id), [1, 2]);
    // Nobody was told of what nobody knew to be committed: it is found in the log.
    assert_eq!(numbers(&told.events(), state.plan.id), [1]);
}

/// Set in the copy of this program that runs in the namespace of the client.
const INSIDE: &str = "AGENT_TEST_NAMESPACE_OF_THE_SERVER";
const BLACKHOLE: &str = "postgres::outages::a_server_that_falls_silent_is_noticed_and_found_again";

fn ip(arguments: &str) -> bool {
    let output = Command::new("ip").args(arguments.split(' ')).output();
    output.is_ok_and(|output| output.status.success())
}

/// Two network namespaces with a cable between them, gone when dropped.
struct Namespaces {
    client: String,
    server: String,
}

impl Namespaces {
    fn new() -> Option<Self> {
        let [client, server] = ["c", "s"].map(|end| format!("agent-{}-{end}", std::process::id()));
        let made = Self { client, server };
        let (client, server) = (&made.client, &made.server);
        let commands = [
            format!("netns add {client}"),
            format!("netns add {server}"),
            format!("-n {client} link set lo up"),
            format!("-n {server} link set lo up"),
            format!("-n {client} link add cable type veth peer name cable netns {server}"),
            format!("-n {client} address add 10.213.77.1/24 dev cable"),
            format!("-n {server} address add 10.213.77.2/24 dev cable"),
            format!("-n {client} link set cable up"),
            format!("-n {server} link set cable up"),
        ];
        commands.iter().all(|command| ip(command)).then_some(made)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        ip(&format!("netns delete {}", self.client));
        ip(&format!("netns delete {}", self.server));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_falls_silent_is_noticed_and_found_again() {
    if let Ok(server) = std::env::var(INSIDE) {
        return silence(&server).await;
    }
    let Some(namespaces) = Namespaces::new() else {
        eprintln!("network namespaces cannot be made here (they need root and `ip`): this test does nothing");
        return;
    };
    let own = std::env::current_exe().unwrap();
    let mut inside = Command::new("ip");
    inside.args(["netns", "exec", &namespaces.client]).arg(own).args([BLACKHOLE, "--exact", "--nocapture"]);
    let output = inside.env(INSIDE, &namespaces.server).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && shown.contains("1 passed"), "{shown}");
}

async fn silence(server: &str) {
    let wrapper = ["ip", "netns", "exec", server].map(str::to_owned).to_vec();
    let options = ClusterOptions { listen: "10.213.77.2".into(), wrapper, ..ClusterOptions::default() };
    let Some(cluster) = PostgresCluster::start(options) else { return };
    let database = cluster.create_database(None);
    let store = open(database.url()).unwrap();
    let owner = user(&store, "ada").await;

    // Long enough that the line goes dead in the middle of it.
    let long = NewPlan { idempotency: keyed(owner, 1).idempotency, ..new_plan(owner, 10_000) };
    let (asking, asked) = (store.clone(), long.clone());
    let waiting = tokio::spawn(async move { make(&asking, &asked, PlanStatus::Created, at(0)).await });
    let in_transaction = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted";
    while database.query(in_transaction) != ["1"] {}
    assert!(ip(&format!("-n {server} link set cable down")));
    let silent = Instant::now();
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert!(silent.elapsed() < SOON, "noticed after {:?}", silent.elapsed());
    let again = make(&store, &long, PlanStatus::Created, at(0)).await.unwrap_err();
    assert!(matches!(again, Error::Unavailable(_)), "{again:?}");
    let read = store.counts(Visibility::Tenant(TenantId::DEFAULT)).await.unwrap_err();
    assert!(matches!(read, Error::Unavailable(_)), "{read:?}");

    assert!(ip(&format!("-n {server} link set cable up")));
    let back = Instant::now();
    let made = loop {
        match make(&store, &long, PlanStatus::Created, at(1)).await {
            Ok(made) => break made,
            Err(error) => assert!(matches!(error, Error::Unavailable(_)), "{error:?}"),
        }
        tokio::time::sleep(MOMENT).await;
    };
    assert!(back.elapsed() < 2 * SOON, "served again after {:?}", back.elapsed());
    assert_eq!(store.load(None, made.plan.id).await.unwrap().tasks.len(), 10_000);
    assert_eq!(store.counts(Visibility::Tenant(TenantId::DEFAULT)).await.unwrap().total, 1);
}
