//! The judge: compares what a plan's record says with what its commands did.

use crate::effects::{Effects, Key};
use crate::scene::{ENDS, Scene};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is known of one plan when all is over.
pub(crate) struct History<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) effects: &'a Effects,
    /// The answer of `GET /plans/{id}`.
    pub(crate) details: Value,
    pub(crate) events: Vec<Value>,
}

impl History<'_> {
    /// Everything that is not as it was promised.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let checks = [
            self.positions_are_gapless(),
            self.the_end_is_final(),
            self.order_and_limits_are_kept(),
            self.every_task_ended_as_declared(),
            self.nothing_recorded_ran_again(),
        ];
        let plan = self.id();
        let mut complaints: Vec<String> =
            checks.into_iter().flatten().map(|complaint| format!("plan {plan}: {complaint}")).collect();
        if !complaints.is_empty() {
            complaints.push(format!("events of plan {plan}: {}", self.story()));
        }
        complaints
    }

    /// The events in a few words each.
    fn story(&self) -> String {
        let words = self.events.iter().map(|event| {
            let time = event["timestamp"].as_str().unwrap_or_default().split('T').nth(1).unwrap_or_default();
            let (name, task) = (event["event"].as_str().unwrap_or_default(), &event["task_id"]);
            format!("{time} {name} {task} {}{}", event["generation"], event["status"])
        });
        words.collect::<Vec<_>>().join("; ")
    }

    pub(crate) fn id(&self) -> i64 {
        self.details["plan"]["id"].as_i64().unwrap()
    }

    /// How many crashes caught a task of this plan in flight.
    pub(crate) fn caught_in_flight(&self) -> usize {
        let recovered = self.named("run_recovered");
        recovered.filter(|event| event["tasks_in_flight"].as_i64() > Some(0)).count()
    }

    fn named(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.events.iter().filter(move |event| event["event"] == name)
    }

    fn tasks(&self) -> &[Value] {
        self.details["tasks"].as_array().unwrap()
    }

    fn positions_are_gapless(&self) -> Vec<String> {
        let found: Vec<i64> = self.events.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
        let wanted: Vec<i64> = (1..=self.events.len() as i64).collect();
        if found == wanted { Vec::new() } else { vec![format!("gaps in the events: {found:?}")] }
    }

    fn the_end_is_final(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let ends = |event: &Value| ENDS.contains(&event["status"].as_str().unwrap_or_default());
        let ended: Vec<&Value> = self.named("plan_updated").filter(|event| ends(event)).collect();
        if ended.len() != 1 || self.events.last() != ended.last().copied() {
            complaints.push(format!("{} ends, the last event is {:?}", ended.len(), self.events.last()));
        }
        let status = &self.details["plan"]["status"];
        if ended.last().is_none_or(|event| event["status"] != *status) {
            complaints.push(format!("it is {status}, the events say {ended:?}"));
        }
        complaints
    }

    /// Dependencies first, and never more at once than the plan allows.
    fn order_and_limits_are_kept(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let limit = self.details["plan"]["policy"]["max_parallel"].as_u64().unwrap_or(u64::MAX);
        let mut running = BTreeMap::new();
        let mut completed = Vec::new();
        for event in &self.events {
            let task = &event["task_id"];
            match event["event"].as_str().unwrap() {
                "task_started" => {
                    running.insert(task.to_string(), event["seq"].clone());
                    let spec = self.tasks().iter().find(|found| found["id"] == *task).unwrap();
                    for needed in spec["depends_on_ids"].as_array().unwrap() {
                        if !completed.contains(&needed) {
                            complaints.push(format!("task {task} began before {needed} was completed"));
                        }
                    }
                }
                name @ ("task_completed" | "task_failed" | "task_cancelled" | "approval_requested") => {
                    running.remove(&task.to_string());
                    if name == "task_completed" {
                        completed.push(task);
                    }
                }
                _ => {}
            }
            if running.len() as u64 > limit {
                complaints.push(format!("more than {limit} at once: {running:?}"));
            }
        }
        complaints
    }

    /// Completed, or stopped by an opaque command whose outcome nobody knows and whose plan says `fail`.
    fn every_task_ended_as_declared(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let gave_up = self.tasks().iter().any(|task| self.may_fail(task));
        for task in self.tasks() {
            let n_completed = self.of_task("task_completed", task).count();
            let as_declared = match task["status"].as_str().unwrap() {
                "completed" => n_completed == 1,
                "failed" => n_completed == 0 && self.may_fail(task),
                "skipped" => n_completed == 0 && gave_up,
                _ => false,
            };
            if !as_declared {
                let (status, error) = (&task["status"], &task["error"]);
                complaints.push(format!(
                    "task {} is {status} ({error}), completed {n_completed} times",
                    task["position"]
                ));
            }
        }
        complaints
    }

    /// Whether a task failed in the only way that a crash may make it fail.
    fn may_fail(&self, task: &Value) -> bool {
        let unknown = task["error"].as_str().is_some_and(|error| error.contains("unverified"));
        task["status"] == "failed" && task["effect"] == "opaque" && task["on_unknown"] == "fail" && unknown
    }

    fn of_task<'a>(&'a self, name: &'a str, task: &'a Value) -> impl Iterator<Item = &'a Value> {
        self.named(name).filter(|event| event["task_id"] == task["id"])
    }

    fn nothing_recorded_ran_again(&self) -> Vec<String> {
        let commands = self.tasks().iter().filter(|task| task["kind"] == "command");
        commands.flat_map(|task| self.runs_as_declared(task)).collect()
    }

    /// Each run of each attempt at a command: in which lives, and whether it may have been more than one.
    fn runs_as_declared(&self, task: &Value) -> Vec<String> {
        let mut complaints = Vec::new();
        let (plan, id) = (self.id(), task["id"].as_i64().unwrap());
        let attempts = task["attempts"].as_u64().unwrap() as u32;
        for attempt in 1..=attempts {
            let key = (plan, id, attempt);
            let begins: Vec<usize> =
                self.effects.of(key).iter().filter(|e| e.what == "begin").map(|e| e.life).collect();
            let mut distinct = begins.clone();
            distinct.dedup();
            if distinct != begins || !begins.is_sorted() {
                complaints.push(format!("{key:?} ran more than once in a life: {begins:?}"));
            }
            if task["effect"] == "opaque" && begins.len() > 1 {
                complaints.push(format!("{key:?} is opaque and ran in the lives {begins:?}"));
            }
            let ended = self.recorded_in(task, attempt);
            if begins.last() > ended.as_ref() {
                complaints.push(format!("{key:?} was recorded in life {ended:?} and ran in {begins:?}"));
            }
        }
        complaints.extend(self.a_completed_task_did_its_work(task, (plan, id, attempts)));
        complaints
    }

    /// The life in which the end of an attempt was recorded.
    fn recorded_in(&self, task: &Value, attempt: u32) -> Option<usize> {
        let mut present = 0;
        for event in self.events.iter().filter(|event| event["task_id"] == task["id"]) {
            match event["event"].as_str().unwrap() {
                "task_started" => present = event["attempt"].as_u64().unwrap() as u32,
                "task_completed" | "task_failed" | "approval_requested" if present == attempt => {
                    return Some(self.scene.life_at(event["timestamp"].as_str().unwrap()));
                }
                _ => {}
            }
        }
        None
    }

    fn a_completed_task_did_its_work(&self, task: &Value, last: Key) -> Option<String> {
        let whole = self.effects.of(last).last().is_some_and(|effect| effect.what == "end");
        (task["status"] == "completed" && !whole)
            .then(|| format!("{last:?} is recorded as completed and did {:?}", self.effects.of(last)))
    }
}
