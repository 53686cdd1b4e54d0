//! Brings committed events to whoever listens, in order, from any point.
//!
//! Knows topics, positions, wake-ups, the envelope on the wire, and NATS. Never knows where events are stored
//! (that is an [`EventLog`](agent_core::ports::EventLog)), who may listen, or how frames travel.
//!
//! Two parts, because the store must be able to wake before there is a log to read from: [`Wakes`] is the
//! [`CommitListener`](agent_core::ports::CommitListener) that the store is built with, [`Hub`] joins it
//! with the log. Every listener goes its own pace: through the log as long as it is behind, then through the tail
//! that all listeners of a topic share. A lost wake-up costs delay and never an event, and a slow listener costs
//! no memory.
//!
//! Where several servers share a database, a [`Bus`] takes the place of [`Wakes`] in the store: it wakes those who
//! listen here, and through NATS those who listen at the other servers.
//!
//! What only passes ([`Transient`](agent_core::transient::Transient): words of a model as they come) goes its own way, without a position, and never
//! moves or delays an event.
//!
//! ```
//! # use agent_core::{event::{Event, Topic, Touched}, ids::{PlanId, TenantId}, ports::{CommitListener, EventLog}, Result};
//! # struct Empty;
//! # #[async_trait::async_trait]
//! # impl EventLog for Empty {
//! #     async fn read(&self, _: Topic, _: i64, _: u32) -> Result<Vec<Event>> { Ok(Vec::new()) }
//! #     async fn head(&self, _: Topic) -> Result<i64> { Ok(0) }
//! #     async fn touched(&self, _: i64) -> Result<Vec<Touched>> { Ok(Vec::new()) }
//! # }
//! use agent_events::{Hub, TopicName, Wakes};
//! use std::sync::Arc;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
//! let wakes = Arc::new(Wakes::new());
//! let listener: Arc<dyn CommitListener> = wakes.clone(); // goes into the store
//! let log: Arc<dyn EventLog> = Arc::new(Empty); // comes out of the store
//! let hub = Hub::new(wakes, log);
//!
//! assert_eq!(TopicName::parse("plan_7")?, TopicName::Plan(PlanId(7)));
//! let subscription = hub.subscribe(Topic::Plan(TenantId::DEFAULT, PlanId(7)), None).await?;
//! assert_eq!(subscription.start, 0);
//! # Ok::<(), agent_events::Error>(())
//! # }).unwrap();
//! ```

mod envelope;
mod error;
mod hub;
mod nats;
mod replay;
mod tail;
mod topic;
mod wakes;
mod watched_log;

pub use envelope::{Envelope, envelope_json};
pub use error::{Error, Result};
pub use hub::{Hub, Subscription};
pub use nats::{Bus, BusAddress};
pub use topic::{TopicName, position};
pub use wakes::Wakes;
