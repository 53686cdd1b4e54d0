//! What a client asks for, and what it is answered.

use super::connection::{Connection, Step};
use super::identity::Opened;
use super::message::{ClientMessage, Closing, ResetReason, ServerMessage, Subscribe};
use super::subscriptions::Wanted;
use crate::asked::Asked;
use crate::auditing::{self, Ended};
use crate::error::{ApiError, ErrorCode};
use crate::extract::permit;
use crate::views::approval::{DecideApproval, DecidedView};
use actix_web::http::{Method, StatusCode};
use agent_auth::{Credential, Principal, Scope};
use agent_core::event::EVENT_NAMES;
use agent_events::TopicName;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::rc::Rc;

impl Connection {
    pub(super) async fn obey(&mut self, text: &str) -> Step {
        let message = match serde_json::from_str::<ClientMessage>(text) {
            Ok(message) => message,
            Err(error) => return self.refuse("malformed_message", &error.to_string()),
        };
        match message {
            ClientMessage::Ping {} => {
                self.say(&ServerMessage::Pong { timestamp: self.state.agent().clock().now() })
            }
            ClientMessage::Authenticate { token } => self.authenticate(&token).await,
            ClientMessage::Subscribe(wish) => self.subscribe(wish).await,
            ClientMessage::Unsubscribe { topic } => self.unsubscribe(&topic),
            ClientMessage::Decide { approval_id, answer } => match self.decide(approval_id, answer).await {
                Ok(decided) => self.say(&ServerMessage::Decided(decided)),
                Err(error) => self.refuse(error.code.as_str(), &error.detail),
            },
        }
    }

    async fn authenticate(&mut self, token: &str) -> Step {
        match Opened::authenticate(&self.state, Credential::Bearer(token)).await {
            Ok(opened) => {
                let is_same = |known: &Opened| known.principal.owner() == opened.principal.owner();
                if !self.opened.as_ref().is_none_or(is_same) {
                    let detail = "the connection belongs to another user or tenant; open a new one";
                    return self.refuse("forbidden", detail);
                }
                let (user_id, username) = (opened.principal.user_id.get(), opened.principal.username.clone());
                self.open_for(opened);
                self.say(&ServerMessage::Authenticated { user_id, username: &username })
            }
            Err(error) if self.opened.is_some() => {
                let detail = "the token is not accepted; the old one stays";
                self.refuse(ApiError::from(error).code.as_str(), detail)
            }
            Err(_) => ControlFlow::Break(Closing::Unauthenticated("the token is not accepted")),
        }
    }

    async fn subscribe(&mut self, wish: Subscribe) -> Step {
        let name = match TopicName::parse(&wish.topic) {
            Ok(name) => name,
            Err(error) => return self.refuse("unknown_topic", &error.to_string()),
        };
        if let Err(error) = self.admit(name).await {
            return self.refuse(error.code.as_str(), &error.detail);
        }
        let Some(opened) = &self.opened else { return ControlFlow::Break(self.why_unauthenticated()) };
        if self.subscriptions.len() >= self.settings.max_topics && !self.subscriptions.contains(name) {
            let most = self.settings.max_topics;
            let detail = format!("a connection listens to at most {most} topics; `all` is one");
            return self.refuse("too_many_topics", &detail);
        }
        let only: Option<BTreeSet<String>> = wish.events.map(|names| names.into_iter().collect());
        if let Some(unknown) = unknown_event(only.as_ref()) {
            let detail = format!("{unknown:?} is no event; events are {}", EVENT_NAMES.join(", "));
            return self.refuse("unknown_event", &detail);
        }
        let topic = name.seen_by(opened.principal.visibility());
        let wanted = Wanted { name, topic, only, transient: wish.transient };
        let epoch = self.state.agent().events().epoch();
        if wish.epoch.is_some_and(|known| known != epoch) {
            return self.reset(&wanted, ResetReason::Epoch).await;
        }
        match wish
            .after
            .filter(|after| !after.is_null())
            .map(|after| after.as_i64().filter(|after| *after >= 0))
        {
            None => self.follow(wanted, None).await,
            Some(Some(after)) => self.follow(wanted, Some(after)).await,
            Some(None) => self.reset(&wanted, ResetReason::Malformed).await,
        }
    }

    async fn follow(&mut self, wanted: Wanted, after: Option<i64>) -> Step {
        match self.state.agent().events().subscribe(wanted.topic, after).await {
            Ok(subscription) => {
                let (topic, seq) = (wanted.name.to_string(), subscription.start);
                self.subscriptions.add(self.state.agent().events(), wanted, subscription);
                let epoch = self.state.agent().events().epoch();
                self.say(&ServerMessage::Subscribed { topic: &topic, seq, epoch })
            }
            Err(agent_events::Error::CursorBeyondHead { .. }) => {
                self.reset(&wanted, ResetReason::Future).await
            }
            Err(error) => self.unavailable(&error),
        }
    }

    /// Says that the client cannot go on where it believes to be, and where it can: never a silent skip.
    async fn reset(&self, wanted: &Wanted, reason: ResetReason) -> Step {
        let hub = self.state.agent().events();
        let head = match hub.head(wanted.topic).await {
            Ok(head) => head,
            Err(error) => return self.unavailable(&error),
        };
        let snapshot = match wanted.name {
            TopicName::Plan(id) => format!("/plans/{id}"),
            TopicName::All => "/plans".to_owned(),
        };
        let (topic, epoch) = (wanted.name.to_string(), hub.epoch());
        self.say(&ServerMessage::Reset { topic: &topic, reason, epoch, oldest: 0, head, snapshot: &snapshot })
    }

    fn unavailable(&self, error: &agent_events::Error) -> Step {
        tracing::warn!(%error, "a topic could not be followed");
        self.refuse("unavailable", "events cannot be read at the moment; try again")
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
        let opened = self.opened.as_ref().ok_or_else(unauthenticated)?;
        let caller = self.state.agent().authenticator().authenticate(opened.credential()).await?;
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

    fn unsubscribe(&mut self, topic: &str) -> Step {
        match TopicName::parse(topic) {
            Ok(name) if self.subscriptions.remove(name) => {
                self.say(&ServerMessage::Unsubscribed { topic: &name.to_string() })
            }
            Ok(_) => self.refuse("not_subscribed", "the connection does not listen to that topic"),
            Err(error) => self.refuse("unknown_topic", &error.to_string()),
        }
    }
}

fn unknown_event(names: Option<&BTreeSet<String>>) -> Option<&String> {
    names?.iter().find(|name| !EVENT_NAMES.contains(&name.as_str()))
}

fn unauthenticated() -> ApiError {
    let detail = "authenticate first: {\"action\":\"authenticate\",\"token\":\"…\"}";
    ApiError::new(ErrorCode::Unauthenticated, detail)
}
