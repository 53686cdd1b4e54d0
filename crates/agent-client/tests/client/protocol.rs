//! What the client makes of a server on a bad day, of a later one, and of something that is none.

use crate::played::{Played, event};
use agent_client::{Client, Error, Events, PlanId, Randomness, ResetReason, Retries, Topic, Update};
use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

struct NoLuck;

impl Randomness for NoLuck {
    fn fraction(&self) -> f64 {
        0.0
    }
}

fn client(server: &Played) -> Client {
    let retries = Retries { attempts: 3, first_pause: Duration::from_millis(1), ..Retries::default() };
    let builder = Client::builder(server.url()).token("t").retries(retries).randomness(Arc::new(NoLuck));
    builder.silence_limit(Duration::from_millis(200)).build().unwrap()
}

fn plan_1(client: &Client) -> Events {
    client.events().topic(Topic::Plan(PlanId(1))).after(0)
}

#[tokio::test]
async fn a_gap_and_a_repeat_are_asked_for_again_on_the_same_line() {
    let server = Played::start().await;
    let events = plan_1(&client(&server)).follow();
    let mut socket = server.open().await;
    assert_eq!(socket.credential.as_deref(), Some("Bearer t"));
    socket.subscribed(0).await;
    for odd in [3, 1] {
        socket.tell(1).await;
        socket.tell(odd).await;
        // Of the subscription before, and late.
        socket.tell(2).await;
        assert_eq!(
            socket.subscribed(1).await,
            json!({"action": "subscribe", "topic": "plan_1", "after": 1, "epoch": "e1"})
        );
        socket.tell(2).await;
        // What was told twice is asked for behind 2 then.
        if odd == 3 {
            socket.tell(2).await;
            socket.subscribed(2).await;
            break;
        }
    }
    socket.tell(3).await;
    let seqs: Vec<i64> = events.take(3).map_ok(|event| event.seq).try_collect().await.unwrap();
    assert_eq!(seqs, [1, 2, 3]);
}

#[tokio::test]
async fn every_close_that_is_for_the_moment_is_followed_by_another_line() {
    let server = Played::start().await;
    let mut updates = plan_1(&client(&server)).updates();
    let closes = [
        (1012, "the server is stopping; retry_after_ms=20"),
        (4408, "too slow; last sent: plan_1=2"),
        (4401, "the token has expired"),
        (1001, ""),
    ];
    for (place, (code, reason)) in closes.into_iter().enumerate() {
        let mut socket = server.open().await;
        let heard = socket.subscribed(place as i64).await;
        assert_eq!(heard["after"], place as i64, "{heard}");
        socket.tell(place as i64 + 1).await;
        socket.close(code, reason).await;
        assert!(matches!(updates.try_next().await, Ok(Some(Update::Connected { .. }))));
        assert!(matches!(updates.try_next().await, Ok(Some(Update::Event(_)))));
        let Ok(Some(Update::Lost { why, retry_in })) = updates.try_next().await else { panic!("no loss") };
        assert!(why.contains(&code.to_string()), "{why}");
        let expected = if code == 1012 { Duration::from_millis(30) } else { Duration::ZERO };
        assert_eq!(retry_in, expected, "{code}");
    }
}

#[tokio::test]
async fn a_line_on_which_nothing_comes_is_left() {
    let server = Played::start().await;
    let mut events = plan_1(&client(&server)).follow();
    let mut silent = server.open().await;
    silent.subscribed(0).await;
    silent.gone().await;
    // One that answers no subscription is no better.
    let deaf = server.open().await;
    deaf.gone().await;
    let mut socket = server.open().await;
    socket.subscribed(0).await;
    socket.tell(1).await;
    assert_eq!(events.try_next().await.unwrap().unwrap().seq, 1);
}

#[tokio::test]
async fn a_reset_ends_it_with_where_to_begin_anew() {
    let server = Played::start().await;
    let events = plan_1(&client(&server)).epoch("e0").follow();
    let mut socket = server.open().await;
    assert_eq!(socket.hear().await["epoch"], "e0");
    socket
        .say(json!({"type": "reset", "topic": "plan_1", "reason": "epoch", "epoch": "e1", "oldest": 1, "head": 41,
                    "snapshot": "/plans/1"}))
        .await;
    let outcomes: Vec<_> = events.collect().await;
    let [Err(Error::Reset(reset))] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert_eq!(
        (&reset.reason, reset.head, reset.snapshot.as_deref()),
        (&ResetReason::Epoch, Some(41), Some("/plans/1"))
    );
    socket.gone().await;
}

