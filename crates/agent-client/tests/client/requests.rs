//! Plans, questions and problems over REST.

use agent_client::{
    Answer, ApprovalFilter, Client, CreatePlan, Decision, Error, Event, EventBody, PlanFilter, PlanStatus,
    Policy, Retries, TaskKind, TaskSpec, TaskStatus, Topic,
};
use agent_testkit::TestServer;
use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;

/// Logged in as the demo user.
pub(crate) async fn demo(url: &str) -> Client {
    let client = Client::builder(url).build().unwrap();
    client.log_in("demo", "demo123").await.unwrap();
    client
}

/// A plan of so many commands that do nothing, one after the other.
pub(crate) fn chain(tasks: u32) -> CreatePlan {
    steps(tasks, &TaskKind::argv(["true"]))
}

/// A plan of so many scans, one after the other, which cost less than commands.
pub(crate) fn scans(tasks: u32) -> CreatePlan {
    steps(tasks, &TaskKind::Scan)
}

fn steps(tasks: u32, kind: &TaskKind) -> CreatePlan {
    let task = |position: u32| {
        let after: Vec<u32> = (position > 1).then(|| position - 1).into_iter().collect();
        TaskSpec::new(format!("Step {position}"), kind.clone()).after(&after)
    };
    CreatePlan::new("Walk").with_tasks((1..=tasks).map(task))
}

/// The whole log of a plan.
pub(crate) async fn log(client: &Client, plan: agent_client::PlanId) -> Vec<Event> {
    let (mut events, mut after) = (Vec::new(), 0);
    loop {
        let page = client.plans().events(plan).after(after).limit(7).fetch().await.unwrap();
        assert!(page.unknown.is_empty());
        if page.events.is_empty() {
            return events;
        }
        events.extend(page.events);
        after = page.next_after;
    }
}

