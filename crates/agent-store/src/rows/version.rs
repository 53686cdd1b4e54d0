//! Versions of a plan's definition as rows.

use super::{PlanKey, document, parse};
use crate::schema::plan_versions;
use agent_core::Result;
use agent_core::ids::PlanId;
use agent_core::plan::{DefinitionChange, PlanDefinition, PlanVersion};
use agent_core::ports::NewVersion;
use agent_core::time::Timestamp;
use diesel::prelude::*;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = plan_versions, treat_none_as_default_value = false)]
pub(crate) struct VersionRow {
    plan_id: i64,
    version: i64,
    created_at: i64,
    author: Option<String>,
    changes: String,
    definition: String,
    tenant_id: i64,
}

impl VersionRow {
    /// The rows of an edit: the definition before it, in case nobody has kept it yet, and the one after it.
    pub(crate) fn pair(plan: PlanKey, new: &NewVersion, at: Timestamp) -> Result<(Self, Self)> {
        let before = Self::new(plan, &new.before, &[], None, at)?;
        Ok((before, Self::new(plan, &new.after, &new.changes, Some(&new.by), at)?))
    }

    fn new(
        plan: PlanKey,
        definition: &PlanDefinition,
        changes: &[DefinitionChange],
        author: Option<&String>,
        at: Timestamp,
    ) -> Result<Self> {
        Ok(Self {
            tenant_id: plan.tenant.get(),
            plan_id: plan.id.get(),
            version: i64::from(definition.version),
            created_at: at.as_micros(),
            author: author.cloned(),
            changes: document("plan_versions.changes", &changes)?,
            definition: document("plan_versions.definition", definition)?,
        })
    }

    pub(crate) fn into_version(self) -> Result<PlanVersion> {
        Ok(PlanVersion {
            plan_id: PlanId(self.plan_id),
            definition: parse("plan_versions.definition", &self.definition)?,
            changes: parse("plan_versions.changes", &self.changes)?,
            by: self.author,
            created_at: Timestamp::from_micros(self.created_at),
        })
    }
}
