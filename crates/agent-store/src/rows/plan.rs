//! Plans as rows.

use super::{document, instant, micros, named, parse, plain, plain_option, small};
use crate::schema::plans;
use agent_core::Result;
use agent_core::ids::{Generation, Owner, PlanId, Revision, TenantId, UserId};
use agent_core::plan::Plan;
use agent_core::ports::Opening;
use agent_core::time::Timestamp;
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = plans)]
pub(crate) struct PlanRow {
    id: i64,
    owner_id: i64,
    status: String,
    auto_execute: bool,
    cancel_requested: bool,
    revision: i64,
    created_at: i64,
    updated_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    template_id: Option<String>,
    policy: String,
    repo_path: String,
    goal: String,
    summary: Option<String>,
    version: i64,
    tenant_id: i64,
}

impl PlanRow {
    pub(crate) fn into_plan(self) -> Result<Plan> {
        Ok(Plan {
            id: PlanId(self.id),
            owner: Owner { tenant: TenantId(self.tenant_id), user: UserId(self.owner_id) },
            goal: self.goal,
            repo_path: self.repo_path,
            status: named("plans.status", &self.status)?,
            summary: self.summary,
            policy: parse("plans.policy", &self.policy)?,
            auto_execute: self.auto_execute,
            cancel_requested: self.cancel_requested,
            template_id: self.template_id,
            version: small("plans.version", self.version)?,
            revision: Revision(self.revision),
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
            started_at: instant(self.started_at),
            finished_at: instant(self.finished_at),
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = plans, treat_none_as_default_value = false)]
pub(crate) struct NewPlanRow {
    pub(crate) owner_id: i64,
    pub(crate) tenant_id: i64,
    status: &'static str,
    auto_execute: bool,
    cancel_requested: bool,
    revision: i64,
    next_seq: i64,
    lease_generation: i64,
    created_at: i64,
    updated_at: i64,
    template_id: Option<String>,
    policy: String,
    repo_path: String,
    goal: String,
    version: i64,
    summary: Option<String>,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    lease_owner: Option<String>,
    pub(crate) lease_expires_at: Option<i64>,
}

impl NewPlanRow {
    /// The row of a plan about to be made, with numbers for its first events; when the lease ends is filled in
    /// by the database's clock.
    pub(crate) fn new(opening: &Opening) -> Result<Self> {
        let plan = &opening.state.plan;
        let events = i64::try_from(opening.change.events.len()).unwrap_or(i64::MAX);
        let holder = opening.hold.as_ref().map(|(worker, _)| worker.0.clone());
        Ok(Self {
            owner_id: plan.owner.user.get(),
            tenant_id: plan.owner.tenant.get(),
            status: plan.status.as_str(),
            auto_execute: plan.auto_execute,
            cancel_requested: plan.cancel_requested,
            revision: plan.revision.get(),
            next_seq: events + 1,
            lease_generation: holder.as_ref().map_or(0, |_| FIRST_GENERATION.get()),
            created_at: plan.created_at.as_micros(),
            updated_at: plan.updated_at.as_micros(),
            summary: plain_option(plan.summary.as_deref()),
            started_at: micros(plan.started_at),
            finished_at: micros(plan.finished_at),
            lease_owner: holder,
            lease_expires_at: None,
            template_id: plain_option(plan.template_id.as_deref()),
            policy: document("plans.policy", &plan.policy)?,
            repo_path: plain(&plan.repo_path),
            goal: plain(&plan.goal),
            version: i64::from(plan.version),
        })
    }
}

/// The generation of a plan that is held from its creation on.
pub(crate) const FIRST_GENERATION: Generation = Generation(1);

/// What every change writes: where the plan stands.
#[derive(AsChangeset)]
#[diesel(table_name = plans, treat_none_as_null = true)]
pub(crate) struct PlanStandingRow {
    pub(crate) status: &'static str,
    pub(crate) cancel_requested: bool,
    pub(crate) revision: i64,
    pub(crate) updated_at: i64,
    pub(crate) started_at: Option<i64>,
    pub(crate) finished_at: Option<i64>,
    pub(crate) summary: Option<String>,
}

impl PlanStandingRow {
    /// What the row becomes; the revision follows the one that was seen.
    pub(crate) fn new(plan: &Plan, seen: Revision) -> Self {
        Self {
            status: plan.status.as_str(),
            cancel_requested: plan.cancel_requested,
            revision: seen.next().get(),
            updated_at: plan.updated_at.as_micros(),
            started_at: micros(plan.started_at),
            finished_at: micros(plan.finished_at),
            summary: plain_option(plan.summary.as_deref()),
        }
    }
}

/// What only an edit writes.
#[derive(AsChangeset)]
#[diesel(table_name = plans)]
pub(crate) struct PlanDefinitionRow {
    version: i64,
    policy: String,
    goal: String,
}

impl PlanDefinitionRow {
    pub(crate) fn new(plan: &Plan) -> Result<Self> {
        Ok(Self {
            version: i64::from(plan.version),
            policy: document("plans.policy", &plan.policy)?,
            goal: plain(&plan.goal),
        })
    }
}
