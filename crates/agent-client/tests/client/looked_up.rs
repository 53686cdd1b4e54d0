//! Templates, figures, conversations, attempts, and documents as they come.

use crate::requests::{chain, demo, to_the_end};
use agent_client::{Client, MessageFilter, PlanFilter, ScanRepository, TemplateFilter};
use agent_testkit::TestServer;
use futures_util::TryStreamExt;

#[tokio::test(flavor = "multi_thread")]
async fn templates_are_listed_found_and_searched() {
    let server = TestServer::start().await;
    let templates = demo(server.url()).await.templates();
    let all = templates.list(&TemplateFilter::default()).await.unwrap();
    let filter = TemplateFilter { difficulty: Some("easy".to_owned()), tag: None };
    let easy = templates.list(&filter).await.unwrap();
    assert!(easy.len() < all.len() && easy.iter().all(|template| template.difficulty == "easy"));
    let found = templates.get("rest_api").await.unwrap();
    assert_eq!((found.summary.task_count, found.tasks.len()), (10, 10));
    assert!(all.contains(&found.summary) && !found.parameters.is_empty());
    assert_eq!(templates.search("web").await.unwrap().results[0].id, "web_scraper");
    assert_eq!(templates.get("nothing").await.unwrap_err().code(), Some("template_not_found"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_count_what_was_executed() {
    let server = TestServer::start().await;
    let client = demo(server.url()).await;
    let plan = client.plans().create(&chain(2).execute()).await.unwrap().plan_id;
    to_the_end(&client, plan).await;
    let task = client.plans().tasks(plan).await.unwrap()[0].id;
    let attempts = client.plans().executions(plan, task).await.unwrap();
    assert_eq!((attempts.task_id, attempts.executions.len(), attempts.executions[0].attempt), (task, 1, 1));

    let figures = client.analytics().plan(plan).await.unwrap();
    assert_eq!((figures.execution_count, figures.tasks.len(), figures.success_rate), (2, 2, 100.0));
    assert_eq!(client.analytics().summary().await.unwrap_err().problem().unwrap().status, 403);
    let admin = Client::builder(server.url()).build().unwrap();
    admin.log_in("admin", "admin123").await.unwrap();
    let analytics = admin.analytics();
    let summary = analytics.summary().await.unwrap();
    assert_eq!((summary.total_executions, summary.tasks_analyzed), (2, 2));
    let performance = analytics.performance().await.unwrap();
    assert_eq!(performance.performance_report.totals.successes, 2);
    let lately: u64 = performance.daily_summary.iter().map(|day| day.execution_count).sum();
    assert_eq!((lately, performance.hourly_summary.len(), performance.trending_tasks.len()), (2, 24, 2));
    let of_task = analytics.task(task).await.unwrap();
    assert_eq!((of_task.execution_count, of_task.failure_count), (1, 0));
    assert_eq!(analytics.task(4711).await.unwrap_err().code(), Some("no_executions"));
    let stats = client.stats().await.unwrap();
    assert_eq!((stats.total_plans, stats.completed_plans), (1, 1));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_is_kept_and_found() {
    let server = TestServer::start().await;
    let client = demo(server.url()).await;
    let plan = client.plans().create(&chain(1)).await.unwrap().plan_id;
    let conversation = client.conversation();
    let mut said = Vec::new();
    for text in ["Leave the tests alone", "Mind the parser", "Thank you"] {
        said.push(conversation.say(text, Some(plan)).await.unwrap());
    }
    let filter = MessageFilter { plan_id: Some(plan), limit: Some(2), ..MessageFilter::default() };
    assert_eq!(conversation.list(&filter).await.unwrap().messages.len(), 2);
    let all: Vec<_> =
        conversation.all(filter.clone()).map_ok(|message| message.id).try_collect().await.unwrap();
    assert_eq!(all, said);
    let found = MessageFilter { text: Some("parser".to_owned()), ..filter };
    assert_eq!(conversation.list(&found).await.unwrap().messages[0].content, "Mind the parser");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_is_described_and_any_answer_handed_on_as_it_came() {
    let server = TestServer::start().await;
    let client = demo(server.url()).await;
    let scan = client.scan(&ScanRepository { symbols: true, ..ScanRepository::default() }).await.unwrap();
    assert!(scan.info["total_files"].as_u64().unwrap() > 0 && scan.info["symbols"].is_array());
    let filter = PlanFilter { limit: Some(7), ..PlanFilter::default() };
    let plans = client.document(&["plans"], &filter).await.unwrap();
    assert_eq!(plans["total"], 0);
    let version = client.document(&[], &()).await.unwrap();
    assert!(version["openapi"].is_string(), "{version}");
    assert_eq!(client.document(&["plans", "9"], &()).await.unwrap_err().code(), Some("plan_not_found"));
    server.stop().await;
}
