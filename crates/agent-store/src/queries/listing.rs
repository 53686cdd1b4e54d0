//! Pages of plans and counts over them.

use super::{Backend, Conn, dialect};
use crate::error::Answer;
use crate::rows::large;
use crate::rows::plan::PlanRow;
use crate::schema::{plans, tasks};
use agent_core::plan::{Plan, PlanStatus, TaskStatus};
use agent_core::ports::{PlanCounts, PlanFilter, PlanPage, PlanSummary, Visibility};
use agent_core::search::Search;
use diesel::dsl::count_star;
use diesel::prelude::*;
use std::collections::HashMap;

/// A page of plans, newest first.
pub(crate) fn page(conn: &mut Conn, filter: &PlanFilter) -> Answer<PlanPage> {
    let total: i64 = matching(filter).count().get_result(conn)?;
    let mut wanted = matching(filter).order(plans::id.desc()).select(PlanRow::as_select());
    if let Some(before) = filter.before {
        wanted = wanted.filter(plans::id.lt(before.get()));
    }
    // One more than asked for tells whether there is a next page.
    let mut rows = wanted.limit(i64::from(filter.limit) + 1).load(conn)?;
    let more = rows.len() > usize::try_from(filter.limit).unwrap_or(usize::MAX);
    if more {
        rows.pop();
    }
    let found = rows.into_iter().map(PlanRow::into_plan).collect::<Result<Vec<Plan>, _>>()?;
    let next = found.last().filter(|_| more).map(|plan| plan.id);
    Ok(PlanPage { plans: summaries(conn, found)?, total: large("count", total)?, next })
}

fn matching(filter: &PlanFilter) -> plans::BoxedQuery<'static, Backend> {
    let mut wanted = visible(filter.visibility);
    if let Some(status) = filter.status {
        wanted = wanted.filter(plans::status.eq(status.as_str()));
    }
    for word in Search::of(filter.text.as_deref().unwrap_or_default()).words() {
        wanted = wanted.filter(dialect::goal_has(word));
    }
    wanted
}

fn visible(visibility: Visibility) -> plans::BoxedQuery<'static, Backend> {
    let all = plans::table.into_boxed();
    match visibility {
        Visibility::Owner(owner) => {
            all.filter(plans::tenant_id.eq(owner.tenant.get())).filter(plans::owner_id.eq(owner.user.get()))
        }
        Visibility::Tenant(tenant) => all.filter(plans::tenant_id.eq(tenant.get())),
    }
}

/// Adds to each plan how many tasks it has, with one query for all.
fn summaries(conn: &mut Conn, found: Vec<Plan>) -> Answer<Vec<PlanSummary>> {
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let counted: Vec<(i64, String, i64)> = tasks::table
        .filter(tasks::tenant_id.eq_any(found.iter().map(|plan| plan.owner.tenant.get())))
        .filter(tasks::plan_id.eq_any(found.iter().map(|plan| plan.id.get())))
        .group_by((tasks::plan_id, tasks::status))
        .select((tasks::plan_id, tasks::status, count_star()))
        .load(conn)?;
    let mut counts: HashMap<i64, (u32, u32)> = HashMap::new();
    for (plan, status, count) in counted {
        let count = crate::rows::small("count", count)?;
        let (all, completed) = counts.entry(plan).or_default();
        *all += count;
        if status == TaskStatus::Completed.as_str() {
            *completed += count;
        }
    }
    let summary = |plan: Plan| {
        let (tasks, completed) = counts.get(&plan.id.get()).copied().unwrap_or_default();
        PlanSummary { plan, tasks, completed }
    };
    Ok(found.into_iter().map(summary).collect())
}

/// Counts over all visible plans.
pub(crate) fn counts(conn: &mut Conn, visibility: Visibility) -> Answer<PlanCounts> {
    let total: i64 = visible(visibility).count().get_result(conn)?;
    let completed: i64 = visible(visibility)
        .filter(plans::status.eq(PlanStatus::Completed.as_str()))
        .count()
        .get_result(conn)?;
    let live = PlanStatus::ALL.iter().filter(|status| status.is_live()).map(|status| status.as_str());
    let live: i64 = visible(visibility).filter(plans::status.eq_any(live)).count().get_result(conn)?;
    let count = |count| large("count", count);
    Ok(PlanCounts { total: count(total)?, completed: count(completed)?, live: count(live)? })
}
