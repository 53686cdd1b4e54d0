//! D14: servers on one database that share their wake-ups through NATS. NATS is killed, its stream is deleted, messages
//! come twice and out of order: events come later then, none is lost, and their order is kept.
//!
//! Listeners look by themselves after an hour here: whatever they hear, they hear because of the bus.

use crate::log::{Log, PATIENCE, is_silent, take};
use agent_core::event::{Event, EventBody, Topic};
use agent_core::ids::{Owner, PlanId, TenantId, UserId};
use agent_core::ports::{CommitListener, Neighbours};
use agent_events::{Bus, BusAddress, Hub, Subscription, Wakes};
use agent_testkit_nats::NatsServer;
use async_nats::jetstream;
use futures_util::StreamExt;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

const AN_HOUR: Duration = Duration::from_secs(3_600);
const DATABASE: &str = "0123";
const STREAM: &str = "agent-wakes-0123";
const SUBJECT: &str = "agent.0123.wakes";

/// What an executor was told, in order.
struct Told(watch::Sender<Vec<(&'static str, i64)>>);

impl Told {
    fn note(&self, word: &'static str, plan: i64) {
        self.0.send_modify(|told| told.push((word, plan)));
    }

    /// Waits until something was told so often.
    async fn until(&self, word: &str, times: usize) {
        let mut told = self.0.subscribe();
        let count = |told: &Vec<(&str, i64)>| told.iter().filter(|(said, _)| *said == word).count() >= times;
        let heard = tokio::time::timeout(PATIENCE, told.wait_for(count));
        heard.await.unwrap_or_else(|_| panic!("{word} was not told {times} times")).unwrap();
    }

    fn of_plans(&self) -> Vec<(&'static str, i64)> {
        self.0.borrow().iter().filter(|(word, _)| *word != "missed").copied().collect()
    }
}

impl Neighbours for Told {
    fn changed(&self, plan: PlanId) {
        self.note("changed", plan.get());
    }

    fn free(&self, plan: PlanId) {
        self.note("free", plan.get());
    }

    fn missed(&self) {
        self.note("missed", 0);
    }
}

/// A server as far as events go.
struct Server {
    log: Arc<Log>,
    bus: Arc<Bus>,
    hub: Hub,
    told: Arc<Told>,
}

impl Server {
    /// One that is about to join the others.
    fn begin(address: &str, database: &str, name: &str, log: &Arc<Log>) -> Self {
        let (wakes, told) = (Arc::new(Wakes::new()), Arc::new(Told(watch::Sender::default())));
        let bus = Arc::new(Bus::new(Arc::clone(&wakes)));
        let neighbours: Arc<dyn Neighbours> = Arc::<Told>::clone(&told);
        bus.start(&BusAddress::parse(address).unwrap(), database, name, neighbours).unwrap();
        let hub = Hub::new(wakes, Arc::<Log>::clone(log)).looking_every(AN_HOUR);
        Self { log: Arc::clone(log), bus, hub, told }
    }

    /// One that has joined them.
    async fn start(address: &str, database: &str, name: &str, log: &Arc<Log>) -> Self {
        let server = Self::begin(address, database, name, log);
        server.told.until("missed", 1).await;
        server
    }

    fn commit(&self, plan: i64, owner: i64, messages: &[&str]) {
        let events = self.log.write(plan, owner, messages);
        self.bus.committed(&events);
    }

    async fn listen(&self, topic: Topic) -> Subscription {
        let mut subscription = self.hub.subscribe(topic, None).await.unwrap();
        assert!(is_silent(&mut subscription).await);
        subscription
    }
}

/// Two servers on one database.
async fn two(nats: &NatsServer) -> (Arc<Log>, [Server; 2]) {
    let log = Arc::new(Log::default());
    let one = Server::start(&nats.url(), DATABASE, "one", &log).await;
    let two = Server::start(&nats.url(), DATABASE, "two", &log).await;
    (log, [one, two])
}

const TOPICS: [Topic; 3] = [
    Topic::Plan(TenantId::DEFAULT, PlanId(1)),
    Topic::Owner(Owner { tenant: TenantId::DEFAULT, user: UserId(1) }),
    Topic::Everything,
];

/// That what either server writes is heard at the other, with nothing but the bus to explain it.
async fn hear_each_other(servers: &[Server; 2]) {
    for (writer, reader) in [(0, 1), (1, 0)] {
        for topic in TOPICS {
            let mut subscription = servers[reader].listen(topic).await;
            servers[writer].commit(1, 1, &["one", "two"]);
            let heard = take(&mut subscription, 2).await;
            let written = servers[writer].log.all(topic);
            assert_eq!(heard, written[written.len() - 2..]);
            assert!(is_silent(&mut subscription).await);
        }
    }
}

/// The last that is written, while the trouble lasts: no later wake-up makes up for one that was lost.
const THE_END: &str = "the end";

/// Listens until the end is told.
async fn listen_to_the_end(mut subscription: Subscription) -> Vec<Event> {
    let mut heard = Vec::new();
    loop {
        let event = take(&mut subscription, 1).await.remove(0);
        let end = matches!(&event.body, EventBody::TaskProgress { message, .. } if message == THE_END);
        heard.push(event);
        if end {
            assert!(is_silent(&mut subscription).await, "something came twice");
            return heard;
        }
    }
}

/// Listeners of all kinds at both servers, while both write, something breaks and is mended again.
async fn nothing_is_lost_when(
    servers: &[Server; 2],
    log: &Log,
    breaks: impl AsyncFnOnce(),
    is_mended: impl AsyncFnOnce(),
) {
    let mut listeners = Vec::new();
    for server in servers {
        for topic in TOPICS {
            let (before, subscription) = (log.all(topic).len(), server.listen(topic).await);
            listeners.push((topic, before, tokio::spawn(listen_to_the_end(subscription))));
        }
    }
    let write = async || {
        for round in 0..200_i64 {
            let server = &servers[usize::try_from(round % 2).unwrap()];
            server.commit(1 + round % 3, 1 + round % 2, &["a", "b"]);
            tokio::task::yield_now().await;
        }
    };
    write().await;
    breaks().await;
    write().await;
    servers[0].commit(1, 1, &[THE_END]);
    is_mended().await;
    for (topic, before, listener) in listeners {
        assert_eq!(listener.await.unwrap(), log.all(topic).split_off(before), "{topic:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_server_writes_is_heard_at_the_others_at_once() {
    let Some(nats) = NatsServer::start(&[]) else { return };
    let (_, servers) = two(&nats).await;
    hear_each_other(&servers).await;
    assert!(servers.iter().all(|server| server.bus.is_joined()));
    assert_eq!(servers[0].told.of_plans(), [], "events are no matter of the executor");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_concerns_work_is_told_to_the_executors_elsewhere_and_not_to_the_own() {
    let Some(nats) = NatsServer::start(&[]) else { return };
    let (_, [one, two]) = two(&nats).await;
    one.bus.changed(PlanId(7));
    two.told.until("changed", 1).await;
    one.bus.free(PlanId(8));
    // What waits when a server stops is still told.
    one.bus.stop().await;
    two.told.until("free", 1).await;
    // What was under way when the server was told to stop is told again.
    let told: BTreeSet<(&str, i64)> = two.told.of_plans().into_iter().collect();
    assert_eq!(told, BTreeSet::from([("changed", 7), ("free", 8)]));
    assert_eq!(one.told.of_plans(), []);
    assert!(!one.bus.is_joined());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_nats_is_killed() {
    let Some(nats) = NatsServer::start(&[]) else { return };
    let (log, servers) = two(&nats).await;
    let nats = RefCell::new(nats);
    nothing_is_lost_when(
        &servers,
        &log,
        async || nats.borrow_mut().kill(),
        async || nats.borrow_mut().restart(),
    )
    .await;
    for server in &servers {
        server.told.until("missed", 2).await;
    }
    hear_each_other(&servers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_when_the_stream_is_deleted() {
    let Some(nats) = NatsServer::start(&[]) else { return };
    let (log, servers) = two(&nats).await;
    let client = async_nats::connect(nats.url()).await.unwrap();
    let is_deleted = async || {
        jetstream::new(client.clone()).delete_stream(STREAM).await.unwrap();
    };
    nothing_is_lost_when(&servers, &log, is_deleted, async || {}).await;
    for server in &servers {
        server.told.until("missed", 2).await;
    }
    hear_each_other(&servers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_out_of_reach_looks_at_everything() {
    let Some(mut nats) = NatsServer::start(&[]) else { return };
    let (log, [_one, two]) = two(&nats).await;
    let mut subscription = two.listen(Topic::Everything).await;
    let untold = log.write(1, 1, &["told while nobody could hear it"]);
    nats.kill();
    nats.restart();
    assert_eq!(take(&mut subscription, 1).await, untold);
    two.told.until("missed", 2).await;
    let untold = log.write(1, 1, &["lost with the stream"]);
    let client = async_nats::connect(nats.url()).await.unwrap();
    jetstream::new(client).delete_stream(STREAM).await.unwrap();
    assert_eq!(take(&mut subscription, 1).await, untold);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_that_come_twice_late_forged_or_broken_repeat_and_hide_nothing() {
    let Some(nats) = NatsServer::start(&[]) else { return };
    let (log, servers) = two(&nats).await;
    let client = async_nats::connect(nats.url()).await.unwrap();
    let mut copies = client.subscribe(SUBJECT).await.unwrap();
    client.flush().await.unwrap();
    let from_one = |plan: &str| json!({"from": "one", "notes": {"plans": {plan: {"written_for": 1}}}});
    let are_forged = async || {
        let mut seen = Vec::new();
        while seen.len() < 2 {
            seen.push(copies.next().await.unwrap().payload);
        }
        let broken: [Value; 5] = [
            json!("junk"),
            json!({"from": "nobody"}),
            json!({"from": "nobody", "notes": {"plans": {"1": {}}, "everything": true}}),
            json!({"from": "two", "notes": {"plans": {"99": {"written_for": 99}}}, "of a later version": 1}),
            from_one("1"),
        ];
        for round in 0..20 {
            for copy in seen.iter().rev() {
                client.publish(SUBJECT, copy.clone()).await.unwrap();
            }
            let forged = serde_json::to_vec(&broken[round % broken.len()]).unwrap();
            client.publish(SUBJECT, forged.into()).await.unwrap();
        }
        client.flush().await.unwrap();
    };
    nothing_is_lost_when(&servers, &log, are_forged, async || {}).await;
    hear_each_other(&servers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_nats_is_away_commits_go_on_and_are_told_when_it_is_there() {
    let Some(mut nats) = NatsServer::start(&[]) else { return };
    nats.kill();
    let log = Arc::new(Log::default());
    let servers = ["one", "two"].map(|name| Server::begin(&nats.url(), DATABASE, name, &log));
    let mut subscription = servers[1].listen(Topic::Everything).await;
    for round in 0..5_000 {
        servers[0].commit(round, 1, &["nobody hears it yet"]);
    }
    assert!(servers.iter().all(|server| !server.bus.is_joined()));
    nats.restart();
    assert_eq!(take(&mut subscription, 5_000).await, log.all(Topic::Everything));
    for server in &servers {
        server.told.until("missed", 1).await;
    }
    hear_each_other(&servers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn databases_that_share_a_nats_do_not_disturb_each_other() {
    let Some(nats) = NatsServer::start(&[]) else { return };
    let (_, [one, two]) = two(&nats).await;
    let strangers = Arc::new(Log::default());
    let stranger = Server::start(&nats.url(), "4567", "stranger", &strangers).await;
    let other = Server::start(&nats.url(), "4567", "other", &strangers).await;
    one.bus.changed(PlanId(1));
    two.told.until("changed", 1).await;
    other.bus.changed(PlanId(2));
    stranger.told.until("changed", 1).await;
    assert_eq!((two.told.of_plans(), stranger.told.of_plans()), (vec![("changed", 1)], vec![("changed", 2)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credentials_are_taken_from_the_address() {
    let logins = [(["--user", "ada", "--pass", "p@ss/word"], "ada:p%40ss%2Fword")];
    for (arguments, login) in logins {
        let Some(nats) = NatsServer::start(&arguments) else { return };
        let log = Arc::new(Log::default());
        Server::start(&format!("nats://{login}@{}", nats.place()), DATABASE, "one", &log).await;
    }
    let Some(nats) = NatsServer::start(&["--auth", "a-token"]) else { return };
    let log = Arc::new(Log::default());
    Server::start(&format!("nats://a-token@{}", nats.place()), DATABASE, "one", &log).await;
}
