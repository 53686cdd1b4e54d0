//! Which request something goes back to: for logs and traces alone, kept in memory and never stored.

use std::future::Future;
use std::sync::Arc;

tokio::task_local! {
    static CURRENT: Origin;
}

/// The request that something goes back to. It decides nothing; work that no request of this process asked for has none.
///
/// It travels with the task that handles the request rather than through every signature between the web and the
/// driver of a plan, as the span of a log line does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The name of the request, as its answer carries it.
    pub request_id: Arc<str>,
    /// Its place in a trace, as W3C Trace Context writes it; none where no traces are kept.
    pub traceparent: Option<Arc<str>>,
}

impl Origin {
    /// Whatever `work` asks for goes back to this request.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// The request that the present task works on.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }
}
