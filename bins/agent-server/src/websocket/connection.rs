//! One connection, from the first frame to the last.

use super::WebSocketSettings;
use super::message::{ClientMessage, Closing, ServerMessage};
use super::subscriptions::Subscriptions;
use crate::asked::Asked;
use crate::auditing::{self, Ended};
use crate::error::{ApiError, ErrorCode};
use crate::extract::permit;
use crate::state::{AppState, SessionGuard};
use crate::views::approval::{DecideApproval, DecidedView};
use actix_web::http::{Method, StatusCode};
use actix_web::rt;
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, ProtocolError, Session};
use agent_auth::{Credential, Principal, Scope};
use agent_events::{Envelope, TopicName};
use secrecy::{ExposeSecret, SecretString};
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// A connection that nobody reads from may keep its last words waiting this long.
const GOODBYE_DEADLINE: Duration = Duration::from_secs(30);
/// A token without an end is looked at again after this long.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A user and the credential that proved them, which is shown again from time to time.
pub(crate) struct Opened {
    /// Who it is.
    pub(crate) principal: Principal,
    /// What they showed.
    pub(crate) token: SecretString,
    /// Whether it was sent as an API key by itself.
    pub(crate) is_api_key: bool,
}

impl Opened {
    /// Finds out who shows a credential.
    ///
    /// # Errors
    /// As [`agent_auth::Authenticator::authenticate`].
    pub(crate) async fn authenticate(state: &AppState, shown: Credential<'_>) -> agent_auth::Result<Self> {
        Ok(Self::of(state.agent().authenticator().authenticate(shown).await?, shown))
    }

    /// Somebody who was found out by this credential.
    pub(crate) fn of(principal: Principal, shown: Credential<'_>) -> Self {
        let (token, is_api_key) = match shown {
            Credential::Bearer(text) => (text, false),
            Credential::ApiKey(text) => (text, true),
        };
        Self { principal, token: token.into(), is_api_key }
    }

    /// Whether the credential is still accepted, and its owner still sees as much as when it was shown.
    ///
    /// # Errors
    /// Why not, in words.
    pub(crate) async fn recheck(&self, state: &AppState) -> Result<(), &'static str> {
        match state.agent().authenticator().authenticate(self.credential()).await {
            Ok(now) if now.visibility() != self.principal.visibility() => Err("your rights have changed"),
            Ok(now) if self.principal.may(Scope::PlansRead) && !now.may(Scope::PlansRead) => {
                Err("your rights have changed")
            }
            Ok(_) | Err(agent_auth::Error::Store(_)) => Ok(()),
            Err(_) => Err("the token is no longer accepted"),
        }
    }

    fn credential(&self) -> Credential<'_> {
        let text = self.token.expose_secret();
        if self.is_api_key { Credential::ApiKey(text) } else { Credential::Bearer(text) }
    }
}

/// One connection.
pub(crate) struct Connection {
    state: Arc<AppState>,
    session: Session,
    settings: WebSocketSettings,
    opened: Option<Opened>,
    subscriptions: Subscriptions,
    /// When the client must have said who it is, or when its token ends.
    deadline: Instant,
    last_heard: Instant,
    /// The request that opened it, and where that came from.
    request_id: String,
    address: Option<IpAddr>,
    _counted: SessionGuard,
}

type Step = ControlFlow<Closing>;

impl Connection {
    /// A connection just opened, by somebody who is known already or has yet to say who they are.
    pub(crate) fn new(state: Arc<AppState>, session: Session, opened: Option<Opened>, asked: &Asked) -> Self {
        let (settings, now) = (*state.websocket(), Instant::now());
        let counted = state.count_session();
        let deadline = now + settings.authentication_deadline;
        let subscriptions = Subscriptions::default();
        let mut connection = Self {
            state,
            session,
            settings,
            opened: None,
            subscriptions,
            deadline,
            last_heard: now,
            request_id: asked.id().to_owned(),
            address: asked.address(),
            _counted: counted,
        };
        if let Some(opened) = opened {
            connection.open_for(opened);
        }
        connection
    }

    /// Serves the connection until it ends.
    pub(crate) async fn run(mut self, mut incoming: AggregatedMessageStream) {
        let closing = self.listen(&mut incoming).await;
        let Some((code, words)) = closing.frame() else { return };
        tracing::debug!(code, words, "a WebSocket connection is closed");
        let reason = CloseReason { code: CloseCode::Other(code), description: Some(words) };
        let reason =
            if code == 1000 { CloseReason { code: CloseCode::Normal, description: None } } else { reason };
        // The last words wait behind the queue; whoever reads on within the deadline gets them.
        rt::spawn(
            async move { tokio::time::timeout(GOODBYE_DEADLINE, self.session.close(Some(reason))).await },
        );
    }

