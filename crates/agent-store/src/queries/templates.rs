//! Templates of tenants, and their versions.

use super::idempotency::{self, Resource};
use super::{Conn, plans};
use crate::error::{Answer, Error as StoreError};
use crate::rows::template::{NewTemplateRow, TemplateRow, TemplateVersionRow, written};
use crate::rows::{plain, stored};
use crate::schema::{template_versions, templates};
use agent_core::ids::TenantId;
use agent_templates::{
    Error, NewOwnTemplate, OwnTemplate, Result, TemplateBounds, TemplateChange, TemplateNumber,
    TemplateVersion,
};
use diesel::prelude::*;

/// The templates of a tenant, each with its present version.
macro_rules! present {
    ($tenant:expr) => {
        templates::table
            .inner_join(
                template_versions::table.on(template_versions::template_id
                    .eq(templates::id)
                    .and(template_versions::version.eq(templates::version))),
            )
            .filter(templates::tenant_id.eq($tenant.get()))
            .filter(template_versions::tenant_id.eq($tenant.get()))
            .select((TemplateRow::as_select(), template_versions::document))
    };
}

/// The row of a template.
macro_rules! own {
    ($tenant:expr, $number:expr) => {
        templates::table
            .filter(templates::id.eq($number.get()))
            .filter(templates::tenant_id.eq($tenant.get()))
    };
}

/// Keeps a template, or finds the one made by the same request.
pub(crate) fn create(
    conn: &mut Conn,
    mut new: NewOwnTemplate,
    bounds: TemplateBounds,
) -> Answer<Result<OwnTemplate>> {
    let (owner, at, key) = (new.owner, new.created_at, new.idempotency.take());
    let Some(key) = key else { return insert(conn, &new, bounds) };
    if let Some(existing) = idempotency::find(conn, owner, &key, Resource::Template, at)? {
        let found = numbered(conn, owner.tenant, TemplateNumber(existing))?;
        return Ok(found.ok_or(Error::NotFound(new.template.id)));
    }
    let made = insert(conn, &new, bounds)?;
    if let Ok(own) = &made {
        idempotency::keep(conn, owner, &key, (Resource::Template, own.record.number.get()), at)?;
    }
    Ok(made)
}

fn insert(conn: &mut Conn, new: &NewOwnTemplate, bounds: TemplateBounds) -> Answer<Result<OwnTemplate>> {
    let (tenant, slug) = (new.owner.tenant, &new.template.id);
    let others: Vec<(String, i64)> = templates::table
        .filter(templates::tenant_id.eq(tenant.get()))
        .select((templates::slug, templates::size))
        .load(conn)?;
    if others.iter().any(|(other, _)| other == slug) {
        return Ok(Err(Error::Taken(slug.clone())));
    }
    if others.len() as u64 >= u64::from(bounds.templates) {
        return Ok(Err(Error::TooMany { max: bounds.templates }));
    }
    let document = written(&new.template)?;
    if let Err(refused) = fits(others.into_iter().map(|(_, size)| size), &document, bounds) {
        return Ok(Err(refused));
    }
    let at = new.created_at.as_micros();
    let row = NewTemplateRow {
        tenant_id: tenant.get(),
        owner_id: new.owner.user.get(),
        version: 1,
        created_at: at,
        updated_at: at,
        size: size(&document),
        slug: slug.clone(),
        author: new.author.clone(),
    };
    let inserted = diesel::insert_into(templates::table)
        .values(row)
        .returning(TemplateRow::as_returning())
        .get_result(conn);
    let row = match inserted {
        Ok(row) => row,
        Err(error) if plans::is_missing_parent(&error) => {
            return Err(StoreError::UnknownOwner(new.owner).into());
        }
        Err(error) => return Err(error.into()),
    };
    let first = TemplateVersionRow {
        template_id: row.id,
        version: 1,
        tenant_id: tenant.get(),
        created_at: at,
        author: new.author.clone(),
        document: document.clone(),
    };
    diesel::insert_into(template_versions::table).values(first).execute(conn)?;
    Ok(Ok(row.into_own(&document)?))
}

fn size(document: &str) -> i64 {
    stored(document.len() as u64)
}

/// Whether there is room for a document beside others of these sizes.
fn fits(others: impl Iterator<Item = i64>, document: &str, bounds: TemplateBounds) -> Result<()> {
    let max = bounds.bytes;
    let all = others.fold(size(document), i64::saturating_add);
    if all > stored(max) { Err(Error::TooMuch { max }) } else { Ok(()) }
}

/// All templates of a tenant, by id.
pub(crate) fn list(conn: &mut Conn, tenant: TenantId) -> Answer<Vec<OwnTemplate>> {
    let rows: Vec<(TemplateRow, String)> = present!(tenant).order(templates::slug).load(conn)?;
    let own = rows.into_iter().map(|(row, document)| row.into_own(&document));
    Ok(own.collect::<agent_core::Result<_>>()?)
}

