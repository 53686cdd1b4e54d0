//! Plans as they are printed.

use crate::diff::DiffStatistics;
use crate::exit::{Exit, Failure};
use crate::output::{Style, Terminal, plain, seconds, short, table};
use agent_core::plan::{PlanState, PlanStatus, Task, TaskKind, TaskStatus};
use agent_core::ports::ConversationMessage;
use agent_core::time::Timestamp;
use agent_runtime::PlanDetails;
use agent_server::views::plan::PlanDetailsView;
use comfy_table::Table;
use serde_json::{Value, json};

/// Characters of a description in a table.
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
pub(crate) fn show_tasks(terminal: &Terminal, state: &PlanState) {
    for task in &state.tasks {
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
pub(crate) fn show_messages(terminal: &Terminal, messages: &[ConversationMessage]) {
    for message in messages {
        let head = format!("{} {}", message.created_at, message.role);
        terminal.line(terminal.paint(Style::Cyan, head));
        for line in plain(&message.content).lines() {
            terminal.line(format_args!("  {line}"));
        }
    }
}

/// How a plan stands: its tasks as a table, what failed and why, what changed.
pub(crate) fn show_outcome(terminal: &Terminal, details: &PlanDetails, diff: &str) {
    let state = &details.state;
    terminal.line(tasks(state).trim_fmt());
    for task in &state.tasks {
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
    let status = state.plan.status;
    let style = match exit_of(status) {
        Exit::Done => Style::Green,
        Exit::NeedsPerson => Style::Yellow,
        _ => Style::Red,
    };
    let summary = state.plan.summary.as_deref().map(|text| {
        let text = text.strip_prefix(status.as_str()).map_or(text, |rest| rest.trim_start_matches(": "));
        format!(": {}", plain(text))
    });
    let summary = summary.unwrap_or_default();
    terminal.line(format_args!("plan {} {}{summary}", state.plan.id, terminal.paint(style, status)));
}

fn tasks(state: &PlanState) -> Table {
    let mut table = table(["#", "task", "kind", "status", "attempts", "time"]);
    for task in &state.tasks {
        table.add_row([
            task.position.to_string(),
            short(&task.spec.description, DESCRIPTION),
            task.spec.kind.name().to_owned(),
            task.status.to_string(),
            task.attempts.to_string(),
            duration(task),
        ]);
    }
    table
}

fn duration(task: &Task) -> String {
    let between = |from: Timestamp, to: Timestamp| seconds(to.since(from));
    match (task.started_at, task.finished_at) {
        (Some(from), Some(to)) => between(from, to),
        _ => String::new(),
    }
}

/// A plan as one JSON document: as the server answers `GET /plans/{id}`, with what it changed.
pub(crate) fn as_json(details: PlanDetails, diff: &str) -> Result<Value, Failure> {
    let mut document = serde_json::to_value(PlanDetailsView::from(details))?;
    document["diff"] = json!(diff);
    document["diff_statistics"] = json!(DiffStatistics::of(diff));
    Ok(document)
}