    async fn listen(&mut self, incoming: &mut AggregatedMessageStream) -> Closing {
        let (mut pings, mut rechecks) = (every(self.settings.ping_every), every(self.settings.recheck_every));
        let stopping = self.state.stopping().clone();
        loop {
            let step = tokio::select! {
                () = stopping.cancelled() => ControlFlow::Break(Closing::Restart),
                () = tokio::time::sleep_until(self.deadline) => self.deadline_passed(),
                message = incoming.recv() => self.heard(message).await,
                (topic, event) = self.subscriptions.next() => self.forward(topic, event).await,
                _ = pings.tick() => self.ping().await,
                _ = rechecks.tick() => self.recheck().await,
            };
            if let ControlFlow::Break(closing) = step {
                return closing;
            }
        }
    }

    fn deadline_passed(&self) -> Step {
        let why = if self.opened.is_some() { "the token has expired" } else { "no authentication in time" };
        ControlFlow::Break(Closing::Unauthenticated(why))
    }

    fn open_for(&mut self, opened: Opened) {
        let now = self.state.agent().clock().now();
        let lifetime = opened.principal.expires_at.map_or(LONGEST, |end| end.since(now));
        self.deadline = Instant::now() + lifetime.min(LONGEST * 365);
        self.opened = Some(opened);
    }

    async fn heard(&mut self, message: Option<Result<AggregatedMessage, ProtocolError>>) -> Step {
        self.last_heard = Instant::now();
        match message {
            None => ControlFlow::Break(Closing::Gone),
            Some(Err(ProtocolError::Overflow)) => ControlFlow::Break(Closing::TooLarge),
            Some(Err(ProtocolError::Io(error))) if error.kind() == std::io::ErrorKind::Other => {
                ControlFlow::Break(Closing::TooLarge)
            }
            Some(Err(ProtocolError::Io(_))) => ControlFlow::Break(Closing::Gone),
            Some(Err(_)) => ControlFlow::Break(Closing::Protocol),
            Some(Ok(AggregatedMessage::Close(_))) => ControlFlow::Break(Closing::Goodbye),
            Some(Ok(AggregatedMessage::Pong(_))) => ControlFlow::Continue(()),
            Some(Ok(AggregatedMessage::Ping(bytes))) => {
                let deadline = self.settings.write_deadline;
                let sent = tokio::time::timeout(deadline, self.session.pong(&bytes)).await;
                self.after_sending(sent)
            }
            Some(Ok(AggregatedMessage::Binary(_))) => {
                self.refuse("malformed_message", "messages are JSON text, not binary").await
            }
            Some(Ok(AggregatedMessage::Text(text))) => self.obey(&text).await,
        }
    }

    async fn obey(&mut self, text: &str) -> Step {
        let message = match serde_json::from_str::<ClientMessage>(text) {
            Ok(message) => message,
            Err(error) => return self.refuse("malformed_message", &error.to_string()).await,
        };
        match message {
            ClientMessage::Ping {} => {
                let timestamp = self.state.agent().clock().now();
                self.say(&ServerMessage::Pong { timestamp }).await
            }
            ClientMessage::Authenticate { token } => self.authenticate(&token).await,
            ClientMessage::Subscribe { topic, after } => self.subscribe(&topic, after).await,
            ClientMessage::Unsubscribe { topic } => self.unsubscribe(&topic).await,
            ClientMessage::Decide { approval_id, answer } => match self.decide(approval_id, answer).await {
                Ok(decided) => self.say(&ServerMessage::Decided(decided)).await,
                Err(error) => self.refuse(error.code.as_str(), &error.detail).await,
            },
        }
    }

    async fn authenticate(&mut self, token: &str) -> Step {
        match Opened::authenticate(&self.state, Credential::Bearer(token)).await {
            Ok(opened) => {
                let is_same = |known: &Opened| known.principal.owner() == opened.principal.owner();
                if !self.opened.as_ref().is_none_or(is_same) {
                    return self
                        .refuse(
                            "forbidden",
                            "the connection belongs to another user or tenant; open a new one",
                        )
                        .await;
                }
                let (user_id, username) = (opened.principal.user_id.get(), opened.principal.username.clone());
                self.open_for(opened);
                self.say(&ServerMessage::Authenticated { user_id, username: &username }).await
            }
            Err(error) if self.opened.is_some() => {
                self.refuse(
                    ApiError::from(error).code.as_str(),
                    "the token is not accepted; the old one stays",
                )
                .await
            }
            Err(_) => ControlFlow::Break(Closing::Unauthenticated("the token is not accepted")),
        }
    }

    async fn subscribe(&mut self, topic: &str, after: Option<i64>) -> Step {
        let name = match TopicName::parse(topic) {
            Ok(name) => name,
            Err(error) => return self.refuse("unknown_topic", &error.to_string()).await,
        };
        match self.admit(name).await {
            Ok(()) => {}
            Err(error) => return self.refuse(error.code.as_str(), &error.detail).await,
        }
        let Some(opened) = &self.opened else { return self.deadline_passed() };
        if self.subscriptions.len() >= self.settings.max_topics && !self.subscriptions.contains(name) {
            let detail =
                format!("a connection listens to at most {} topics; `all` is one", self.settings.max_topics);
            return self.refuse("too_many_topics", &detail).await;
        }
        let meant = name.seen_by(opened.principal.visibility());
        match self.subscriptions.add(self.state.agent().events(), name, meant, after).await {
            Ok(seq) => self.say(&ServerMessage::Subscribed { topic: &name.to_string(), seq }).await,
            Err(error @ agent_events::Error::CursorBeyondHead { .. }) => {
                self.refuse("after_beyond_head", &error.to_string()).await
            }
            Err(error) => {
                tracing::warn!(%error, "a topic could not be followed");
                self.refuse("unavailable", "events cannot be read at the moment; try again").await
            }
        }
    }

