//! What goes wrong with a call is told to the model, and the work goes on.

use crate::fixture::{
    Fitting, Recorded, Repository, Workshop, agent_task, call, calls, finish, in_attempts, patch, say, tried,
};
use agent_core::event::EventBody;
use agent_core::plan::{TaskKind, TaskSpec};
use agent_core::policy::Policy;
use agent_llm::Turn;
use serde_json::json;

const FIXED: &str = "--- a/version.txt\n+++ b/version.txt\n@@ -1 +1 @@\n-1.0\n+1.1\n";
const CHECK: &str = "grep -qx 1.1 version.txt";

fn versioned() -> Repository {
    Repository::of(&[("version.txt", "1.0\n"), ("src/a.py", "A = 1\n")])
}

/// Makes calls that fail, each answered as expected; then does the work.
async fn told(failures: Vec<(Turn, &str)>) -> Workshop {
    let mut turns = Vec::new();
    let mut before = None;
    for (turn, answer) in failures {
        turns.push(match before {
            Some(text) => turn.seeing(text),
            None => turn,
        });
        before = Some(answer);
    }
    turns.extend([patch(FIXED).seeing(before.unwrap_or_default()), finish()]);
    let workshop = Workshop::open(versioned(), turns).await;
    workshop.task("Raise the version", CHECK).await.assert_completed();
    assert_eq!(workshop.repository.changes(), [" M version.txt"]);
    workshop
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_that_is_not_there_is_answered_with_those_that_are() {
    let workshop =
        told(vec![(call("edit_file", json!({"path": "version.txt"})), "there is no tool \"edit_file\"")])
            .await;
    let answer = &workshop.model.answers()[0];
    for known in ["list_files", "read_file", "search", "outline", "apply_patch", "write_file", "run_command"]
    {
        assert!(answer.contains(known), "{known}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_that_do_not_fit_are_answered_with_what_is_wrong() {
    told(vec![
        (call("read_file", json!("version.txt")), "the input of read_file does not fit its schema"),
        (
            call("read_file", json!("{\"path\": \"version.txt\"")),
            "the input of read_file does not fit its schema",
        ),
        (call("read_file", json!({"path": 7})), "invalid type: integer `7`, expected a string"),
        (call("read_file", json!({"file": "version.txt"})), "unknown field `file`, expected one of `path`"),
        (call("apply_patch", json!({})), "missing field `patch`"),
        (call("run_command", json!({"command": "ls"})), "expected a sequence"),
        (call("run_command", json!({"command": []})), "error: "),
        (call("finish", json!({"text": "Done"})), "finish needs a summary"),
        (call("take_note", json!({"note": " "})), "take_note needs a note"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_or_found_is_said_in_words() {
    told(vec![
        (call("read_file", json!({"path": "absent.py"})), "absent.py does not exist"),
        (call("read_file", json!({"path": "src"})), "src is not a regular file"),
        (call("search", json!({"pattern": "(", "regex": true})), "error: "),
        (call("outline", json!({"path": "version.txt"})), "version.txt defines nothing that can be outlined"),
        (call("run_command", json!({"command": ["no-such-program"]})), "no-such-program"),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn some_calls_of_an_answer_may_fail_while_the_others_succeed() {
    let together = calls([
        ("read_file", json!({"path": "version.txt"})),
        ("read_file", json!({"path": "absent.py"})),
        ("read_file", json!({"path": "src/a.py"})),
    ]);
    let workshop = told(vec![(together, "A = 1")]).await;
    let answers = workshop.model.answers();
    assert!(answers[0].contains("1.0") && answers[1].starts_with("error: ") && answers[2].contains("A = 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_fails_is_answered_with_its_exit_code_and_both_streams() {
    let failing = ["sh", "-c", "echo what it said; echo what it complained of >&2; exit 3"];
    let dying = ["sh", "-c", "kill -9 $$"];
    let workshop = told(vec![
        (call("run_command", json!({"command": failing})), "\"exit_code\":3"),
        (call("run_command", json!({"command": dying})), "signal 9"),
    ])
    .await;
    let answer = &workshop.model.answers()[0];
    assert!(answer.contains("what it said") && answer.contains("what it complained of"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_megabyte_of_output_is_cut_to_its_beginning_and_its_end() {
    let flood = "print('the first line'); print('filler ' * 150_000); print('the last line')";
    let turns = vec![
        call("run_command", json!({"command": ["python3", "-c", flood]})),
        patch(FIXED).seeing("the first line"),
        finish(),
    ];
    let workshop = Workshop::open(versioned(), turns).await;
    let done = workshop.task("Raise the version", CHECK).await;
    done.assert_completed();
    let answer = &workshop.model.answers()[0];
    assert!(answer.contains("the last line") && answer.contains("left out"), "head, mark and tail");
    assert!(answer.len() < 25 * 1024, "{} bytes", answer.len());
    let steps = workshop.steps(&done, 1).await;
    let flooded = steps.iter().find(|step| step.intent.name == "run_command").unwrap();
    let output = &flooded.result.as_ref().unwrap().output;
    assert_eq!(output["truncated"], true);
    let kept = output["stdout"].as_str().unwrap();
    assert!(kept.len() < 130 * 1024 && kept.contains("bytes left out"), "{} bytes", kept.len());
    assert!(workshop.said(&done, "tool").await.iter().all(|message| message.len() < 8 * 1024));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_hangs_ends_with_its_attempt_and_the_next_one_is_told() {
    let told = |turn: Turn| turn.told("The attempt before failed: timed out after 3 s");
    let second = vec![told(patch(FIXED)), told(finish())];
    // The model may just learn that the command was ended before the attempt is.
    let too_late = Turn { delay_ms: 3_600_000, ..say("I see.") };
    let first = vec![call("run_command", json!({"command": ["sleep", "3600"]})), too_late];
    let workshop = Workshop::with_model(versioned(), Recorded::new(in_attempts([second, first]))).await;
    let task = TaskSpec { timeout_ms: Some(3_000), ..agent_task("Raise the version", CHECK) };
    let done = workshop.tasks([tried(task, 2)], Policy::default()).await;
    done.assert_completed();
    assert_eq!(done.0.tasks[0].attempts, 2);
    let steps = workshop.steps(&done, 1).await;
    assert!(steps.iter().all(|step| step.result.is_some()), "no call is left without a word: {steps:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_task_that_hangs_says_how_long_it_was_waited_for_and_what_it_printed() {
    let workshop = Workshop::open(versioned(), vec![say("never asked")]).await;
    let task = TaskSpec {
        timeout_ms: Some(2_000),
        ..TaskSpec::new("Wait", TaskKind::shell("echo so far so good; sleep 3600"))
    };
    let failed = workshop.tasks([task], Policy::default()).await;
    let error = failed.error();
    assert!(error.contains("timed out after") && error.contains("so far so good"), "{error}");
    assert_eq!(workshop.model.times_asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_of_tools_are_told_as_events() {
    let turns = vec![call("read_file", json!({"path": "absent.py"})), patch(FIXED), finish()];
    let workshop = Workshop::open(versioned(), turns).await;
    let done = workshop.task("Raise the version", CHECK).await;
    let events = workshop.events(&done).await;
    let finished: Vec<(&str, &str)> = events
        .iter()
        .filter_map(|event| match event {
            EventBody::ToolFinished { tool, status, .. } => Some((tool.as_str(), status.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(finished, [("read_file", "error"), ("apply_patch", "ok"), ("run_command", "ok")]);
}
