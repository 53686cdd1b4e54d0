//! Templates of tenants as rows, and their versions.

use super::{document, parse, small};
use crate::schema::{template_versions, templates};
use agent_core::Result;
use agent_core::ids::{Owner, TenantId, UserId};
use agent_core::time::Timestamp;
use agent_templates::{NewTemplate, OwnTemplate, Template, TemplateNumber, TemplateRecord, TemplateVersion};
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = templates)]
pub(crate) struct TemplateRow {
    pub(crate) id: i64,
    tenant_id: i64,
    owner_id: i64,
    version: i64,
    created_at: i64,
    updated_at: i64,
    author: String,
}

impl TemplateRow {
    /// The template with the document of its present version.
    pub(crate) fn into_own(self, document: &str) -> Result<OwnTemplate> {
        let record = TemplateRecord {
            number: TemplateNumber(self.id),
            owner: Owner { tenant: TenantId(self.tenant_id), user: UserId(self.owner_id) },
            author: self.author,
            version: small("templates.version", self.version)?,
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
        };
        Ok(OwnTemplate { record, template: kept(document)? })
    }
}

/// A template to be kept, in its first version.
#[derive(Insertable)]
#[diesel(table_name = templates)]
pub(crate) struct NewTemplateRow {
    pub(crate) tenant_id: i64,
    pub(crate) owner_id: i64,
    pub(crate) version: i64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
    pub(crate) size: i64,
    pub(crate) slug: String,
    pub(crate) author: String,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = template_versions)]
pub(crate) struct TemplateVersionRow {
    pub(crate) template_id: i64,
    pub(crate) version: i64,
    pub(crate) tenant_id: i64,
    pub(crate) created_at: i64,
    pub(crate) author: String,
    pub(crate) document: String,
}

impl TemplateVersionRow {
    pub(crate) fn into_version(self) -> Result<TemplateVersion> {
        Ok(TemplateVersion {
            version: small("template_versions.version", self.version)?,
            template: kept(&self.document)?,
            author: self.author,
            created_at: Timestamp::from_micros(self.created_at),
        })
    }
}

/// A template as it is kept.
pub(crate) fn written(template: &Template) -> Result<String> {
    document("template_versions.document", &NewTemplate::from(template))
}

fn kept(document: &str) -> Result<Template> {
    parse("template_versions.document", document).map(Template::kept)
}
