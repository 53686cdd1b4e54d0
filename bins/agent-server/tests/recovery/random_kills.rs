//! D01: the server is killed at random moments, again and again, while fifty plans run.

use crate::dice::Dice;
use crate::history::History;
use crate::load::{PATCHED, approve_all, mixed_plan, patched_file};
use crate::scene::{ENDS, Scene, begin, events, now, until};
use crate::settings::{asked, tell};
use crate::watch::{Seen, Watch};
use agent_testkit::Client;
use agent_testkit_postgres::PostgresCluster;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How many plans run at once.
const LIVE: u64 = 50;
/// What is promised between a start and the first health answer and the first new event.
const PROMISED: Duration = Duration::from_secs(2);

/// The plans that were acknowledged, by number; the next one may have been stored or not.
type Acknowledged = Arc<Mutex<Vec<i64>>>;

/// Fifty plans, and a server that does not live long.
pub(crate) struct Ordeal {
    scene: Scene,
    caller: Client,
    acknowledged: Acknowledged,
    seen: Seen,
    health: Vec<Duration>,
    first_event: Vec<Duration>,
}

/// What is known at the end, when there was nothing to complain of.
pub(crate) struct Verdict {
    pub(crate) plans: usize,
    /// How often a crash caught a task in flight, over all plans.
    pub(crate) caught: usize,
    seen: usize,
}

