use crate::{Scene, plan, reads_a_file};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread")]
async fn each_line_is_a_json_object_and_those_of_an_attempt_name_the_request_that_asked_for_it() {
    let scene = Scene::new();
    let server = scene
        .server(&reads_a_file())
        .env("AGENT_LOG", "warn,agent_core=debug")
        .env("AGENT_LOG_FORMAT", "json")
        .start();
    let demo = server.demo().await;
    let created = demo.with_header("X-Request-Id", "asked-by-me").create_plan(plan()).await;
    demo.wait_for_plan(created, &["failed"]).await;
    assert!(server.terminate().status.success());
    let log = scene.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().all(|line| line["timestamp"].is_string() && line["level"].is_string()), "{log}");
    let ended = |outcome: &str| {
        let words = format!("an attempt ended: {outcome}");
        let found = lines.iter().find(|line| line["fields"]["message"] == words.as_str());
        found.unwrap_or_else(|| panic!("{words:?} is not in {log}"))["span"].clone()
    };
    for (outcome, kind) in [("completed", "agent"), ("failed", "command")] {
        let span = ended(outcome);
        assert_eq!(span["name"], "attempt");
        assert_eq!((&span["request_id"], &span["kind"]), (&"asked-by-me".into(), &kind.into()));
        assert_eq!((&span["plan_id"], &span["attempt"]), (&created.into(), &1.into()));
        assert!(span["task_id"].is_i64());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_logged_as_text_names_the_request_as_well() {
    let scene = Scene::new();
    let server = scene.server(&reads_a_file()).env("AGENT_LOG", "warn,agent_core=debug").start();
    let demo = server.demo().await;
    let created = demo.with_header("X-Request-Id", "asked-by-me").create_plan(plan()).await;
    demo.wait_for_plan(created, &["failed"]).await;
    assert!(server.terminate().status.success());
    let log = scene.log();
    let line = log.lines().find(|line| line.contains("an attempt ended: failed")).unwrap();
    assert!(line.contains("request_id=\"asked-by-me\""), "{line}");
    assert!(line.contains(&format!("plan_id={created}")), "{line}");
}
