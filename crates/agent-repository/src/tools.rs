//! The repository as tools: what tasks and models read and change it with.
//!
//! Knows the tool traits of the domain and the rest of this crate. Never knows who calls.

mod read;
mod write;

pub use read::{ListFiles, ReadFile, ScanRepository, Search};
pub use write::{ApplyPatch, WriteFile};

use agent_core::tool::{ToolError, Toolbox};

/// All tools of this crate.
#[must_use]
pub fn toolbox() -> Toolbox {
    Toolbox::default()
        .with(ListFiles)
        .with(ReadFile)
        .with(Search)
        .with(ScanRepository)
        .with(ApplyPatch)
        .with(WriteFile)
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

/// An error and everything behind it, as one line that a model can act on.
fn told(error: &dyn std::error::Error) -> ToolError {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    ToolError::Report(text)
}
