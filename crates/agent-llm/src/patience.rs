//! How long an answer may take.

use agent_core::model::ModelError;
use std::future::Future;
use std::time::Duration;
use tokio::time::timeout;

/// The two limits that every request to a provider has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// Before the first piece and between two pieces.
    pub(crate) silence: Duration,
    /// From the request to the last piece.
    pub(crate) whole: Duration,
}

impl Patience {
    /// Waits for the next sign of life.
    pub(crate) async fn piece<F: Future>(&self, work: F) -> Result<F::Output, ModelError> {
        timeout(self.silence, work).await.map_err(|_elapsed| ModelError::TimedOut(self.silence))
    }

    /// Waits for the whole answer.
    pub(crate) async fn whole<T>(
        &self,
        work: impl Future<Output = Result<T, ModelError>>,
    ) -> Result<T, ModelError> {
        timeout(self.whole, work).await.map_err(|_elapsed| ModelError::TimedOut(self.whole))?
    }
}
