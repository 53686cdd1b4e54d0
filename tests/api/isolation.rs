//! Plans that work in a folder of their own.

use agent_testkit::{RepositoryBuilder, TestServer};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

const PATCH: &str = "*** Begin Patch\n*** Update File: answer.txt\n@@\n-wrong\n+right\n*** End Patch\n";

#[expect(clippy::disallowed_methods, reason = "the test looks at the repository with git itself")]
fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn repository() -> RepositoryBuilder {
    RepositoryBuilder::empty().file("answer.txt", "wrong\nkept\nkept\nlast\n")
}

fn plan() -> Value {
    json!({"goal": "Set it right", "auto_execute": true, "policy": {"workspace": "isolated"}, "tasks": [
        {"description": "Correct the answer", "kind": "patch", "patch": PATCH},
        {"description": "Say so", "kind": "command", "command": "echo done > note.txt", "depends_on": [1]}
    ]})
}

#[tokio::test(flavor = "multi_thread")]
async fn an_isolated_plan_leaves_the_repository_alone_until_it_is_merged() {
    let server = TestServer::builder().repository(repository()).start().await;
    let (demo, folder) = (server.demo().await, server.repository().path().to_path_buf());
    let plan = demo.create_plan(plan()).await;
    let done = demo.wait_for_plan(plan, &["completed", "failed"]).await;
    assert_eq!(done["plan"]["status"], "completed", "{done:#}");
    assert_eq!(done["plan"]["policy"]["workspace"], "isolated");
    assert_eq!(server.repository().read("answer.txt"), "wrong\nkept\nkept\nlast\n");
    assert!(!folder.join("note.txt").exists());

    let log = git(&folder, &["log", "--format=%s%n%b", &format!("agent/plan-{plan}")]);
    assert!(log.contains(&format!("plan {plan}, task 1: Correct the answer")), "{log}");
    assert!(log.contains(&format!("plan {plan}, task 2: Say so")) && log.contains("Agent-Task: "), "{log}");
    let diff = demo.get(&format!("/plans/{plan}/diff")).await.expect(200).json;
    let text = diff["diff"].as_str().unwrap();
    assert!(text.contains("-wrong\n+right") && text.contains("note.txt"), "{text}");

    server.repository().write("answer.txt", "wrong\nkept\nkept\nlast, edited since\n");
    let merged = demo.post_nothing(&format!("/plans/{plan}/merge")).await.expect(200).json;
    assert_eq!(merged["branch"], format!("agent/plan-{plan}"));
    assert_eq!(
        (&merged["files"][0]["path"], &merged["files"][0]["action"]),
        (&json!("answer.txt"), &json!("modified"))
    );
    assert!(merged["application"].is_u64());
    assert_eq!(server.repository().read("answer.txt"), "right\nkept\nkept\nlast, edited since\n");
    assert_eq!(server.repository().read("note.txt"), "done\n");
    let again = demo.post_nothing(&format!("/plans/{plan}/merge")).await.expect(200).json;
    assert_eq!((&again["application"], &again["files"]), (&Value::Null, &json!([])));

    demo.post_nothing(&format!("/plans/{plan}/discard")).await.expect(200);
    assert_eq!(git(&folder, &["branch", "--list", "agent/*"]), "");
    demo.post_nothing(&format!("/plans/{plan}/merge")).await.expect_problem(409, "not_isolated");
    let diff = demo.get(&format!("/plans/{plan}/diff")).await.expect(200).json;
    assert!(diff["diff"].as_str().unwrap().contains("+right"), "its record stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_over_somebodys_lines_is_refused_and_names_the_file() {
    let server = TestServer::builder().repository(repository()).start().await;
    let demo = server.demo().await;
    let plan = demo.create_plan(plan()).await;
    demo.wait_for_plan(plan, &["completed"]).await;
    server.repository().write("answer.txt", "perhaps\nkept\nkept\nlast\n");
    let refused =
        demo.post_nothing(&format!("/plans/{plan}/merge")).await.expect_problem(409, "merge_conflict");
    assert_eq!(refused.pointers(), ["/answer.txt"]);
    assert_eq!(server.repository().read("answer.txt"), "perhaps\nkept\nkept\nlast\n");
    assert!(!server.repository().path().join("note.txt").exists(), "all of it or nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_plans_with_a_folder_of_their_own_that_rest_are_merged_and_only_by_their_owner() {
    let server = TestServer::builder().repository(repository()).start().await;
    let (demo, admin) = (server.demo().await, server.admin().await);
    let own =
        demo.create_plan(json!({"goal": "Look", "tasks": [{"description": "Look", "kind": "scan"}]})).await;
    for action in ["merge", "discard"] {
        demo.post_nothing(&format!("/plans/{own}/{action}")).await.expect_problem(409, "not_isolated");
        demo.post_nothing(&format!("/plans/999/{action}")).await.expect_problem(404, "plan_not_found");
    }
    let asks = json!({"goal": "Wait", "auto_execute": true, "policy": {"workspace": "isolated"}, "tasks": [
        {"description": "Correct", "kind": "patch", "patch": PATCH}, {"description": "Decide", "kind": "approval"}]});
    let theirs = admin.create_plan(asks).await;
    admin.wait_for_plan(theirs, &["awaiting_approval"]).await;
    demo.post_nothing(&format!("/plans/{theirs}/merge")).await.expect_problem(404, "plan_not_found");
    let policy = json!({"policy": {"workspace": "repository"}});
    let refused = admin
        .with_header("If-Match", "*")
        .patch(&format!("/plans/{theirs}"), policy)
        .await
        .expect_problem(422, "invalid_plan");
    assert_eq!(refused.pointers(), ["/policy/workspace"]);
    admin.post_nothing(&format!("/plans/{theirs}/merge")).await.expect(200);
    assert!(server.repository().read("answer.txt").starts_with("right"));
}
