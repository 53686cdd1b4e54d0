//! D02: a crash at every place that matters, for every class of effect, leads to what the table says.

use crate::effects::{LIFE, logged};
use crate::history::History;
use crate::load::{approve_all, command, opaque, patch};
use crate::scene::{ENDS, Scene, begin, events, now, until};
use agent_core::failpoint::{MIGRATED, PLACES};
use agent_testkit::{Client, ServerCommand, ServerProcess, write_script};
use serde_json::{Value, json};

/// The classes of effects: columns of the table.
const CLASSES: [&str; 7] = ["pure", "idempotent", "fail", "retry", "ask", "patch", "agent"];

/// What a crash at a place leads to. A cell says how often the effect happened in all, and how the plan ended
/// (`c`ompleted or `f`ailed); `-` where work of that class does not pass the place, and nothing dies.
/// `place:2` is the second time that the place is passed. `fail`, `retry` and `ask` are opaque commands and
/// their `on_unknown`; `agent` is a model that runs an opaque command and then calls finish. An idempotent
/// command follows in each plan: it is what passes the places of a job where the first task does not.
const TABLE: &str = "
place                   pure  idempotent  fail  retry  ask  patch  agent
created:1               1c    1c          1c    1c     1c   1c     1c
submitted:1             1c    1c          1c    1c     1c   1c     1c
claimed:1               1c    1c          1c    1c     1c   1c     1c
driver_before_commit:1  1c    1c          1c    1c     1c   1c     1c
driver_after_commit:1   1c    1c          0f    1c     1c   1c     1c
job_before_effect:1     1c    1c          0f    1c     1c   1c     1c
job_after_effect:1      2c    2c          1f    2c     2c   1c     1c
driver_before_commit:2  2c    2c          1f    2c     2c   1c     1c
driver_after_commit:2   1c    1c          1c    1c     1c   1c     1c
gate_after_intent:1     -     -           -     -      -    1c     1c
gate_after_call:1       -     -           -     -      -    1c     1c
gate_after_result:1     -     -           -     -      -    1c     1c
gate_after_intent:2     -     -           -     -      -    -      0c
gate_after_call:2       -     -           -     -      -    -      1c
gate_after_result:2     -     -           -     -      -    -      1c
store_before_commit:1   1c    1c          1c    1c     1c   1c     1c
store_after_commit:1    1c    1c          1c    1c     1c   1c     1c
store_after_telling:1   1c    1c          1c    1c     1c   1c     1c
store_before_commit:2   1c    1c          1c    1c     1c   1c     1c
store_after_commit:2    1c    1c          1c    1c     1c   1c     1c
store_after_telling:2   1c    1c          1c    1c     1c   1c     1c
store_before_commit:3   1c    1c          1c    1c     1c   1c     1c
store_after_commit:3    1c    1c          0f    1c     1c   1c     1c
store_after_telling:3   1c    1c          0f    1c     1c   1c     1c
store_before_commit:4   2c    2c          1f    2c     2c   1c     1c
store_after_commit:4    1c    1c          1c    1c     1c   1c     1c
store_after_telling:4   1c    1c          1c    1c     1c   1c     1c
before_release:1        1c    1c          1c    1c     1c   1c     1c
";

fn task(class: &str) -> Value {
    match class {
        "pure" | "idempotent" => command("true", class, &[]),
        "patch" => patch(&["*** Add File: patched.txt".to_owned(), "+once".to_owned()], &[]),
        "agent" => json!({"description": "use a tool", "kind": "agent"}),
        on_unknown => opaque("true", on_unknown, &[]),
    }
}

/// One crash: a plan of the task in question and another that depends on it.
struct Crash {
    scene: Scene,
    place: &'static str,
    class: &'static str,
}

impl Crash {
    fn server(&self) -> ServerCommand {
        let turns = json!([
            {"when": {"turn": 0}, "tool_calls": [{"name": "run_command", "arguments": {"command": ["sh", "-c", logged("true")]}}]},
            {"when": {"turn": 1}, "tool_calls": [{"name": "finish", "arguments": {"summary": "done"}}]},
        ]);
        let script = write_script(&self.scene.data, &turns);
        self.scene
            .server()
            .argument("--llm-provider=scripted")
            .argument(format!("--llm-script={}", script.display()))
    }

    fn start(&mut self, command: &ServerCommand) -> ServerProcess {
        let life = self.scene.next_life();
        command.clone().env(LIFE, life.to_string()).start()
    }

