//! Templates as a caller sees them: those that are built in, and those of their tenant.

use crate::error::{Error, Result};
use agent_auth::{Principal, Role};
use agent_core::error::Defect;
use agent_core::plan::Idempotency;
use agent_core::ports::Clock;
use agent_templates::ports::TemplateStore;
use agent_templates::{
    Catalogue, Error as TemplateError, Filter, NewOwnTemplate, NewTemplate, OwnTemplate, Template,
    TemplateBounds, TemplateChange, TemplateRecord, TemplateVersion,
};
use std::collections::HashMap;
use std::sync::Arc;

/// A template, and whose it is.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateEntry {
    /// The template.
    pub template: Template,
    /// What is known of a tenant's own; `None` for one that is built in.
    pub record: Option<TemplateRecord>,
}

impl From<OwnTemplate> for TemplateEntry {
    fn from(own: OwnTemplate) -> Self {
        Self { template: own.template, record: Some(own.record) }
    }
}

/// Requests about templates. Those of a tenant are read by all of its members; each is changed and deleted by its
/// author and by administrators of the tenant.
#[derive(Clone)]
pub struct Templates {
    builtin: Arc<Catalogue>,
    store: Arc<dyn TemplateStore>,
    clock: Arc<dyn Clock>,
}

impl Templates {
    pub(crate) fn new(store: Arc<dyn TemplateStore>, clock: Arc<dyn Clock>) -> Self {
        Self { builtin: Arc::new(Catalogue::builtin()), store, clock }
    }

    /// The templates that are built in.
    pub fn catalogue(&self) -> &Catalogue {
        &self.builtin
    }

