//! What is told, in the order in which it happens.

use super::client::Client;
use super::live::Live;
use super::server::{self, RunningServer};
use super::suite::{Verdict, Workshop};
use super::{Folders, Options, model, program};
use crate::diff::{self, DiffStatistics};
use crate::exit::Failure;
use crate::output::{Style, Terminal, plain, seconds, short};
use crate::plan_view::show_task;
use crate::progress::{Progress, TaskLine};
use agent_core::event::EventBody;
use agent_core::ids::TaskId;
use agent_core::plan::PlanStatus;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{Instant, timeout};

const GOAL: &str = "Make the failing tests pass";
/// How long the whole work may take when a script answers; a model may take its time.
const PATIENCE: Duration = Duration::from_secs(90);

/// The story of one demonstration.
pub(super) struct Story<'a> {
    options: &'a Options,
    folders: &'a Folders,
    terminal: Terminal,
    began: Instant,
}

impl<'a> Story<'a> {
    pub(super) fn new(options: &'a Options, folders: &'a Folders, terminal: Terminal) -> Self {
        Self { options, folders, terminal, began: Instant::now() }
    }

    /// Tells everything; whether the tests are green at the end. The server outlives the story.
    pub(super) async fn tell(&self, server: &mut Option<RunningServer>) -> Result<bool, Failure> {
        let (settings, scripted) = model::settings(self.options, self.folders).await?;
        let workshop = Workshop::new(&settings.environment);
        let commit = self.make_program(&workshop).await?;
        let before = workshop.run_tests(&self.folders.repository).await?;
        self.show_tests("Its tests, before", &before);

        let server = server.insert(server::start(settings).await?);
        let base = server.url();
        let demo = Client::log_in(&base, "demo", "demo123").await?;
        let health = demo.get("/health").await?;
        self.introduce_server(&base, &health, scripted);

        let work = self.work(&base, &demo);
        let (plan, received) = if scripted {
            let slow = |_| Failure::work(format!("the plan did not end within {} s", PATIENCE.as_secs()));
            timeout(PATIENCE, work).await.map_err(slow)??
        } else {
            work.await?
        };
        let changes = demo.get(&format!("/plans/{}/diff", plan["plan"]["id"])).await?;
        let diff = changes["diff"].as_str().unwrap_or_default();
        self.show_diff(diff);
        let after = workshop.run_tests(&self.folders.repository).await?;
        self.show_tests("Its tests, after", &after);
        let analytics = Client::log_in(&base, "admin", "admin123").await?.get("/analytics").await?;
        self.close(&base, &analytics, received);

        let ended = plan["plan"]["status"].as_str().unwrap_or_default();
        if self.options.json {
            let document = json!({
                "repository": {"files": program::FILE_COUNT, "commit": commit},
                "llm_provider": health["llm_provider"], "scripted": scripted,
                "tests_before": before, "plan": plan, "events": received,
                "diff": diff, "diff_statistics": DiffStatistics::of(diff), "tests_after": after,
                "analytics": analytics, "url": base,
                "docs": format!("{base}/docs"), "redoc": format!("{base}/redoc"),
                "duration_ms": u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            });
            self.terminal.json(&document)?;
        }
        if after.green && ended == "completed" {
            return Ok(true);
        }
        Err(self.not_green(ended, &plan, scripted))
    }

    fn say(&self, text: impl std::fmt::Display) {
        if !self.options.json {
            self.terminal.line(text);
        }
    }

    fn chapter(&self, title: &str) {
        self.say(format_args!("\n{}", self.terminal.paint(Style::Bold, title)));
    }

    async fn make_program(&self, workshop: &Workshop) -> Result<Option<String>, Failure> {
        let folder = &self.folders.repository;
        program::write(folder)?;
        let commit = program::commit(workshop, folder).await?;
        self.chapter("A throwaway repository");
        let committed = match &commit {
            Some(commit) => format!("git commit {}", short(commit, 10).trim_end_matches('…')),
            None => "git is not installed, so nothing is committed".to_owned(),
        };
        self.say(format_args!(
            "  {}: a small Python program, {} files, {committed}",
            folder.display(),
            program::FILE_COUNT
        ));
        Ok(commit)
    }

    fn show_tests(&self, title: &str, verdict: &Verdict) {
        self.chapter(title);
        let command = self.terminal.paint(Style::Dim, format_args!("(sandbox: {})", verdict.sandbox));
        self.say(format_args!("  $ {} {command}", verdict.command));
        for test in &verdict.failing {
            self.say(format_args!("  {} {}", self.terminal.paint(Style::Red, "✗"), plain(test)));
        }
        let (style, sign) = if verdict.green { (Style::Green, "✓") } else { (Style::Red, "✗") };
        let text = format!("{sign} {}: {}", plain(&verdict.ran), plain(&verdict.result));
        self.say(format_args!("  {}", self.terminal.paint(style, text)));
    }

