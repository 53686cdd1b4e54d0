//! Questions about plans.

use super::{Store, on_engine, read};
use crate::rows::PlanKey;
use agent_core::ids::{PlanId, TenantId};
use agent_core::plan::{Attempt, PlanVersion};
use agent_core::ports::{
    Approval, ApprovalFilter, ModelUsage, PlanCounts, PlanFilter, PlanMark, PlanPage, PlanReader, Step,
    Visibility,
};
use agent_core::{Error, Result};
use async_trait::async_trait;

#[async_trait]
impl PlanReader for Store {
    async fn list(&self, filter: &PlanFilter) -> Result<PlanPage> {
        let filter = filter.clone();
        read!(self, filter.visibility, db, |conn| db::listing::page(conn, &filter))
    }

    async fn counts(&self, visibility: Visibility) -> Result<PlanCounts> {
        read!(self, visibility, db, |conn| db::listing::counts(conn, visibility))
    }

    async fn mark(&self, visibility: Visibility, plan: PlanId) -> Result<PlanMark> {
        let mark = on_engine!(self, |engine, db| {
            engine.mark((visibility, plan), move |conn| db::plans::mark(conn, visibility, plan)).await
        })?;
        mark.ok_or(Error::PlanNotFound(plan))
    }

    async fn attempts(&self, tenant: TenantId, plan: PlanId) -> Result<Vec<Attempt>> {
        read!(self, tenant, db, |conn| db::attempts::of_plan(conn, PlanKey { tenant, id: plan }))
    }

    async fn steps(&self, tenant: TenantId, plan: PlanId) -> Result<Vec<Step>> {
        read!(self, tenant, db, |conn| db::steps::of_plan(conn, PlanKey { tenant, id: plan }))
    }

    async fn model_usage(&self, tenant: TenantId, plan: PlanId) -> Result<Vec<ModelUsage>> {
        read!(self, tenant, db, |conn| db::steps::model_usage(conn, PlanKey { tenant, id: plan }))
    }

    async fn versions(&self, tenant: TenantId, plan: PlanId) -> Result<Vec<PlanVersion>> {
        read!(self, tenant, db, |conn| db::versions::of_plan(conn, PlanKey { tenant, id: plan }))
    }

    async fn approvals(&self, filter: &ApprovalFilter) -> Result<(Vec<Approval>, u64)> {
        let filter = filter.clone();
        read!(self, filter.visibility, db, |conn| db::approvals::list(conn, &filter))
    }
}