    /// Whether the caller may listen: a plan of somebody else is as unknown as one that does not exist.
    async fn admit(&self, name: TopicName) -> Result<(), ApiError> {
        let opened = self.opened.as_ref().ok_or_else(unauthenticated)?;
        permit(&opened.principal, Some(Scope::PlansRead))?;
        match name {
            TopicName::All => Ok(()),
            TopicName::Plan(id) => {
                self.state.agent().plans().state(&opened.principal, id).await?;
                Ok(())
            }
        }
    }

    /// Answers a question, with the rights that the caller has at this moment.
    async fn decide(&self, id: i64, answer: DecideApproval) -> Result<DecidedView, ApiError> {
        let agent = self.state.agent();
        let opened = self.opened.as_ref().ok_or_else(unauthenticated)?;
        let caller = agent.authenticator().authenticate(opened.credential()).await?;
        let asked = Asked::new(self.request_id.clone(), self.address);
        let caller = Rc::new(caller);
        asked.is_of(Rc::clone(&caller));
        let decided = self.decide_for(&caller, id, answer, &asked).await;
        let code = decided.as_ref().err().map(|error| error.code);
        let ended = Ended {
            method: &Method::POST,
            path: &format!("/approvals/{id}"),
            operation: self.state.document().operation(&Method::POST, "/approvals/{id}"),
            status: code.map_or(StatusCode::OK, ErrorCode::status),
            code,
            location: None,
        };
        auditing::record(&self.state, &asked, &ended).await?;
        decided
    }

    async fn decide_for(
        &self,
        caller: &Principal,
        id: i64,
        answer: DecideApproval,
        asked: &Asked,
    ) -> Result<DecidedView, ApiError> {
        permit(caller, Some(Scope::ApprovalsDecide))?;
        let answer = answer.into_answer()?;
        asked.note("decision", answer.decision.as_str());
        Ok(self.state.agent().approvals().decide(caller, id.into(), answer).await?.into())
    }

    async fn unsubscribe(&mut self, topic: &str) -> Step {
        match TopicName::parse(topic) {
            Ok(name) if self.subscriptions.remove(name) => {
                self.say(&ServerMessage::Unsubscribed { topic: &name.to_string() }).await
            }
            Ok(_) => self.refuse("not_subscribed", "the connection does not listen to that topic").await,
            Err(error) => self.refuse("unknown_topic", &error.to_string()).await,
        }
    }

    async fn forward(&mut self, name: TopicName, event: agent_events::Result<Arc<Envelope>>) -> Step {
        match event {
            Ok(envelope) => {
                let step = self.send(envelope.json_with_topic(name)).await;
                if step.is_continue() {
                    self.subscriptions.sent(name, &envelope);
                }
                step
            }
            Err(error) => {
                // The stream goes on where it was when it is asked again.
                tracing::warn!(%error, topic = %name, "events could not be read; trying again");
                ControlFlow::Continue(())
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

    /// Asks for a sign of life.
    async fn ping(&mut self) -> Step {
        if self.last_heard.elapsed() >= self.settings.silence_limit {
            return ControlFlow::Break(Closing::Silent);
        }
        let sent = tokio::time::timeout(self.settings.write_deadline, self.session.ping(b"")).await;
        self.after_sending(sent)
    }

    async fn refuse(&mut self, code: &str, detail: &str) -> Step {
        self.say(&ServerMessage::Error { code, detail }).await
    }

    async fn say(&mut self, message: &ServerMessage<'_>) -> Step {
        self.send(message.to_json()).await
    }

    async fn send(&mut self, text: String) -> Step {
        let sent = tokio::time::timeout(self.settings.write_deadline, self.session.text(text)).await;
        self.after_sending(sent)
    }

    fn after_sending(&self, sent: Result<Result<(), actix_ws::Closed>, tokio::time::error::Elapsed>) -> Step {
        match sent {
            Ok(Ok(())) => ControlFlow::Continue(()),
            Ok(Err(_closed)) => ControlFlow::Break(Closing::Gone),
            Err(_elapsed) => ControlFlow::Break(Closing::TooSlow(self.subscriptions.positions())),
        }
    }
}

/// Ticks after each such pause; one that comes late delays those after it.
pub(crate) fn every(pause: Duration) -> Interval {
    let mut ticks = tokio::time::interval_at(Instant::now() + pause, pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn unauthenticated() -> ApiError {
    let detail = "authenticate first: {\"action\":\"authenticate\",\"token\":\"…\"}";
    ApiError::new(ErrorCode::Unauthenticated, detail)
}
