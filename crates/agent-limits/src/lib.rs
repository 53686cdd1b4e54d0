//! Says whether a request may pass: how many per address, login, user, key and tenant, in bounded memory.
//!
//! [`Limits`] judges a request by all limits of a server at once, [`RateLimiter`] by one [`Quota`] for each key, and
//! [`TrustedProxies`] finds out from which address a request really comes.
//!
//! Knows quotas, addresses and what proxies write into headers. Never knows HTTP, sockets, the wall clock (time is
//! passed in) or who a caller is: that is told to it. What it remembers is this process's own: each server counts for
//! itself, and counts anew after a restart.
//!
//! ```
//! use agent_core::time::Timestamp;
//! use agent_limits::{Caller, Limits, Quotas, Scope, TrustedProxies};
//! use std::num::NonZeroUsize;
//!
//! let proxies = TrustedProxies::parse(["10.0.0.0/8"])?;
//! let address = proxies.client("10.0.0.1".parse()?, ["198.51.100.7"], [""; 0]);
//! let quotas = Quotas { address: Some("2/min".parse()?), ..Quotas::default() };
//! let limits = Limits::new(&quotas, NonZeroUsize::new(10_000).ok_or("no keys")?);
//!
//! let (caller, now) = (Caller::at(address), Timestamp::from_micros(0));
//! for _ in 0..2 {
//!     assert!(limits.check(&caller, now).is_some_and(|ruling| ruling.decision.is_allowed()));
//! }
//! let refused = limits.check(&caller, now).ok_or("there is a limit")?;
//! assert_eq!(refused.scope, Scope::Address);
//! assert_eq!(refused.decision.headers().retry_after_seconds, Some(30));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod decision;
mod error;
mod limiter;
mod limits;
mod proxies;
mod quota;

pub use address::network_of;
pub use decision::{Decision, Headers};
pub use error::{Error, Result};
pub use limiter::RateLimiter;
pub use limits::{Caller, Limits, Quotas, Ruling, Scope};
pub use proxies::{ForwardingHeader, TrustedProxies};
pub use quota::Quota;
