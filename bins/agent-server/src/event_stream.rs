//! Server-sent events (the WHATWG `text/event-stream` format).

use crate::metrics::{Listening, Transport};
use crate::state::AppState;
use crate::websocket::Opened;
use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::Bytes;
use agent_core::event::Topic;
use agent_events::{Envelope, position};
use futures_util::StreamExt;
use futures_util::stream::{BoxStream, unfold};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior, Sleep};

/// A comment is sent this often, so that no proxy takes a quiet plan for a dead connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What a stream sends, and what ends it.
pub(crate) struct EventSource {
    /// What is followed.
    pub(crate) topic: Topic,
    /// The events.
    pub(crate) events: BoxStream<'static, agent_events::Result<Arc<Envelope>>>,
    /// Who follows; looked at again from time to time.
    pub(crate) opened: Opened,
    /// What all requests share.
    pub(crate) state: Arc<AppState>,
}

struct Follower {
    source: EventSource,
    counted: Listening,
    ticks: Interval,
    rechecks: Interval,
    end: Pin<Box<Sleep>>,
}

/// The answer that never ends by itself.
pub(crate) fn respond(source: EventSource) -> HttpResponse {
    let (now, recheck_every) = (Instant::now(), source.state.websocket().recheck_every);
    let ticks = unhurried(now, KEEP_ALIVE);
    let rechecks = unhurried(now + recheck_every, recheck_every);
    let end = Box::pin(tokio::time::sleep(source.opened.lifetime(&source.state)));
    let counted = source.state.metrics().streams.listener(Transport::sse, source.state.agent().clock().now());
    let frames = unfold(Follower { source, counted, ticks, rechecks, end }, |mut follower| async move {
        let frame = follower.next_frame().await?;
        Some((Ok::<Bytes, Infallible>(frame), follower))
    });
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(frames)
}

/// Ticks from a moment on, each time after such a pause; one that comes late delays those after it.
fn unhurried(first: Instant, pause: Duration) -> Interval {
    let mut ticks = tokio::time::interval_at(first, pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

impl Follower {
    async fn next_frame(&mut self) -> Option<Bytes> {
        loop {
            tokio::select! {
                biased;
                // The client comes back by itself.
                () = self.source.state.stopping().cancelled() => return None,
                () = &mut self.end => return None,
                _ = self.rechecks.tick() => self.source.opened.recheck(&self.source.state).await.ok()?,
                event = self.source.events.next() => match event? {
                    Ok(envelope) => {
                        self.counted.got(&envelope.event, self.source.state.agent().clock().now());
                        return Some(frame(self.source.topic, &envelope));
                    }
                    // The stream goes on where it was when it is asked again.
                    Err(error) => tracing::warn!(%error, "events could not be read; trying again"),
                },
                _ = self.ticks.tick() => return Some(Bytes::from_static(b": keep-alive\n\n")),
            }
        }
    }
}

/// One event. The JSON has no line breaks, so it fits one data line.
fn frame(topic: Topic, envelope: &Envelope) -> Bytes {
    let (id, name) = (position(topic, &envelope.event), envelope.event.body.name());
    Bytes::from(format!("id: {id}\nevent: {name}\ndata: {}\n\n", envelope.json))
}
