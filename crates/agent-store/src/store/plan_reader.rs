//! Questions about plans.

use super::Store;
use crate::sqlite::{approvals, attempts, listing, steps, versions};
use agent_core::Result;
use agent_core::ids::PlanId;
use agent_core::plan::{Attempt, PlanVersion};
use agent_core::ports::{Approval, PlanCounts, PlanFilter, PlanPage, PlanReader, Step, Visibility};
use async_trait::async_trait;

#[async_trait]
impl PlanReader for Store {
    async fn list(&self, filter: &PlanFilter) -> Result<PlanPage> {
        let filter = filter.clone();
        self.read(move |conn| listing::page(conn, &filter)).await
    }

    async fn counts(&self, visibility: Visibility) -> Result<PlanCounts> {
        self.read(move |conn| listing::counts(conn, visibility)).await
    }

    async fn attempts(&self, plan: PlanId) -> Result<Vec<Attempt>> {
        self.read(move |conn| attempts::of_plan(conn, plan)).await
    }

    async fn steps(&self, plan: PlanId) -> Result<Vec<Step>> {
        self.read(move |conn| steps::of_plan(conn, plan)).await
    }

    async fn versions(&self, plan: PlanId) -> Result<Vec<PlanVersion>> {
        self.read(move |conn| versions::of_plan(conn, plan)).await
    }

    async fn approvals(&self, visibility: Visibility, include_decided: bool) -> Result<Vec<Approval>> {
        self.read(move |conn| approvals::visible(conn, visibility, include_decided)).await
    }
}