    fn introduce_server(&self, base: &str, health: &Value, scripted: bool) {
        self.chapter("The server");
        self.say(format_args!(
            "  {} with its own database; logged in as demo",
            self.terminal.paint(Style::Cyan, base)
        ));
        let provider = health["llm_provider"].as_str().unwrap_or("unknown");
        if scripted {
            let why =
                if self.options.scripted { "As asked for," } else { "No language model is configured, so" };
            let text = format!(
                "  {why} a script says what a model would say about this program (provider: {provider}).\n  \
                 Everything around it is real: planner, tools, patches, sandbox, journal, events."
            );
            self.say(self.terminal.paint(Style::Yellow, text));
        } else {
            self.say(format_args!("  The configured language model answers (provider: {provider})."));
        }
    }

    /// Has the plan made and carried out; the plan as it ended, and how many events came.
    async fn work(&self, base: &str, demo: &Client) -> Result<(Value, usize), Failure> {
        self.chapter("The plan");
        self.say(format_args!("  Goal: {GOAL}"));
        let repository = self.folders.repository.display().to_string();
        let created = demo.post("/plans", json!({"goal": GOAL, "repo_path": repository})).await?;
        let id = created["plan_id"].as_i64().unwrap_or_default();
        let mut live = Live::follow(base, demo.token(), id)?;
        let mut progress =
            if self.options.json { Progress::silent(self.terminal) } else { Progress::new(self.terminal) };
        let planned = follow(&mut live, &mut progress).await?;
        progress.end();
        let plan = demo.get(&format!("/plans/{id}")).await?;
        if planned != PlanStatus::Created {
            return Ok((plan, live.received()));
        }
        self.show_plan(&plan);
        self.chapter("The work, live from the WebSocket");
        let mut progress =
            if self.options.json { Progress::silent(self.terminal) } else { Progress::new(self.terminal) };
        progress.plan(task_lines(&plan));
        demo.post(&format!("/plans/{id}/execute"), json!({})).await?;
        follow(&mut live, &mut progress).await?;
        progress.end();
        let plan = demo.get(&format!("/plans/{id}")).await?;
        let tasks = plan["tasks"].as_array().map_or(0, Vec::len);
        let completed = plan["statistics"]["completed_tasks"].as_u64().unwrap_or_default();
        self.say(format_args!("  {completed} of {tasks} tasks completed"));
        Ok((plan, live.received()))
    }

    fn show_plan(&self, plan: &Value) {
        if self.options.json {
            return;
        }
        for task in plan["tasks"].as_array().into_iter().flatten() {
            let text = |name: &str| task[name].as_str().unwrap_or_default();
            let after: Vec<String> =
                task["depends_on"].as_array().into_iter().flatten().map(Value::to_string).collect();
            let position = u32::try_from(task["position"].as_u64().unwrap_or_default()).unwrap_or_default();
            show_task(&self.terminal, position, text("kind"), text("description"), &after.join(", "));
        }
    }

    fn show_diff(&self, changes: &str) {
        self.chapter("What changed");
        if !self.options.json {
            diff::show(&self.terminal, changes);
        }
        self.say(format_args!("  {}", DiffStatistics::of(changes)));
    }

    fn close(&self, base: &str, analytics: &Value, received: usize) {
        self.chapter("Figures");
        let rate = analytics["average_success_rate"].as_f64().unwrap_or_default();
        self.say(format_args!(
            "  analytics: {} executions of {} tasks, {rate:.0} % successful; {received} events; {} in all",
            analytics["total_executions"],
            analytics["tasks_analyzed"],
            seconds(self.began.elapsed()),
        ));
        let cyan = |path: &str| self.terminal.paint(Style::Cyan, format_args!("{base}{path}"));
        self.say(format_args!("  API documentation: {} and {}", cyan("/docs"), cyan("/redoc")));
        if !self.options.keep {
            self.say("  The server ends now, and nothing is left behind; `agent demo --keep` stays up to look around.");
        }
    }

    fn not_green(&self, ended: &str, plan: &Value, scripted: bool) -> Failure {
        let mut text = format!("the tests are not green: the plan ended as {ended}");
        if let Some(summary) = plan["plan"]["summary"].as_str() {
            text.push_str(&format!(" ({})", plain(summary)));
        }
        for task in plan["tasks"].as_array().into_iter().flatten() {
            if let Some(error) = task["error"].as_str() {
                text.push_str(&format!("\n  task {}: {}", task["position"], short(error, 200)));
            }
        }
        if !scripted {
            text.push_str(
                "\nThat is the configured model's doing; `agent demo --scripted` shows the same without one.",
            );
        }
        Failure::work(text)
    }
}

/// Shows events until the plan needs nobody any more, or somebody.
async fn follow(live: &mut Live, progress: &mut Progress) -> Result<PlanStatus, Failure> {
    loop {
        let event = live.next().await?;
        progress.show(&event);
        if let EventBody::PlanUpdated { status, .. } = event.body
            && !matches!(status, PlanStatus::Planning | PlanStatus::Running)
        {
            return Ok(status);
        }
    }
}

fn task_lines(plan: &Value) -> Vec<TaskLine> {
    let line = |task: &Value| {
        Some(TaskLine {
            id: TaskId(task["id"].as_i64()?),
            position: u32::try_from(task["position"].as_u64()?).ok()?,
            description: task["description"].as_str()?.to_owned(),
        })
    };
    plan["tasks"].as_array().into_iter().flatten().filter_map(line).collect()
}
