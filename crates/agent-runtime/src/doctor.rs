//! Looks at what this machine offers, before somebody relies on it.

mod checks;

use crate::settings::Settings;
use serde::Serialize;

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// As it should be.
    Ok,
    /// It works, and could be better.
    Warning,
    /// Something will be refused or fail.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at, such as `sandbox` or `disk`.
    pub name: &'static str,
    /// How it came out.
    pub status: CheckStatus,
    /// What was found.
    pub detail: String,
    /// How to mend it, where there is something to mend.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Check {
    fn ok(name: &'static str, detail: impl Into<String>) -> Self {
        Self { name, status: CheckStatus::Ok, detail: detail.into(), advice: None }
    }

    fn warning(name: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, status: CheckStatus::Warning, detail: detail.into(), advice: Some(advice.into()) }
    }

    fn problem(name: &'static str, detail: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, status: CheckStatus::Problem, detail: detail.into(), advice: Some(advice.into()) }
    }
}

/// Looks at everything that these settings rest on. Changes nothing, and asks no language model.
pub async fn examine(settings: &Settings) -> Vec<Check> {
    let mut found = checks::sandbox(settings).await;
    found.push(checks::git().await);
    found.push(checks::database(settings).await);
    found.push(checks::language_model(settings).await);
    found.push(checks::policy(settings));
    found.push(checks::repositories(settings));
    found.push(checks::disk(settings));
    found.push(checks::clock());
    found
}
