//! Tasks as rows.

use super::{document, instant, micros, named, parse, plain, plain_option, small, word};
use crate::schema::tasks;
use agent_core::Result;
use agent_core::ids::{PlanId, TaskId};
use agent_core::plan::{Task, TaskSpec, TaskStatus};
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = tasks)]
pub(crate) struct TaskRow {
    id: i64,
    plan_id: i64,
    position: i64,
    status: String,
    selected: bool,
    attempts: i64,
    attempt_limit: i64,
    approved: bool,
    wake_at: Option<i64>,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    spec: String,
    result: Option<String>,
    error: Option<String>,
}

impl TaskRow {
    pub(crate) fn into_task(self) -> Result<Task> {
        Ok(Task {
            id: TaskId(self.id),
            plan_id: PlanId(self.plan_id),
            position: small("tasks.position", self.position)?,
            spec: parse("tasks.spec", &self.spec)?,
            status: named("tasks.status", &self.status)?,
            selected: self.selected,
            attempts: small("tasks.attempts", self.attempts)?,
            attempt_limit: small("tasks.attempt_limit", self.attempt_limit)?,
            approved: self.approved,
            wake_at: instant(self.wake_at),
            result: self.result.map(|text| parse("tasks.result", &text)).transpose()?,
            error: self.error,
            started_at: instant(self.started_at),
            finished_at: instant(self.finished_at),
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = tasks, treat_none_as_default_value = false)]
pub(crate) struct NewTaskRow {
    pub(crate) plan_id: i64,
    pub(crate) position: i64,
    status: &'static str,
    selected: bool,
    attempts: i64,
    attempt_limit: i64,
    approved: bool,
    kind: &'static str,
    priority: String,
    description: String,
    spec: String,
}

impl NewTaskRow {
    /// The row of a task about to be added; plan and position follow when they are known.
    pub(crate) fn new(spec: &TaskSpec) -> Result<Self> {
        Ok(Self {
            plan_id: 0,
            position: 0,
            status: TaskStatus::Pending.as_str(),
            selected: false,
            attempts: 0,
            attempt_limit: i64::from(spec.retry.max_attempts),
            approved: false,
            kind: spec.kind.name(),
            priority: word("tasks.priority", &spec.priority)?,
            description: plain(&spec.description),
            spec: document("tasks.spec", spec)?,
        })
    }
}

/// A task as [`NewTaskRow`] stores it, without reading it back.
pub(crate) fn new_task(id: i64, plan: PlanId, position: u32, spec: &TaskSpec) -> Task {
    Task {
        id: TaskId(id),
        plan_id: plan,
        position,
        status: TaskStatus::Pending,
        selected: false,
        attempts: 0,
        attempt_limit: spec.retry.max_attempts,
        approved: false,
        wake_at: None,
        result: None,
        error: None,
        started_at: None,
        finished_at: None,
        spec: spec.clone(),
    }
}

#[derive(AsChangeset)]
#[diesel(table_name = tasks, treat_none_as_null = true)]
pub(crate) struct TaskChangeRow {
    status: &'static str,
    selected: bool,
    attempts: i64,
    attempt_limit: i64,
    approved: bool,
    wake_at: Option<i64>,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    kind: &'static str,
    priority: String,
    description: String,
    spec: String,
    result: Option<String>,
    error: Option<String>,
}

impl TaskChangeRow {
    pub(crate) fn new(task: &Task) -> Result<Self> {
        Ok(Self {
            status: task.status.as_str(),
            selected: task.selected,
            attempts: i64::from(task.attempts),
            attempt_limit: i64::from(task.attempt_limit),
            approved: task.approved,
            wake_at: micros(task.wake_at),
            started_at: micros(task.started_at),
            finished_at: micros(task.finished_at),
            kind: task.spec.kind.name(),
            priority: word("tasks.priority", &task.spec.priority)?,
            description: plain(&task.spec.description),
            spec: document("tasks.spec", &task.spec)?,
            result: task.result.as_ref().map(|result| document("tasks.result", result)).transpose()?,
            error: plain_option(task.error.as_deref()),
        })
    }
}
