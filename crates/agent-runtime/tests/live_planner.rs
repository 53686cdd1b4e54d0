//! The planner with a real language model behind a real server.
//!
//! Runs where `AGENT_TEST_LLM_URL` names an OpenAI-compatible server (`tests/start-local-llm.sh` starts
//! one), and says so where it does not. `AGENT_TEST_LLM_ROUNDS` asks for more rounds than two.
#![expect(clippy::disallowed_methods, reason = "tests are told by the environment what is available")]

use agent_core::plan::{PlanStatus, graph};
use agent_llm::Provider;
use agent_runtime::{Agent, CreatePlan, Settings};

#[tokio::test(flavor = "multi_thread")]
async fn a_small_model_plans_a_todo_api_every_time() {
    let Ok(url) = std::env::var("AGENT_TEST_LLM_URL") else {
        println!("AGENT_TEST_LLM_URL is not set: no real language model, nothing was tested");
        return;
    };
    let rounds: u32 = std::env::var("AGENT_TEST_LLM_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(2);
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("repository");
    std::fs::create_dir(&repository).unwrap();
    std::fs::write(repository.join("README.md"), "# Todo\n").unwrap();
    let settings = Settings {
        llm_provider: Some(Provider::OpenAi),
        llm_base_url: Some(url),
        llm_model: Some("smollm2".to_owned()),
        repository_roots: vec![repository],
        ..Settings::embedded(folder.path())
    };
    let agent = Agent::start(settings).await.unwrap();
    let me = agent.local_principal().await.unwrap();
    for round in 1..=rounds {
        let request = CreatePlan::new("Build a REST API for a todo list");
        let created = agent.plans().create(&me, request).await.unwrap();
        let planned = agent.plans().wait(&me, created.plan.id).await.unwrap();
        assert_eq!(planned.plan.status, PlanStatus::Created, "round {round}: {:?}", planned.plan.summary);
        let tasks: Vec<_> =
            planned.tasks.iter().map(|task| agent_core::plan::TaskSpec::clone(&task.spec)).collect();
        graph::validate(&tasks).unwrap();
        for task in &planned.tasks {
            println!(
                "{round}.{} [{}] {} {:?}",
                task.position,
                task.spec.kind.name(),
                task.spec.description,
                task.spec.depends_on
            );
        }
    }
    agent.stop().await;
}
