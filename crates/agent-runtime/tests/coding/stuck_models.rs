//! A model that does not get on is asked for another way once, and fails clearly if it does not find one.

use crate::fixture::{Fitting, Recorded, Repository, Workshop, call, finish, patch};
use agent_core::model::Message;
use agent_llm::Turn;
use serde_json::{Value, json};

const FIXED: &str = "--- a/port.txt\n+++ b/port.txt\n@@ -1 +1 @@\n-80\n+8080\n";
const CHECK: &str = "grep -qx 8080 port.txt";
const RETHINK: &str = "You are not getting on";

fn ports() -> Repository {
    Repository::of(&[("port.txt", "80\n"), ("other.txt", "81\n")])
}

fn read(path: &str) -> Turn {
    call("read_file", json!({"path": path}))
}

/// How often the model was asked to think again in its longest conversation.
fn asked_to_rethink(workshop: &Workshop) -> usize {
    let prompts = workshop.model.prompts();
    let asks = |message: &&Message| matches!(message, Message::User { content } if content.contains(RETHINK));
    prompts.last().unwrap().messages.iter().filter(asks).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn four_times_the_same_is_answered_with_the_demand_for_another_way_which_then_completes() {
    let mut turns = vec![read("port.txt"); 4];
    turns.extend([
        patch(FIXED).seeing("4 times in a row the same (read_file) with the same outcome"),
        finish(),
    ]);
    let workshop = Workshop::open(ports(), turns).await;
    workshop.task("Listen on 8080", CHECK).await.assert_completed();
    assert_eq!(asked_to_rethink(&workshop), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_that_is_refused_thrice_in_the_same_words_is_once_too_often() {
    let wrong = FIXED.replace("-80", "-8888");
    let mut turns = vec![patch(&wrong); 3];
    turns.extend([read("port.txt").seeing(RETHINK), patch(FIXED).seeing("80\\n"), finish()]);
    let workshop = Workshop::open(ports(), turns).await;
    workshop.task("Listen on 8080", CHECK).await.assert_completed();
    assert_eq!(workshop.repository.read("port.txt"), "8080\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_things_by_turns_get_nowhere_either() {
    let mut turns: Vec<Turn> = (0..6).map(|number| read(["port.txt", "other.txt"][number % 2])).collect();
    turns.extend([patch(FIXED).seeing("the same two things by turns"), finish()]);
    let workshop = Workshop::open(ports(), turns).await;
    workshop.task("Listen on 8080", CHECK).await.assert_completed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_goes_on_as_before_fails_and_says_with_what() {
    let stubborn = Turn { repeat: true, ..read("port.txt") };
    let workshop = Workshop::with_model(ports(), Recorded::new(vec![stubborn])).await;
    let failed = workshop.task("Listen on 8080", CHECK).await;
    let error = failed.error();
    let expected =
        "the model is stuck, also after it was asked for another way: 4 times in a row the same (read_file)";
    assert!(error.contains(expected), "{error}");
    assert_eq!((workshop.model.times_asked(), asked_to_rethink(&workshop)), (8, 1));
    assert!(workshop.repository.changes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_works_step_by_step_is_not_taken_for_stuck() {
    let count = |number: u32| {
        let line = format!("--- a/port.txt\n+++ b/port.txt\n@@ -1 +1 @@\n-{number}\n+{}\n", number + 1);
        patch(&line)
    };
    let test = || call("run_command", json!({"command": ["cat", "port.txt"]}));
    let mut turns: Vec<Turn> = (80..90).flat_map(|number| [count(number), test()]).collect();
    turns.push(finish());
    let workshop = Workshop::open(ports(), turns).await;
    workshop.task("Listen on 90", "grep -qx 90 port.txt").await.assert_completed();
    assert_eq!(asked_to_rethink(&workshop), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_has_an_end_even_if_every_round_is_a_new_one() {
    let wander = |line: usize| -> Value { json!({"path": "port.txt", "first_line": line}) };
    let turns = (1..=61).map(|line| call("read_file", wander(line))).collect();
    let workshop = Workshop::open(ports(), turns).await;
    let failed = workshop.task("Listen on 8080", CHECK).await;
    assert!(failed.error().contains("did not finish within 60 rounds"), "{}", failed.error());
    assert_eq!(workshop.model.times_asked(), 60);
}
