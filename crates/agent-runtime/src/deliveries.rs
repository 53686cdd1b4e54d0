//! Webhooks at work: what wakes the dispatcher, and the dispatcher itself while it runs.

use crate::error::{Error, Result};
use crate::services::Webhooks;
use crate::settings::Settings;
use crate::system::SystemRandomness;
use agent_core::event::Event;
use agent_core::ports::CommitListener;
use agent_webhooks::{
    Allowed, DeliveryFigures, Dispatcher, GuardedClient, Limits, Pace, Parts, Sender, SystemResolver,
};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Tells several listeners of each commit.
pub(crate) struct Listeners(pub(crate) [Arc<dyn CommitListener>; 3]);

impl CommitListener for Listeners {
    fn committed(&self, events: &[Event]) {
        self.0.iter().for_each(|listener| listener.committed(events));
    }
}

/// What users may give as addresses here.
///
/// # Errors
/// `Settings` naming the entry that is no host and port.
pub(crate) fn allowed(settings: &Settings) -> Result<Allowed> {
    let hosts = settings.webhooks.allowed_hosts.iter().map(String::as_str);
    let allowed =
        Allowed::hosts(hosts).map_err(|error| Error::Settings(format!("webhook_allowed_hosts: {error}")))?;
    Ok(allowed.with_plain_http(settings.webhooks.plain_http))
}

/// The dispatcher while it runs.
pub(crate) struct Deliveries {
    stop: CancellationToken,
    dispatcher: Dispatcher,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Deliveries {
    /// Begins to deliver what is due.
    pub(crate) fn start(webhooks: &Webhooks) -> Self {
        let Webhooks { store, allowed, wake, clock, .. } = webhooks.clone();
        let client = GuardedClient::new(Arc::new(SystemResolver), Limits::default());
        let parts = Parts {
            queue: Arc::new(store.clone()),
            log: Arc::new(store),
            sender: Sender::new(client, allowed),
            clock,
            randomness: Arc::new(SystemRandomness),
        };
        let dispatcher = Dispatcher::new(parts, wake, Pace::default());
        let stop = CancellationToken::new();
        let (stopped, running) = (stop.clone(), dispatcher.clone());
        let task = tokio::spawn(async move { running.run(stopped).await });
        Self { stop, dispatcher, task: Mutex::new(Some(task)) }
    }

    /// Calls that were made since the start.
    pub(crate) fn figures(&self) -> DeliveryFigures {
        self.dispatcher.figures()
    }

    /// Begins no further call, and waits for those under way; what is not over in time is given up, and repeated by
    /// whoever delivers next.
    pub(crate) async fn stop(&self, grace: Duration) {
        self.stop.cancel();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut task) = task else { return };
        if tokio::time::timeout(grace, &mut task).await.is_err() {
            task.abort();
            tracing::warn!("calls to webhooks are broken off; they are repeated");
        }
    }
}

impl Drop for Deliveries {
    /// An agent that is dropped without being stopped delivers nothing more.
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
