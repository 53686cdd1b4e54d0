//! Webhooks: what is told to whom, and which addresses are refused.

use agent_core::ports::Clock;
use agent_runtime::SystemClock;
use agent_testkit::{Client, TestServer};
use agent_webhooks::{SignatureHeaders, TOLERANCE, verify};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// A call as it arrived.
struct Arrival {
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Arrival {
    fn id(&self) -> &str {
        &self.headers["agent-webhook-id"]
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn verify(&self, secrets: &[&SecretString]) {
        let header = |name: &str| self.headers[name].clone();
        let signed = SignatureHeaders {
            id: header("agent-webhook-id"),
            timestamp: header("agent-webhook-timestamp"),
            signature: header("agent-webhook-signature"),
        };
        for secret in secrets {
            assert_eq!(verify(&[secret], &signed, &self.body, SystemClock.now(), TOLERANCE), Ok(()));
        }
    }
}

/// Whoever is told: answers with these statuses, then with 200.
struct Receiver {
    address: SocketAddr,
    arrivals: mpsc::UnboundedReceiver<Arrival>,
}

impl Receiver {
    async fn start<const N: usize>(statuses: [u16; N]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (arrived, arrivals) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut statuses = VecDeque::from(statuses);
            while let Ok((stream, _)) = listener.accept().await {
                let arrival = answer(stream, &mut statuses).await.unwrap();
                if arrived.send(arrival).is_err() {
                    return;
                }
            }
        });
        Self { address, arrivals }
    }

    async fn next(&mut self) -> Arrival {
        self.arrivals.recv().await.unwrap()
    }

    fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// A server whose operator lets webhooks call here.
    async fn server(&self) -> TestServer {
        let host = self.address.to_string();
        let adjusted = TestServer::builder().adjust(move |settings| {
            settings.webhooks.allowed_hosts = vec![host];
            settings.webhooks.plain_http = true;
        });
        adjusted.start().await
    }
}

async fn answer(mut stream: TcpStream, statuses: &mut VecDeque<u16>) -> std::io::Result<Arrival> {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        assert!(stream.read_buf(&mut bytes).await? > 0, "a call was broken off");
    };
    let mut body = bytes.split_off(head_end + 4);
    let head = String::from_utf8(bytes).unwrap();
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let headers: BTreeMap<String, String> =
        fields.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())).collect();
    let length: usize = headers["content-length"].parse().unwrap();
    while body.len() < length {
        assert!(stream.read_buf(&mut body).await? > 0, "a call was broken off");
    }
    let status = statuses.pop_front().unwrap_or(200);
    let reply = format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(reply.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(Arrival { headers, body })
}

