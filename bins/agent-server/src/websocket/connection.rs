//! One connection, from the first frame to the last.

use super::WebSocketSettings;
use super::allowance::Allowance;
use super::identity::Opened;
use super::message::{Closing, ServerMessage};
use super::sources::Unproven;
use super::subscriptions::{Heard, Subscriptions};
use crate::asked::Asked;
use crate::metrics::{Listening, Transport};
use crate::state::{AppState, SessionGuard};
use agent_events::TopicName;
use agent_websocket::{Incoming, Outgoing, Received};
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

/// Where an event stands that waits to be sent.
pub(super) type Mark = (TopicName, i64);

/// Goes on, or ends for a reason.
pub(super) type Step = ControlFlow<Closing>;

/// One connection.
pub(crate) struct Connection {
    pub(super) state: Arc<AppState>,
    pub(super) outgoing: Outgoing<Mark>,
    pub(super) settings: WebSocketSettings,
    pub(super) opened: Option<Opened>,
    pub(super) subscriptions: Subscriptions,
    /// When the client must have said who it is, or when its token ends.
    deadline: Instant,
    last_heard: Instant,
    next_ping: Instant,
    next_recheck: Instant,
    allowance: Allowance,
    /// Counted as long as nobody knows who it is.
    unproven: Option<Unproven>,
    /// The request that opened it, and where that came from.
    pub(super) request_id: String,
    pub(super) address: Option<IpAddr>,
    counted: SessionGuard,
    listening: Listening,
}

impl Connection {
    /// A connection just opened, by somebody who is known already or has yet to say who they are.
    pub(crate) fn new(
        state: Arc<AppState>,
        outgoing: Outgoing<Mark>,
        opened: Option<Opened>,
        unproven: Option<Unproven>,
        asked: &Asked,
    ) -> Self {
        let (settings, now) = (*state.websocket(), Instant::now());
        let counted = state.count_session();
        let listening = state.metrics().streams.listener(Transport::websocket, state.agent().clock().now());
        let mut connection = Self {
            state,
            outgoing,
            settings,
            opened: None,
            subscriptions: Subscriptions::default(),
            deadline: now + settings.authentication_deadline,
            last_heard: now,
            next_ping: now + settings.ping_every,
            next_recheck: now + settings.recheck_every,
            allowance: Allowance::new(settings.messages_per_second, now),
            unproven,
            request_id: asked.id().to_owned(),
            address: asked.address(),
            counted,
            listening,
        };
        if let Some(opened) = opened {
            connection.open_for(opened);
        }
        connection
    }

    /// Serves the connection until it ends.
    pub(crate) async fn run(mut self, mut incoming: Incoming) {
        let closing = self.listen(&mut incoming).await;
        let frame = closing.frame();
        tracing::debug!(?frame, "a WebSocket connection ends");
        match (&closing, frame) {
            (_, None) => self.outgoing.abort(),
            // What waits can be had again; the last words must not wait behind it.
            (Closing::TooSlow(_) | Closing::Unauthenticated(_) | Closing::TooMany, Some(frame)) => {
                self.outgoing.give_up();
                self.outgoing.close(frame);
            }
            (_, Some(frame)) => self.outgoing.close(frame),
        }
    }

    async fn listen(&mut self, incoming: &mut Incoming) -> Closing {
        let stopping = self.state.stopping().clone();
        let mut stopping = std::pin::pin!(stopping.cancelled());
        let mut alarm = std::pin::pin!(sleep_until(self.next_due()));
        let outgoing = self.outgoing.clone();
        // What is done now and then has its memory then: an idle connection holds none for it.
        loop {
            let has_room = outgoing.has_room();
            let step = tokio::select! {
                biased;
                () = &mut stopping => ControlFlow::Break(Closing::Restart(self.counted.spread())),
                () = &mut alarm => Box::pin(self.look_around()).await,
                received = incoming.next() => match received {
                    Ok(message) => Box::pin(self.heard(message)).await,
                    Err(fault) => ControlFlow::Break(Closing::Fault(fault)),
                },
                heard = self.subscriptions.next(), if has_room => self.forward_all(heard),
                () = outgoing.room(), if !has_room => ControlFlow::Continue(()),
            };
            if let ControlFlow::Break(closing) = step {
                return closing;
            }
            let due = self.next_due();
            // Set anew only where it would ring too late; one that rings too early looks around for nothing.
            if due < alarm.deadline() || alarm.is_elapsed() {
                alarm.as_mut().reset(due);
            }
        }
    }

