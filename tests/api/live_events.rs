//! W02 to W15: what a client of the WebSocket can rely on, and what it cannot do to others.

use agent_server::{ServeOptions, WebSocketSettings};
use agent_testkit::{Client, Frame, Socket, TestServer};
use futures_util::StreamExt;
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

async fn server_with(adjust: impl FnOnce(&mut WebSocketSettings)) -> TestServer {
    let mut websocket = WebSocketSettings::default();
    adjust(&mut websocket);
    TestServer::builder().options(ServeOptions { websocket, ..ServeOptions::default() }).start().await
}

/// Adds messages to the conversation of a plan, each of which is an event.
async fn talk(client: &Client, plan: i64, count: usize) {
    let say = |number| {
        let message = json!({"role": "user", "content": format!("message {number}"), "plan_id": plan});
        async move { client.post("/conversation", message).await.expect(201) }
    };
    futures_util::stream::iter(0..count).map(say).buffer_unordered(16).count().await;
}

/// An event of a WebSocket, as the list has it.
pub(crate) fn without_topic(mut event: Value) -> Value {
    event.as_object_mut().unwrap().remove("topic");
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn w02_connections_of_nobody_are_capped_by_where_they_come_from() {
    let server = server_with(|settings| settings.max_unproven = 3).await;
    let demo = server.demo().await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(server.anonymous().connect("silent").await);
    }
    assert_eq!(Socket::open(server.url(), "one_more", &[]).await.err(), Some(429));
    demo.connect("proven").await.subscribe("all", None).await;
    // Whoever says who they are makes room for another.
    silent[0].say(json!({"action": "authenticate", "token": demo.token()})).await;
    assert_eq!(silent[0].next_json().await["type"], "authenticated");
    assert!(Socket::open(server.url(), "in_its_place", &[]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn w03_a_ticket_opens_one_connection_once() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let given = demo.post_nothing("/ws/ticket").await.expect(201).json;
    assert_eq!(given["expires_in_ms"], 30_000);
    let ticket = given["ticket"].as_str().unwrap();
    let address = format!("{}/ws/page?ticket={ticket}", server.url());
    let opened = Socket::open_at(&address, &[]).await;
    let Ok(mut opened) = opened else { panic!("not opened") };
    opened.subscribe("all", None).await;
    assert_eq!(Socket::open_at(&address, &[]).await.err(), Some(401), "used");
    let token = demo.token().unwrap();
    for query in [format!("ticket={token}"), format!("token={token}"), format!("access_token={token}")] {
        let address = format!("{}/ws/page?{query}", server.url());
        assert_eq!(Socket::open_at(&address, &[]).await.err(), Some(401), "a token in an address: {query}");
    }
    server.anonymous().post_nothing("/ws/ticket").await.expect_problem(401, "unauthenticated");
    let another =
        demo.post_nothing("/ws/ticket").await.expect(201).json["ticket"].as_str().unwrap().to_owned();
    let address = format!("{}/ws/page?ticket={another}", server.url());
    let both = [("Authorization", &*format!("Bearer {token}"))];
    assert_eq!(Socket::open_at(&address, &both).await.err(), Some(400), "two credentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn w03_a_ticket_is_worth_no_more_than_what_it_was_given_for() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let ticket =
        demo.post_nothing("/ws/ticket").await.expect(201).json["ticket"].as_str().unwrap().to_owned();
    demo.post_nothing("/auth/logout").await.expect(204);
    let address = format!("{}/ws/page?ticket={ticket}", server.url());
    assert_eq!(Socket::open_at(&address, &[]).await.err(), Some(401));
}

#[tokio::test(flavor = "multi_thread")]
async fn w06_what_a_client_calls_itself_takes_nothing_from_another_of_that_name() {
    let server = TestServer::start().await;
    let (demo, admin) = (server.demo().await, server.admin().await);
    let mut first = demo.connect("same").await;
    first.subscribe("all", None).await;
    let mut second = admin.connect("same").await;
    second.subscribe("all", None).await;
    let theirs = admin.create_shell_plan("Theirs", &["true"]).await;
    let mine = demo.create_shell_plan("Mine", &["true"]).await;
    assert_eq!(first.next_event().await["plan_id"], mine, "still there, and nothing of the other's");
    assert_eq!(second.next_event().await["plan_id"], theirs);
}

#[tokio::test(flavor = "multi_thread")]
async fn w07_only_topics_that_exist_and_only_so_many() {
    let server = server_with(|settings| settings.max_topics = 5).await;
    let demo = server.demo().await;
    let mut socket = demo.connect("greedy").await;
    for topic in ["*", "plan_*", "tenant_1", "plan_1,plan_2"] {
        socket.say(json!({"action": "subscribe", "topic": topic})).await;
        assert_eq!(socket.next_json().await["code"], "unknown_topic");
    }
    for _ in 0..5 {
        let plan = demo.create_shell_plan("One of many", &["true"]).await;
        socket.subscribe(&format!("plan_{plan}"), None).await;
    }
    socket.say(json!({"action": "subscribe", "topic": "all"})).await;
    assert_eq!(socket.next_json().await["code"], "too_many_topics");
}

#[tokio::test(flavor = "multi_thread")]
async fn w07_in_a_thousand_events_of_others_there_is_none_for_oneself() {
    let server = TestServer::start().await;
    let (demo, admin) = (server.demo().await, server.admin().await);
    let theirs = admin.create_shell_plan("Theirs", &["true"]).await;
    let mine = demo.create_shell_plan("Mine", &["true"]).await;
    let mut socket = demo.connect("curious").await;
    socket.subscribe("all", None).await;
    talk(&admin, theirs, 500).await;
    talk(&demo, mine, 1).await;
    talk(&admin, theirs, 500).await;
    talk(&demo, mine, 1).await;
    for _ in 0..2 {
        assert_eq!(socket.next_event().await["plan_id"], mine);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn w08_a_newer_token_of_the_same_user_keeps_the_connection_open() {
    let server = server_with(|settings| settings.recheck_every = Duration::from_millis(50)).await;
    let demo = server.demo().await;
    let wish = json!({"name": "for a while", "scopes": ["plans:read"]});
    let key = demo.post("/auth/token", wish).await.expect(201).json;
    let keyed = demo.with_api_key(key["api_key"].as_str().unwrap());
    let mut socket = keyed.connect("loyal").await;
    socket.subscribe("all", None).await;
    let mut left_behind = keyed.connect("left_behind").await;
    left_behind.subscribe("all", None).await;
    socket.say(json!({"action": "authenticate", "token": server.admin().await.token()})).await;
    assert_eq!(socket.next_json().await["code"], "forbidden", "of another user");
    socket.say(json!({"action": "authenticate", "token": demo.token()})).await;
    assert_eq!(socket.next_json().await["type"], "authenticated");
    demo.delete(&format!("/auth/keys/{}", key["key_id"])).await.expect(204);
    assert!(matches!(left_behind.next().await, Frame::Closed(4401, _)));
    let plan = demo.create_shell_plan("Still heard", &["true"]).await;
    assert_eq!(socket.next_event().await["plan_id"], plan);
}

#[tokio::test(flavor = "multi_thread")]
async fn w08_a_connection_ends_with_its_key() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let soon = server.agent().clock().now().plus(Duration::from_millis(1_500)).to_string();
    let wish = json!({"name": "for a moment", "scopes": ["plans:read"], "expires_at": soon});
    let key = demo.post("/auth/token", wish).await.expect(201).json["api_key"].as_str().unwrap().to_owned();
    let mut socket = demo.with_api_key(&key).connect("brief").await;
    socket.subscribe("all", None).await;
    let Frame::Closed(4401, words) = socket.next().await else { panic!("not closed with 4401") };
    assert_eq!(words, "the token has expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn w10_a_position_that_cannot_be_resumed_from_is_answered_with_where_to_begin() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Restored from yesterday", &["true"]).await;
    let topic = format!("plan_{plan}");
    talk(&demo, plan, 3).await;
    let head = demo.events_of(plan).await.len();
    let mut socket = demo.connect("returning").await;
    socket.say(json!({"action": "subscribe", "topic": topic})).await;
    let epoch = socket.next_json().await["epoch"].as_str().unwrap().to_owned();
    assert!(!epoch.is_empty());
    let subscribe = |more: Value| {
        let mut message = json!({"action": "subscribe", "topic": topic});
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        message
    };
    for (more, reason) in [
        (json!({"after": head + 1}), "future"),
        (json!({"after": 1, "epoch": "of another database"}), "epoch"),
        (json!({"after": -1}), "malformed"),
        (json!({"after": "yesterday"}), "malformed"),
        (json!({"after": 1.5}), "malformed"),
    ] {
        socket.say(subscribe(more.clone())).await;
        let expected = json!({
            "type": "reset", "topic": topic, "reason": reason, "epoch": epoch, "oldest": 0, "head": head,
            "snapshot": format!("/plans/{plan}")
        });
        assert_eq!(socket.next_json().await, expected, "{more}");
    }
    socket.say(subscribe(json!({"after": head - 1, "epoch": epoch}))).await;
    assert_eq!(socket.next_json().await["type"], "subscribed");
    assert_eq!(socket.next_event().await["seq"], head);
    demo.get(&format!("/plans/{plan}/events?after={}", head + 1)).await.expect(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_events_that_were_asked_for_come() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Watch the tasks", &["true", "true"]).await;
    let mut socket = demo.connect("choosy").await;
    let names = ["task_completed", "plan_updated"];
    let topic = format!("plan_{plan}");
    socket.say(json!({"action": "subscribe", "topic": topic, "after": 0, "events": names})).await;
    assert_eq!(socket.next_json().await["type"], "subscribed");
    demo.post_nothing(&format!("/plans/{plan}/execute")).await.expect(202);
    let seen = socket.events_to_the_end().await;
    let wanted = |event: &Value| names.contains(&event["event"].as_str().unwrap());
    let expected: Vec<Value> = demo.events_of(plan).await.into_iter().filter(wanted).collect();
    assert_eq!(seen.into_iter().map(without_topic).collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn w12_readers_that_take_nothing_take_nothing_from_those_that_read() {
    let server = server_with(|settings| settings.write_deadline = Duration::from_millis(500)).await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Heard by many", &["true"]).await;
    let topic = format!("plan_{plan}");
    let join = async |name: &str| {
        let mut socket = demo.connect(name).await;
        socket.subscribe(&topic, Some(0)).await;
        socket
    };
    let slow = join_all((0..100).map(|_| join("slow"))).await;
    let mut fast = join_all((0..100).map(|_| join("fast"))).await;
    let readers = fast.drain(..).map(|mut socket| {
        tokio::spawn(async move {
            let mut events = Vec::new();
            while events.last().is_none_or(|event: &Value| event["seq"] != 600) {
                events.push(without_topic(socket.next_event().await));
            }
            events
        })
    });
    let readers: Vec<_> = readers.collect();
    talk(&demo, plan, 600).await;
    let mut log = demo.events_of(plan).await;
    log.truncate(600);
    for reader in readers {
        assert_eq!(reader.await.unwrap(), log, "all, in order");
    }
    drop(slow);
}

#[tokio::test(flavor = "multi_thread")]
async fn w13_whoever_gives_no_sign_of_life_is_dropped() {
    let server = server_with(|settings| {
        settings.ping_every = Duration::from_millis(100);
        settings.silence_limit = Duration::from_millis(300);
    })
    .await;
    let demo = server.demo().await;
    let mut lively = demo.connect("lively").await;
    lively.subscribe("all", None).await;
    // A client answers pings only while it reads, which this one does not do for a while.
    let mut dead = demo.connect("dead").await;
    dead.subscribe("all", None).await;
    let told = async {
        // This one reads, and so answers, all the time.
        while let Ok(frame) = tokio::time::timeout(Duration::from_secs(1), lively.next()).await {
            assert!(matches!(frame, Frame::Json(_)), "{frame:?}");
        }
    };
    told.await;
    assert_eq!(
        demo.get("/stats").await.expect(200).json["active_sessions"],
        1,
        "only the lively one is left"
    );
    // Its answers to the pings that it finds come too late, and may cost it the last words.
    let end = dead.next().await;
    assert!(matches!(end, Frame::Closed(1001, _) | Frame::Lost), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn w14_a_flood_of_messages_ends_the_connection() {
    let server = TestServer::start().await;
    let mut socket = server.demo().await.connect("talkative").await;
    let flood = async {
        for _ in 0..1_000 {
            socket.say_text_if_open(r#"{"action":"ping"}"#).await;
        }
        loop {
            match socket.next().await {
                Frame::Json(_) => {}
                end => return end,
            }
        }
    };
    assert!(matches!(flood.await, Frame::Closed(1008, _)));
}

#[tokio::test(flavor = "multi_thread")]
async fn w15_a_stopping_server_spreads_those_who_come_back() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let mut sockets = join_all((0..100).map(|_| demo.connect("faithful"))).await;
    for socket in &mut sockets {
        socket.subscribe("all", None).await;
    }
    let stopped = tokio::spawn(server.stop());
    let mut pauses = Vec::new();
    for socket in &mut sockets {
        let Frame::Closed(1012, words) = socket.next().await else { panic!("not told") };
        let pause = words.rsplit_once("retry_after_ms=").expect("a hint").1;
        pauses.push(pause.parse::<u64>().unwrap());
    }
    pauses.sort_unstable();
    assert!(pauses[0] >= 500 && pauses[99] < 2_500, "{pauses:?}");
    assert!(pauses.windows(2).all(|pair| pair[1] - pair[0] < 200), "evenly: {pauses:?}");
    drop(sockets);
    stopped.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_waits_for_the_first_event_and_no_longer() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let plan = demo.create_shell_plan("Polled", &["true"]).await;
    let head = demo.events_of(plan).await.len();
    let page = |query: String| {
        let demo = demo.clone();
        async move { demo.get(&format!("/plans/{plan}/events?{query}")).await.expect(200).json }
    };
    let nothing = page(format!("after={head}&wait_ms=50")).await;
    assert_eq!((&nothing["events"], &nothing["next_after"]), (&json!([]), &json!(head)));
    let waiting = tokio::spawn(page(format!("after={head}&wait_ms=20000")));
    talk(&demo, plan, 1).await;
    let told = waiting.await.unwrap();
    assert_eq!(told["events"].as_array().unwrap().len(), 1);
    assert_eq!(told["next_after"], head + 1);
    demo.get(&format!("/plans/{plan}/events?wait_ms=30001")).await.expect(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_is_a_list_and_a_stream_too() {
    let server = TestServer::start().await;
    let (demo, admin) = (server.demo().await, server.admin().await);
    let mine = demo.create_shell_plan("Mine", &["true"]).await;
    admin.create_shell_plan("Theirs", &["true"]).await;
    let own = demo.get("/events").await.expect(200).json;
    assert!(own["events"].as_array().unwrap().iter().all(|event| event["plan_id"] == mine));
    assert_eq!(admin.get("/events").await.expect(200).json["events"].as_array().unwrap().len(), 2);
    for query in ["unknown=1", "after=-1", "after=x", "after=999999"] {
        demo.get(&format!("/events/stream?{query}")).await.expect_problem(422, "invalid_request");
        demo.get(&format!("/events?{query}")).await.expect_problem(422, "invalid_request");
    }
    let after = own["next_after"].as_i64().unwrap();
    let stream = demo.request("GET", "/events/stream").header("Last-Event-ID", (after - 1).to_string());
    let mut response = stream.send().await.unwrap();
    let first = loop {
        let chunk = response.chunk().await.unwrap().unwrap();
        let chunk = String::from_utf8(chunk.to_vec()).unwrap();
        // What keeps the line open may come first.
        if !chunk.starts_with(':') {
            break chunk;
        }
    };
    assert!(first.starts_with(&format!("id: {after}\nevent: plan_updated\ndata: ")), "{first}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_comes_beside_the_events_and_moves_no_position() {
    let said = json!({"text": "I look around.\nThen I tidy up.",
        "tool_calls": [{"name": "read_file", "arguments": {"path": "README.md"}}]});
    let done = json!({"tool_calls": [{"name": "finish", "arguments": {"summary": "tidy"}}]});
    let server = TestServer::builder().script(json!([said, done])).start().await;
    let demo = server.demo().await;
    let tasks = json!([
        {"description": "Tidy up", "kind": "agent"},
        {"description": "Say so", "kind": "command", "command": "echo tidy; echo done", "depends_on": [1]}
    ]);
    let plan = demo.create_plan(json!({"goal": "Watch the words", "tasks": tasks})).await;
    let topic = format!("plan_{plan}");
    let mut curious = demo.connect("curious").await;
    curious.say(json!({"action": "subscribe", "topic": topic, "after": 0, "transient": true})).await;
    assert_eq!(curious.next_json().await["type"], "subscribed");
    demo.post_nothing(&format!("/plans/{plan}/execute")).await.expect(202);
    let (mut events, mut passing) = (Vec::new(), Vec::new());
    while events.last().is_none_or(|event: &Value| event["status"] != "completed") {
        let frame = curious.next_json().await;
        if frame["type"] == "transient" { passing.push(frame) } else { events.push(without_topic(frame)) }
    }
    assert_eq!(events, demo.events_of(plan).await, "every event, in order, among what passes");
    let told = |kind: &str, field: &str| -> Vec<String> {
        let of_kind = passing.iter().filter(|frame| frame["kind"] == kind);
        of_kind.map(|frame| frame[field].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(told("model_text", "text").concat(), "I look around.\nThen I tidy up.");
    assert_eq!(told("tool_output", "line"), ["tidy", "done"]);
    assert!(passing.iter().all(|frame| {
        frame["topic"] == topic.as_str()
            && frame["plan_id"] == plan
            && frame["attempt"] == 1
            && frame["task_id"].is_number()
            && frame["seq"].is_null()
    }));
}