    /// The templates that match: first those built in, then those of the caller's tenant by id.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list(&self, caller: &Principal, filter: &Filter) -> Result<Vec<TemplateEntry>> {
        let shelf = self.shelf(caller).await?;
        Ok(shelf.catalogue.list(filter).into_iter().map(|template| shelf.entry(template)).collect())
    }

    /// The templates in which every word occurs, best first, as [`Catalogue::search`] says.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn search(&self, caller: &Principal, query: &str) -> Result<Vec<TemplateEntry>> {
        let shelf = self.shelf(caller).await?;
        Ok(shelf.catalogue.search(query).into_iter().map(|hit| shelf.entry(hit.template)).collect())
    }

    /// One template.
    ///
    /// # Errors
    /// `Template`, not found, also for one of another tenant.
    pub async fn find(&self, caller: &Principal, id: &str) -> Result<TemplateEntry> {
        if let Ok(template) = self.builtin.find(id) {
            return Ok(TemplateEntry { template: template.clone(), record: None });
        }
        Ok(self.store.find(caller.tenant, id).await?.into())
    }

    /// One template as YAML, which [`Template::from_yaml`] reads.
    ///
    /// # Errors
    /// As [`Templates::find`].
    pub async fn export(&self, caller: &Principal, id: &str) -> Result<String> {
        Ok(self.find(caller, id).await?.template.to_yaml()?)
    }

    /// The versions of one template that are kept, oldest first. What is built in changes with the program, and has none.
    ///
    /// # Errors
    /// As [`Templates::find`].
    pub async fn versions(&self, caller: &Principal, id: &str) -> Result<Vec<TemplateVersion>> {
        match self.find(caller, id).await?.record {
            Some(record) => Ok(self.store.versions(caller.tenant, record.number, None).await?),
            None => Ok(Vec::new()),
        }
    }

    /// One version of one template.
    ///
    /// # Errors
    /// As [`Templates::find`]; `Template`, version not found.
    pub async fn version(&self, caller: &Principal, id: &str, version: u32) -> Result<TemplateVersion> {
        let mut found = match self.find(caller, id).await?.record {
            Some(record) => self.store.versions(caller.tenant, record.number, Some(version)).await?,
            None => Vec::new(),
        };
        found.pop().ok_or_else(|| TemplateError::VersionNotFound { id: id.to_owned(), version }.into())
    }

    /// Keeps a template for the caller's tenant. A repeated request finds the template of the first.
    ///
    /// # Errors
    /// `Template`: invalid with every defect, built in, taken, too many or too much. `IdempotencyMismatch`.
    pub async fn create(
        &self,
        caller: &Principal,
        new: NewTemplate,
        idempotency: Option<Idempotency>,
    ) -> Result<TemplateEntry> {
        self.refuse_builtin(&new.id)?;
        let new = NewOwnTemplate {
            owner: caller.owner(),
            author: caller.username.clone(),
            template: Template::new(new)?,
            created_at: self.clock.now(),
            idempotency,
        };
        Ok(self.store.create(new, TemplateBounds::default()).await?.into())
    }

    /// Writes another version of a template of the caller's tenant, or answers the present one where that says the
    /// same. `seen` is the version that the caller knows; without it, whatever is there is replaced. `is_meant` says
    /// whether what is there is what the caller knows, and not another made since under the same id.
    ///
    /// # Errors
    /// `Template`: not found, built in, not the author, version mismatch, invalid with every defect, too much.
    pub async fn update(
        &self,
        caller: &Principal,
        id: &str,
        seen: Option<u32>,
        is_meant: &(dyn Fn(&TemplateRecord) -> bool + Sync),
        new: NewTemplate,
    ) -> Result<TemplateEntry> {
        let record = self.changeable(caller, id).await?;
        let present = record.version;
        if let Some(seen) = seen.filter(|seen| *seen != present || !is_meant(&record)) {
            return Err(TemplateError::VersionMismatch { id: id.to_owned(), seen, present }.into());
        }
        if new.id != id {
            let defects = vec![Defect::new("/id", format!("must be {id:?}, as in the address"))];
            return Err(TemplateError::Invalid { id: new.id, defects }.into());
        }
        let change = TemplateChange {
            tenant: caller.tenant,
            number: record.number,
            seen,
            author: caller.username.clone(),
            template: Template::new(new)?,
            at: self.clock.now(),
        };
        Ok(self.store.update(change, TemplateBounds::default()).await?.into())
    }

    /// Forgets a template of the caller's tenant with all its versions, and frees its id. Plans made from it stay.
    ///
    /// # Errors
    /// `Template`: not found, built in, not the author.
    pub async fn delete(&self, caller: &Principal, id: &str) -> Result<()> {
        let record = self.changeable(caller, id).await?;
        Ok(self.store.delete(caller.tenant, record.number).await?)
    }

    /// What is known of a template that the caller may change.
    async fn changeable(&self, caller: &Principal, id: &str) -> Result<TemplateRecord> {
        self.refuse_builtin(id)?;
        let record = self.store.find(caller.tenant, id).await?.record;
        if record.owner == caller.owner() || caller.role == Role::Admin {
            return Ok(record);
        }
        Err(TemplateError::NotTheAuthor(id.to_owned()).into())
    }

    fn refuse_builtin(&self, id: &str) -> Result<()> {
        match self.builtin.find(id) {
            Ok(builtin) => Err(Error::Template(TemplateError::BuiltIn(builtin.id.clone()))),
            Err(_) => Ok(()),
        }
    }

    async fn shelf(&self, caller: &Principal) -> Result<Shelf> {
        // One whose id a later version of this program has built in is hidden by that.
        let own = self.store.list(caller.tenant).await?;
        let own = own.into_iter().filter(|own| self.builtin.find(&own.template.id).is_err());
        let (records, own): (HashMap<_, _>, Vec<_>) =
            own.map(|own| ((own.template.id.clone(), own.record), own.template)).unzip();
        Ok(Shelf { catalogue: self.builtin.with(own)?, records })
    }
}

/// All templates that a caller can use.
struct Shelf {
    catalogue: Catalogue,
    records: HashMap<String, TemplateRecord>,
}

impl Shelf {
    fn entry(&self, template: &Template) -> TemplateEntry {
        TemplateEntry { template: template.clone(), record: self.records.get(&template.id).cloned() }
    }
}