    /// When there is something to do though nothing comes.
    fn next_due(&self) -> Instant {
        let stuck = self.outgoing.waiting_since().map(|since| since + self.settings.write_deadline);
        let silent = self.last_heard + self.settings.silence_limit;
        let due = self.deadline.min(silent).min(self.next_ping).min(self.next_recheck);
        stuck.map_or(due, |stuck| stuck.min(due))
    }

    async fn look_around(&mut self) -> Step {
        let now = Instant::now();
        if self.deadline <= now {
            return ControlFlow::Break(self.why_unauthenticated());
        }
        if self.outgoing.waiting_since().is_some_and(|since| since + self.settings.write_deadline <= now) {
            let unsent = self.outgoing.give_up();
            return ControlFlow::Break(Closing::TooSlow(self.subscriptions.positions(&unsent)));
        }
        if self.last_heard + self.settings.silence_limit <= now {
            return ControlFlow::Break(Closing::Silent);
        }
        if self.next_ping <= now {
            self.next_ping = now + self.settings.ping_every;
            self.outgoing.ping();
        }
        if self.next_recheck <= now {
            self.next_recheck = now + self.settings.recheck_every;
            return self.recheck().await;
        }
        ControlFlow::Continue(())
    }

    pub(super) fn why_unauthenticated(&self) -> Closing {
        let why = if self.opened.is_some() { "the token has expired" } else { "no authentication in time" };
        Closing::Unauthenticated(why)
    }

    /// The connection is now this caller's.
    pub(super) fn open_for(&mut self, opened: Opened) {
        self.deadline = Instant::now() + opened.lifetime(&self.state);
        self.opened = Some(opened);
        self.unproven = None;
    }

    async fn heard(&mut self, message: Received) -> Step {
        let now = Instant::now();
        self.last_heard = now;
        if !self.allowance.admits(now) {
            return ControlFlow::Break(Closing::TooMany);
        }
        match message {
            Received::Text(text) => self.obey(&text).await,
            Received::Binary(_) => self.refuse("malformed_message", "messages are JSON text, not binary"),
            Received::Ping(bytes) => {
                self.outgoing.pong(bytes);
                ControlFlow::Continue(())
            }
            Received::Pong(_) => ControlFlow::Continue(()),
            Received::Close(_) => ControlFlow::Break(Closing::Goodbye),
        }
    }

    /// Hands over what was heard, and what else is there as long as there is room.
    fn forward_all(&mut self, first: Heard) -> Step {
        let mut next = Some(first);
        while let Some(heard) = next {
            self.forward(heard)?;
            next = if self.outgoing.has_room() { self.subscriptions.next_now() } else { None };
        }
        ControlFlow::Continue(())
    }

    fn forward(&mut self, heard: Heard) -> Step {
        match heard {
            Heard::Event(name, Ok(envelope)) => match self.subscriptions.pass(name, &envelope) {
                Some(at) => {
                    self.listening.got(&envelope.event, self.state.agent().clock().now());
                    self.send(Arc::clone(envelope.json_with_topic(name)), Some((name, at)))
                }
                None => ControlFlow::Continue(()),
            },
            Heard::Event(name, Err(error)) => {
                // The stream goes on where it was when it is asked again.
                tracing::warn!(%error, topic = %name, "events could not be read; trying again");
                ControlFlow::Continue(())
            }
            Heard::Transient(name, passing) => {
                self.say(&ServerMessage::Transient { topic: &name.to_string(), passing: &passing })
            }
        }
    }

    async fn recheck(&self) -> Step {
        let Some(opened) = &self.opened else { return ControlFlow::Continue(()) };
        match opened.recheck(&self.state).await {
            Ok(()) => ControlFlow::Continue(()),
            Err(why) => ControlFlow::Break(Closing::Unauthenticated(why)),
        }
    }

    pub(super) fn refuse(&self, code: &str, detail: &str) -> Step {
        self.say(&ServerMessage::Error { code, detail })
    }

    pub(super) fn say(&self, message: &ServerMessage<'_>) -> Step {
        self.send(message.to_json().into(), None)
    }

    /// Puts a text into the queue. An answer finds it full only where a client asks on and on and takes nothing.
    fn send(&self, text: Arc<str>, mark: Option<Mark>) -> Step {
        match self.outgoing.text(text, mark) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_full) => {
                let mut unsent = self.outgoing.give_up();
                unsent.extend(mark);
                ControlFlow::Break(Closing::TooSlow(self.subscriptions.positions(&unsent)))
            }
        }
    }
}
