//! What can go wrong at the front door.

use agent_core::error::{BoxError, Defect};
use agent_core::ids::PlanId;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Every way in which starting or asking the agent fails.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is unknown, malformed, or asks for what this version cannot do.
    #[error("{0}")]
    Settings(String),
    /// The data folder cannot be used.
    #[error("the data folder {folder} cannot be used: {reason}")]
    DataFolder {
        /// The folder.
        folder: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The database cannot be opened.
    #[error("the database cannot be opened")]
    Store(#[from] agent_store::Error),
    /// The language model is not configured as it must be.
    #[error(transparent)]
    Model(#[from] agent_core::model::ModelError),
    /// The domain refused or failed.
    #[error(transparent)]
    Core(#[from] agent_core::Error),
    /// The caller is not who they say, or may not do it.
    #[error(transparent)]
    Auth(#[from] agent_auth::Error),
    /// The template or its parameters are refused.
    #[error(transparent)]
    Template(agent_templates::Error),
    /// The repository cannot be scanned.
    #[error("the repository cannot be scanned: {0}")]
    Scan(String),
    /// The plan works in the repository itself, or has no folder of its own yet, or no more.
    #[error("plan {0} has no workspace of its own, so that there is nothing to merge or to discard")]
    NotIsolated(PlanId),
    /// Files, patches or git refused.
    #[error(transparent)]
    Repository(#[from] agent_repository::Error),
    /// The stream of events broke.
    #[error(transparent)]
    Events(#[from] agent_events::Error),
    /// A webhook as asked for cannot be; all defects found are listed.
    #[error("the webhook cannot be as asked for: {}", in_words(.0))]
    InvalidWebhook(Vec<Defect>),
    /// There is no such webhook, or there are too many.
    #[error(transparent)]
    Webhook(agent_webhooks::Error),
    /// As many plans are live already as the settings allow.
    #[error(
        "{who} {most} live plans already, which is the most at once; wait until one has ended, or cancel one"
    )]
    TooManyActivePlans {
        /// Who has them, as the beginning of the sentence.
        who: &'static str,
        /// The most.
        most: u64,
    },
    /// Something that cannot happen did; the log knows more.
    #[error("an internal fault: {0}")]
    Internal(String),
}

impl From<agent_templates::Error> for Error {
    /// What the domain has a word for is said in that word.
    fn from(error: agent_templates::Error) -> Self {
        match error {
            agent_templates::Error::Unavailable(source) => Self::Core(in_the_domain(source)),
            other => Self::Template(other),
        }
    }
}

impl From<agent_webhooks::Error> for Error {
    /// What the domain has a word for is said in that word.
    fn from(error: agent_webhooks::Error) -> Self {
        match error {
            agent_webhooks::Error::Unavailable(source) => Self::Core(in_the_domain(source)),
            agent_webhooks::Error::Log(source) => Self::Core(source),
            other => Self::Webhook(other),
        }
    }
}

/// What kept a store from answering, as the domain says it.
fn in_the_domain(source: BoxError) -> agent_core::Error {
    let source = source.downcast::<agent_core::Error>().map(|error| *error);
    source.unwrap_or_else(agent_core::Error::Unavailable)
}

fn in_words(defects: &[Defect]) -> String {
    let defects = defects.iter().map(|defect| format!("{}: {}", defect.pointer, defect.detail));
    defects.collect::<Vec<_>>().join("; ")
}
