//! An agent that is stopped in the middle of a task goes on where it was, and asks for no answer twice.

use crate::fixture::{
    Fitting, Recorded, Repository, Workshop, agent_task, call, finish, in_order, patch, plan,
};
use agent_core::model::Message;
use agent_core::policy::{Policy, WorkspaceMode};
use agent_core::ports::StepKind;
use agent_llm::Turn;
use agent_runtime::CreatePlan;
use serde_json::json;

const FIXED: &str = "--- a/limit.txt\n+++ b/limit.txt\n@@ -1 +1 @@\n-10\n+20\n";
const CHECK: &str = "grep -qx 20 limit.txt";

fn limits() -> Repository {
    Repository::of(&[("limit.txt", "10\n")])
}

fn work() -> Vec<Turn> {
    in_order([
        call("read_file", json!({"path": "limit.txt"})),
        patch(FIXED).seeing("10\\n"),
        call("run_command", json!({"command": ["cat", "limit.txt"]})),
        finish().seeing("\"stdout\":\"20\\n\""),
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn recorded_answers_are_not_asked_for_again() {
    let workshop = Workshop::with_model(limits(), Recorded::new(work()).pausing_after(2)).await;
    let plan = workshop.begin([agent_task("Raise the limit", CHECK)], Policy::default()).await;
    workshop.model.asked(3).await;
    assert_eq!(workshop.repository.read("limit.txt"), "20\n", "the patch landed before the stop");

    let workshop = workshop.restart(Recorded::new(work())).await;
    let done = workshop.end_of(plan).await;
    done.assert_completed();
    assert_eq!(workshop.model.times_asked(), 2, "two of four answers were on record");
    let prompts = workshop.model.prompts();
    let said = prompts[0].messages.iter().filter(|message| matches!(message, Message::Assistant { .. }));
    assert_eq!(
        said.count(),
        2,
        "the conversation is the one that was broken off: {:#?}",
        prompts[0].messages
    );
    assert_eq!(done.0.tasks[0].attempts, 1);
    let steps = workshop.steps(&done, 1).await;
    let patches = steps.iter().filter(|step| step.intent.name == "apply_patch").count();
    let answers = steps.iter().filter(|step| step.intent.kind == StepKind::Model).count();
    assert_eq!((patches, answers), (1, 4));
    assert_eq!(workshop.repository.changes(), [" M limit.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_isolated_plan_goes_on_in_its_folder() {
    let workshop = Workshop::with_model(limits(), Recorded::new(work()).pausing_after(2)).await;
    let policy = Policy { workspace: WorkspaceMode::Isolated, ..Policy::default() };
    let plan = workshop.begin([agent_task("Raise the limit", CHECK)], policy).await;
    workshop.model.asked(3).await;

    let workshop = workshop.restart(Recorded::new(work())).await;
    workshop.end_of(plan).await.assert_completed();
    assert_eq!(workshop.model.times_asked(), 2);
    assert!(workshop.repository.changes().is_empty());
    workshop.agent.plans().merge(&workshop.me, plan).await.unwrap();
    assert_eq!(workshop.repository.read("limit.txt"), "20\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_was_cut_off_is_told_as_such_and_not_run_again() {
    let repository = limits();
    let pipe = repository.pipe("begun");
    let line = "echo ran >> runs.txt; echo > begun; sleep 3600";
    let turns = || {
        in_order([
            call("run_command", json!({"command": ["sh", "-c", line]})),
            call("read_file", json!({"path": "runs.txt"}))
                .seeing("outcome unknown: the server stopped while run_command ran"),
            patch(FIXED).seeing("\"total_lines\":1"),
            finish(),
        ])
    };
    let workshop = Workshop::with_model(repository, Recorded::new(turns())).await;
    let plan = workshop.begin([agent_task("Raise the limit", CHECK)], Policy::default()).await;
    // Opening a pipe waits for who writes to it.
    tokio::task::spawn_blocking(move || std::fs::read(pipe)).await.unwrap().unwrap();

    let workshop = workshop.restart(Recorded::new(turns())).await;
    let done = workshop.end_of(plan).await;
    done.assert_completed();
    assert_eq!(workshop.repository.read("runs.txt"), "ran\n");
    assert_eq!(workshop.model.times_asked(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_was_cut_off_is_made_again() {
    let repository = limits();
    let pipe = repository.pipe("begun");
    let check = "test -f calm || { echo > begun; sleep 3600; }";
    let turns = || in_order([patch(FIXED), finish()]);
    let workshop = Workshop::with_model(repository, Recorded::new(turns())).await;
    let plan = workshop.begin([agent_task("Raise the limit", check)], Policy::default()).await;
    tokio::task::spawn_blocking(move || std::fs::read(pipe)).await.unwrap().unwrap();

    workshop.repository.write("calm", "");
    let workshop = workshop.restart(Recorded::new(turns())).await;
    let done = workshop.end_of(plan).await;
    assert_eq!(done.result(1)["verified"]["exit_code"], 0);
    assert_eq!(workshop.model.times_asked(), 0, "all it had to say was on record");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_was_being_made_is_made_after_the_restart() {
    let task =
        json!({"description": "Raise the limit", "kind": "agent", "priority": "high", "depends_on": []});
    let turns = || [vec![plan(json!([task]))], work()].concat();
    let workshop = Workshop::with_model(limits(), Recorded::new(turns()).pausing_after(0)).await;
    let request = CreatePlan::new("Let there be more").execute();
    let id = workshop.agent.plans().create(&workshop.me, request).await.unwrap().plan.id;
    workshop.model.asked(1).await;

    let workshop = workshop.restart(Recorded::new(turns())).await;
    workshop.end_of(id).await.assert_completed();
    assert_eq!(workshop.model.times_asked(), 5);
    assert_eq!(workshop.repository.read("limit.txt"), "20\n");
}