/// The events of a plan until it has ended.
pub(crate) async fn to_the_end(client: &Client, plan: agent_client::PlanId) -> Vec<Event> {
    let events = client.events().topic(Topic::Plan(plan)).after(0).until_ended().follow();
    events.try_collect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_made_executed_and_looked_at() {
    let server = TestServer::start().await;
    let client = demo(server.url()).await;
    assert_eq!(client.health().await.unwrap().status, "healthy");
    let who = client.validate().await.unwrap();
    assert_eq!((who.valid, who.username.as_str()), (true, "demo"));

    let plans = client.plans();
    let created = plans.create(&chain(2)).await.unwrap();
    assert_eq!((created.tasks, created.status), (2, PlanStatus::Created));
    let tasks = plans.tasks(created.plan_id).await.unwrap();
    let accepted = plans.execute_task(created.plan_id, tasks[1].id).await.unwrap();
    assert!(accepted.execution_id.is_some(), "the second task, with the first, which it needs");
    let events = to_the_end(&client, created.plan_id).await;
    assert_eq!(events, log(&client, created.plan_id).await);

    let found = plans.get(created.plan_id).await.unwrap();
    assert_eq!((found.plan.status, found.statistics.completed_tasks), (PlanStatus::Completed, 2));
    assert_eq!(found.tasks, plans.tasks(created.plan_id).await.unwrap());
    let second = &found.tasks[1];
    assert_eq!((second.status, second.completed, second.attempts), (TaskStatus::Completed, true, 1));
    assert_eq!((second.spec.depends_on.as_slice(), second.depends_on_ids[0]), (&[1][..], found.tasks[0].id));
    assert_eq!(second.spec.kind, TaskKind::argv(["true"]));
    assert_eq!(second.result.as_ref().unwrap()["exit_code"], 0);
    assert_eq!(plans.diff(created.plan_id).await.unwrap(), "");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_held_up_let_go_on_tried_again_and_ended() {
    let server = TestServer::start().await;
    let client = demo(server.url()).await;
    let plans = client.plans();
    let gate = server.repository().path().join("open");
    let tasks = [TaskSpec::new("Wait", TaskKind::shell("test -e open"))];
    let plan =
        plans.create(&CreatePlan::new("Pass the gate").with_tasks(tasks).execute()).await.unwrap().plan_id;
    let events = to_the_end(&client, plan).await;
    assert!(matches!(
        &events.last().unwrap().body,
        EventBody::PlanUpdated { status: PlanStatus::Failed, .. }
    ));

    std::fs::write(&gate, "").unwrap();
    let after = events.last().unwrap().seq;
    let rest = client.events().topic(Topic::Plan(plan)).after(after).until_ended().follow();
    plans.retry(plan).await.unwrap();
    let rest: Vec<Event> = rest.try_collect().await.unwrap();
    assert!(matches!(
        &rest.last().unwrap().body,
        EventBody::PlanUpdated { status: PlanStatus::Completed, .. }
    ));
    let task = plans.tasks(plan).await.unwrap()[0].id;
    plans.retry_task(plan, task, true).await.unwrap();

    let waiting = CreatePlan::new("Wait").with_tasks([TaskSpec::new("Ask", TaskKind::Approval)]);
    let waiting = plans.create(&waiting).await.unwrap().plan_id;
    plans.execute(waiting).await.unwrap();
    assert_eq!(plans.pause(waiting).await.unwrap().status, PlanStatus::Paused);
    plans.resume(waiting).await.unwrap();
    plans.cancel(waiting).await.unwrap();
    let events = to_the_end(&client, waiting).await;
    assert!(matches!(
        &events.last().unwrap().body,
        EventBody::PlanUpdated { status: PlanStatus::Cancelled, .. }
    ));
    let error = plans.resume(waiting).await.unwrap_err();
    assert_eq!(error.code(), Some("illegal_move"));
    assert_eq!(error.problem().unwrap().current_state.as_deref(), Some("cancelled"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_and_as_one_stream() {
    let server = TestServer::start().await;
    let client = demo(server.url()).await;
    let plans = client.plans();
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(plans.create(&chain(1)).await.unwrap().plan_id);
    }
    made.reverse();
    let filter = PlanFilter { limit: Some(2), text: Some("Walk".to_owned()), ..PlanFilter::default() };
    let page = plans.list(&filter).await.unwrap();
    assert_eq!((page.plans.len(), page.total), (2, 5));
    let all: Vec<_> = plans.all(filter).map_ok(|plan| plan.id).try_collect().await.unwrap();
    assert_eq!(all, made);
    let none = PlanFilter { status: Some(PlanStatus::Failed), ..PlanFilter::default() };
    assert_eq!(plans.all(none).count().await, 0);
    let wrong = PlanFilter { limit: Some(0), ..PlanFilter::default() };
    let outcome: Result<Vec<_>, Error> = plans.all(wrong).try_collect().await;
    assert_eq!(outcome.unwrap_err().problem().unwrap().errors[0].pointer, "?limit");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_is_found_and_answered() {
    let server = TestServer::start().await;
    let client = demo(server.url()).await;
    let policy: Policy = serde_json::from_value(json!({"approval": "commands"})).unwrap();
    let plan = client.plans().create(&chain(1).under(policy.clone()).execute()).await.unwrap().plan_id;
    let asked = client.events().topic(Topic::Plan(plan)).after(0).only(["approval_requested"]).follow();
    let asked: Event = std::pin::pin!(asked).try_next().await.unwrap().unwrap();
    let EventBody::ApprovalRequested(request) = asked.body else { panic!("{asked:?}") };

    let filter = ApprovalFilter { plan_id: Some(plan), ..ApprovalFilter::default() };
    let open: Vec<_> = client.approvals().all(filter.clone()).try_collect().await.unwrap();
    assert_eq!((open.len(), open[0].id), (1, request.approval_id));
    assert_eq!(open[0], client.approvals().get(request.approval_id).await.unwrap());
    let answer = Answer::new(Decision::Approve).note("go on").covering(&open[0]);
    let decided = client.approvals().decide(open[0].id, &answer).await.unwrap();
    assert_eq!((decided.plan_id, decided.decision.as_str()), (plan, "approve"));
    to_the_end(&client, plan).await;
    let found = client.plans().get(plan).await.unwrap();
    assert_eq!((found.plan.status, found.plan.policy), (PlanStatus::Completed, policy));

    let error = client.approvals().decide(open[0].id, &answer).await.unwrap_err();
    let problem = error.problem().unwrap();
    assert_eq!((problem.code.as_str(), problem.decided_by.as_deref()), ("approval_closed", Some("demo")));
    assert_eq!(client.approvals().list(&filter).await.unwrap().total, 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_says_what_is_wrong_where_and_under_which_name() {
    let server = TestServer::start().await;
    let client = demo(server.url()).await;
    let error = client.plans().get(999).await.unwrap_err();
    let problem = error.problem().unwrap();
    assert_eq!((problem.status, problem.code.as_str()), (404, "plan_not_found"));
    assert!(problem.request_id.is_some() && problem.advice.is_some());
    assert!(error.to_string().contains("plan 999 does not exist"), "{error}");

    let circle = [TaskSpec::new("Chase", TaskKind::Scan).after(&[1])];
    let error = client.plans().create(&CreatePlan::new("Run").with_tasks(circle)).await.unwrap_err();
    let problem = error.problem().unwrap();
    assert_eq!((problem.status, problem.code.as_str()), (422, "invalid_plan"));
    assert!(problem.errors[0].pointer.starts_with("/tasks/0"), "{problem:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_said_to_be_so() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let retries = Retries { attempts: 3, first_pause: std::time::Duration::ZERO, ..Retries::default() };
    let client = Client::builder(url).token("t").retries(retries).build().unwrap();
    let error = client.plans().execute(1).await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable { attempts: 3, .. }), "{error:?}");
    assert!(error.is_temporary());
    assert!(error.to_string().starts_with("POST /plans/1/execute: no answer in 3 attempt(s)"), "{error}");
    let outcome = client.events().follow().next().await.unwrap();
    assert!(matches!(outcome, Err(Error::Unreachable { attempts: 3, .. })), "{outcome:?}");
}

#[test]
fn settings_without_sense_are_refused_before_anything_is_sent() {
    let builder = || Client::builder("http://localhost:8000");
    let refused = [
        Client::builder("localhost").build(),
        builder().token("a").api_key("b").build(),
        builder().token("two\nlines").build(),
        builder().refresh_token("r").build(),
        builder().client_id("").build(),
        builder().timeout(std::time::Duration::ZERO).build(),
        builder().retries(Retries { attempts: 0, ..Retries::default() }).build(),
        Client::builder("https://localhost")
            .trusting("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----")
            .build(),
    ];
    for outcome in refused {
        assert!(matches!(outcome, Err(Error::InvalidSetting { .. })), "{outcome:?}");
    }
    assert!(!format!("{:?}", builder().token("topsecret")).contains("topsecret"));
}