/// The webhook, once it is as it should be.
async fn wait_for(client: &Client, path: &str, is_there: impl Fn(&Value) -> bool) -> Value {
    loop {
        let webhook = client.get(path).await.expect(200).json;
        if is_there(&webhook) {
            return webhook;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn events_of(client: &Client, plan: i64) -> Vec<Value> {
    let page = client.get(&format!("/plans/{plan}/events?limit=200")).await.expect(200).json;
    page["events"].as_array().unwrap().clone()
}

fn secret_in(answer: &Value) -> SecretString {
    let text = answer["secret"].as_str().unwrap();
    assert!(text.starts_with("whsec_") && text.len() > 40, "the secret is made by chance");
    text.into()
}

#[tokio::test(flavor = "multi_thread")]
async fn i17_events_arrive_signed_in_order_and_again_after_a_failure() {
    let mut receiver = Receiver::start([500]).await;
    let server = receiver.server().await;
    let demo = server.demo().await;
    let before = demo.create_shell_plan("Before there was a webhook", &["true"]).await;
    let made = demo.post("/webhooks", json!({"url": receiver.url()})).await.expect(201);
    let (path, secret) = (made.header("location").to_owned(), secret_in(&made.json));
    assert_eq!(path, format!("/webhooks/{}", made.json["id"]));

    let plan = demo
        .create_plan(json!({"goal": "Greet", "auto_execute": true,
            "tasks": [{"description": "Say hello", "kind": "command", "command": "echo hello"}]}))
        .await;
    demo.wait_for_plan(plan, &["completed"]).await;
    let failed = receiver.next().await;
    let shown = wait_for(&demo, &path, |webhook| webhook["failures"] == 1).await;
    assert!(shown["last_error"].as_str().unwrap().contains("500") && shown["next_attempt_at"].is_string());
    assert!(shown["failing_since"].is_string() && shown["enabled"] == true);

    // The pause is ten seconds at least; a change by the owner ends it.
    demo.patch(&path, json!({})).await.expect(200);
    let events = events_of(&demo, plan).await;
    for (place, event) in events.iter().enumerate() {
        let arrival = receiver.next().await;
        arrival.verify(&[&secret]);
        let told = arrival.json();
        for field in ["cursor", "seq", "event", "plan_id", "timestamp"] {
            assert_eq!(told[field], event[field], "{told} for {event}");
        }
        assert_eq!(arrival.id(), format!("wh_{}_{}", made.json["id"], event["cursor"]));
        if place == 0 {
            assert_eq!((arrival.id(), &arrival.body), (failed.id(), &failed.body));
        }
    }
    let last = events.last().unwrap()["cursor"].clone();
    let done = wait_for(&demo, &path, |webhook| webhook["cursor"] == last).await;
    assert_eq!((&done["failures"], &done["last_error"]), (&json!(0), &Value::Null));
    assert!(receiver.arrivals.try_recv().is_err(), "each arrives once, and none of plan {before}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_hears_of_what_it_asked_for_and_of_its_owners_plans_alone() {
    let mut receiver = Receiver::start([]).await;
    let server = receiver.server().await;
    let (demo, admin) = (server.demo().await, server.admin().await);
    let wanted =
        json!({"url": receiver.url(), "events": ["task_completed", "plan_updated", "task_completed"]});
    let made = demo.post("/webhooks", wanted).await.expect(201).json;
    assert_eq!(made["events"], json!(["plan_updated", "task_completed"]));
    let plan = json!({"goal": "Greet", "auto_execute": true,
        "tasks": [{"description": "Say hello", "kind": "command", "command": "echo hello"}]});
    let foreign = admin.create_plan(plan.clone()).await;
    admin.wait_for_plan(foreign, &["completed"]).await;
    let own = demo.create_plan(plan).await;
    demo.wait_for_plan(own, &["completed"]).await;
    let names = ["plan_updated", "task_completed"].map(Value::from);
    let events = events_of(&demo, own).await;
    for event in events.iter().filter(|event| names.contains(&event["event"])) {
        assert_eq!(receiver.next().await.json()["cursor"], event["cursor"]);
    }
    let path = format!("/webhooks/{}", made["id"]);
    wait_for(&demo, &path, |webhook| webhook["cursor"] == events.last().unwrap()["cursor"]).await;
    assert!(receiver.arrivals.try_recv().is_err());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_shown_once_and_the_former_one_signs_on_for_a_day() {
    let mut receiver = Receiver::start([]).await;
    let server = receiver.server().await;
    let demo = server.demo().await;
    let keyed = demo.with_header("Idempotency-Key", "hook-1");
    let made = keyed.post("/webhooks", json!({"url": receiver.url()})).await.expect(201);
    assert_eq!(keyed.post("/webhooks", json!({"url": receiver.url()})).await.expect(201).json, made.json);
    let other = json!({"url": receiver.url(), "events": ["task_failed"]});
    keyed.post("/webhooks", other).await.expect_problem(409, "idempotency_mismatch");
    let path = made.header("location");
    let rotated = demo.post_nothing(&format!("{path}/secret")).await.expect(200).json;
    let (first, second) = (secret_in(&made.json), secret_in(&rotated));
    assert_ne!(made.json["secret"], rotated["secret"]);
    assert!(rotated["previous_secret_until"].is_string());
    for answer in [demo.get("/webhooks").await, demo.get(path).await, demo.patch(path, json!({})).await] {
        assert!(!answer.expect(200).text.contains("whsec_"));
    }
    demo.create_shell_plan("Greet", &["true"]).await;
    receiver.next().await.verify(&[&first, &second]);
    demo.delete(path).await.expect(204);
    demo.get(path).await.expect_problem(404, "webhook_not_found");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn z14_a_webhook_of_somebody_else_does_not_exist() {
    let server = TestServer::start().await;
    let (demo, admin) = (server.demo().await, server.admin().await);
    let url = json!({"url": "https://example.com/hook?key=1"});
    let path = demo.post("/webhooks", url).await.expect(201).header("location").to_owned();
    assert_eq!(admin.get("/webhooks").await.expect(200).json["total"], 0);
    let refused = [
        admin.get(&path).await,
        admin.patch(&path, json!({"enabled": false})).await,
        admin.post_nothing(&format!("{path}/secret")).await,
        admin.delete(&path).await,
    ];
    for answer in refused {
        answer.expect_problem(404, "webhook_not_found");
    }
    assert_eq!(demo.get(&path).await.expect(200).json["enabled"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn i15_addresses_within_the_house_are_refused() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let refused = [
        "https://127.0.0.1/",
        "https://localhost:8000/",
        "https://[::1]/",
        "https://0.0.0.0/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
        "https://[fd00::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://127.1/",
        "https://localhost./",
        "https://user@example.com/",
        "http://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "",
    ];
    for url in refused {
        let answer = demo.post("/webhooks", json!({"url": url})).await;
        assert_eq!(answer.expect_problem(422, "invalid_request").pointers(), ["/url"], "{url}");
    }
    let path = demo.post("/webhooks", json!({"url": "https://example.com/"})).await.expect(201);
    let path = path.header("location").to_owned();
    let change = json!({"url": "https://[::1]/", "events": ["plan_updated", "nothing"], "skip_missed": true});
    let problem = demo.patch(&path, change).await.expect_problem(422, "invalid_request");
    assert_eq!(problem.pointers(), ["/url", "/events/1", "/skip_missed"]);
    assert_eq!(demo.get(&path).await.expect(200).json["url"], "https://example.com/");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_has_twenty_at_most_and_lists_them_in_pages() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    for n in 1..=20 {
        demo.post("/webhooks", json!({"url": format!("https://example.com/{n}")})).await.expect(201);
    }
    let url = json!({"url": "https://example.com/21"});
    let problem = demo.post("/webhooks", url).await.expect_problem(422, "invalid_request");
    assert!(problem.json["detail"].as_str().unwrap().contains("20 webhooks"), "{}", problem.text);
    let first = demo.get("/webhooks?limit=15").await.expect(200).json;
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = demo.get(&format!("/webhooks?limit=15&cursor={cursor}")).await.expect(200).json;
    let lengths = [&first, &rest].map(|page| page["webhooks"].as_array().unwrap().len());
    assert_eq!((lengths, &rest["total"], &rest["next_cursor"]), ([15, 5], &json!(20), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_while_it_is_off_is_told_later_or_skipped() {
    let mut receiver = Receiver::start([]).await;
    let server = receiver.server().await;
    let demo = server.demo().await;
    let made = demo.post("/webhooks", json!({"url": receiver.url()})).await.expect(201);
    let path = made.header("location");
    let off = demo.patch(path, json!({"enabled": false})).await.expect(200).json;
    assert_eq!((&off["enabled"], &off["disabled_reason"]), (&json!(false), &json!("owner")));
    let skipped = demo.create_shell_plan("While it is off", &["true"]).await;
    demo.patch(path, json!({"enabled": true, "skip_missed": true})).await.expect(200);
    demo.patch(path, json!({"enabled": false})).await.expect(200);
    let told = demo.create_shell_plan("While it is off again", &["true"]).await;
    demo.patch(path, json!({"enabled": true})).await.expect(200);
    assert_eq!(receiver.next().await.json()["plan_id"], told, "not of plan {skipped}");
    server.stop().await;
}
