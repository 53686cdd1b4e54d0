//! The queue of spans that ended, and the task that sends them off.

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter, SpanProcessor};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// The most spans that wait.
const ROOM: usize = 4_096;
/// The most that are sent at once.
const BATCH: usize = 512;
/// How long a batch gathers.
const GATHER: Duration = Duration::from_millis(500);

/// What became of spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpanFigures {
    /// The collector has them.
    pub exported: u64,
    /// They found no room in the queue.
    pub dropped: u64,
    /// The collector did not take them.
    pub failed: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    exported: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
}

impl Counts {
    pub(super) fn read(&self) -> SpanFigures {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        SpanFigures {
            exported: read(&self.exported),
            dropped: read(&self.dropped),
            failed: read(&self.failed),
        }
    }
}

/// Where spans go when they end.
#[derive(Debug)]
pub(super) struct Queue {
    sender: Sender<SpanData>,
    counts: Arc<Counts>,
}

/// The task that sends.
pub(super) struct Sending {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Queue {
    /// A queue, and the task that empties it.
    pub(super) fn start(exporter: impl SpanExporter + 'static, counts: Arc<Counts>) -> (Self, Sending) {
        let (sender, receiver) = channel(ROOM);
        let stop = CancellationToken::new();
        let task = tokio::spawn(send(receiver, exporter, Arc::clone(&counts), stop.clone()));
        (Self { sender, counts }, Sending { stop, task })
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &opentelemetry::Context) {}

    fn on_end(&self, span: SpanData) {
        if !span.span_context.is_sampled() {
            return;
        }
        if self.sender.try_send(span).is_err() {
            self.counts.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl Sending {
    /// Sends what waits, within this time.
    pub(super) async fn stop(mut self, within: Duration) {
        self.stop.cancel();
        if timeout(within, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

async fn send(
    mut waiting: Receiver<SpanData>,
    exporter: impl SpanExporter,
    counts: Arc<Counts>,
    stop: CancellationToken,
) {
    let mut is_heard = true;
    loop {
        tokio::select! {
            () = tokio::time::sleep(GATHER) => {}
            () = stop.cancelled() => {}
        }
        // Looked at before the queue is, so that what ended before the stop is sent.
        let stopping = stop.is_cancelled();
        while let Some(batch) = take(&mut waiting) {
            let n_spans = batch.len() as u64;
            let sent = exporter.export(batch).await;
            let count = if sent.is_ok() { &counts.exported } else { &counts.failed };
            count.fetch_add(n_spans, Ordering::Relaxed);
            // Said once, until it changes: a collector that is away is away for every batch.
            match (&sent, is_heard) {
                (Err(error), true) => {
                    tracing::warn!(%error, "the collector of traces does not take them; they are lost until it does");
                }
                (Ok(()), false) => tracing::info!("the collector of traces takes them again"),
                _ => {}
            }
            is_heard = sent.is_ok();
        }
        if stopping {
            return;
        }
    }
}

/// The next of those that wait, up to a batch; none where none waits.
fn take(waiting: &mut Receiver<SpanData>) -> Option<Vec<SpanData>> {
    let first = waiting.try_recv().ok()?;
    let mut batch = vec![first];
    while batch.len() < BATCH
        && let Ok(span) = waiting.try_recv()
    {
        batch.push(span);
    }
    Some(batch)
}
