//! What is known of a request while it is handled: its name, who asks and from where, and what is worth recording.

use crate::error::{ApiError, Result};
use actix_web::dev::Payload;
use actix_web::http::header::{FORWARDED, HeaderMap};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use agent_auth::Principal;
use agent_limits::{Ruling, TrustedProxies};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;

/// What is known of a request. Each handler and extractor adds what it learns.
#[derive(Clone)]
pub(crate) struct Asked(Rc<Known>);

struct Known {
    id: Arc<str>,
    address: Option<IpAddr>,
    principal: RefCell<Option<Rc<Principal>>>,
    ruling: Cell<Option<Ruling>>,
    notes: RefCell<Notes>,
}

/// What a handler finds worth recording beside what every request tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Notes {
    /// The name that somebody claimed without having proved it.
    pub(crate) claimed: Option<String>,
    /// What is worth knowing about the change, secrets left out.
    pub(crate) details: Vec<(&'static str, Value)>,
}

impl Asked {
    /// A request of this name, from this address.
    pub(crate) fn new(id: String, address: Option<IpAddr>) -> Self {
        Self(Rc::new(Known {
            id: id.into(),
            address,
            principal: RefCell::default(),
            ruling: Cell::default(),
            notes: RefCell::default(),
        }))
    }

    /// What was made known of a request.
    pub(crate) fn of(request: &impl HttpMessage) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// Its name.
    pub(crate) fn id(&self) -> &str {
        &self.0.id
    }

    /// Its name, for whoever keeps it longer than the request.
    pub(crate) fn name(&self) -> Arc<str> {
        Arc::clone(&self.0.id)
    }

    /// Where it comes from: the address of the client, behind however many trusted proxies.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.0.address
    }

    /// Who asks, once that is known.
    pub(crate) fn principal(&self) -> Option<Rc<Principal>> {
        self.0.principal.borrow().clone()
    }

    /// Notes who asks.
    pub(crate) fn is_of(&self, principal: Rc<Principal>) {
        *self.0.principal.borrow_mut() = Some(principal);
    }

    /// What the limits said that are closest to their end.
    pub(crate) fn ruling(&self) -> Option<Ruling> {
        self.0.ruling.get()
    }

    /// Notes what a limit said; of several the one that leaves least.
    pub(crate) fn ruled(&self, ruling: Option<Ruling>) {
        let remaining = |ruling: &Ruling| ruling.decision.headers().remaining;
        let all = [self.0.ruling.get(), ruling];
        self.0.ruling.set(all.into_iter().flatten().min_by_key(remaining));
    }

    /// Notes that somebody claims this name.
    pub(crate) fn claims(&self, username: &str) {
        self.0.notes.borrow_mut().claimed = Some(username.to_owned());
    }

    /// Notes something worth recording about the change; never a secret.
    pub(crate) fn note(&self, key: &'static str, value: impl Into<Value>) {
        self.0.notes.borrow_mut().details.push((key, value.into()));
    }

    /// All that was noted.
    pub(crate) fn notes(&self) -> Notes {
        self.0.notes.borrow().clone()
    }
}

impl FromRequest for Asked {
    type Error = ApiError;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request).ok_or_else(|| ApiError::internal("the request was not made known")))
    }
}

/// The address of the client: the peer's, or what trusted proxies say of it.
pub(crate) fn client_address(
    headers: &HeaderMap,
    peer: Option<IpAddr>,
    proxies: &TrustedProxies,
) -> Option<IpAddr> {
    let simple = headers.get_all("x-forwarded-for").map(|value| value.as_bytes());
    let standard = headers.get_all(FORWARDED).map(|value| value.as_bytes());
    peer.map(|peer| proxies.client(peer, simple, standard))
}