#[tokio::test]
async fn transient_news_and_later_events_are_told_to_who_asks_for_them() {
    let server = Played::start().await;
    let client = client(&server);
    let mut updates = plan_1(&client).only(["task_skipped", "task_admired"]).with_transient().updates();
    let mut socket = server.open().await;
    let heard = socket.subscribed(0).await;
    assert_eq!(
        (&heard["events"], &heard["transient"]),
        (&json!(["task_skipped", "task_admired"]), &json!(true))
    );
    socket.say(json!({"type": "transient", "topic": "plan_1", "plan_id": 1, "task_id": 3, "kind": "output", "text": "ok"})).await;
    socket.say(event(4, "task_admired")).await;
    socket.tell(9).await;
    assert!(matches!(updates.try_next().await, Ok(Some(Update::Connected { epoch: Some(_), .. }))));
    let Ok(Some(Update::Transient(news))) = updates.try_next().await else { panic!("no news") };
    assert_eq!((news.kind.as_str(), &news.fields["text"]), ("output", &json!("ok")));
    let Ok(Some(Update::Unknown(later))) = updates.try_next().await else { panic!("no event") };
    assert_eq!(
        (later.name.as_str(), later.seq, &later.whole["reason"]),
        ("task_admired", 4, &json!("a test"))
    );
    assert!(matches!(updates.try_next().await, Ok(Some(Update::Event(event))) if event.seq == 9));
    socket.close(1012, "").await;
    assert_eq!(server.open().await.subscribed(9).await["after"], 9, "positions move over what is left out");
}

#[tokio::test]
async fn something_that_is_no_agent_server_is_said_to_be_so() {
    let server = Played::start().await;
    let client = client(&server);
    let (outcome, asked) = tokio::join!(client.health(), server.answer("200 OK", "<html>Hello</html>"));
    assert!(matches!(&outcome, Err(Error::Protocol { .. })), "{outcome:?}");
    assert!(
        asked.contains("authorization: Bearer t") && asked.contains("user-agent: agent-client/"),
        "{asked}"
    );
    let mut events = plan_1(&client).follow();
    let mut socket = server.open().await;
    socket.subscribed(0).await;
    socket.say(json!(["hello"])).await;
    assert!(matches!(events.next().await, Some(Err(Error::Protocol { .. }))));
    assert!(events.next().await.is_none());
    let mut events = plan_1(&client).follow();
    server.answer("404 Not Found", "nothing here").await;
    let Some(Err(error)) = events.next().await else { panic!("no end") };
    assert_eq!(error.code(), Some("http_404"), "{error:?}");
}

#[tokio::test]
async fn an_overloaded_server_is_asked_again_and_given_its_time() {
    let server = Played::start().await;
    let client = client(&server);
    let who = r#"{"valid": true, "user_id": 1, "username": "demo"}"#;
    let answers = async {
        server.answer("503 Service Unavailable\r\nRetry-After: 0", "{}").await;
        server.answer("429 Too Many Requests\r\nRetry-After: 0", "{}").await;
        server.answer("200 OK", who).await;
    };
    let (outcome, ()) = tokio::join!(client.validate(), answers);
    assert_eq!(outcome.unwrap().username, "demo");

    let accepted = r#"{"success": true, "result": "plan 1 is running", "plan_id": 1, "status": "running"}"#;
    let answers = async {
        server.answer("429 Too Many Requests", "{}").await;
        server.answer("202 Accepted", accepted).await;
        server.answer("503 Service Unavailable\r\nRetry-After: 2", r#"{"code": "stopping"}"#).await
    };
    let asking = async { (client.plans().execute(1).await, client.plans().execute(1).await) };
    let ((first, second), _) = tokio::join!(asking, answers);
    assert!(first.is_ok(), "what is refused was not done: {first:?}");
    let error = second.unwrap_err();
    let problem = error.problem().unwrap();
    assert_eq!((problem.code.as_str(), problem.retry_after), ("stopping", Some(Duration::from_secs(2))));
    assert!(error.is_temporary());
}

#[tokio::test]
async fn the_same_key_is_sent_with_every_attempt_at_the_same_plan() {
    let server = Played::start().await;
    let client = client(&server);
    let created = r#"{"plan_id": 1, "goal": "Walk", "tasks": 1, "status": "created"}"#;
    let key_of = |asked: &str| {
        let line = asked.lines().find(|line| line.to_lowercase().starts_with("idempotency-key: "));
        line.expect("a key").to_owned()
    };
    let plans = client.plans();
    let plan = crate::requests::chain(1);
    let answers = async {
        let first = server.answer("502 Bad Gateway", "").await;
        let second = server.answer("201 Created", created).await;
        assert_eq!(key_of(&first), key_of(&second));
        let other = server.answer("201 Created", created).await;
        assert_ne!(key_of(&first), key_of(&other), "another plan has another key");
    };
    let asking = async { (plans.create(&plan).await, plans.create(&plan).await) };
    let ((first, second), ()) = tokio::join!(asking, answers);
    assert!(first.is_ok() && second.is_ok(), "{first:?} {second:?}");
}
