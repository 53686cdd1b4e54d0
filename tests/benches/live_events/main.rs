//! Live events: how many deliveries a second to a thousand subscribers, beside NATS in the same run; how long an event
//! takes from its commit to the wire; and what ten thousand idle connections cost.
//!
//! `cargo bench -p agent-tests --bench live_events` starts the real server in this process, and the subscribers in
//! another one, so that memory and processor time are the server's alone (and those of the writes that it makes durable
//! meanwhile). `AGENT_TEST_NATS_SERVER` names the program of NATS (`tests/fetch-nats-server.sh`). Nothing is asserted
//! but that nothing is lost.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark measures and prints")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run ends")]

mod peer;
#[path = "../process/mod.rs"]
mod process;
mod subscribers;
mod wire;

use agent_auth::Principal;
use agent_core::ids::PlanId;
use agent_runtime::Agent;
use agent_testkit::TestServer;
use futures_util::StreamExt;
use process::{memory, processor_time};
use rustix::process::{Resource, getrlimit};
use std::time::{Duration, Instant};
use subscribers::{Kind, Report, Spec, Subscribers};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SUBSCRIBERS: usize = 1_000;
/// Events that are written as fast as they can be, and how many writers there are.
const BURST: usize = 1_000;
const WRITERS: usize = 64;
/// Events in a second, for how long, when what counts is how late they come.
const PACE: u32 = 50;
const PACED: usize = 250;
/// Readers that read beside as many that do not, and what they are sent.
const READERS: usize = 100;
const CROWDED: usize = 10_000;
const CROWDED_PACE: u32 = 1_000;
const IDLE: usize = 10_000;
const HELD: Duration = Duration::from_secs(15);

/// Nanoseconds since 1970, as every process of this machine reads them.
fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_nanos()).unwrap()
}

/// A text of 128 bytes.
fn payload() -> String {
    "x".repeat(128)
}

/// Somebody who writes events into a plan.
struct Writer {
    agent: Agent,
    me: Principal,
    plan: PlanId,
}

impl Writer {
    async fn write(&self) {
        let (me, plan) = (&self.me, Some(self.plan));
        self.agent.conversation().add(me, "user".into(), payload(), plan, None).await.unwrap();
    }
}

async fn burst(writer: &Writer, spec: Spec) {
    let subscribers = Subscribers::start(&spec).await;
    let (began, spent) = (now(), processor_time());
    futures_util::stream::iter(0..BURST).map(|_| writer.write()).buffer_unordered(WRITERS).count().await;
    let written = Duration::from_nanos(now() - began);
    let report = subscribers.end().await;
    let spent = processor_time() - spent;
    print_rate("agent", began, &report);
    let each = spent.as_secs_f64() * 1e6 / report.deliveries as f64;
    println!(
        "    {each:.2} µs of processor time a delivery, durable writes included; written in {written:?}"
    );
}

fn print_rate(name: &str, began: u64, report: &Report) {
    let seconds = (report.last - began) as f64 / 1e9;
    let lost = SUBSCRIBERS * BURST - report.deliveries;
    println!(
        "{name}: {:.0} deliveries/s to {SUBSCRIBERS} subscribers, {} in {seconds:.2} s, {lost} lost",
        report.deliveries as f64 / seconds,
        report.deliveries,
    );
}

async fn paced(writer: &Writer, spec: Spec) {
    let subscribers = Subscribers::start(&spec).await;
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / PACE);
    let (mut called, mut answered) = (Vec::new(), Vec::new());
    for _ in 0..PACED {
        ticks.tick().await;
        called.push(now());
        writer.write().await;
        answered.push(now());
    }
    let report = subscribers.end().await;
    let (call, commit) = (report.lags(&called), report.lags(&answered));
    println!("agent, {PACE} events/s: {commit} from the commit; {call} from the call");
}

/// What a hundred readers notice of a hundred others that take nothing.
async fn beside_sleepers(writer: &Writer, spec: Spec) {
    let sleepers = Subscribers::start(&Spec { events: 0, ..spec.clone() }).await;
    let subscribers = Subscribers::start(&spec).await;
    let writes = (0..CROWDED).map(|_| writer.write());
    let mut answered = vec![0; CROWDED];
    let mut writes = futures_util::stream::iter(writes).buffered(WRITERS);
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / CROWDED_PACE);
    for at in &mut answered {
        ticks.tick().await;
        writes.next().await;
        *at = now();
    }
    let report = subscribers.end().await;
    println!(
        "{READERS} readers beside {READERS} that take nothing, {CROWDED_PACE} events/s: {} from the commit, {} lost",
        report.lags(&answered),
        READERS * CROWDED - report.deliveries,
    );
    drop(sleepers);
}

/// How much later than its writer hears of the commit an event has arrived, with one subscriber and nothing else to do.
async fn unloaded(writer: &Writer, spec: Spec) {
    let subscribers = Subscribers::start(&spec).await;
    let (mut called, mut answered) = (Vec::new(), Vec::new());
    for _ in 0..PACED {
        tokio::time::sleep(Duration::from_millis(10)).await;
        called.push(now());
        writer.write().await;
        answered.push(now());
    }
    let report = subscribers.end().await;
    println!("from the commit to the wire, unloaded: {}", report.lags(&answered));
    println!("    from the call to the wire: {}", report.lags(&called));
}

async fn idle(writer: &Writer, spec: Spec) {
    let before = memory();
    let began = Instant::now();
    let subscribers = Subscribers::start(&spec).await;
    let opened = began.elapsed();
    let each = (memory() - before) / IDLE as u64;
    let spent = processor_time();
    tokio::time::sleep(HELD).await;
    let busy = (processor_time() - spent).as_secs_f64() / HELD.as_secs_f64() * 100.0;
    writer.write().await;
    let report = subscribers.end().await;
    println!(
        "{IDLE} idle connections: {each} bytes each, opened in {opened:?}, {busy:.1} % of a core to hold them; {} heard the event",
        report.deliveries
    );
}

async fn measure() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let token = demo.token().unwrap().to_owned();
    let me = server.agent().authenticator();
    let me = me.authenticate(agent_auth::Credential::Bearer(&token)).await.unwrap();
    let mut specs = Vec::new();
    for (subscribers, events) in
        [(SUBSCRIBERS, BURST), (SUBSCRIBERS, PACED), (1, PACED), (READERS, CROWDED), (IDLE, 1)]
    {
        let plan = demo.create_shell_plan("Heard by many", &["true"]).await;
        let topic = format!("plan_{plan}");
        let kind = Kind::WebSocket { token: token.clone(), topic };
        let address = server.url().trim_start_matches("http://").to_owned();
        let writer = Writer { agent: server.agent().clone(), me: me.clone(), plan: PlanId(plan) };
        specs.push((writer, Spec { address, kind, subscribers, events }));
    }
    let [many, steady, one, crowd, silent] = <[_; 5]>::try_from(specs).ok().unwrap();
    burst(&many.0, many.1).await;
    peer::burst().await;
    paced(&steady.0, steady.1).await;
    peer::paced().await;
    unloaded(&one.0, one.1).await;
    beside_sleepers(&crowd.0, crowd.1).await;
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if files > IDLE as u64 + 1_000 {
        idle(&silent.0, silent.1).await;
    } else {
        println!("{files} open files are too few for {IDLE} connections; `ulimit -n` raises that");
    }
    server.stop().await;
}

fn main() {
    if subscribers::is_wanted() {
        return subscribers::run();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure());
}
