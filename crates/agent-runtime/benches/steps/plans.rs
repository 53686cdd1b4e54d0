//! Plans of steps that do nothing, or nothing but wait.

use agent_core::plan::{PlanStatus, TaskKind, TaskSpec};
use agent_core::policy::Demand;
use agent_core::tool::{EffectClass, Tool, ToolContext, ToolError};
use agent_runtime::{Agent, CreatePlan, Settings};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const STEPS: u32 = 10;

/// Does nothing, for as long as it is told.
pub(crate) struct Nothing;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Wait {
    #[serde(default)]
    milliseconds: u64,
}

impl Tool for Nothing {
    type Input = Wait;
    type Output = ();
    const NAME: &'static str = "nothing";
    const DESCRIPTION: &'static str = "Does nothing.";
    const EFFECT: EffectClass = EffectClass::Idempotent;

    fn summary(_input: &Wait) -> String {
        String::new()
    }

    fn demand(_input: &Wait, _prepared: &Value) -> Demand {
        Demand::Read
    }

    async fn call(&self, input: Wait, _context: &ToolContext) -> Result<(), ToolError> {
        CALLS.fetch_add(1, Ordering::Relaxed);
        if input.milliseconds > 0 {
            tokio::time::sleep(Duration::from_millis(input.milliseconds)).await;
        }
        Ok(())
    }
}

/// How often the tool was called, by whatever agent.
static CALLS: AtomicU32 = AtomicU32::new(0);

fn chain(milliseconds: u64) -> Vec<TaskSpec> {
    let step = |position: u32| {
        let before = &[position.saturating_sub(1)][..usize::from(position > 1)];
        TaskSpec::new("step", TaskKind::tool("nothing", json!({"milliseconds": milliseconds}))).after(before)
    };
    (1..=STEPS).map(step).collect()
}

async fn run_plan(agent: &Agent, milliseconds: u64) {
    let me = agent.local_principal().await.unwrap();
    let request = CreatePlan::new("count steps").with_tasks(chain(milliseconds)).execute();
    let plan = agent.plans().create(&me, request).await.unwrap();
    let done = agent.plans().wait(&me, plan.plan.id).await.unwrap();
    assert_eq!(done.plan.status, PlanStatus::Completed);
}

/// Runs so many plans at once to their end; how many steps that were.
pub(crate) async fn run_plans(agent: &Agent, plans_at_once: u32) -> u32 {
    let runs = (0..plans_at_once).map(|_| {
        let agent = agent.clone();
        tokio::spawn(async move { run_plan(&agent, 0).await })
    });
    for run in runs.collect::<Vec<_>>() {
        run.await.unwrap();
    }
    plans_at_once * STEPS
}

fn settings(folder: &Path) -> Settings {
    Settings { max_parallel_tasks: 256, recover: true, ..Settings::embedded(folder) }
}

/// Forty plans of 50 ms steps are left at a third by a process that is killed; another takes them up.
pub(crate) async fn recovery() {
    const PLANS: u32 = 40;
    let folder = std::env::var_os("AGENT_BENCH_LEFT_BEHIND").map(std::path::PathBuf::from);
    if let Some(folder) = folder {
        return leave_in_the_middle(&folder, PLANS).await;
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.arg("recovery").env("AGENT_BENCH_LEFT_BEHIND", folder.path());
    let mut child = child.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line)
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let recorded: u32 = line.trim().parse().unwrap();

    let started = Instant::now();
    let agent = Agent::builder(settings(folder.path())).tool(Nothing).start().await.unwrap();
    let ready = started.elapsed();
    while CALLS.load(Ordering::Relaxed) < PLANS {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let going = started.elapsed();
    let me = agent.local_principal().await.unwrap();
    for id in 1..=i64::from(PLANS) {
        let done = agent.plans().wait(&me, id.into()).await.unwrap();
        assert_eq!(done.plan.status, PlanStatus::Completed);
    }
    let (left, calls) = (PLANS * STEPS - recorded, CALLS.load(Ordering::Relaxed));
    println!(
        "{PLANS} plans killed after at least {recorded} of {} steps: ready after {ready:.0?}, all going again \
         after {going:.0?}, done after {:.0?}, with {calls} calls for the at most {left} steps left",
        PLANS * STEPS,
        started.elapsed()
    );
    agent.stop().await;
}

/// Runs until a third of all steps are recorded, says how many, and waits to be killed.
async fn leave_in_the_middle(folder: &Path, plans: u32) {
    let agent = Agent::builder(settings(folder)).tool(Nothing).start().await.unwrap();
    for _ in 0..plans {
        let agent = agent.clone();
        tokio::spawn(async move { run_plan(&agent, 50).await });
    }
    // The one in flight of each plan is not recorded.
    while CALLS.load(Ordering::Relaxed) < plans * STEPS / 3 + plans {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    println!("{}", CALLS.load(Ordering::Relaxed) - plans);
    std::future::pending::<()>().await;
}

/// A thousand plans of ten tasks at once, and what they take.
pub(crate) async fn memory() {
    const PLANS: u32 = 1_000;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let agent = Agent::builder(settings(folder.path())).tool(Nothing).start().await.unwrap();
    let before = resident_mib("VmRSS");
    let runs: Vec<_> = (0..PLANS)
        .map(|_| {
            let agent = agent.clone();
            tokio::spawn(async move { run_plan(&agent, 20).await })
        })
        .collect();
    let mut most_in_hand = 0;
    while most_in_hand < PLANS as usize && runs.iter().any(|run| !run.is_finished()) {
        most_in_hand = most_in_hand.max(agent.plans_in_hand());
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for run in runs {
        run.await.unwrap();
    }
    println!(
        "{PLANS} plans of {STEPS} tasks, {most_in_hand} of them in hand at once: {before:.0} MiB before, {:.0} MiB at most",
        resident_mib("VmHWM")
    );
    agent.stop().await;
}

fn resident_mib(what: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}
