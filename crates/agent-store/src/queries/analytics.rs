//! Finished attempts as figures need them, and the sums that are made of them.

use super::{Backend, Conn, steps};
use crate::error::Answer;
use crate::rows::{large, named, parse, plain, small};
use crate::schema::{analytics_overviews, analytics_rollups, attempts, plans, tasks, tenants};
use agent_analytics::ports::{AttemptRecord, AttemptsOf, Snapshot, Wanted};
use agent_analytics::{Batch, Dimension, Overview, RollupKey, Rollups, keys_of};
use agent_core::ids::{PlanId, TaskId, TenantId, UserId};
use agent_core::plan::TaskStatus;
use agent_core::time::Timestamp;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Bool;
use std::collections::{BTreeMap, BTreeSet};

/// Keys per statement; well below the values that a statement may have.
const CHUNK: usize = 500;

/// An attempt with what is told of it by its task and its plan.
type Row = (
    (i64, i64, i64, i64, String, Option<String>, i64, i64),
    (String, Option<String>, i64, Option<i64>, i64, i64),
);

macro_rules! recorded {
    ($tenant:expr) => {
        attempts::table
            .inner_join(tasks::table)
            .inner_join(plans::table.on(attempts::plan_id.eq(plans::id)))
            .filter(attempts::tenant_id.eq($tenant.get()))
            .select((
                (
                    attempts::cursor,
                    attempts::plan_id,
                    attempts::task_id,
                    attempts::attempt,
                    tasks::description,
                    plans::template_id,
                    plans::owner_id,
                    attempts::tenant_id,
                ),
                (
                    attempts::status,
                    attempts::error,
                    attempts::started_at,
                    attempts::finished_at,
                    attempts::result_length,
                    attempts::tokens,
                ),
            ))
    };
}

/// What is kept of a tenant, with attempts that are not counted yet.
pub(crate) fn snapshot(conn: &mut Conn, tenant: TenantId, limit: u32, wanted: &Wanted) -> Answer<Snapshot> {
    let overview = overview(conn, tenant)?.unwrap_or_default();
    let tail: Vec<Row> = recorded!(tenant)
        .filter(attempts::cursor.gt(overview.cursor))
        .order(attempts::cursor)
        .limit(i64::from(limit))
        .load(conn)?;
    let through = tail.last().map_or(overview.cursor, |((cursor, ..), _)| *cursor);
    let more = tail.len() >= limit as usize;
    let attempts = records(conn, tail)?;
    let earlier = earlier(conn, tenant, &attempts, overview.cursor)?;
    let rollups = rollups(conn, tenant, wanted, &attempts)?;
    let total = match wanted {
        Wanted::Page { dimension, .. } => size(conn, tenant, *dimension)?,
        _ => 0,
    };
    Ok(Snapshot { overview, rollups, total, batch: Batch { attempts, earlier, through }, more })
}

/// All finished attempts of a task or plan, as they ended.
pub(crate) fn attempts_of(conn: &mut Conn, tenant: TenantId, of: AttemptsOf) -> Answer<Vec<AttemptRecord>> {
    // Not by place, for which SQLite would read all that the tenant has.
    let ordered = recorded!(tenant).order((attempts::finished_at, attempts::task_id, attempts::attempt));
    let rows: Vec<Row> = match of {
        AttemptsOf::Task(task) => ordered.filter(attempts::task_id.eq(task.get())).load(conn)?,
        AttemptsOf::Plan(plan) => ordered.filter(attempts::plan_id.eq(plan.get())).load(conn)?,
    };
    records(conn, rows)
}

/// The tenants that have attempts behind what is counted.
pub(crate) fn behind(conn: &mut Conn) -> Answer<Vec<TenantId>> {
    /// Of each tenant only the first attempt behind is looked for.
    const BEHIND: &str = "EXISTS (SELECT 1 FROM attempts WHERE attempts.tenant_id = tenants.id AND attempts.cursor > \
        COALESCE((SELECT analytics_overviews.cursor FROM analytics_overviews \
        WHERE analytics_overviews.tenant_id = tenants.id), 0))";
    let behind: Vec<i64> =
        tenants::table.filter(sql::<Bool>(BEHIND)).order(tenants::id).select(tenants::id).load(conn)?;
    Ok(behind.into_iter().map(TenantId).collect())
}

