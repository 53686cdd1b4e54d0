//! Templates of tenants.

use super::{Store, read, transact_silently};
use agent_core::ids::TenantId;
use agent_templates::ports::TemplateStore;
use agent_templates::{
    Error, NewOwnTemplate, OwnTemplate, Result, TemplateBounds, TemplateChange, TemplateNumber,
    TemplateVersion,
};
use async_trait::async_trait;

/// What the database says, in the words of templates; what they have no word for is the source of `Unavailable`.
fn told<T>(answer: agent_core::Result<T>) -> Result<T> {
    answer.map_err(|error| Error::Unavailable(Box::new(error)))
}

#[async_trait]
impl TemplateStore for Store {
    async fn create(&self, new: NewOwnTemplate, bounds: TemplateBounds) -> Result<OwnTemplate> {
        let tenant = new.owner.tenant;
        told(transact_silently!(self, tenant, db, |conn| db::templates::create(conn, new, bounds)))?
    }

    async fn list(&self, tenant: TenantId) -> Result<Vec<OwnTemplate>> {
        told(read!(self, tenant, db, |conn| db::templates::list(conn, tenant)))
    }

    async fn find(&self, tenant: TenantId, id: &str) -> Result<OwnTemplate> {
        let wanted = id.to_owned();
        let found = told(read!(self, tenant, db, |conn| db::templates::find(conn, tenant, &wanted)))?;
        found.ok_or_else(|| Error::not_found(id))
    }

    async fn update(&self, change: TemplateChange, bounds: TemplateBounds) -> Result<OwnTemplate> {
        let tenant = change.tenant;
        told(transact_silently!(self, tenant, db, |conn| db::templates::update(conn, &change, bounds)))?
    }

    async fn delete(&self, tenant: TenantId, number: TemplateNumber) -> Result<()> {
        let gone =
            told(transact_silently!(self, tenant, db, |conn| db::templates::delete(conn, tenant, number)))?;
        if gone { Ok(()) } else { Err(Error::not_found(&number.to_string())) }
    }

    async fn versions(
        &self,
        tenant: TenantId,
        number: TemplateNumber,
        only: Option<u32>,
    ) -> Result<Vec<TemplateVersion>> {
        told(read!(self, tenant, db, |conn| db::templates::versions(conn, tenant, number, only)))
    }
}
