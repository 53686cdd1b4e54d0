//! What an event says in one line.

use crate::output::{one_line, short};
use agent_core::event::EventBody;
use serde_json::Value;

/// The longest line that is shown of a text.
const LONGEST: usize = 100;

/// What kind of news a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Something began.
    Started,
    /// Something goes on.
    Working,
    /// Something is done.
    Done,
    /// Something failed.
    Failed,
    /// Something will not be done.
    Left,
    /// A person is asked.
    Waiting,
}

/// The line for an event, if it is worth one.
pub(super) fn tell(body: &EventBody) -> Option<(Mark, String)> {
    // Names and words of others are in it, whatever event it is.
    words(body).map(|(mark, text)| (mark, one_line(&text)))
}

fn words(body: &EventBody) -> Option<(Mark, String)> {
    let told = match body {
        EventBody::PlanUpdated { summary, .. } => (Mark::Working, short(summary, LONGEST)),
        EventBody::TaskStarted { description, attempt: 1 } => (Mark::Started, short(description, LONGEST)),
        EventBody::TaskStarted { description, attempt } => {
            (Mark::Started, format!("{} (attempt {attempt})", short(description, LONGEST)))
        }
        EventBody::TaskProgress { message, .. } => (Mark::Working, short(message, LONGEST)),
        EventBody::TaskCompleted { result } => (Mark::Done, outcome(result)),
        EventBody::TaskFailed { error, will_retry: false } => (Mark::Failed, short(error, LONGEST)),
        EventBody::TaskFailed { error, will_retry: true } => {
            (Mark::Working, format!("failed, and will be tried again: {}", short(error, LONGEST)))
        }
        EventBody::TaskRetrying { attempt, delay_ms } => {
            (Mark::Working, format!("attempt {attempt} follows in {delay_ms} ms"))
        }
        EventBody::TaskCancelled { reason } | EventBody::TaskSkipped { reason } => {
            (Mark::Left, short(reason, LONGEST))
        }
        EventBody::ApprovalRequested(asked) => {
            let risk = asked.risk.map(|risk| format!(" ({} risk)", risk.as_str())).unwrap_or_default();
            (
                Mark::Waiting,
                format!("approval {}{risk}: {}", asked.approval_id, short(&asked.subject, LONGEST)),
            )
        }
        EventBody::ToolDenied { tool, summary, reason, .. } => {
            (Mark::Working, format!("{tool} {} was not done: {}", short(summary, 60), short(reason, LONGEST)))
        }
        EventBody::ApprovalDecided { decision, by, .. } => (Mark::Working, format!("{decision} by {by}")),
        EventBody::ToolCalled { tool, summary } => {
            (Mark::Working, format!("{tool} {}", short(summary, LONGEST)))
        }
        EventBody::ToolFinished { tool, status, summary } if status == "ok" => {
            (Mark::Working, format!("{tool}: {}", short(summary, LONGEST)))
        }
        EventBody::ToolFinished { tool, status, summary } => {
            (Mark::Working, format!("{tool}: {status}: {}", short(summary, LONGEST)))
        }
        EventBody::RunRecovered { tasks_in_flight, .. } => {
            (Mark::Working, format!("taken up again; {tasks_in_flight} tasks were in flight"))
        }
        EventBody::PlanEdited { version, by, summary } => {
            (Mark::Working, format!("edited by {by} (version {version}): {summary}"))
        }
        EventBody::ModelCalled { .. } | EventBody::MessageAdded { .. } => return None,
    };
    Some(told)
}

/// What a task yielded, as far as that fits a line.
fn outcome(result: &Value) -> String {
    let field = |name: &str| result.get(name);
    if let Some(summary) = field("summary").and_then(Value::as_str) {
        return short(summary, LONGEST);
    }
    if let Some(code) = field("exit_code").and_then(Value::as_i64) {
        return format!("exit code {code}{}", last_words(result));
    }
    if let (Some(files), Some(lines)) = (field("total_files"), field("total_code_lines")) {
        return format!("{files} files, {lines} lines of code");
    }
    if let Some(files) = field("files").and_then(Value::as_array) {
        return format!("{} file(s) changed", files.len());
    }
    match result {
        Value::String(text) => short(text, LONGEST),
        _ => "done".to_owned(),
    }
}

/// The last line that a command wrote.
fn last_words(report: &Value) -> String {
    let last = |stream: &str| {
        let text = report.get(stream)?.as_str()?;
        text.lines().rev().find(|line| !line.trim().is_empty()).map(|line| short(line, LONGEST))
    };
    last("stdout").or_else(|| last("stderr")).map(|line| format!(": {line}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_command_is_told_by_its_exit_code_and_last_words() {
        let result = json!({"exit_code": 0, "stdout": "", "stderr": "Ran 3 tests\n\nOK\n"});
        let told = tell(&EventBody::TaskCompleted { result: result.into() });
        assert_eq!(told, Some((Mark::Done, "exit code 0: OK".to_owned())));
    }

    #[test]
    fn nothing_in_an_event_steers_the_terminal() {
        let hostile = "a\u{1b}[2J\u{9b}31m\nb";
        let decided =
            json!({"event": "approval_decided", "approval_id": 1, "decision": hostile, "by": hostile});
        let (_, told) = tell(&serde_json::from_value(decided).unwrap()).unwrap();
        assert!(told.starts_with('a') && !told.contains(char::is_control), "{told:?}");
    }

    #[test]
    fn a_failure_that_is_tried_again_is_no_end() {
        let body = EventBody::TaskFailed { error: "exit code 1".to_owned(), will_retry: true };
        assert_eq!(tell(&body).map(|(mark, _)| mark), Some(Mark::Working));
    }
}