    /// Asks for the plan and for its execution, as a client that asks again where it got no answer.
    async fn ask(&self, caller: &Client) -> Option<i64> {
        let after = command("true", "idempotent", &[1]);
        let body = json!({"goal": self.class, "tasks": [task(self.class), after]});
        let request = caller.request("POST", "/plans").header("Idempotency-Key", "once").json(&body);
        let plan = caller.try_send(request).await.ok()?.expect(201).json["plan_id"].as_i64()?;
        let request = caller.request("POST", &format!("/plans/{plan}/execute")).json(&json!({}));
        // It may be running or over by itself, where the first request was taken.
        let status = caller.try_send(request).await.ok()?.status;
        assert!([202, 409].contains(&status), "{status}");
        Some(plan)
    }

    /// Works until the process dies of the failpoint; or, where it shall not, until the plan is over.
    async fn die(&self, server: ServerProcess, caller: &Client, dies: bool) {
        let plan = self.ask(caller).await;
        if dies {
            let ended = server.wait();
            let died = std::os::unix::process::ExitStatusExt::signal(&ended.status);
            assert!(died.is_some(), "{} {}: {}", self.place, self.class, ended.words());
            return;
        }
        let plan = plan.expect("an answer of a server that does not die");
        self.until_over(caller, plan).await;
        server.kill();
    }

    async fn until_over(&self, caller: &Client, plan: i64) -> Value {
        until("the end of the plan", async || {
            approve_all(caller).await.map_err(|gone| format!("{} {}: {gone}", self.place, self.class))?;
            let path = format!("/plans/{plan}");
            let answer = caller.try_send(caller.request("GET", &path)).await;
            let found =
                answer.map_err(|gone| format!("{} {}: {gone}", self.place, self.class))?.expect(200).json;
            let over = ENDS.contains(&found["plan"]["status"].as_str().unwrap());
            if over { Ok(found) } else { Err(format!("{found:#}")) }
        })
        .await
    }

    /// What came of it, as the table says it: the first life creates the plan, executes it and dies.
    async fn outcome(mut self, caller: &Client, dies: bool) -> String {
        let (plain, place) = (self.server(), self.place);
        let first = self.start(&plain.clone().env("AGENT_FAILPOINT", place));
        let there = caller.at(first.url());
        self.die(first, &there, dies).await;
        let second = self.start(&plain);
        let caller = caller.at(second.url());
        let plan = self.ask(&caller).await.unwrap();
        let details = self.until_over(&caller, plan).await;
        let (scene, effects) = (&self.scene, self.scene.effects());
        let (status, id) = (details["plan"]["status"].clone(), details["tasks"][0]["id"].as_i64().unwrap());
        let history = History { scene, effects: &effects, details, events: events(&caller, plan).await };
        assert_eq!(history.complaints(), Vec::<String>::new(), "{place} {}", self.class);
        let happened = match self.class {
            "patch" => self.scene.read("patched.txt").lines().count(),
            _ => effects.begins_of_task(plan, id),
        };
        if dies { format!("{happened}{}", &status.as_str().unwrap()[..1]) } else { "-".to_owned() }
    }
}

/// The rows of the table: place and expected cells.
fn rows() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut rows = TABLE.trim().lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let head = rows.next().unwrap();
    assert_eq!(head[1..], CLASSES, "the columns are the classes");
    rows.map(|words| (words[0], words[1..].to_vec())).collect()
}

#[test]
fn the_table_visits_every_place() {
    let visited: Vec<&str> = rows().iter().map(|(place, _)| place.split(':').next().unwrap()).collect();
    for place in PLACES.iter().filter(|place| **place != MIGRATED) {
        assert!(visited.contains(place), "{place} has no row");
    }
    for (place, cells) in rows() {
        assert!(cells.iter().any(|cell| *cell != "-"), "nothing dies at {place}");
    }
}

/// A part of the table, since a test binary runs its tests side by side.
async fn compare(part: usize, parts: usize) {
    if !cfg!(debug_assertions) {
        crate::settings::tell("this build holds no failpoints; run the suite in the dev profile");
        return;
    }
    let begun = now();
    let mut template = Scene::new();
    let (server, caller) = begin(&mut template).await;
    server.kill();
    let mut differences = Vec::new();
    for (place, cells) in rows().into_iter().skip(part).step_by(parts) {
        for (class, expected) in CLASSES.into_iter().zip(cells) {
            let crash = Crash { scene: Scene::with_accounts_of(&template), place, class };
            let outcome = crash.outcome(&caller, expected != "-").await;
            if outcome != expected {
                differences.push(format!("{place} {class}: {outcome}, the table says {expected}"));
            }
        }
    }
    crate::settings::tell(&format!("a part of the table took {} s", begun.elapsed().as_secs()));
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_each_place_leads_to_what_the_table_says_first_third() {
    compare(0, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_each_place_leads_to_what_the_table_says_second_third() {
    compare(1, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_each_place_leads_to_what_the_table_says_last_third() {
    compare(2, 3).await;
}
