//! Shows how a plan comes along, from its events: live bars where somebody watches, plain lines otherwise.

mod bars;
mod telling;

use crate::output::{Style, Terminal, paint};
use agent_core::event::Event;
use agent_core::ids::TaskId;
use bars::Bars;
use std::collections::HashMap;
use telling::{Mark, tell};

/// What the display must know of a task before its events come.
#[derive(Debug, Clone)]
pub(crate) struct TaskLine {
    /// The task.
    pub(crate) id: TaskId,
    /// 1 to n within the plan.
    pub(crate) position: u32,
    /// What is to be done.
    pub(crate) description: String,
}

/// The display. Everything goes to standard error, so that standard output stays free for answers.
pub(crate) struct Progress {
    terminal: Terminal,
    face: Face,
    tasks: HashMap<TaskId, TaskLine>,
}

enum Face {
    Silent,
    Lines,
    Bars(Bars),
}

impl Progress {
    /// Bars on a terminal, lines elsewhere.
    pub(crate) fn new(terminal: Terminal) -> Self {
        let face = if terminal.live { Face::Bars(Bars::new(terminal.error_colours)) } else { Face::Lines };
        Self { terminal, face, tasks: HashMap::new() }
    }

    /// Shows nothing.
    pub(crate) fn silent(terminal: Terminal) -> Self {
        Self { terminal, face: Face::Silent, tasks: HashMap::new() }
    }

    /// Whether the tasks of the plan are known already.
    pub(crate) fn knows_tasks(&self) -> bool {
        !self.tasks.is_empty()
    }

    /// Names the tasks of the plan.
    pub(crate) fn plan(&mut self, tasks: impl IntoIterator<Item = TaskLine>) {
        self.tasks = tasks.into_iter().map(|task| (task.id, task)).collect();
        if let Face::Bars(bars) = &mut self.face {
            bars.expect(self.tasks.len());
        }
    }

    /// Shows an event.
    pub(crate) fn show(&mut self, event: &Event) {
        let Some((mark, text)) = tell(&event.body) else { return };
        let task = event.task_id.and_then(|id| self.tasks.get(&id));
        match &mut self.face {
            Face::Silent => {}
            Face::Bars(bars) => match (event.task_id, task) {
                (Some(id), Some(task)) => bars.task(id, &label(task, self.tasks.len()), task, mark, &text),
                _ => bars.plan(&text),
            },
            Face::Lines => {
                let colours = self.terminal.error_colours;
                let place = task.map_or_else(|| "plan".to_owned(), |task| label(task, self.tasks.len()));
                let sign = paint(colours, mark.style(), mark.sign());
                self.terminal.note(format_args!("  {} {sign} {text}", paint(colours, Style::Dim, place)));
            }
        }
    }

    /// Takes the bars away; what has ended stays visible.
    pub(crate) fn end(&mut self) {
        if let Face::Bars(bars) = &mut self.face {
            bars.end();
        }
        self.face = Face::Silent;
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

fn label(task: &TaskLine, count: usize) -> String {
    format!("[{}/{count}]", task.position)
}

impl Mark {
    fn sign(self) -> &'static str {
        match self {
            Self::Started => "▶",
            Self::Working => "·",
            Self::Done => "✓",
            Self::Failed => "✗",
            Self::Left => "–",
            Self::Waiting => "?",
        }
    }

    fn style(self) -> Style {
        match self {
            Self::Started => Style::Cyan,
            Self::Working | Self::Left => Style::Dim,
            Self::Done => Style::Green,
            Self::Failed => Style::Red,
            Self::Waiting => Style::Yellow,
        }
    }

    /// Whether nothing more is to be expected of this attempt at the task.
    fn is_last(self) -> bool {
        !matches!(self, Self::Started | Self::Working)
    }
}
