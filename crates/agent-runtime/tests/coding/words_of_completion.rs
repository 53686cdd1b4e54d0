//! A task is done when its check passes. What the model says about it completes nothing.

use crate::fixture::{
    Fitting, Recorded, Repository, Workshop, agent_task, call, calls, finish, in_attempts, patch, say, tried,
};
use agent_core::event::EventBody;
use agent_core::policy::Policy;
use agent_llm::Turn;
use serde_json::json;

const CHECK: &str = "python3 -m unittest discover";

/// A stack that loses its last element, and the test that says so.
fn stack() -> Repository {
    Repository::of(&[
        ("stack.py", "class Stack(list):\n    def top(self):\n        return self.pop()\n"),
        (
            "test_stack.py",
            "import unittest\nfrom stack import Stack\n\n\nclass Top(unittest.TestCase):\n    def test_top_takes_nothing_away(self):\n        stack = Stack('ab')\n        self.assertEqual(stack.top(), 'b')\n        self.assertEqual(len(stack), 2)\n",
        ),
    ])
}

/// The change that is needed.
const RIGHT: &str =
    "--- a/stack.py\n+++ b/stack.py\n@@ -3 +3 @@\n-        return self.pop()\n+        return self[-1]\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_finish_that_is_a_lie_is_answered_with_the_tests_that_fail() {
    let turns = vec![finish(), patch(RIGHT).seeing("test_top_takes_nothing_away"), finish()];
    let workshop = Workshop::open(stack(), turns).await;
    let done = workshop.task("Let top take nothing away", CHECK).await;
    assert_eq!(done.result(1)["verified"], json!({"command": CHECK, "exit_code": 0}));
    let told = &workshop.model.answers()[0];
    assert!(told.starts_with(&format!("error: The check `{CHECK}` failed. ")), "{told}");
    assert!(told.contains("exit code 1") && told.contains("AssertionError: 1 != 2"), "{told}");
    let steps = workshop.steps(&done, 1).await;
    let checks: Vec<_> = steps
        .iter()
        .filter(|step| step.intent.name == "run_command")
        .map(|step| step.result.as_ref().unwrap().output["exit_code"].clone())
        .collect();
    assert_eq!(checks, [json!(1), json!(0)], "both checks are on record");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_does_not_help_is_a_lie_too() {
    let wrong = RIGHT.replace("self[-1]", "self[0]");
    let again = RIGHT.replace("self.pop()", "self[0]");
    let turns = vec![
        calls([("apply_patch", json!({"patch": wrong})), ("finish", json!({"summary": "Done!"}))]),
        patch(&again).seeing("'a' != 'b'"),
        call("finish", json!({"summary": "top looks at the last element."})),
    ];
    let workshop = Workshop::open(stack(), turns).await;
    let done = workshop.task("Let top take nothing away", CHECK).await;
    assert_eq!(done.result(1)["summary"], "top looks at the last element.");
    assert!(workshop.repository.read("stack.py").contains("return self[-1]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_after_the_check_has_passed() {
    let summary = json!({"summary": "Done."});
    let turns = vec![
        patch(RIGHT),
        calls([("finish", summary), ("write_file", json!({"path": "stack.py", "content": "broken("}))]),
    ];
    let workshop = Workshop::open(stack(), turns).await;
    workshop.task("Let top take nothing away", CHECK).await.assert_completed();
    assert!(workshop.repository.read("stack.py").contains("return self[-1]"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finish_beside_a_patch_that_is_refused_is_no_end_where_nothing_checks_it() {
    let stale = RIGHT.replace("self.pop()", "self.peek()");
    let turns = vec![
        calls([("apply_patch", json!({"patch": stale})), ("finish", json!({"summary": "Done!"}))]),
        patch(RIGHT).seeing("a call before this one, in the same answer, failed"),
        finish(),
    ];
    let workshop = Workshop::open(stack(), turns).await;
    workshop.task("Let top take nothing away", "").await.assert_completed();
    assert_eq!(workshop.repository.changes(), [" M stack.py"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_only_says_that_it_is_done_is_told_to_use_a_tool() {
    let turns = vec![
        say("I have mended `top`. All tests pass now!"),
        patch(RIGHT).seeing("Saying that it is done completes nothing"),
        say("Now it really is done."),
        finish().seeing("Saying that it is done completes nothing"),
    ];
    let workshop = Workshop::open(stack(), turns).await;
    let done = workshop.task("Let top take nothing away", CHECK).await;
    done.assert_completed();
    let said = workshop.said(&done, "assistant").await;
    assert!(said[0].starts_with("I have mended `top`"), "its words are kept nevertheless: {said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_insists_on_a_lie_fails_and_no_file_is_changed() {
    let insists = Turn { repeat: true, ..finish() };
    let workshop = Workshop::with_model(stack(), Recorded::new(vec![insists])).await;
    let failed = workshop.task("Let top take nothing away", CHECK).await;
    let error = failed.error();
    assert!(error.contains("stuck, also after it was asked for another way"), "{error}");
    assert_eq!(workshop.model.times_asked(), 6, "thrice, and thrice after it was asked to think again");
    assert!(workshop.repository.changes().is_empty());
    let events = workshop.events(&failed).await;
    let told = events.iter().any(|event| matches!(event, EventBody::TaskFailed { will_retry: false, .. }));
    assert!(told, "{events:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_only_talks_fails_and_no_file_is_changed() {
    let turns = vec![say("Done."); 6];
    let workshop = Workshop::open(stack(), turns).await;
    let failed = workshop.task("Let top take nothing away", CHECK).await;
    assert!(failed.error().contains("3 answers in a row without using a tool"), "{}", failed.error());
    assert!(workshop.repository.changes().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_cannot_run_is_no_check_that_passed() {
    let turns = vec![
        finish(),
        call("write_file", json!({"path": "check", "content": "test -f stack.py\n"}))
            .seeing("The check `sh check` failed"),
        finish(),
    ];
    let workshop = Workshop::open(stack(), turns).await;
    workshop.task("Write the missing check", "sh check").await.assert_completed();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_fails_is_tried_again_with_the_reason_of_the_failure() {
    let talks = vec![say("Done."); 6];
    let works = vec![patch(RIGHT).told("The attempt before failed: the model is stuck"), finish()];
    let model = Recorded::new(in_attempts([talks, works]));
    let workshop = Workshop::with_model(stack(), model).await;
    let task = tried(agent_task("Let top take nothing away", CHECK), 2);
    let done = workshop.tasks([task], Policy::default()).await;
    done.assert_completed();
    assert_eq!(done.0.tasks[0].attempts, 2);
}
