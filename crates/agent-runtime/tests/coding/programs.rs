//! Programs that behave as programs do, run by the model in the sandbox.

use crate::fixture::{Fitting, Repository, Workshop, agent_task, call, finish};
use agent_core::policy::Policy;
use agent_llm::Turn;
use agent_sandbox::{HostEnvironment, Sandbox};
use serde_json::json;

fn shell(line: &str) -> Turn {
    call("run_command", json!({"command": ["sh", "-c", line]}))
}

/// The answer to one line for the shell.
async fn answer_to(line: &str) -> String {
    let repository = Repository::of(&[("README.md", "# Programs\n"), ("docs/guide.md", "A guide.\n")]);
    let workshop = Workshop::open(repository, vec![shell(line), finish()]).await;
    workshop.task("Run it", "").await.assert_completed();
    workshop.model.answers().remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_left_behind_keeps_nobody_waiting() {
    let answer = answer_to("sleep 3600 & echo begun").await;
    assert!(answer.contains("\"stdout\":\"begun\\n\"") && answer.contains("\"exit_code\":0"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_reads_what_nobody_types_meets_the_end() {
    let answer = answer_to("cat; read answer; echo \"read: $?\"").await;
    assert!(answer.contains("read: 1"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn output_that_is_no_text_is_shown_as_far_as_it_can_be() {
    let answer = answer_to("printf 'before \\377\\376\\0 after'").await;
    assert!(answer.contains("before \u{FFFD}\u{FFFD}") && answer.contains(" after"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_have_a_home_of_their_own_and_may_use_temporary_files() {
    let answer =
        answer_to("echo x > ~/scratch && mktemp > /dev/null && git --version > /dev/null && echo fine").await;
    assert!(answer.contains("\"stdout\":\"fine\\n\""), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_runs_in_the_folder_and_with_the_variables_that_are_asked_for() {
    let repository = Repository::of(&[("docs/guide.md", "A guide.\n")]);
    let asked = json!({"command": ["sh", "-c", "cat guide.md; echo $TONE"], "working_directory": "docs", "env": {"TONE": "calm"}});
    let turns = vec![call("run_command", asked), finish().seeing("A guide.\\ncalm\\n")];
    let workshop = Workshop::open(repository, turns).await;
    workshop.task("Run it", "").await.assert_completed();
}

/// Starts a server on the loopback, asks it and prints its answer.
const SERVED: &str = "import socket, threading
server = socket.create_server(('127.0.0.1', 0))
threading.Thread(target=lambda: server.accept()[0].sendall(b'served'), daemon=True).start()
print(socket.create_connection(server.getsockname()).recv(6).decode())
";

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_needs_a_server_of_its_own_runs_also_where_the_network_is_closed() {
    let open = Policy { network: true, ..Policy::default() };
    let own = Sandbox::probe(HostEnvironment::default()).effective().own_network;
    // Where commands get no network of their own, they get no socket at all.
    let closed = if own { "served\\n" } else { "PermissionError" };
    for (policy, answer) in [(open, "served\\n"), (Policy::default(), closed)] {
        let repository = Repository::of(&[("served.py", SERVED)]);
        let run = call("run_command", json!({"command": ["python3", "served.py"]}));
        let workshop = Workshop::open(repository, vec![run, finish().seeing(answer)]).await;
        workshop.tasks([agent_task("Run it", "")], policy).await.assert_completed();
    }
}
