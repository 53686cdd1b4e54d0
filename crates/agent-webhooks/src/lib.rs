//! Tells addresses that users chose about committed events: signed, in order, and never an address within the house.
//!
//! Knows which addresses may be called ([`Destination`], [`GuardedClient`]), how a call is signed ([`sign`], [`verify`]),
//! when it is tried again ([`next_attempt`]), and how far each webhook has got ([`Dispatcher`]). Never knows where
//! webhooks and events are stored (those are [`WebhookStore`], [`DeliveryQueue`] and an
//! [`EventLog`](agent_core::ports::EventLog)), or who may make one.
//!
//! An address is judged twice: by its text, when it is given, and by what its name leads to, with each call. The call
//! is then made to the very addresses that were judged, so that a name which changes in between gains nothing.
//!
//! A receiver is told everything at least once and in order. It answers within 200 to 299, at once, and recognises what
//! it has seen by the id of the delivery; until then nothing later is sent.
//!
//! ```
//! use agent_core::time::Timestamp;
//! use agent_webhooks::{Allowed, Destination, TOLERANCE, new_secret, sign, verify};
//!
//! // What a user may give as an address, and what not.
//! let allowed = Allowed::hosts(["hooks.internal:8443"])?;
//! assert_eq!(Destination::parse("https://Example.com./hook", &allowed)?.as_str(), "https://example.com/hook");
//! assert!(Destination::parse("https://hooks.internal:8443/", &allowed).is_ok());
//! assert!(Destination::parse("https://0x7f000001/", &allowed).is_err());
//!
//! // What a receiver checks.
//! let secret = new_secret(&[7; 32]);
//! let now = Timestamp::from_micros(1_767_268_800_000_000);
//! let headers = sign("wh_1_42", &[&secret], b"{}", now);
//! verify(&[&secret], &headers, b"{}", now, TOLERANCE)?;
//! assert!(verify(&[&secret], &headers, b"{ }", now, TOLERANCE).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod client;
mod delivery;
mod destination;
mod dispatcher;
mod error;
mod ports;
mod signature;
mod webhook;

pub use client::{Answer, CallError, GuardedClient, Limits, Resolver, SystemResolver};
pub use delivery::{
    Attempts, Decision, MAX_AGE, MAX_ATTEMPTS, MAX_HOPELESS_ATTEMPTS, Outcome, Sender, next_attempt,
};
pub use destination::{AddressClass, Allowed, Destination, NotAnEntry, Refused, refused_class};
pub use dispatcher::{DeliveryFigures, Dispatcher, Pace, Parts, Wake};
pub use error::{Error, Result};
pub use ports::{Claim, Claimed, DeliveryQueue, WebhookStore};
pub use signature::{
    ID_HEADER, SIGNATURE_HEADER, SignatureError, SignatureHeaders, TIMESTAMP_HEADER, TOLERANCE, new_secret,
    sign, verify,
};
pub use webhook::{
    DisabledReason, EVENT_NAMES, Failure, MAX_PER_OWNER, NewWebhook, Next, PreviousSecret, Switch, Webhook,
    WebhookChange, WebhookId, topic_of,
};
