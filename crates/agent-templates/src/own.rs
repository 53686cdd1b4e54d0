//! Templates that a tenant keeps: whose they are, and how they came to be what they are.

use crate::template::Template;
use agent_core::ids::{Owner, TenantId};
use agent_core::plan::Idempotency;
use agent_core::time::Timestamp;
use std::fmt;

/// How much a tenant may keep. All of it is read for a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TemplateBounds {
    /// How many templates.
    pub templates: u32,
    /// How many bytes their present versions may have together, as JSON.
    pub bytes: u64,
    /// How many versions of one template, the present one among them. The oldest make room.
    pub versions: u32,
    /// How many versions before the present ones, of all templates together. Once there are so many, a template that
    /// is changed gives up its own oldest ones, so that nobody's history is pushed out by the changes of others.
    pub past_versions: u32,
}

impl Default for TemplateBounds {
    /// 1,000 templates of 4 MiB together; 100 versions of each and 1,000 past ones in all, which have at most 64 MiB
    /// together, as each has at most [`MAX_DOCUMENT`](crate::MAX_DOCUMENT).
    fn default() -> Self {
        Self { templates: 1_000, bytes: 4 * 1024 * 1024, versions: 100, past_versions: 1_000 }
    }
}

/// The number of a tenant's template. A deleted one's is never given again, while its id may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateNumber(pub i64);

impl TemplateNumber {
    /// The number as stored.
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for TemplateNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// What is known of a tenant's template beside its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateRecord {
    /// Its number.
    pub number: TemplateNumber,
    /// The tenant whose it is, and the account that made it.
    pub owner: Owner,
    /// The name that account had then.
    pub author: String,
    /// How often it was written: 1 when it was made.
    pub version: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its present version was written.
    pub updated_at: Timestamp,
}

/// A template of a tenant in its present version.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnTemplate {
    /// Whose it is and since when.
    pub record: TemplateRecord,
    /// The template.
    pub template: Template,
}

/// A version that a template of a tenant has or had.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateVersion {
    /// Counted from 1.
    pub version: u32,
    /// The name of who wrote it.
    pub author: String,
    /// When it was written.
    pub created_at: Timestamp,
    /// The template as it was.
    pub template: Template,
}

/// A template to be kept.
#[derive(Debug, Clone)]
pub struct NewOwnTemplate {
    /// The tenant whose it is to be, and the account that makes it.
    pub owner: Owner,
    /// The name of that account.
    pub author: String,
    /// The template.
    pub template: Template,
    /// When it is made.
    pub created_at: Timestamp,
    /// Makes a repeated request find the template of the first.
    pub idempotency: Option<Idempotency>,
}

/// Another version of a template.
#[derive(Debug, Clone)]
pub struct TemplateChange {
    /// The tenant whose it is.
    pub tenant: TenantId,
    /// Which template.
    pub number: TemplateNumber,
    /// The version that its writer has seen; `None` for whatever is there.
    pub seen: Option<u32>,
    /// The name of who writes it.
    pub author: String,
    /// The template as it is to be, under the id that it has.
    pub template: Template,
    /// When it is written.
    pub at: Timestamp,
}
