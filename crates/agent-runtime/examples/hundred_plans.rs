//! A hundred plans in an SQLite database: `cargo run --example hundred_plans -p agent-runtime`.
//!
//! Every result is on the disk before the next task starts; with `recover` in the settings, what a crash
//! interrupts goes on at the next start.

use agent_core::plan::{PlanStatus, TaskKind, TaskSpec};
use agent_core::policy::Demand;
use agent_core::tool::{EffectClass, Tool, ToolContext, ToolError};
use agent_runtime::{Agent, CreatePlan, Settings};
use futures_util::future::try_join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::Path;

/// Counts the words of a text.
struct CountWords;

/// What [`CountWords`] is called with.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Text {
    text: String,
}

impl Tool for CountWords {
    type Input = Text;
    type Output = usize;
    const NAME: &'static str = "count_words";
    const DESCRIPTION: &'static str = "Counts the words of a text.";
    const EFFECT: EffectClass = EffectClass::Pure;

    fn summary(input: &Text) -> String {
        input.text.chars().take(40).collect()
    }

    fn demand(_input: &Text, _prepared: &Value) -> Demand {
        Demand::Read
    }

    async fn call(&self, input: Text, _context: &ToolContext) -> Result<usize, ToolError> {
        Ok(input.text.split_whitespace().count())
    }
}

/// Two counts side by side, and a third when both are there.
fn tasks(n: u32) -> [TaskSpec; 3] {
    let count = |text: String| TaskKind::tool(CountWords::NAME, json!(Text { text }));
    [
        TaskSpec::new("Count the title", count(format!("Chapter {n}"))),
        TaskSpec::new("Count the text", count("It was a dark and stormy night".to_owned())),
        TaskSpec::new("Count the end", count("The end".to_owned())).after(&[1, 2]),
    ]
}

/// Runs the plans at once in a folder and says in one line what was done.
async fn run(folder: &Path) -> agent_runtime::Result<String> {
    let agent = Agent::builder(Settings::embedded(folder)).tool(CountWords).start().await?;
    let me = agent.local_principal().await?;
    let started = agent.clock().now();
    let plans = try_join_all((0..100).map(async |n| {
        let plan = CreatePlan::new(format!("Count chapter {n}")).with_tasks(tasks(n)).execute();
        let plan = agent.plans().create(&me, plan).await?;
        agent.plans().wait(&me, plan.plan.id).await
    }))
    .await?;
    let time = agent.clock().now().since(started);
    let completed = plans.iter().filter(|plan| plan.plan.status == PlanStatus::Completed).count();
    let done = plans.iter().flat_map(|plan| &plan.tasks).filter(|task| task.result.is_some()).count();
    agent.stop().await;
    Ok(format!("{completed} plans with {done} tasks completed in {} ms", time.as_millis()))
}

#[expect(clippy::print_stdout, reason = "an example shows something")]
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    println!("{}", run(folder.path()).await?);
    Ok(())
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn a_hundred_plans_are_completed() {
        let folder = tempfile::tempdir().unwrap();
        let line = super::run(folder.path()).await.unwrap();
        assert!(line.starts_with("100 plans with 300 tasks completed in "), "{line}");
    }
}
