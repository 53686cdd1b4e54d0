use crate::fixture::{Ended, Workplace, line_with};
use agent_client::{Client, CreatePlan, TaskKind, TaskSpec};
use secrecy::ExposeSecret;
use std::io::{Read, Write};
use std::net::TcpStream;

#[test]
fn a_server_says_where_it_is_answers_and_ends_when_told() {
    let place = Workplace::new();
    let mut server = place.start(&["serve", "--dev", "--bind", "127.0.0.1:0", "--log", "warn"]);
    let ready = line_with(server.stdout.as_mut().unwrap(), "ready on http://");
    let address = ready.rsplit("http://").next().unwrap();
    let mut connection = TcpStream::connect(address).unwrap();
    connection.write_all(b"GET /health HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"status\":\"healthy\""), "{answer}");
    place.signal("TERM", &server);
    Ended::of(server).with_code(0);
}

#[test]
fn events_of_a_plan_at_a_server_are_followed_to_its_end() {
    let place = Workplace::with_repository();
    let root = place.repository().display().to_string();
    let serve = ["serve", "--dev", "--bind", "127.0.0.1:0", "--log", "warn", "--repository-root", &root];
    let mut server = place.start(&serve);
    let ready = line_with(server.stdout.as_mut().unwrap(), "ready on http://");
    let url = format!("http://{}", ready.rsplit("http://").next().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (token, plan) = runtime.block_on(async {
        let client = Client::builder(&url).build().unwrap();
        let session = client.log_in("demo", "demo123").await.unwrap();
        let tasks = ["one", "two"].map(|word| TaskSpec::new(word, TaskKind::argv(["echo", word])));
        let plan =
            client.plans().create(&CreatePlan::new("Watch me").with_tasks(tasks).execute()).await.unwrap();
        (session.access_token.expose_secret().to_owned(), plan.plan_id.to_string())
    });
    let remote = ["--json", "--server", &url, "--token", &token];
    let ask = |arguments: &[&str]| place.agent(&[&["plans", "events"], arguments, &remote].concat());
    let followed = ask(&[&plan, "--follow"]).with_code(0).stdout;
    assert!(followed.lines().last().unwrap().contains(r#""status":"completed""#), "{followed}");
    assert_eq!(ask(&[&plan]).with_code(0).stdout, followed, "the log, once and in order");
    ask(&["99", "--follow"]).with_code(2);
    let wrong = ["plans", "events", &plan, "--follow", "--server", &url, "--token", "nonsense"];
    place.agent(&wrong).with_code(3);
    place.signal("TERM", &server);
    Ended::of(server).with_code(0);
    place.agent(&["plans", "events", &plan, "--server", &url, "--token", &token]).with_code(4);
}

#[test]
fn settings_that_make_no_sense_are_wrong_usage() {
    let place = Workplace::new();
    let open = place.agent(&["serve", "--dev", "--bind", "0.0.0.0:0"]).with_code(2);
    assert!(open.stderr.contains("loopback"), "{}", open.stderr);
    let shown = place.agent(&["serve", "--print-config"]).with_code(0);
    assert!(shown.stdout.contains("bind = \"127.0.0.1:8000\""), "{}", shown.stdout);
}
