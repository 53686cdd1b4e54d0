//! Live bars: one for each task that runs, one for the plan; tasks that have ended become lines above.

use super::TaskLine;
use super::telling::Mark;
use crate::output::{paint, short};
use agent_core::ids::TaskId;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::HashMap;
use std::time::Duration;

/// How often the display moves by itself.
const TICK: Duration = Duration::from_millis(100);
/// Characters of a task's description beside its bar.
const DESCRIPTION: usize = 44;

/// The bars of one plan.
pub(super) struct Bars {
    all: MultiProgress,
    plan: ProgressBar,
    running: HashMap<TaskId, ProgressBar>,
    ended: usize,
    colours: bool,
}

impl Bars {
    pub(super) fn new(colours: bool) -> Self {
        let all = MultiProgress::new();
        let plan = all.add(ProgressBar::new(1));
        let template = "  plan {bar:28} {pos}/{len} tasks  {elapsed}  {msg}";
        plan.set_style(style(template).progress_chars("━╸─"));
        plan.enable_steady_tick(TICK);
        Self { all, plan, running: HashMap::new(), ended: 0, colours }
    }

    /// How many tasks there are.
    pub(super) fn expect(&mut self, tasks: usize) {
        self.plan.set_length(tasks.max(1) as u64);
    }

    /// News of the plan as a whole.
    pub(super) fn plan(&mut self, text: &str) {
        self.plan.set_message(text.to_owned());
    }

    /// News of a task.
    pub(super) fn task(&mut self, id: TaskId, label: &str, task: &TaskLine, mark: Mark, text: &str) {
        let description = short(&task.description, DESCRIPTION);
        if mark.is_last() {
            if let Some(bar) = self.running.remove(&id) {
                bar.finish_and_clear();
                self.all.remove(&bar);
            }
            self.ended += 1;
            self.plan.set_position(self.ended as u64);
            let sign = paint(self.colours, mark.style(), mark.sign());
            self.say(&format!("  {sign} {label} {description}: {text}"));
            return;
        }
        let (all, plan) = (&self.all, &self.plan);
        let bar = self.running.entry(id).or_insert_with(|| {
            let bar = all.insert_before(plan, ProgressBar::new_spinner());
            bar.set_style(style("  {spinner} {prefix}  {wide_msg}"));
            bar.set_prefix(format!("{label} {description}"));
            bar.enable_steady_tick(TICK);
            bar
        });
        if mark == Mark::Working {
            bar.set_message(text.to_owned());
        }
    }

    fn say(&self, line: &str) {
        if let Err(error) = self.all.println(line) {
            tracing::debug!(%error, "a line could not be shown");
        }
    }

    pub(super) fn end(&mut self) {
        for bar in self.running.drain().map(|(_, bar)| bar) {
            bar.finish_and_clear();
        }
        self.plan.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