/// Keeps a later overview and the sums that changed with it; false where somebody else counted since `expected`.
pub(crate) fn keep(
    conn: &mut Conn,
    tenant: TenantId,
    expected: i64,
    (cursor, overview): (i64, &str),
    rollups: &[(RollupKey, String)],
) -> Answer<bool> {
    if counted(conn, tenant)? != expected {
        return Ok(false);
    }
    diesel::insert_into(analytics_overviews::table)
        .values((
            analytics_overviews::tenant_id.eq(tenant.get()),
            analytics_overviews::cursor.eq(cursor),
            analytics_overviews::overview.eq(overview),
        ))
        .on_conflict(analytics_overviews::tenant_id)
        .do_update()
        .set((analytics_overviews::cursor.eq(cursor), analytics_overviews::overview.eq(overview)))
        .execute(conn)?;
    for (key, figures) in rollups {
        diesel::insert_into(analytics_rollups::table)
            .values((
                analytics_rollups::tenant_id.eq(tenant.get()),
                analytics_rollups::dimension.eq(key.dimension.as_str()),
                analytics_rollups::subject.eq(plain(&key.subject)),
                analytics_rollups::figures.eq(figures),
            ))
            .on_conflict((
                analytics_rollups::tenant_id,
                analytics_rollups::dimension,
                analytics_rollups::subject,
            ))
            .do_update()
            .set(analytics_rollups::figures.eq(figures))
            .execute(conn)?;
    }
    Ok(true)
}

/// The cursor up to which everything is counted.
fn counted(conn: &mut Conn, tenant: TenantId) -> Answer<i64> {
    let kept: Option<i64> = analytics_overviews::table
        .filter(analytics_overviews::tenant_id.eq(tenant.get()))
        .select(analytics_overviews::cursor)
        .get_result(conn)
        .optional()?;
    Ok(kept.unwrap_or(0))
}

fn overview(conn: &mut Conn, tenant: TenantId) -> Answer<Option<Overview>> {
    let kept: Option<String> = analytics_overviews::table
        .filter(analytics_overviews::tenant_id.eq(tenant.get()))
        .select(analytics_overviews::overview)
        .get_result(conn)
        .optional()?;
    Ok(kept.map(|text| parse("analytics_overviews.overview", &text)).transpose()?)
}

/// The counted attempts of tasks that have been tried again.
fn earlier(
    conn: &mut Conn,
    tenant: TenantId,
    fresh: &[AttemptRecord],
    through: i64,
) -> Answer<Vec<AttemptRecord>> {
    let first_in_batch: BTreeMap<TaskId, u32> = fresh.iter().fold(BTreeMap::new(), |mut first, record| {
        let attempt = first.entry(record.task_id).or_insert(record.attempt);
        *attempt = record.attempt.min(*attempt);
        first
    });
    // A first attempt has none before it.
    let again = first_in_batch.into_iter().filter(|(_, attempt)| *attempt > 1);
    let tasks: Vec<i64> = again.map(|(task, _)| task.get()).collect();
    let mut found = Vec::new();
    for chunk in tasks.chunks(CHUNK) {
        let rows: Vec<Row> = recorded!(tenant)
            .filter(attempts::task_id.eq_any(chunk))
            .order((attempts::task_id, attempts::attempt))
            .load(conn)?;
        let counted = rows.into_iter().filter(|((cursor, ..), _)| *cursor <= through);
        found.extend(records(conn, counted.collect())?);
    }
    Ok(found)
}

fn size(conn: &mut Conn, tenant: TenantId, dimension: Dimension) -> Answer<u64> {
    let n: i64 = analytics_rollups::table
        .filter(analytics_rollups::tenant_id.eq(tenant.get()))
        .filter(analytics_rollups::dimension.eq(dimension.as_str()))
        .count()
        .get_result(conn)?;
    Ok(large("count", n)?)
}

