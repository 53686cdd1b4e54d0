//! A hundred plans without a database: `cargo run --example hundred_plans -p agent-core`.
//!
//! The plans and all that is recorded of them are gone when the program ends.

use agent_core::executor::{Executor, ExecutorSettings};
use agent_core::ids::{Owner, UserId};
use agent_core::memory::MemoryStore;
use agent_core::plan::{NewPlan, PlanStatus, TaskKind, TaskSpec};
use agent_core::policy::Demand;
use agent_core::time::Timestamp;
use agent_core::tool::{EffectClass, Tool, ToolContext, ToolError, Toolbox};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;

/// Adds up numbers.
struct Sum;

/// What [`Sum`] is called with.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Numbers {
    numbers: Vec<i64>,
}

impl Tool for Sum {
    type Input = Numbers;
    type Output = i64;
    const NAME: &'static str = "sum";
    const DESCRIPTION: &'static str = "Adds up numbers.";
    const EFFECT: EffectClass = EffectClass::Pure;

    fn summary(input: &Numbers) -> String {
        format!("{} numbers", input.numbers.len())
    }

    fn demand(_input: &Numbers, _prepared: &Value) -> Demand {
        Demand::Read
    }

    async fn call(&self, input: Numbers, _context: &ToolContext) -> Result<i64, ToolError> {
        input.numbers.iter().try_fold(0_i64, |sum, n| sum.checked_add(*n)).ok_or_else(|| {
            ToolError::Report("the sum does not fit into 64 bits; give smaller numbers".to_owned())
        })
    }
}

/// Two sums side by side, and a third when both are there.
fn tasks(n: i64) -> [TaskSpec; 3] {
    let sum = |numbers: [i64; 2]| TaskKind::tool(Sum::NAME, json!(Numbers { numbers: numbers.to_vec() }));
    [
        TaskSpec::new("Add", sum([n, 1])),
        TaskSpec::new("Add something else", sum([n, 2])),
        TaskSpec::new("Add at the end", sum([n, 3])).after(&[1, 2]),
    ]
}

/// Runs the plans and says in one line what was done.
async fn run() -> agent_core::Result<String> {
    // The time is passed in: the crate itself knows no clock.
    let now = || Timestamp::from_micros(jiff::Timestamp::now().as_microsecond());
    let started = now();
    let store = MemoryStore::new(now);
    let tools = Toolbox::default().with(Sum);
    let executor = Executor::new(store.ports(tools), ExecutorSettings::named("hundred-plans"));
    executor.start();

    let mut plans = Vec::new();
    for n in 0..100 {
        let plan = NewPlan::new(Owner::in_default_tenant(UserId(1)), format!("Sums of {n}"))
            .with_tasks(tasks(n))
            .execute();
        plans.push(executor.create(plan).await?.plan.id);
    }
    let (mut completed, mut done) = (0, 0);
    for plan in plans {
        let state = store.until_ended(plan).await?;
        completed += u32::from(state.plan.status == PlanStatus::Completed);
        done += state.tasks.iter().filter(|task| task.result.is_some()).count();
    }
    executor.stop(Duration::from_secs(1)).await;
    Ok(format!("{completed} plans with {done} tasks completed in {} ms", now().since(started).as_millis()))
}

#[expect(clippy::print_stdout, reason = "an example shows something")]
#[tokio::main]
async fn main() -> agent_core::Result<()> {
    println!("{}", run().await?);
    Ok(())
}

#[cfg(test)]
mod tests {
    #[tokio::test]
    async fn a_hundred_plans_are_completed() {
        let line = super::run().await.unwrap();
        assert!(line.starts_with("100 plans with 300 tasks completed in "), "{line}");
    }
}
