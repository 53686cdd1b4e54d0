//! The way to NATS and back: connects, keeps the stream and its consumer, sends and hears.

use super::message::Message;
use super::outbox::{Outbox, Taken};
use crate::wakes::Wakes;
use agent_core::ports::Neighbours;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::context::ContextBuilder;
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};
use async_nats::jetstream::{Context, consumer};
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use futures_util::StreamExt;
use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The first and the longest pause before the stream is joined again, and before NATS is called again.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long an answer of NATS is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often NATS says that it has nothing to say; twice in a row without a word, and the stream is joined again.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How long the last messages may take when the bus stops.
const LAST_MOMENTS: Duration = Duration::from_millis(500);

/// Wake-ups are worth nothing once those they are meant for have looked by themselves.
const LONGEST_KEPT: Duration = Duration::from_secs(60);
const MOST_KEPT: i64 = 10_000;
const MOST_BYTES_KEPT: i64 = 16 * 1024 * 1024;
/// When NATS forgets a consumer that nobody asks for.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(30);
/// Messages that NATS may send before it is asked for more.
const AT_ONCE: usize = 256;

type Broken = Box<dyn Error + Send + Sync>;

/// What this server and its stream are called in NATS.
pub(super) struct Names {
    server: String,
    stream: String,
    subject: String,
}

impl Names {
    pub(super) fn of(database: &str, server: &str) -> Self {
        Self {
            server: server.to_owned(),
            stream: format!("agent-wakes-{database}"),
            subject: format!("agent.{database}.wakes"),
        }
    }
}

/// Whether there is a connection, and how often one was lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Line {
    is_up: bool,
    losses: u64,
}

/// Everything the task needs that keeps this server in touch with the others.
pub(super) struct Link {
    pub(super) servers: Vec<ServerAddr>,
    pub(super) options: ConnectOptions,
    pub(super) names: Names,
    pub(super) wakes: Arc<Wakes>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) joined: Arc<AtomicBool>,
    pub(super) stop: CancellationToken,
    pub(super) neighbours: Arc<dyn Neighbours>,
}

impl Link {
    pub(super) async fn run(mut self) {
        let (line, mut seen) = watch::channel(Line::default());
        let stop = self.stop.clone();
        let client = tokio::select! {
            connected = self.connect(line) => connected,
            () = stop.cancelled() => return,
        };
        match client {
            Ok(client) => self.keep_joined(&client, &mut seen).await,
            Err(error) => tracing::error!(%error, "wake-ups cannot be shared with other servers"),
        }
    }

    /// A connection, which the client makes and mends in the background for as long as it takes.
    async fn connect(&mut self, line: watch::Sender<Line>) -> Result<Client, async_nats::ConnectError> {
        let line = Arc::new(line);
        let notice = move |event| {
            notice(&line, &event);
            std::future::ready(())
        };
        let options = std::mem::take(&mut self.options)
            .name("agent")
            .retry_on_initial_connect()
            .connection_timeout(PATIENCE)
            .request_timeout(Some(PATIENCE))
            .ping_interval(PATIENCE)
            .reconnect_delay_callback(pause)
            .event_callback(notice);
        options.connect(std::mem::take(&mut self.servers)).await
    }

    async fn keep_joined(&self, client: &Client, line: &mut watch::Receiver<Line>) {
        let mut failures = 0;
        loop {
            let present = tokio::select! {
                present = until(line, |line| line.is_up) => present,
                () = self.stop.cancelled() => return,
            };
            let ended = self.join(client, line, present).await;
            if self.joined.swap(false, Ordering::Relaxed) {
                failures = 0;
            }
            let Err(reason) = ended else { return };
            if failures == 0 {
                tracing::warn!(%reason, "wake-ups are not shared with other servers just now; all look by themselves");
            }
            failures += 1;
            tokio::select! {
                () = tokio::time::sleep(pause(failures)) => {}
                () = self.stop.cancelled() => return,
            }
        }
    }

    /// Sends and hears until something breaks; comes back well only when told to stop.
    async fn join(
        &self,
        client: &Client,
        line: &mut watch::Receiver<Line>,
        present: Line,
    ) -> Result<(), Broken> {
        let jetstream = ContextBuilder::new().timeout(PATIENCE).ack_timeout(PATIENCE).build(client.clone());
        let mut messages = tokio::select! {
            messages = self.listen(&jetstream) => messages?,
            () = self.stop.cancelled() => return Ok(()),
        };
        // Whatever was sent before the consumer was there is not heard.
        self.wakes.announce_everything();
        self.neighbours.missed();
        self.joined.store(true, Ordering::Relaxed);
        tracing::info!("wake-ups are shared with other servers through NATS");
        let broken = tokio::select! {
            Err(broken) = self.hear(&mut messages) => broken,
            Err(broken) = self.send(&jetstream) => broken,
            _ = until(line, |line| *line != present) => "the connection was lost".into(),
            () = self.stop.cancelled() => {
                self.send_the_rest(&jetstream).await;
                return Ok(());
            }
        };
        Err(broken)
    }

