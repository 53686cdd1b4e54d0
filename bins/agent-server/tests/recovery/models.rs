//! A crash at every place of a model call and of a tool call: the model is never asked again for an answer that is on
//! record. Counted where the model is, at a server that speaks its protocol.

use crate::scene::{Scene, begin, until, until_over};
use actix_web::dev::ServerHandle;
use actix_web::web::{Data, Json};
use actix_web::{App, HttpResponse, HttpServer, web};
use agent_testkit::ServerCommand;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// What the model does in each of its answers: it adds a line to a file twice, then it is done.
const ANSWERS: usize = 3;

/// A model behind a server: counts how often each of its answers was asked for.
struct Model {
    address: SocketAddr,
    asked: Arc<Mutex<[usize; ANSWERS]>>,
    handle: ServerHandle,
}

impl Model {
    fn start() -> Self {
        let asked: Arc<Mutex<[usize; ANSWERS]>> = Arc::default();
        let shared = Arc::clone(&asked);
        let server = HttpServer::new(move || {
            let shared = Data::from(Arc::clone(&shared));
            App::new().app_data(shared).default_service(web::post().to(answer))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { address, asked, handle }
    }

    fn asked(&self) -> [usize; ANSWERS] {
        *self.asked.lock().unwrap()
    }

    /// The server of a scene, with this model.
    fn serving(&self, scene: &Scene) -> ServerCommand {
        scene
            .server()
            .env("AGENT_LLM_PROVIDER", "openai")
            .env("AGENT_LLM_BASE_URL", format!("http://{}/v1/", self.address))
            .env("AGENT_LLM_MODEL", "counted")
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

/// The answer that follows on those that the conversation holds.
async fn answer(request: Json<Value>, asked: Data<Mutex<[usize; ANSWERS]>>) -> HttpResponse {
    let messages = request["messages"].as_array().unwrap();
    let given = messages.iter().filter(|message| message["role"] == "assistant").count();
    asked.lock().unwrap()[given] += 1;
    let (name, arguments) = match given {
        0 | 1 => ("run_command", json!({"command": ["sh", "-c", format!("echo {given} >> lines.txt")]})),
        _ => ("finish", json!({"summary": "two lines are there"})),
    };
    let call = json!({"id": format!("call-{given}"), "type": "function",
        "function": {"name": name, "arguments": arguments.to_string()}});
    let message = json!({"role": "assistant", "content": null, "tool_calls": [call]});
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 10});
    let choice = json!({"index": 0, "message": message, "finish_reason": "tool_calls"});
    HttpResponse::Ok().json(json!({"model": "counted", "choices": [choice], "usage": usage}))
}

/// Lets the server die at a place, starts it again, and says how often each answer was asked for, how many lines were
/// written, and how many tokens count.
async fn crash(place: &str) -> ([usize; ANSWERS], usize, i64) {
    let model = Model::start();
    let mut scene = Scene::new();
    let (server, caller) = begin(&mut scene).await;
    let task = json!({"description": "add two lines", "kind": "agent"});
    let plan = caller.create_plan(json!({"goal": "survive", "tasks": [task]})).await;
    server.kill();
    let dying = model.serving(&scene).env("AGENT_FAILPOINT", place).start();
    let there = caller.at(dying.url());
    // The answer may be lost with the server.
    let _lost =
        there.try_send(there.request("POST", &format!("/plans/{plan}/execute")).json(&json!({}))).await;
    let ended = dying.wait();
    let died = std::os::unix::process::ExitStatusExt::signal(&ended.status);
    assert!(died.is_some(), "{place}: {}", ended.words());
    let server = model.serving(&scene).start();
    let found = until_over(&caller.at(server.url()), plan).await;
    assert_eq!(found["plan"]["status"], "completed", "{place}: {found:#}");
    server.kill();
    let tokens = found["statistics"]["tokens"].as_i64().unwrap();
    (model.asked(), scene.read("lines.txt").lines().count(), tokens)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_answer_is_never_asked_for_again() {
    if !cfg!(debug_assertions) {
        crate::settings::tell("this build holds no failpoints; run the suite in the dev profile");
        return;
    }
    // Odd passages of a place are calls to the model, even ones calls to its tools. Only an answer that was under way
    // when the server died is asked for again. A command in flight is never repeated by itself: the model is told.
    for (place, asked, lines) in [
        ("gate_after_intent:1", [1, 1, 1], 2),
        ("gate_after_call:1", [2, 1, 1], 2),
        ("gate_after_result:1", [1, 1, 1], 2),
        ("gate_after_intent:2", [1, 1, 1], 1),
        ("gate_after_call:2", [1, 1, 1], 2),
        ("gate_after_result:2", [1, 1, 1], 2),
        ("gate_after_call:3", [1, 2, 1], 2),
        ("gate_after_result:4", [1, 1, 1], 2),
        ("gate_after_call:5", [1, 1, 2], 2),
        ("gate_after_result:5", [1, 1, 1], 2),
    ] {
        assert_eq!(crash(place).await, (asked, lines, 330), "{place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_while_the_model_writes_asks_for_that_answer_again_and_for_no_other() {
    let model = Model::start();
    let mut scene = Scene::new();
    let (server, caller) = begin(&mut scene).await;
    let task = json!({"description": "add two lines", "kind": "agent"});
    let plan = caller.create_plan(json!({"goal": "survive", "tasks": [task]})).await;
    server.kill();
    let server = model.serving(&scene).start();
    let there = caller.at(server.url());
    there.post(&format!("/plans/{plan}/execute"), json!({})).await.expect(202);
    until("the second request", async || {
        let asked = model.asked();
        if asked[1] > 0 { Ok(()) } else { Err(format!("{asked:?}")) }
    })
    .await;
    server.kill();
    let server = model.serving(&scene).start();
    let found = until_over(&caller.at(server.url()), plan).await;
    assert_eq!(found["plan"]["status"], "completed", "{found:#}");
    let asked = model.asked();
    assert!(asked[0] == 1 && asked.iter().sum::<usize>() <= 4, "{asked:?}");
    server.kill();
}