/// Keeps fifty plans running until the server is gone. A plan that was not acknowledged is asked for again
/// under the same key.
async fn keep_busy(caller: Client, acknowledged: Acknowledged) -> Result<(), String> {
    loop {
        let request = caller.request("GET", "/plans?status=running&limit=1");
        let running = caller.try_send(request).await.map_err(|error| error.to_string())?.expect(200);
        for _ in running.json["total"].as_u64().unwrap()..LIVE {
            let index = acknowledged.lock().unwrap().len();
            let request =
                caller.request("POST", "/plans").header("Idempotency-Key", format!("mixed-{index}"));
            let answer = caller.try_send(request.json(&mixed_plan(index))).await;
            let created = answer.map_err(|error| error.to_string())?.expect(201);
            acknowledged.lock().unwrap().push(created.json["plan_id"].as_i64().unwrap());
        }
        approve_all(&caller).await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

impl Ordeal {
    /// The first life, which ends when fifty plans are acknowledged.
    pub(crate) async fn begin(mut scene: Scene) -> Self {
        let (first, caller) = begin(&mut scene).await;
        let acknowledged = Acknowledged::default();
        let busy = tokio::spawn(keep_busy(caller.clone(), Arc::clone(&acknowledged)));
        until("fifty acknowledged plans", async || {
            let n = acknowledged.lock().unwrap().len();
            if n as u64 >= LIVE { Ok(()) } else { Err(n.to_string()) }
        })
        .await;
        first.kill();
        busy.await.unwrap().unwrap_err();
        let (health, first_event) = (Vec::new(), Vec::new());
        Self { scene, caller, acknowledged, seen: Seen::new(), health, first_event }
    }

    /// One life: started, kept busy, killed at a moment that the dice choose, which may be before it is ready.
    pub(crate) async fn live(&mut self, dice: &mut Dice, pauses: bool) {
        self.scene.next_life();
        let started = now();
        let starting = self.scene.server().spawn();
        if dice.once_in(8) {
            tokio::time::sleep(dice.between(1, 300)).await;
            return starting.kill();
        }
        let server = starting.ready().unwrap_or_else(|ended| panic!("no start: {}", ended.words()));
        let caller = self.caller.at(server.url());
        caller.get("/health").await.expect(200);
        self.health.push(server.age());
        let watch = Watch::begin(&caller, started).await;
        let busy = tokio::spawn(keep_busy(caller, Arc::clone(&self.acknowledged)));
        tokio::time::sleep(dice.between(5, 600)).await;
        if pauses && dice.once_in(2) {
            server.pause();
            tokio::time::sleep(dice.between(50, 1_500)).await;
            server.go_on();
            tokio::time::sleep(dice.between(5, 300)).await;
        }
        server.kill();
        busy.await.unwrap().unwrap_err();
        let (seen, first) = watch.end().await;
        self.first_event.extend(first);
        self.seen.extend(seen);
    }

    /// The last life, in which everything comes to its end and is compared.
    pub(crate) async fn judge(mut self) -> Verdict {
        let (server, _) = begin(&mut self.scene).await;
        let caller = self.caller.at(server.url());
        let plans = self.acknowledged.lock().unwrap().clone();
        let mut histories = Vec::new();
        for &plan in &plans {
            let details = until_over_with_approvals(&caller, plan).await;
            histories.push((details, events(&caller, plan).await));
        }
        let unanswered = events_of_others(&caller, &plans).await;
        let (mut complaints, caught) = self.compare(histories, &unanswered);
        let total = caller.get("/plans?limit=1").await.expect(200).json["total"].as_u64().unwrap();
        // One more may have been stored without an answer: whoever asked would ask again under the same key.
        if !(plans.len() as u64..=plans.len() as u64 + 1).contains(&total) {
            complaints.push(format!("{} plans were acknowledged, {total} are there", plans.len()));
        }
        assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
        report("from exec to health", self.health);
        report("from exec to the first new event", self.first_event);
        Verdict { plans: plans.len(), caught, seen: self.seen.len() }
    }

    /// Complaints, and how often something was caught in flight.
    fn compare(&self, histories: Vec<(Value, Vec<Value>)>, unanswered: &[Value]) -> (Vec<String>, usize) {
        let (mut complaints, mut caught) = (Vec::new(), 0);
        let (scene, effects) = (&self.scene, self.scene.effects());
        let all = histories.iter().flat_map(|(_, events)| events).chain(unanswered);
        let place = |event: &Value| (event["plan_id"].as_i64().unwrap(), event["seq"].as_i64().unwrap());
        let known: Seen = all.map(|event| (place(event), event.clone())).collect();
        for (index, (details, events)) in histories.into_iter().enumerate() {
            let history = History { scene, effects: &effects, details, events };
            caught += history.caught_in_flight();
            complaints.extend(history.complaints());
            let file = scene.read(&patched_file(index));
            if history.details["plan"]["status"] == "completed" && file != PATCHED {
                complaints.push(format!("plan {}: its patches left {file:?}", history.id()));
            }
        }
        complaints.extend(forgotten(&self.seen, &known));
        (complaints, caught)
    }
}

/// Events of plans that were stored although nobody got an answer: they may have been seen too.
async fn events_of_others(caller: &Client, answered: &[i64]) -> Vec<Value> {
    let newest = caller.get("/plans?limit=5").await.expect(200).json["plans"].clone();
    let ids = newest.as_array().unwrap().iter().map(|plan| plan["id"].as_i64().unwrap());
    let mut found = Vec::new();
    for plan in ids.filter(|plan| !answered.contains(plan)) {
        found.extend(events(caller, plan).await);
    }
    found
}

async fn until_over_with_approvals(caller: &Client, plan: i64) -> Value {
    until("the end of the plan", async || {
        approve_all(caller).await?;
        let found = caller.get(&format!("/plans/{plan}")).await.expect(200).json;
        let over = ENDS.contains(&found["plan"]["status"].as_str().unwrap());
        if over { Ok(found) } else { Err(format!("{found:#}")) }
    })
    .await
}

async fn kill_at_random(test: &str, scene: Scene, kills: usize) {
    let mut dice = Dice::thrown(test);
    let mut ordeal = Ordeal::begin(scene).await;
    for _ in 1..kills {
        ordeal.live(&mut dice, false).await;
    }
    let Verdict { plans, caught, seen } = ordeal.judge().await;
    tell(&format!("{test}: {kills} kills, {plans} plans acknowledged, {seen} events seen before a kill"));
    tell(&format!("{test}: crashes that caught a task in flight, over all plans: {caught}"));
    assert!(caught >= kills / 2, "only {caught} times was anything in flight: this run proves little");
    assert!(seen >= kills * 4, "only {seen} events were seen before kills");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_kill_loses_repeats_or_strands_anything() {
    kill_at_random("random kills", Scene::new(), asked("AGENT_TEST_KILLS", 25)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_kill_loses_repeats_or_strands_anything_on_postgres() {
    let Some(cluster) = PostgresCluster::shared() else { return };
    let database = cluster.create_database(None);
    let scene = Scene::on_database(&database);
    kill_at_random("random kills on PostgreSQL", scene, asked("AGENT_TEST_KILLS", 25) / 3).await;
}

/// Events that somebody saw and that are not in the record, or are there in other words.
fn forgotten(seen: &Seen, known: &Seen) -> Vec<String> {
    let same = |place: &(i64, i64), event: &Value| {
        known.get(place).is_some_and(|found| {
            ["event", "timestamp", "task_id", "status"].iter().all(|field| found[*field] == event[*field])
        })
    };
    let lost = seen.iter().filter(|(place, event)| !same(place, event));
    lost.map(|(place, event)| format!("{place:?} was seen and is not there: {event}")).collect()
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let (Some(middle), Some(longest)) = (times.get(times.len() / 2), times.last()) else { return };
    let late = times.iter().filter(|time| **time > PROMISED).count();
    tell(&format!(
        "{what}: {} ms in the middle, {} ms at most, {late} of {} over {} s",
        middle.as_millis(),
        longest.as_millis(),
        times.len(),
        PROMISED.as_secs()
    ));
}
