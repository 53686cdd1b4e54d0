//! The repository as tools: what tasks and models read and change it with.
//!
//! Knows the tool traits of the domain and the rest of this crate. Never knows who calls.

mod outline;
mod read;
mod write;

pub use outline::Outline;
pub use read::{ListFiles, ReadFile, ScanRepository, Search};
pub use write::{ApplyPatch, WriteFile};

use crate::scan;
use agent_core::error::with_causes;
use agent_core::ports::Clock;
use agent_core::tool::{ToolError, Toolbox};
use std::path::PathBuf;
use std::sync::Arc;

/// Where tools that change files record what they did, so that it can be taken back.
#[derive(Clone)]
pub struct Recorder {
    /// Holds the histories of all workspaces.
    pub folder: PathBuf,
    /// Tells when a change was made.
    pub clock: Arc<dyn Clock>,
}

/// All tools of this crate. Without a recorder, changes can only be taken back by hand.
#[must_use]
pub fn toolbox(recorder: Option<Recorder>) -> Toolbox {
    Toolbox::default()
        .with(ListFiles)
        .with(ReadFile)
        .with(Search)
        .with(Outline)
        .with(ScanRepository)
        .with(ApplyPatch::new(recorder.clone()))
        .with(WriteFile::new(recorder))
}

/// Runs file work off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ToolError> + Send + 'static,
) -> Result<T, ToolError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        Err(ToolError::Fatal {
            message: "the file work broke off".to_owned(),
            retryable: true,
            source: Some(Box::new(error)),
        })
    })
}

/// Refuses what usually holds secrets: no model needs to see it.
fn without_secrets(path: &str) -> Result<(), ToolError> {
    if scan::is_sensitive(path) {
        let text = format!("{path} may hold secrets and is not shown; work without it");
        return Err(ToolError::Report(text));
    }
    Ok(())
}

/// An error and everything behind it, as one line that a model can act on.
fn told(error: &dyn std::error::Error) -> ToolError {
    ToolError::Report(with_causes(error))
}
