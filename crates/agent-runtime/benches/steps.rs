//! Durable steps per second: plans of ten steps that do nothing, every step recorded before the next.
//!
//! `cargo bench -p agent-runtime --bench steps` prints each figure beside the machine's own ceiling, one
//! `fdatasync` after another on the same disk in the same minute. Nothing is asserted.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark measures and prints")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot run ends")]

use agent_core::plan::{PlanStatus, TaskKind, TaskSpec};
use agent_core::tool::{CommandInput, CommandReport, EffectClass, Tool, ToolContext, ToolError, name};
use agent_runtime::{Agent, CreatePlan, Settings};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

const STEPS: u32 = 10;
const SYNCS: u32 = 300;

/// Takes the place of the tool that runs commands.
struct Nothing;

impl Tool for Nothing {
    type Input = CommandInput;
    type Output = CommandReport;
    const NAME: &'static str = name::RUN_COMMAND;
    const DESCRIPTION: &'static str = "Does nothing.";
    const EFFECT: EffectClass = EffectClass::Idempotent;

    fn summary(_input: &CommandInput) -> String {
        String::new()
    }

    async fn call(&self, _input: CommandInput, _context: &ToolContext) -> Result<CommandReport, ToolError> {
        Ok(CommandReport {
            exit_code: Some(0),
            ended_by: None,
            stdout: String::new(),
            stderr: String::new(),
            truncated: false,
            duration_ms: 0,
            sandbox: String::new(),
        })
    }
}

/// One sync after another of a growing file: what one writer without group commit could reach.
fn syncs_per_second(folder: &Path) -> f64 {
    let mut file = std::fs::File::create(folder.join("syncs")).unwrap();
    let started = Instant::now();
    for _ in 0..SYNCS {
        file.write_all(&[0; 4096]).unwrap();
        file.sync_data().unwrap();
    }
    f64::from(SYNCS) / started.elapsed().as_secs_f64()
}

fn chain() -> Vec<TaskSpec> {
    let step = |position: u32| {
        TaskSpec::new("step", TaskKind::argv(["true"])).after(&[position - 1][..usize::from(position > 1)])
    };
    (1..=STEPS).map(step).collect()
}

/// Runs so many plans at once, and the whole again until enough time has passed.
async fn steps_per_second(agent: &Agent, plans_at_once: u32) -> f64 {
    let me = agent.local_principal().await.unwrap();
    let (started, mut steps) = (Instant::now(), 0_u32);
    while started.elapsed() < Duration::from_secs(3) {
        let runs = (0..plans_at_once).map(|_| async {
            let request = CreatePlan::new("count steps").with_tasks(chain()).execute();
            let plan = agent.plans().create(&me, request).await.unwrap();
            let done = agent.plans().wait(&me, plan.plan.id).await.unwrap();
            assert_eq!(done.plan.status, PlanStatus::Completed);
        });
        futures_util::future::join_all(runs).await;
        steps += plans_at_once * STEPS;
    }
    f64::from(steps) / started.elapsed().as_secs_f64()
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir_in(".").unwrap();
    let settings = Settings { max_parallel_tasks: 256, ..Settings::embedded(folder.path()) };
    let agent = Agent::builder(settings).tool(Nothing).start().await.unwrap();
    for plans_at_once in [1, 32, 128] {
        let ceiling = syncs_per_second(folder.path());
        let reached = steps_per_second(&agent, plans_at_once).await;
        println!(
            "{plans_at_once:>4} plans at once: {reached:>8.0} steps/s, {ceiling:>6.0} syncs/s, ratio {:.2}",
            reached / ceiling
        );
    }
    agent.stop().await;
}
