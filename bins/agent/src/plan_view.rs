//! Plans as they are printed.

use crate::backend::Document;
use crate::diff::DiffStatistics;
use crate::exit::Exit;
use crate::output::{Style, Terminal, plain, seconds, short};
use crate::table::{Cell, Table, number, text, word};
use agent_client::{Message, PlanDetails, Task};
use agent_core::plan::{PlanStatus, TaskKind, TaskStatus};
use agent_core::time::Timestamp;
use serde_json::{Value, json};

/// Characters of a description in a title.
const DESCRIPTION: usize = 60;
/// Lines of an error.
const ERROR_LINES: usize = 20;

/// What the exit code says about a plan.
pub(crate) fn exit_of(status: PlanStatus) -> Exit {
    match status {
        PlanStatus::Completed => Exit::Done,
        PlanStatus::AwaitingApproval => Exit::NeedsPerson,
        _ => Exit::WorkFailed,
    }
}

/// The tasks of a plan, numbered, with what each waits for.
pub(crate) fn show_tasks(terminal: &Terminal, tasks: &[Task]) {
    for task in tasks {
        let after: Vec<String> = task.spec.depends_on.iter().map(u32::to_string).collect();
        show_task(terminal, task.position, task.spec.kind.name(), &task.spec.description, &after.join(", "));
        let detail = match &task.spec.kind {
            TaskKind::Command { command, .. } => Some(format!("runs {command}")),
            TaskKind::Agent { verify: Some(command) } => Some(format!("verified by {command}")),
            TaskKind::Tool { tool, input } if input.is_null() => Some(format!("calls {tool}")),
            TaskKind::Tool { tool, input } => {
                Some(format!("calls {tool} with {}", short(&input.to_string(), 80)))
            }
            _ => None,
        };
        if let Some(detail) = detail {
            terminal.line(format_args!("     {}", terminal.paint(Style::Dim, plain(&detail))));
        }
    }
}

/// One line of a numbered plan.
pub(crate) fn show_task(terminal: &Terminal, position: u32, kind: &str, description: &str, after: &str) {
    let kind = terminal.paint(Style::Cyan, format_args!("[{kind}]"));
    let after = if after.is_empty() {
        String::new()
    } else {
        terminal.paint(Style::Dim, format_args!(" (after {after})"))
    };
    terminal.line(format_args!("{position:>3}. {kind} {}{after}", plain(description)));
}

/// What was said, each message under who said it.
pub(crate) fn show_messages(terminal: &Terminal, messages: &[Message]) {
    for message in messages {
        let head = format!("{} {}", message.created_at, plain(&message.role));
        terminal.line(terminal.paint(Style::Cyan, head));
        for line in plain(&message.content).lines() {
            terminal.line(format_args!("  {line}"));
        }
    }
}

/// How a plan stands: its tasks as a table, what failed and why, what changed.
pub(crate) fn show_outcome(terminal: &Terminal, details: &PlanDetails, diff: &str) {
    show_task_table(terminal, &details.tasks);
    for task in &details.tasks {
        if let Some(error) = task.error.as_ref().filter(|_| task.status == TaskStatus::Failed) {
            let title =
                format!("task {} failed: {}", task.position, short(&task.spec.description, DESCRIPTION));
            terminal.line(terminal.paint(Style::Red, title));
            for line in error.lines().take(ERROR_LINES) {
                terminal.line(format_args!("  {}", plain(line)));
            }
        }
    }
    terminal.line(DiffStatistics::of(diff));
    if details.statistics.tokens > 0 {
        terminal.line(format_args!("{} model tokens", details.statistics.tokens));
    }
    let status = details.plan.status;
    let summary = details.plan.summary.as_deref().map(|text| {
        let text = text.strip_prefix(status.as_str()).map_or(text, |rest| rest.trim_start_matches(": "));
        format!(": {}", plain(text))
    });
    let summary = summary.unwrap_or_default();
    terminal.line(format_args!(
        "plan {} {}{summary}",
        details.plan.id,
        terminal.paint(style_of(status), status)
    ));
}

/// The colour of a status.
pub(crate) fn style_of(status: PlanStatus) -> Style {
    match status {
        PlanStatus::Completed => Style::Green,
        PlanStatus::Failed | PlanStatus::Cancelled => Style::Red,
        PlanStatus::AwaitingApproval | PlanStatus::Paused => Style::Yellow,
        PlanStatus::Planning | PlanStatus::Created | PlanStatus::Running => Style::Cyan,
    }
}

fn style_of_task(status: TaskStatus) -> Style {
    match status {
        TaskStatus::Completed => Style::Green,
        TaskStatus::Failed | TaskStatus::Cancelled => Style::Red,
        TaskStatus::AwaitingApproval => Style::Yellow,
        TaskStatus::Running | TaskStatus::Ready => Style::Cyan,
        TaskStatus::Pending | TaskStatus::Skipped => Style::Dim,
    }
}

/// The tasks of a plan as a table.
pub(crate) fn show_task_table(terminal: &Terminal, tasks: &[Task]) {
    let columns = [
        number("#"),
        number("id"),
        text("task"),
        word("kind"),
        word("status"),
        number("attempts"),
        number("time"),
    ];
    let mut table = Table::new(columns);
    for task in tasks {
        table.row([
            task.position.into(),
            task.id.into(),
            task.spec.description.as_str().into(),
            task.spec.kind.name().into(),
            Cell::styled(task.status, style_of_task(task.status)),
            task.attempts.into(),
            duration(task).into(),
        ]);
    }
    table.show(terminal);
}

fn duration(task: &Task) -> String {
    let between = |from: Timestamp, to: Timestamp| seconds(to.since(from));
    match (task.started_at, task.finished_at) {
        (Some(from), Some(to)) => between(from, to),
        _ => String::new(),
    }
}

/// A plan as one JSON document: as the server answers `GET /plans/{id}`, with what it changed.
pub(crate) fn as_json(details: Document<PlanDetails>, diff: &str) -> Value {
    let mut document = details.json;
    document["diff"] = json!(diff);
    document["diff_statistics"] = json!(DiffStatistics::of(diff));
    document
}
