//! D01: the server is killed at random moments, again and again, while fifty plans run.

use crate::dice::Dice;
use crate::history::History;
use crate::load::{PATCHED, approve_all, mixed_plan, patched_file};
use crate::scene::{ENDS, Scene, begin, events, now, until};
use crate::settings::{asked, tell};
use crate::watch::{Seen, Watch};
use agent_testkit::Client;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How many plans run at once.
const LIVE: u64 = 50;
/// What is promised between a start and the first health answer and the first new event.
const PROMISED: Duration = Duration::from_secs(2);

/// The plans that were acknowledged, by number; the next one may have been stored or not.
type Acknowledged = Arc<Mutex<Vec<i64>>>;

/// How long the server took to come back, of each life that lasted long enough.
#[derive(Default)]
struct Times {
    health: Vec<Duration>,
    first_event: Vec<Duration>,
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

/// One life: started, kept busy, killed at a moment that the dice choose, which may be before it is ready.
async fn live(
    scene: &mut Scene,
    caller: &Client,
    dice: &mut Dice,
    acknowledged: &Acknowledged,
    times: &mut Times,
) -> Seen {
    scene.next_life();
    let started = now();
    let starting = scene.server().spawn();
    if dice.once_in(8) {
        tokio::time::sleep(dice.between(1, 300)).await;
        starting.kill();
        return Seen::new();
    }
    let server = starting.ready().unwrap_or_else(|ended| panic!("no start: {}", ended.words()));
    let caller = caller.at(server.url());
    caller.get("/health").await.expect(200);
    times.health.push(server.age());
    let watch = Watch::begin(&caller, started).await;
    let busy = tokio::spawn(keep_busy(caller, Arc::clone(acknowledged)));
    tokio::time::sleep(dice.between(5, 600)).await;
    server.kill();
    busy.await.unwrap().unwrap_err();
    let (seen, first) = watch.end().await;
    times.first_event.extend(first);
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn no_kill_loses_repeats_or_strands_anything() {
    let mut dice = Dice::thrown("random kills");
    let kills: usize = asked("AGENT_TEST_KILLS", 25);
    let mut scene = Scene::new();
    let (first, caller) = begin(&mut scene).await;
    let (acknowledged, mut seen, mut times) = (Acknowledged::default(), Seen::new(), Times::default());
    let busy = tokio::spawn(keep_busy(caller.clone(), Arc::clone(&acknowledged)));
    until("fifty acknowledged plans", async || {
        let n = acknowledged.lock().unwrap().len();
        if n as u64 >= LIVE { Ok(()) } else { Err(n.to_string()) }
    })
    .await;
    first.kill();
    busy.await.unwrap().unwrap_err();
    for _ in 1..kills {
        seen.extend(live(&mut scene, &caller, &mut dice, &acknowledged, &mut times).await);
    }
    let (server, _) = begin(&mut scene).await;
    let plans = acknowledged.lock().unwrap().clone();
    let caught = judge(&scene, &caller.at(server.url()), &plans, &seen).await;

    tell(&format!("{kills} kills, {} plans acknowledged, {} events seen", plans.len(), seen.len()));
    tell(&format!("crashes that caught a task in flight, over all plans: {caught}"));
    report("from exec to health", times.health);
    report("from exec to the first new event", times.first_event);
    assert!(caught >= kills / 2, "only {caught} times was anything in flight: this run proves little");
    assert!(seen.len() >= kills * 4, "only {} events were seen before kills", seen.len());
}

/// Waits until all is over, and compares. Answers how often something was caught in flight.
async fn judge(scene: &Scene, caller: &Client, plans: &[i64], seen: &Seen) -> usize {
    let (mut complaints, mut caught, mut known) = (Vec::new(), 0, Seen::new());
    let mut histories = Vec::new();
    for &plan in plans {
        let details = until("the end of the plan", async || {
            approve_all(caller).await?;
            let found = caller.get(&format!("/plans/{plan}")).await.expect(200).json;
            let over = ENDS.contains(&found["plan"]["status"].as_str().unwrap());
            if over { Ok(found) } else { Err(format!("{found:#}")) }
        })
        .await;
        histories.push((details, events(caller, plan).await));
    }
    let effects = scene.effects();
    for (index, (details, events)) in histories.into_iter().enumerate() {
        for event in &events {
            known.insert((event["plan_id"].as_i64().unwrap(), event["seq"].as_i64().unwrap()), event.clone());
        }
        let history = History { scene, effects: &effects, details, events };
        caught += history.caught_in_flight();
        complaints.extend(history.complaints());
        let file = scene.read(&patched_file(index));
        if history.details["plan"]["status"] == "completed" && file != PATCHED {
            complaints.push(format!("plan {}: its patches left {file:?}", history.id()));
        }
    }
    let total = caller.get("/plans?limit=1").await.expect(200).json["total"].as_u64().unwrap();
    // One more may have been stored without an answer: whoever asked would ask again under the same key.
    if !(plans.len() as u64..=plans.len() as u64 + 1).contains(&total) {
        complaints.push(format!("{} plans were acknowledged, {total} are there", plans.len()));
    }
    complaints.extend(forgotten(seen, &known));
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
    caught
}

/// Events that somebody saw and that are not in the record, or are there in other words.
fn forgotten(seen: &Seen, known: &Seen) -> Vec<String> {
    let same = |place: &(i64, i64), event: &serde_json::Value| {
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
