//! Questions about plans.

use super::{Store, read};
use agent_core::Result;
use agent_core::ids::PlanId;
use agent_core::plan::{Attempt, PlanVersion};
use agent_core::ports::{
    Approval, ApprovalFilter, ModelUsage, PlanCounts, PlanFilter, PlanPage, PlanReader, Step, Visibility,
};
use async_trait::async_trait;

#[async_trait]
impl PlanReader for Store {
    async fn list(&self, filter: &PlanFilter) -> Result<PlanPage> {
        let filter = filter.clone();
        read!(self, db, |conn| db::listing::page(conn, &filter))
    }

    async fn counts(&self, visibility: Visibility) -> Result<PlanCounts> {
        read!(self, db, |conn| db::listing::counts(conn, visibility))
    }

    async fn attempts(&self, plan: PlanId) -> Result<Vec<Attempt>> {
        read!(self, db, |conn| db::attempts::of_plan(conn, plan))
    }

    async fn steps(&self, plan: PlanId) -> Result<Vec<Step>> {
        read!(self, db, |conn| db::steps::of_plan(conn, plan))
    }

    async fn model_usage(&self, plan: PlanId) -> Result<Vec<ModelUsage>> {
        read!(self, db, |conn| db::steps::model_usage(conn, plan))
    }

    async fn versions(&self, plan: PlanId) -> Result<Vec<PlanVersion>> {
        read!(self, db, |conn| db::versions::of_plan(conn, plan))
    }

    async fn approvals(&self, filter: &ApprovalFilter) -> Result<(Vec<Approval>, u64)> {
        let filter = filter.clone();
        read!(self, db, |conn| db::approvals::list(conn, &filter))
    }
}
