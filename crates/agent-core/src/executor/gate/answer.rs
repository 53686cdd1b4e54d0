//! What came of a tool call, as recorded and as told.

use super::Stop;
use crate::ports::{Redactor, StepResult, StepStatus};
use crate::tool::ToolError;
use serde_json::Value;

/// What a tool answered, as recorded.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::executor) enum Answer {
    Ok(Value),
    Error(String),
    Unknown(String),
}

impl Answer {
    /// The output, where the whole task is this one call.
    pub(in crate::executor) fn into_output(self) -> Result<Value, Stop> {
        match self {
            Self::Ok(output) => Ok(output),
            Self::Error(error) => Err(Stop::Fail { error, retryable: false }),
            Self::Unknown(detail) => Err(Stop::Unknown(detail)),
        }
    }

    /// The answer as it is compared with others.
    pub(in crate::executor) fn value(&self) -> Value {
        match self {
            Self::Ok(output) => output.clone(),
            Self::Error(text) | Self::Unknown(text) => Value::String(text.clone()),
        }
    }

    /// The answer with every secret masked.
    pub(super) fn masked(self, redactor: &dyn Redactor) -> Self {
        match self {
            Self::Ok(output) => Self::Ok(redactor.redact_json(output)),
            Self::Error(text) => Self::Error(redactor.redact(&text).into_owned()),
            Self::Unknown(text) => Self::Unknown(redactor.redact(&text).into_owned()),
        }
    }

    /// The answer as a model or a person reads it.
    pub(in crate::executor) fn as_text(&self) -> String {
        match self {
            Self::Ok(Value::String(text)) => text.clone(),
            Self::Ok(output) => output.to_string(),
            Self::Error(text) => format!("error: {text}"),
            Self::Unknown(text) => format!("outcome unknown: {text}"),
        }
    }
}

pub(super) fn answer_of(result: &StepResult) -> Answer {
    let text = || result.output.as_str().map_or_else(|| result.output.to_string(), str::to_owned);
    match result.status {
        StepStatus::Ok => Answer::Ok(result.output.clone()),
        StepStatus::Error => Answer::Error(text()),
        StepStatus::OutcomeUnknown => Answer::Unknown(text()),
    }
}

/// What a tool's result means for the attempt: an answer to record, or the end of the work.
pub(in crate::executor) fn outcome_of(result: Result<Value, ToolError>) -> Result<Answer, Stop> {
    match result {
        Ok(output) => Ok(Answer::Ok(output)),
        Err(ToolError::Report(text)) => Ok(Answer::Error(text)),
        Err(ToolError::Cancelled) => Err(Stop::Cancelled),
        Err(ToolError::Fatal { message, retryable, source }) => {
            if let Some(source) = source {
                tracing::warn!(error = %source, "{message}");
            }
            Err(Stop::Fail { error: message, retryable })
        }
    }
}

/// The first line that says something, cut to a length that fits a list.
pub(in crate::executor) fn first_line(text: &str) -> String {
    const LONGEST: usize = 160;
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match line.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line.to_owned(),
    }
}

pub(super) fn summarise(output: &Value) -> String {
    match output {
        Value::String(text) => first_line(text),
        Value::Object(fields) => match fields.get("exit_code") {
            Some(code) => format!("exit code {code}"),
            None => first_line(fields.get("summary").and_then(Value::as_str).unwrap_or("done")),
        },
        _ => "done".to_owned(),
    }
}
