//! Tasks that work on one repository at the same time, and plans that are ended while they work.

use crate::fixture::{Fitting, Recorded, Repository, Workshop, about, agent_task, call, finish, patch};
use agent_core::plan::{PlanStatus, TaskKind, TaskSpec};
use agent_core::policy::{Policy, WorkspaceMode};
use serde_json::json;

/// A list with a place for each of eight tasks.
fn list() -> Repository {
    let lines: String = (1..=8).map(|number| format!("# part {number}\nopen\n\n")).collect();
    Repository::of(&[("list.txt", lines.as_str())])
}

fn close(number: usize) -> agent_llm::Turn {
    patch(&format!(
        "list.txt\n<<<<<<< SEARCH\n# part {number}\nopen\n=======\n# part {number}\ndone\n>>>>>>> REPLACE\n"
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_tasks_change_one_file_at_the_same_time_and_no_change_is_lost() {
    let name = |number: usize| format!("Close part {number}");
    let turns = (1..=8)
        .flat_map(|number| about(&name(number), [close(number), finish().seeing("\"fate\":\"applied\"")]))
        .collect();
    let model = Recorded::new(turns).once_together(8);
    let workshop = Workshop::with(list(), model, |settings| settings.max_parallel_tasks = 8).await;
    let tasks: [TaskSpec; 8] = std::array::from_fn(|index| {
        let check = format!("grep -A1 '# part {}' list.txt | grep -qx done", index + 1);
        agent_task(&name(index + 1), &check)
    });
    workshop.tasks(tasks, Policy::default()).await.assert_completed();
    let lines = workshop.repository.read("list.txt");
    assert_eq!((lines.matches("done").count(), lines.matches("open").count()), (8, 0), "{lines}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_isolated_plans_do_not_see_each_other_and_both_are_merged() {
    let turns = [about("Close part 1", [close(1), finish()]), about("Close part 8", [close(8), finish()])];
    let model = Recorded::new(turns.concat()).once_together(2);
    let workshop = Workshop::with_model(list(), model).await;
    let isolated = || Policy { workspace: WorkspaceMode::Isolated, ..Policy::default() };
    let alone = "test $(grep -cx done list.txt) = 1";
    let one = workshop.begin([agent_task("Close part 1", alone)], isolated()).await;
    let other = workshop.begin([agent_task("Close part 8", alone)], isolated()).await;
    for plan in [one, other] {
        workshop.end_of(plan).await.assert_completed();
    }
    assert!(workshop.repository.changes().is_empty());
    for plan in [one, other] {
        workshop.agent.plans().merge(&workshop.me, plan).await.unwrap();
    }
    assert_eq!(workshop.repository.read("list.txt").matches("done").count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_cancelled_amid_a_command_ends_it_and_begins_nothing_more() {
    let repository = list();
    let pipe = repository.pipe("begun");
    let line = "echo > begun; sleep 3600; touch survived";
    let turns = about("Wait", [call("run_command", json!({"command": ["sh", "-c", line]})), finish()]);
    let workshop = Workshop::with_model(repository, Recorded::new(turns)).await;
    let after = TaskSpec::new("Never", TaskKind::shell("touch never")).after(&[1]);
    let plan = workshop.begin([agent_task("Wait", ""), after], Policy::default()).await;
    // Opening a pipe waits for who writes to it.
    tokio::task::spawn_blocking(move || std::fs::read(pipe)).await.unwrap().unwrap();
    workshop.agent.plans().cancel(&workshop.me, plan).await.unwrap();
    let ended = workshop.end_of(plan).await;
    assert_eq!(ended.0.plan.status, PlanStatus::Cancelled);
    assert_eq!(workshop.model.times_asked(), 1);
    let steps = workshop.steps(&ended, 1).await;
    assert!(steps.iter().all(|step| step.result.is_some()), "{steps:#?}");
    assert!(!workshop.repository.has("survived") && !workshop.repository.has("never"));
}