fn of_dimension(tenant: TenantId, dimension: Dimension) -> analytics_rollups::BoxedQuery<'static, Backend> {
    analytics_rollups::table
        .filter(analytics_rollups::tenant_id.eq(tenant.get()))
        .filter(analytics_rollups::dimension.eq(dimension.as_str()))
        .order(analytics_rollups::subject)
        .into_boxed()
}

fn rollups(conn: &mut Conn, tenant: TenantId, wanted: &Wanted, fresh: &[AttemptRecord]) -> Answer<Rollups> {
    let mut rows: Vec<(i64, String, String, String)> = Vec::new();
    match wanted {
        Wanted::Nothing => {}
        Wanted::From(beginnings) => {
            for (dimension, first) in beginnings {
                let from = of_dimension(tenant, *dimension);
                rows.extend(from.filter(analytics_rollups::subject.ge(first.clone())).load(conn)?);
            }
        }
        Wanted::Page { dimension, after, limit } => {
            let mut page = of_dimension(tenant, *dimension).limit(i64::from(*limit));
            if let Some(after) = after {
                page = page.filter(analytics_rollups::subject.gt(plain(after)));
            }
            rows = page.load(conn)?;
        }
        Wanted::Touched => {
            let keys: BTreeSet<RollupKey> = fresh.iter().flat_map(keys_of).collect();
            for dimension in Dimension::ALL {
                let of_it = keys.iter().filter(|key| key.dimension == dimension);
                let subjects: Vec<String> = of_it.map(|key| plain(&key.subject)).collect();
                for chunk in subjects.chunks(CHUNK) {
                    let among = analytics_rollups::subject.eq_any(chunk.to_vec());
                    rows.extend(of_dimension(tenant, dimension).filter(among).load(conn)?);
                }
            }
        }
    }
    let parsed = rows.into_iter().map(|(_, dimension, subject, figures)| {
        let dimension = named("analytics_rollups.dimension", &dimension)?;
        Ok((RollupKey { dimension, subject }, parse("analytics_rollups.figures", &figures)?))
    });
    parsed.collect()
}

/// The attempts that completed or failed, with the models that answered in them.
fn records(conn: &mut Conn, rows: Vec<Row>) -> Answer<Vec<AttemptRecord>> {
    let Some(((.., tenant), _)) = rows.first() else { return Ok(Vec::new()) };
    let tenant = TenantId(*tenant);
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        let (_, (status, ..)) = &row;
        let succeeded = *status == TaskStatus::Completed.as_str();
        if succeeded || *status == TaskStatus::Failed.as_str() {
            records.push(record(row, succeeded)?);
        }
    }
    // Where no tokens were used, no model answered.
    let asked: Vec<&AttemptRecord> = records.iter().filter(|record| record.tokens > 0).collect();
    let mut used = BTreeMap::new();
    for chunk in asked.chunks(CHUNK) {
        let plans: BTreeSet<PlanId> = chunk.iter().map(|record| record.plan_id).collect();
        let tasks: BTreeSet<TaskId> = chunk.iter().map(|record| record.task_id).collect();
        used.extend(steps::model_usage_of_tasks(conn, tenant, &plans, &tasks)?);
    }
    for record in &mut records {
        if let Some(models) = used.get(&(record.task_id, record.attempt)) {
            record.models.clone_from(models);
        }
    }
    Ok(records)
}

fn record(row: Row, succeeded: bool) -> Answer<AttemptRecord> {
    let (
        (cursor, plan, task, attempt, description, template_id, user, _),
        (_, error, started_at, finished_at, result_length, tokens),
    ) = row;
    Ok(AttemptRecord {
        cursor,
        plan_id: PlanId(plan),
        task_id: TaskId(task),
        attempt: small("attempts.attempt", attempt)?,
        description,
        template_id,
        user_id: UserId(user),
        succeeded,
        error,
        started_at: Timestamp::from_micros(started_at),
        finished_at: Timestamp::from_micros(finished_at.unwrap_or(started_at)),
        result_length: large("attempts.result_length", result_length)?,
        tokens: large("attempts.tokens", tokens)?,
        models: Vec::new(),
    })
}
