//! Providers that fail in the middle of a task.

use crate::fixture::{
    Fitting, Recorded, Repository, Workshop, agent_task, call, finish, in_attempts, patch, tried,
};
use agent_core::policy::Policy;
use agent_llm::{Fault, Turn};
use serde_json::json;

const FIXED: &str = "--- a/name.txt\n+++ b/name.txt\n@@ -1 +1 @@\n-old\n+new\n";
const CHECK: &str = "grep -qx new name.txt";

fn named() -> Repository {
    Repository::of(&[("name.txt", "old\n")])
}

fn failing(fault: Fault) -> Turn {
    Turn { fault: Some(fault), ..Turn::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_away_fails_the_attempt_and_the_next_one_builds_on_its_work() {
    let first = vec![patch(FIXED), failing(Fault::Unavailable)];
    let read = call("read_file", json!({"path": "name.txt"}));
    let told = |turn: Turn| turn.told("The attempt before failed: the language model cannot be reached");
    let second = vec![told(read), told(finish()).seeing("new\\n")];
    let workshop = Workshop::with_model(named(), Recorded::new(in_attempts([second, first]))).await;
    let done = workshop.tasks([tried(agent_task("Rename it", CHECK), 2)], Policy::default()).await;
    done.assert_completed();
    assert_eq!(done.0.tasks[0].attempts, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_refused_fails_the_task_at_once() {
    let workshop = Workshop::open(named(), vec![failing(Fault::Unauthorized)]).await;
    let failed = workshop.tasks([tried(agent_task("Rename it", CHECK), 5)], Policy::default()).await;
    assert!(failed.error().contains("the language model refused the key"), "{}", failed.error());
    assert_eq!(workshop.model.times_asked(), 1, "no retry mends that");
    assert!(workshop.repository.changes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_is_too_long_for_the_model_is_sent_shorter() {
    let long: String = (0..600).map(|line| format!("line {line} of a long file\n")).collect();
    let repository = Repository::of(&[("name.txt", "old\n"), ("long.txt", long.as_str())]);
    let reads = || call("read_file", json!({"path": "long.txt"}));
    let page = |first: u32| call("read_file", json!({"path": "long.txt", "first_line": first}));
    let turns = vec![reads(), page(2), page(3), failing(Fault::ContextOverflow), patch(FIXED), finish()];
    let workshop = Workshop::with_model(repository, Recorded::new(turns)).await;
    workshop.task("Rename it", CHECK).await.assert_completed();
    let sizes: Vec<usize> =
        workshop.model.prompts().iter().map(|prompt| serde_json::to_string(prompt).unwrap().len()).collect();
    assert_eq!(sizes.len(), 6);
    assert!(sizes[4] < sizes[3], "the call that was refused is made again with less: {sizes:?}");
}