    /// Joins the stream, and makes it where it is not, or not any more.
    async fn listen(&self, jetstream: &Context) -> Result<pull::Stream, Broken> {
        let stream = jetstream
            .get_or_create_stream(Config {
                name: self.names.stream.clone(),
                subjects: vec![self.names.subject.clone()],
                description: Some("which plans are worth a look; holds nothing that is missed".to_owned()),
                storage: StorageType::Memory,
                discard: DiscardPolicy::Old,
                max_age: LONGEST_KEPT,
                max_messages: MOST_KEPT,
                max_bytes: MOST_BYTES_KEPT,
                ..Config::default()
            })
            .await?;
        let consumer: consumer::Consumer<pull::Config> = stream
            .create_consumer(pull::Config {
                deliver_policy: DeliverPolicy::New,
                ack_policy: AckPolicy::None,
                memory_storage: true,
                inactive_threshold: FORGOTTEN_AFTER,
                ..pull::Config::default()
            })
            .await?;
        let asking = consumer.stream().max_messages_per_batch(AT_ONCE).heartbeat(HEARTBEAT);
        Ok(asking.messages().await?)
    }

    async fn hear(&self, messages: &mut pull::Stream) -> Result<Infallible, Broken> {
        while let Some(message) = messages.next().await {
            match serde_json::from_slice::<Message>(&message?.payload) {
                Ok(message) if message.from == self.names.server => {}
                Ok(message) => self.pass_on(message),
                // Of a later version, or of a stranger: a look at everything is right whatever it meant.
                Err(error) => {
                    tracing::debug!(%error, "a wake-up that cannot be read");
                    self.wakes.announce_everything();
                }
            }
        }
        Err("NATS has ended the consumer".into())
    }

    fn pass_on(&self, message: Message) {
        if message.notes.everything {
            self.wakes.announce_everything();
            self.neighbours.missed();
        }
        for (plan, note) in message.notes.plans {
            if let Some(owner) = note.written_for {
                self.wakes.announce(plan, owner, None);
            }
            if note.changed {
                self.neighbours.changed(plan);
            }
            if note.free {
                self.neighbours.free(plan);
            }
        }
    }

    /// One message after the other: what comes while one is under way is joined in the next.
    async fn send(&self, jetstream: &Context) -> Result<Infallible, Broken> {
        loop {
            self.publish(jetstream, self.outbox.take().await).await?;
        }
    }

    async fn publish(&self, jetstream: &Context, taken: Taken<'_>) -> Result<(), Broken> {
        let message = Message { from: self.names.server.clone(), notes: taken.notes().clone() };
        let payload = serde_json::to_vec(&message)?;
        jetstream.publish(self.names.subject.clone(), payload.into()).await?.await?;
        taken.sent();
        Ok(())
    }

    async fn send_the_rest(&self, jetstream: &Context) {
        let sending = async {
            while let Some(taken) = self.outbox.take_present() {
                self.publish(jetstream, taken).await?;
            }
            Ok::<(), Broken>(())
        };
        // Whoever misses it looks by themselves.
        if let Ok(Err(error)) = tokio::time::timeout(LAST_MOMENTS, sending).await {
            tracing::debug!(%error, "the last wake-ups were not sent");
        }
    }
}

/// Waits until the line is as wanted.
async fn until(line: &mut watch::Receiver<Line>, wanted: impl FnMut(&Line) -> bool) -> Line {
    let found = line.wait_for(wanted).await.map(|line| *line);
    match found {
        Ok(line) => line,
        // The client, which tells of the line, lives longer than whoever waits here.
        Err(_client_is_gone) => std::future::pending().await,
    }
}

/// Doubles from attempt to attempt.
fn pause(attempts: usize) -> Duration {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(doublings)).min(LONGEST_PAUSE)
}

fn notice(line: &watch::Sender<Line>, event: &Event) {
    match event {
        Event::Connected => line.send_modify(|line| line.is_up = true),
        Event::Disconnected | Event::Closed => line.send_modify(|line| {
            line.is_up = false;
            line.losses += 1;
        }),
        Event::ClientError(error) if line.borrow().losses == 0 && !line.borrow().is_up => {
            line.send_modify(|line| line.losses += 1);
            tracing::warn!(%error, "NATS cannot be reached; it is tried again until it can");
        }
        other => tracing::debug!(event = %other, "NATS"),
    }
}
