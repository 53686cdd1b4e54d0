//! The record of every change and every denial, in chains of hashes that show what was altered.
//!
//! Knows what an [`Entry`] says (who, on whose behalf, from where, what, how it ended), how entries become a chain
//! ([`Entry::chain_after`]), how a chain is verified ([`Verifier`], [`verify_json_lines`]) and how the log is asked
//! ([`AuditLog`]). Never knows where records are kept, what time it is, who may read them, or what is secret: the caller
//! removes secrets before it makes an entry.
//!
//! Each tenant has a chain of its own, and the server has one for what belongs to no tenant. A chain that is intact in
//! itself proves that nobody altered, removed, moved or repeated a record **without writing anew everything after it**.
//! Somebody who can write anew all the rest, or cut it off, is found only by a [`Head`] that was noted elsewhere: keep
//! one outside of the database from time to time, and give it to [`Verifier::knowing`]. How the hash is made, for other
//! tools, is written in [`encoding`].
//!
//! ```
//! use agent_audit::{Actor, Anchor, BreakKind, ChainId, Entry, Head, Outcome, Verifier};
//! use agent_core::ids::{TenantId, UserId};
//! use agent_core::time::Timestamp;
//!
//! let chain = ChainId::Tenant(TenantId(7));
//! let entry = |action| Entry::new(chain, Actor::user(UserId(3), "ann"), action, Outcome::Success);
//! let now = Timestamp::from_micros(1_767_268_800_000_000);
//! let first = entry("create_plan").on("/plans/7").answered(201, None).chain_after(&Head::EMPTY, now);
//! let mut second = entry("delete_plan").on("/plans/7").chain_after(&first.head(), now);
//!
//! second.entry.actor.username = Some("bob".to_owned());
//! let mut verifier = Verifier::new(chain, Anchor::BEGINNING);
//! assert!(verifier.check(&first).is_ok());
//! let broken = verifier.check(&second).unwrap_err();
//! assert_eq!((broken.sequence, broken.kind), (2, BreakKind::Altered));
//! ```

mod chain;
pub mod encoding;
mod entry;
mod hash;
mod json_lines;
mod limits;
mod line;
mod memory;
mod ports;
mod record;
mod verifier;

pub use chain::{Anchor, ChainId, ChainState, Head};
pub use entry::{Actor, ActorKind, Entry, Outcome};
pub use hash::{Hash, NotAHash};
pub use json_lines::{Expected, MAX_CHAINS, MAX_LINE, VerifyError, verify_json_lines};
pub use line::LineError;
pub use memory::MemoryAuditLog;
pub use ports::{AuditFilter, AuditLog, AuditPage, MAX_PAGE};
pub use record::Record;
pub use verifier::{BreakKind, Broken, Summary, Verifier};
