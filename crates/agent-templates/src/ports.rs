//! What keeps the templates of tenants.

use crate::error::Result;
use crate::own::{
    NewOwnTemplate, OwnTemplate, TemplateBounds, TemplateChange, TemplateNumber, TemplateVersion,
};
use agent_core::ids::TenantId;
use async_trait::async_trait;

/// Keeps templates of tenants with their versions; each method is one transaction. What belongs to another tenant
/// does not exist.
#[async_trait]
pub trait TemplateStore: Send + Sync {
    /// Keeps a new template as its version 1, unless that goes beyond the bounds. Counting and keeping are one step.
    /// With an idempotency key, a repeated request finds the template of the first, as it is now.
    ///
    /// # Errors
    /// `Taken`, `TooMany`, `TooMuch`, `NotFound` where the template of the first request is deleted, `Unavailable`.
    async fn create(&self, new: NewOwnTemplate, bounds: TemplateBounds) -> Result<OwnTemplate>;

    /// All templates of a tenant, by id.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn list(&self, tenant: TenantId) -> Result<Vec<OwnTemplate>>;

    /// The template of this id.
    ///
    /// # Errors
    /// `NotFound`, `Unavailable`.
    async fn find(&self, tenant: TenantId, id: &str) -> Result<OwnTemplate>;

    /// Writes another version, and removes the oldest ones that go beyond the bounds in the same step. One that says
    /// the same as the present one changes nothing.
    ///
    /// # Errors
    /// `NotFound`, `VersionMismatch`, `TooMuch`, `Unavailable`.
    async fn update(&self, change: TemplateChange, bounds: TemplateBounds) -> Result<OwnTemplate>;

    /// Forgets a template with all its versions, and frees its id.
    ///
    /// # Errors
    /// `NotFound` naming the number, `Unavailable`.
    async fn delete(&self, tenant: TenantId, number: TemplateNumber) -> Result<()>;

    /// The versions of a template that are kept, oldest first; with `only`, at most that one. Of a template that is gone there are
    /// none.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn versions(
        &self,
        tenant: TenantId,
        number: TemplateNumber,
        only: Option<u32>,
    ) -> Result<Vec<TemplateVersion>>;
}