/// The template of this id.
pub(crate) fn find(conn: &mut Conn, tenant: TenantId, id: &str) -> Answer<Option<OwnTemplate>> {
    let row: Option<(TemplateRow, String)> =
        present!(tenant).filter(templates::slug.eq(plain(id))).get_result(conn).optional()?;
    Ok(row.map(|(row, document)| row.into_own(&document)).transpose()?)
}

fn numbered(conn: &mut Conn, tenant: TenantId, number: TemplateNumber) -> Answer<Option<OwnTemplate>> {
    let row: Option<(TemplateRow, String)> =
        present!(tenant).filter(templates::id.eq(number.get())).get_result(conn).optional()?;
    Ok(row.map(|(row, document)| row.into_own(&document)).transpose()?)
}

/// Writes another version, unless it says the same as the present one.
pub(crate) fn update(
    conn: &mut Conn,
    change: &TemplateChange,
    bounds: TemplateBounds,
) -> Answer<Result<OwnTemplate>> {
    let (tenant, number, id) = (change.tenant, change.number, &change.template.id);
    let Some(own) = numbered(conn, tenant, number)?.filter(|own| own.template.id == *id) else {
        return Ok(Err(Error::NotFound(id.clone())));
    };
    let present = own.record.version;
    if let Some(seen) = change.seen.filter(|seen| *seen != present) {
        return Ok(Err(Error::VersionMismatch { id: id.clone(), seen, present }));
    }
    if own.template == change.template {
        return Ok(Ok(own));
    }
    let others: Vec<i64> = templates::table
        .filter(templates::tenant_id.eq(tenant.get()))
        .filter(templates::id.ne(number.get()))
        .select(templates::size)
        .load(conn)?;
    let document = written(&change.template)?;
    if let Err(refused) = fits(others.into_iter(), &document, bounds) {
        return Ok(Err(refused));
    }
    let (version, at) = (i64::from(present.saturating_add(1)), change.at.as_micros());
    let row = diesel::update(own!(tenant, number))
        .set((
            templates::version.eq(version),
            templates::updated_at.eq(at),
            templates::size.eq(size(&document)),
        ))
        .returning(TemplateRow::as_returning())
        .get_result(conn)?;
    let next = TemplateVersionRow {
        template_id: number.get(),
        version,
        tenant_id: tenant.get(),
        created_at: at,
        author: change.author.clone(),
        document: document.clone(),
    };
    diesel::insert_into(template_versions::table).values(next).execute(conn)?;
    remove_oldest(conn, change, version, bounds)?;
    Ok(Ok(row.into_own(&document)?))
}

/// Removes what a template has of old versions beyond the bounds. Its versions have no gaps, as only the oldest go.
fn remove_oldest(
    conn: &mut Conn,
    change: &TemplateChange,
    present: i64,
    bounds: TemplateBounds,
) -> Answer<()> {
    let (tenant, number) = (change.tenant.get(), change.number.get());
    let of_tenant = template_versions::table.filter(template_versions::tenant_id.eq(tenant));
    let own: i64 = of_tenant.filter(template_versions::template_id.eq(number)).count().get_result(conn)?;
    let all: i64 = of_tenant.count().get_result(conn)?;
    let templates: i64 = templates::table.filter(templates::tenant_id.eq(tenant)).count().get_result(conn)?;
    let of_one = own.saturating_sub(i64::from(bounds.versions));
    let of_all = all.saturating_sub(templates).saturating_sub(i64::from(bounds.past_versions));
    let many = of_one.max(of_all).min(own.saturating_sub(1));
    if many > 0 {
        let oldest_kept = present.saturating_sub(own).saturating_add(1).saturating_add(many);
        let gone = template_versions::table
            .filter(template_versions::template_id.eq(number))
            .filter(template_versions::tenant_id.eq(tenant))
            .filter(template_versions::version.lt(oldest_kept));
        diesel::delete(gone).execute(conn)?;
    }
    Ok(())
}

/// Forgets a template with all its versions; tells whether there was one.
pub(crate) fn delete(conn: &mut Conn, tenant: TenantId, number: TemplateNumber) -> Answer<bool> {
    let versions = template_versions::table
        .filter(template_versions::template_id.eq(number.get()))
        .filter(template_versions::tenant_id.eq(tenant.get()));
    diesel::delete(versions).execute(conn)?;
    Ok(diesel::delete(own!(tenant, number)).execute(conn)? > 0)
}

/// The versions of a template, oldest first, or only one of them.
pub(crate) fn versions(
    conn: &mut Conn,
    tenant: TenantId,
    number: TemplateNumber,
    only: Option<u32>,
) -> Answer<Vec<TemplateVersion>> {
    let mut wanted = template_versions::table
        .filter(template_versions::template_id.eq(number.get()))
        .filter(template_versions::tenant_id.eq(tenant.get()))
        .order(template_versions::version)
        .select(TemplateVersionRow::as_select())
        .into_boxed();
    if let Some(version) = only {
        wanted = wanted.filter(template_versions::version.eq(i64::from(version)));
    }
    let rows = wanted.load(conn)?;
    Ok(rows.into_iter().map(TemplateVersionRow::into_version).collect::<agent_core::Result<_>>()?)
}
