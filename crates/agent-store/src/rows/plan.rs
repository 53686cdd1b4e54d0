//! Plans as rows.

use super::{document, instant, micros, named, parse, plain, plain_option};
use crate::schema::plans;
use agent_core::Result;
use agent_core::ids::{PlanId, Revision, UserId};
use agent_core::plan::{NewPlan, Plan, PlanStatus};
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
}

impl PlanRow {
    pub(crate) fn into_plan(self) -> Result<Plan> {
        Ok(Plan {
            id: PlanId(self.id),
            owner: UserId(self.owner_id),
            goal: self.goal,
            repo_path: self.repo_path,
            status: named("plans.status", &self.status)?,
            summary: self.summary,
            policy: parse("plans.policy", &self.policy)?,
            auto_execute: self.auto_execute,
            cancel_requested: self.cancel_requested,
            template_id: self.template_id,
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
}

impl NewPlanRow {
    /// The row of a plan about to be made; its first event will have the number 1.
    pub(crate) fn new(plan: &NewPlan, status: PlanStatus, at: Timestamp) -> Result<Self> {
        Ok(Self {
            owner_id: plan.owner.get(),
            status: status.as_str(),
            auto_execute: plan.auto_execute,
            cancel_requested: false,
            revision: FIRST_REVISION.get(),
            next_seq: 2,
            lease_generation: 0,
            created_at: at.as_micros(),
            updated_at: at.as_micros(),
            template_id: plain_option(plan.template_id.as_deref()),
            policy: document("plans.policy", &plan.policy)?,
            repo_path: plain(&plan.repo_path),
            goal: plain(&plan.goal),
        })
    }
}

/// The revision of a plan nobody has changed yet.
pub(crate) const FIRST_REVISION: Revision = Revision(0);

#[derive(AsChangeset)]
#[diesel(table_name = plans, treat_none_as_null = true)]
pub(crate) struct PlanChangeRow {
    status: &'static str,
    auto_execute: bool,
    cancel_requested: bool,
    revision: i64,
    updated_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    template_id: Option<String>,
    policy: String,
    repo_path: String,
    goal: String,
    summary: Option<String>,
}

impl PlanChangeRow {
    /// What the row becomes; the revision follows the one that was seen.
    pub(crate) fn new(plan: &Plan, seen: Revision) -> Result<Self> {
        Ok(Self {
            status: plan.status.as_str(),
            auto_execute: plan.auto_execute,
            cancel_requested: plan.cancel_requested,
            revision: seen.next().get(),
            updated_at: plan.updated_at.as_micros(),
            started_at: micros(plan.started_at),
            finished_at: micros(plan.finished_at),
            template_id: plain_option(plan.template_id.as_deref()),
            policy: document("plans.policy", &plan.policy)?,
            repo_path: plain(&plan.repo_path),
            goal: plain(&plan.goal),
            summary: plain_option(plan.summary.as_deref()),
        })
    }
}
