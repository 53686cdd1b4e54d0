//! How a command ends: what its exit code says, and the words that go with a failure.

use agent_core::error::Defect;
use agent_runtime::Error;
use std::fmt;
use std::process::ExitCode;

/// What the exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for is done.
    Done,
    /// The work was tried and failed.
    WorkFailed,
    /// The request makes no sense as it stands; nothing was changed.
    WrongUsage,
    /// A person has to decide, or to log in.
    NeedsPerson,
    /// The server does not answer.
    Unreachable,
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::WorkFailed => 1,
            Self::WrongUsage => 2,
            Self::NeedsPerson => 3,
            Self::Unreachable => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// A command that did not do what was asked, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// One line on what went wrong and what to do; further lines give particulars.
    pub(crate) message: String,
}

/// What every command comes to.
pub(crate) type Outcome = Result<Exit, Failure>;

impl Failure {
    /// The work was tried and failed.
    pub(crate) fn work(message: impl Into<String>) -> Self {
        Self { exit: Exit::WorkFailed, message: message.into() }
    }

    /// The request makes no sense as it stands.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::WrongUsage, message: message.into() }
    }

    /// The server does not answer.
    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self { exit: Exit::Unreachable, message: message.into() }
    }

    /// The same failure, with what was being done in front.
    #[must_use]
    pub(crate) fn during(self, what: impl fmt::Display) -> Self {
        Self { message: format!("{what}: {}", self.message), ..self }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match &error {
            Error::Core(core) => of_core(core),
            Error::Settings(_) | Error::Model(_) | Error::Template(_) => Self::usage(chain(&error)),
            _ => Self::work(chain(&error)),
        }
    }
}

fn of_core(error: &agent_core::Error) -> Failure {
    use agent_core::Error as Core;
    match error {
        Core::InvalidPlan(defects) => Failure::usage(listed(defects)),
        Core::NoLanguageModel => Failure::usage(
            "no language model is configured: set AGENT_LLM_PROVIDER (openai, anthropic, gemini, ollama) and its \
             key, or pass --provider; or give the tasks yourself with `agent run --plan FILE.yaml`, which needs none",
        ),
        Core::PlanNotFound(_)
        | Core::TaskNotFound { .. }
        | Core::ApprovalNotFound(_)
        | Core::ApprovalClosed { .. }
        | Core::ApprovalMismatch(_)
        | Core::VersionMismatch { .. }
        | Core::RepositoryRefused { .. }
        | Core::IllegalPlanMove { .. }
        | Core::IllegalTaskMove { .. } => Failure::usage(chain(error)),
        _ => Failure::work(chain(error)),
    }
}

/// Every defect of a plan on a line of its own.
pub(crate) fn listed(defects: &[Defect]) -> String {
    let mut text = "the plan cannot be taken as it is; nothing was changed".to_owned();
    for defect in defects {
        text.push_str(&format!("\n  {}: {}", defect.pointer, defect.detail));
    }
    text
}

impl From<agent_client::Error> for Failure {
    fn from(error: agent_client::Error) -> Self {
        use agent_client::Error as Client;
        let message = chain(&error);
        match &error {
            Client::InvalidSetting { .. } | Client::Refused { .. } => Self::usage(message),
            Client::Unreachable { .. } => Self::unreachable(message),
            Client::Unauthenticated { .. } => Self { exit: Exit::NeedsPerson, message },
            Client::Problem(problem) if matches!(problem.status, 401 | 403) => {
                let knows = problem.status == 403 || problem.code == "invalid_credentials";
                let advice = if knows { "" } else { "; log in with `agent login URL`" };
                Self { exit: Exit::NeedsPerson, message: format!("{message}{advice}") }
            }
            // Nothing is wrong with what was asked; it was asked too often, or took too long.
            Client::Problem(problem) if matches!(problem.status, 408 | 429) => Self::work(message),
            Client::Problem(problem) if problem.status < 500 => Self::usage(message),
            _ => Self::work(message),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::work(chain(&error))
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::work(format!("the answer cannot be written as JSON: {error}"))
    }
}

/// An error and everything behind it, in one line.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = cause.source();
    }
    text
}
