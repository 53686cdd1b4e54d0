//! Tasks of a plan.

use super::{Conn, dialect};
use crate::error::Answer;
use crate::rows::PlanKey;
use crate::rows::task::{NewTaskRow, TaskDefinitionRow, TaskRow, TaskStandingRow};
use crate::schema::{blobs, tasks};
use agent_core::ids::TaskId;
use agent_core::plan::Task;
use diesel::prelude::*;

/// The tasks of a plan, by position.
pub(crate) fn of_plan(conn: &mut Conn, plan: PlanKey) -> Answer<Vec<Task>> {
    let rows: Vec<(TaskRow, Option<String>)> = tasks::table
        .left_join(blobs::table.on(tasks::result_blob.eq(blobs::hash.nullable())))
        .filter(tasks::plan_id.eq(plan.id.get()))
        .filter(tasks::tenant_id.eq(plan.tenant.get()))
        .filter(tasks::position.is_not_null())
        .order(tasks::position)
        .select((TaskRow::as_select(), blobs::content.nullable()))
        .load(conn)?;
    Ok(rows.into_iter().map(|(row, content)| row.into_task(content)).collect::<Result<_, _>>()?)
}

/// Adds tasks to a plan and yields their ids, in the order given.
pub(crate) fn insert(conn: &mut Conn, plan: PlanKey, mut rows: Vec<NewTaskRow>) -> Answer<Vec<i64>> {
    for row in &mut rows {
        (row.tenant_id, row.plan_id) = (plan.tenant.get(), plan.id.get());
    }
    Ok(dialect::insert_tasks(conn, &rows)?)
}

/// The position that the next task of a plan gets.
pub(crate) fn next_position(conn: &mut Conn, plan: PlanKey) -> Answer<i64> {
    let last: Option<i64> = tasks::table
        .filter(tasks::plan_id.eq(plan.id.get()))
        .filter(tasks::tenant_id.eq(plan.tenant.get()))
        .select(diesel::dsl::max(tasks::position))
        .get_result(conn)?;
    Ok(last.unwrap_or(0) + 1)
}

/// Changes where a task of the plan stands.
pub(crate) fn update(conn: &mut Conn, plan: PlanKey, id: TaskId, row: &TaskStandingRow) -> Answer<()> {
    let wanted = tasks::table
        .find(id.get())
        .filter(tasks::plan_id.eq(plan.id.get()))
        .filter(tasks::tenant_id.eq(plan.tenant.get()));
    match dialect::changed!(conn, diesel::update(wanted).set(row), tasks::id)? {
        false => Err(agent_core::Error::TaskNotFound { plan: plan.id, task: id }.into()),
        true => Ok(()),
    }
}

/// Gives a task another definition or place.
pub(crate) fn redefine(conn: &mut Conn, plan: PlanKey, id: TaskId, row: &TaskDefinitionRow) -> Answer<()> {
    diesel::update(tasks::table.find(id.get()).filter(tasks::tenant_id.eq(plan.tenant.get())))
        .set(row)
        .execute(conn)?;
    Ok(())
}

/// Takes tasks out of their plan; what is recorded of them stays.
pub(crate) fn remove(conn: &mut Conn, plan: PlanKey, ids: &[TaskId]) -> Answer<()> {
    let wanted =
        tasks::table.filter(tasks::plan_id.eq(plan.id.get())).filter(tasks::tenant_id.eq(plan.tenant.get()));
    let wanted = wanted.filter(tasks::id.eq_any(ids.iter().map(|id| id.get())));
    diesel::update(wanted).set(tasks::position.eq(None::<i64>)).execute(conn)?;
    Ok(())
}
