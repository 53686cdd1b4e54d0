//! A plan spends no more than it may: what may pass a ceiling is refused before, and nothing stays half written.

use crate::fixture::{
    Outcome, Recorded, Repository, Workshop, about, agent_task, call, calls, finish, in_order, patch,
};
use agent_core::model::Usage;
use agent_core::policy::{Budget, Policy};
use agent_core::pricing::Price;
use agent_llm::Turn;
use agent_runtime::{CreatePlan, Error};
use serde_json::json;

/// Two files that belong together.
fn pair() -> Repository {
    Repository::of(&[("a.txt", "old\n"), ("b.txt", "old\n")])
}

const BOTH: &str =
    "--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-old\n+new\n--- a/b.txt\n+++ b/b.txt\n@@ -1 +1 @@\n-old\n+new\n";

/// Turns that would do the work and cost so many tokens each.
fn work(input_tokens: u64, output_tokens: u64) -> Vec<Turn> {
    let turns =
        [call("read_file", json!({"path": "a.txt"})), patch(BOTH), call("list_files", json!({})), finish()];
    turns.map(|turn| Turn { usage: Usage { input_tokens, output_tokens }, ..turn }).into()
}

fn limited(budget: Budget) -> Policy {
    Policy { budget, ..Policy::default() }
}

async fn ended(workshop: &Workshop, budget: Budget) -> Outcome {
    let task = agent_task("Renew both files", "grep -qx new a.txt && grep -qx new b.txt");
    workshop.tasks([task], limited(budget)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_is_asked_no_more_often_than_the_plan_allows() {
    let workshop = Workshop::open(pair(), work(10, 10)).await;
    let failed = ended(&workshop, Budget { max_model_calls: Some(1), ..Budget::default() }).await;
    assert!(failed.error().starts_with("budget_exceeded: max_model_calls is 1"), "{}", failed.error());
    assert_eq!(workshop.model.times_asked(), 1);
    assert!(workshop.repository.changes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_just_suffices_lets_the_work_be_done() {
    let workshop = Workshop::open(pair(), work(10, 10)).await;
    ended(&workshop, Budget { max_model_calls: Some(4), ..Budget::default() }).await.assert_completed();
    assert_eq!(workshop.model.times_asked(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_counted_as_the_provider_counts_them_and_the_next_call_is_refused() {
    let workshop = Workshop::open(pair(), work(9_000, 900)).await;
    let failed = ended(&workshop, Budget { max_tokens: Some(21_000), ..Budget::default() }).await;
    let error = failed.error();
    assert!(error.starts_with("budget_exceeded: max_tokens is 21000; used so far: 19800 tokens"), "{error}");
    assert_eq!(workshop.model.times_asked(), 2);
    let found = workshop.agent.plans().find(&workshop.me, failed.id()).await.unwrap();
    assert_eq!(found.statistics.tokens, 19_800);
    // What was called by the last answer that was paid for is done as a whole.
    assert_eq!(workshop.repository.changes(), [" M a.txt", " M b.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_counted_at_the_prices_of_the_settings() {
    let model = Recorded::new(in_order(work(3_000, 1_000)));
    let workshop = Workshop::with(pair(), model, |settings| {
        let price = Price { input: 10.0, output: 50.0 };
        settings.llm_prices = settings.llm_prices.clone().with("script", price);
    });
    let workshop = workshop.await;
    let failed = ended(&workshop, Budget { max_cost: Some(0.2), ..Budget::default() }).await;
    let error = failed.error();
    assert!(
        error.starts_with("budget_exceeded: max_cost is 0.2 USD; used so far: 8000 tokens, 0.1600 USD"),
        "{error}"
    );
    let found = workshop.agent.plans().find(&workshop.me, failed.id()).await.unwrap();
    assert_eq!(found.statistics.cost, Some(0.16));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_cost_can_be_promised_where_the_price_is_unknown() {
    let workshop = Workshop::open(pair(), work(10, 10)).await;
    let request = CreatePlan {
        policy: limited(Budget { max_cost: Some(1.0), ..Budget::default() }),
        ..CreatePlan::new("Renew both files").with_tasks([agent_task("Renew", "")])
    };
    let refused = workshop.agent.plans().create(&workshop.me, request).await.unwrap_err();
    let Error::Core(agent_core::Error::InvalidPlan(defects)) = refused else { panic!("{refused}") };
    assert_eq!(defects[0].pointer, "/policy/budget/max_cost");
    assert!(defects[0].detail.contains("the price of script is unknown"), "{defects:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ceiling_holds_for_all_tasks_of_a_plan_together() {
    let turns = [
        about("Renew a", [patch("--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-old\n+new\n"), finish()]),
        about("Renew b", [patch("--- a/b.txt\n+++ b/b.txt\n@@ -1 +1 @@\n-old\n+new\n"), finish()]),
    ];
    let workshop = Workshop::with_model(pair(), Recorded::new(turns.concat())).await;
    let tasks = [agent_task("Renew a", ""), agent_task("Renew b", "").after(&[1])];
    let failed =
        workshop.tasks(tasks, limited(Budget { max_model_calls: Some(2), ..Budget::default() })).await;
    assert!(failed.error().starts_with("budget_exceeded"), "{}", failed.error());
    assert_eq!(workshop.model.times_asked(), 2);
    assert_eq!(workshop.repository.changes(), [" M a.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_whose_time_is_up_ends_although_a_command_would_go_on() {
    let endless = calls([("run_command", json!({"command": ["sh", "-c", "sleep 3600; echo new > a.txt"]}))]);
    let workshop = Workshop::open(pair(), vec![endless]).await;
    let failed = ended(&workshop, Budget { max_duration_ms: Some(1_200), ..Budget::default() }).await;
    assert!(!failed.error().is_empty());
    assert!(workshop.repository.changes().is_empty());
}
