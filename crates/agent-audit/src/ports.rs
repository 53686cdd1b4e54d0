//! Where records are kept, and how they are asked for.

use crate::chain::{ChainId, ChainState};
use crate::entry::{Entry, Outcome};
use crate::record::Record;
use agent_core::Result;
use agent_core::ids::UserId;
use agent_core::time::Timestamp;
use async_trait::async_trait;
use serde::Serialize;

/// The most records of one page.
pub const MAX_PAGE: u32 = 500;

/// Which records of a chain to read. All conditions hold at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this chain.
    pub chain: ChainId,
    /// Only of this account.
    pub user_id: Option<UserId>,
    /// Only this operation.
    pub action: Option<String>,
    /// Only those that ended so.
    pub outcome: Option<Outcome>,
    /// Only of this request.
    pub request_id: Option<String>,
    /// Only those recorded at this instant or later.
    pub since: Option<Timestamp>,
    /// Only those recorded before this instant.
    pub until: Option<Timestamp>,
    /// Only those behind this place in the order of reading: [`AuditPage::next`] of the page before.
    pub after: Option<i64>,
    /// How many at most; taken as at least 1 and at most [`MAX_PAGE`].
    pub limit: u32,
    /// Whether to read from the end.
    pub newest_first: bool,
}

impl AuditFilter {
    /// The first 50 records of a chain.
    pub fn of(chain: ChainId) -> Self {
        Self {
            chain,
            user_id: None,
            action: None,
            outcome: None,
            request_id: None,
            since: None,
            until: None,
            after: None,
            limit: 50,
            newest_first: false,
        }
    }

    /// Whether a record meets every condition; its page is not asked for.
    pub fn matches(&self, record: &Record) -> bool {
        let entry = &record.entry;
        entry.chain.stored() == self.chain.stored()
            && (self.user_id.is_none() || self.user_id == entry.actor.user_id)
            && self.action.as_ref().is_none_or(|action| *action == entry.action)
            && self.outcome.is_none_or(|outcome| outcome == entry.outcome)
            && (self.request_id.is_none() || self.request_id == entry.request_id)
            && self.since.is_none_or(|since| record.at >= since)
            && self.until.is_none_or(|until| record.at < until)
    }

    /// Whether a place comes behind the pages read before.
    pub fn is_ahead(&self, sequence: i64) -> bool {
        self.after.is_none_or(|after| if self.newest_first { sequence < after } else { sequence > after })
    }

    /// The limit, within its bounds.
    pub fn page_size(&self) -> usize {
        self.limit.clamp(1, MAX_PAGE) as usize
    }
}

/// A part of what a filter finds.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct AuditPage {
    /// The records, in the order that was asked for.
    pub records: Vec<Record>,
    /// How many the filter finds on all pages.
    pub total: u64,
    /// What to give as [`AuditFilter::after`] for the next page; `None` on the last.
    pub next: Option<i64>,
}

/// Keeps records. They are added and, when they are old enough, removed; nothing changes them.
#[async_trait]
pub trait AuditLog: Send + Sync {
    /// Adds an entry to the end of its chain. Of two at once, one follows the other.
    ///
    /// # Errors
    /// `Unavailable`, `StorageFull`: it is not recorded, and what it is about must not happen.
    async fn append(&self, entry: Entry, at: Timestamp) -> Result<Record>;

    /// The records that match, one page of them. A chain without records has none.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn page(&self, filter: &AuditFilter) -> Result<AuditPage>;

    /// Where a chain begins and ends. A chain without records begins at 1 and ends at 0.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn chain(&self, chain: ChainId) -> Result<ChainState>;

    /// Every chain that ever had a record, the server's first, then by tenant.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn chains(&self) -> Result<Vec<ChainId>>;

    /// Removes the oldest records, up to the first that was recorded at this instant or later, and says how many. The
    /// head stays, even when no record does, and the anchor moves. The caller records that it removed them.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn remove_before(&self, chain: ChainId, before: Timestamp) -> Result<u64>;
}
