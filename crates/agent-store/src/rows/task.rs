//! Tasks as rows.

use super::blob::{self, Blob};
use super::{document, instant, micros, named, parse, plain, plain_option, small, word};
use crate::schema::tasks;
use agent_core::Result;
use agent_core::ids::{PlanId, TaskId};
use agent_core::plan::{Task, TaskSpec, TaskStatus};
use diesel::prelude::*;
use serde::{Serialize, Serializer};
use std::sync::Arc;

#[derive(Queryable, Selectable)]
#[diesel(table_name = tasks)]
pub(crate) struct TaskRow {
    id: i64,
    plan_id: i64,
    position: Option<i64>,
    status: String,
    selected: bool,
    attempts: i64,
    attempt_limit: i64,
    recoveries: i64,
    approved: bool,
    questions: i64,
    wake_at: Option<i64>,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    spec: String,
    result: Option<String>,
    kept: Option<String>,
    error: Option<String>,
}

impl TaskRow {
    /// The task, with its result where that was too long for the row.
    pub(crate) fn into_task(self, long_result: Option<String>) -> Result<Task> {
        Ok(Task {
            id: TaskId(self.id),
            plan_id: PlanId(self.plan_id),
            position: small("tasks.position", self.position.unwrap_or(-1))?,
            spec: Arc::new(parse("tasks.spec", &self.spec)?),
            status: named("tasks.status", &self.status)?,
            selected: self.selected,
            attempts: small("tasks.attempts", self.attempts)?,
            attempt_limit: small("tasks.attempt_limit", self.attempt_limit)?,
            recoveries: small("tasks.recoveries", self.recoveries)?,
            approved: self.approved,
            questions: small("tasks.questions", self.questions)?,
            wake_at: instant(self.wake_at),
            result: self
                .result
                .or(long_result)
                .map(|text| parse("tasks.result", &text).map(Arc::new))
                .transpose()?,
            kept: self.kept.map(|text| parse("tasks.kept", &text)).transpose()?,
            error: self.error,
            started_at: instant(self.started_at),
            finished_at: instant(self.finished_at),
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = tasks, treat_none_as_default_value = false)]
pub(crate) struct NewTaskRow {
    pub(crate) tenant_id: i64,
    pub(crate) plan_id: i64,
    pub(crate) position: i64,
    status: &'static str,
    selected: bool,
    attempts: i64,
    attempt_limit: i64,
    recoveries: i64,
    approved: bool,
    questions: i64,
    wake_at: Option<i64>,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    kind: &'static str,
    priority: String,
    description: String,
    spec: String,
    error: Option<String>,
}

impl NewTaskRow {
    /// The row of a task of a plan about to be made; tenant and plan follow when they are known.
    pub(crate) fn opening(task: &Task) -> Result<Self> {
        Ok(Self {
            position: i64::from(task.position),
            status: task.status.as_str(),
            attempts: i64::from(task.attempts),
            questions: i64::from(task.questions),
            wake_at: micros(task.wake_at),
            started_at: micros(task.started_at),
            finished_at: micros(task.finished_at),
            error: plain_option(task.error.as_deref()),
            ..Self::new(&task.spec, task.selected)?
        })
    }

    /// The row of a task about to be added; tenant, plan and position follow when they are known.
    pub(crate) fn new(spec: &TaskSpec, selected: bool) -> Result<Self> {
        Ok(Self {
            tenant_id: 0,
            plan_id: 0,
            position: 0,
            status: TaskStatus::Pending.as_str(),
            selected,
            attempts: 0,
            attempt_limit: i64::from(spec.retry.max_attempts),
            recoveries: 0,
            approved: false,
            questions: 0,
            wake_at: None,
            started_at: None,
            finished_at: None,
            kind: spec.kind.name(),
            priority: word("tasks.priority", &spec.priority)?,
            description: plain(&spec.description),
            spec: document("tasks.spec", spec)?,
            error: None,
        })
    }
}

/// What every change writes: where the task stands.
#[derive(AsChangeset, Serialize)]
#[diesel(table_name = tasks, treat_none_as_null = true)]
pub(crate) struct TaskStandingRow {
    status: &'static str,
    selected: bool,
    attempts: i64,
    attempt_limit: i64,
    recoveries: i64,
    approved: bool,
    questions: i64,
    wake_at: Option<i64>,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    #[serde(serialize_with = "in_hex")]
    result_blob: Option<Vec<u8>>,
    result: Option<String>,
    kept: Option<String>,
    error: Option<String>,
}

fn in_hex<S: Serializer>(bytes: &Option<Vec<u8>>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    bytes.as_deref().map(blob::hex).serialize(serializer)
}

impl TaskStandingRow {
    /// The row, and the result where it is too long for it.
    pub(crate) fn new(task: &Task) -> Result<(Self, Option<Blob>)> {
        let result = task.result.as_ref().map(|result| document("tasks.result", result)).transpose()?;
        let (result, blob) = result.map(blob::split).unwrap_or_default();
        let row = Self {
            status: task.status.as_str(),
            selected: task.selected,
            attempts: i64::from(task.attempts),
            attempt_limit: i64::from(task.attempt_limit),
            recoveries: i64::from(task.recoveries),
            approved: task.approved,
            questions: i64::from(task.questions),
            wake_at: micros(task.wake_at),
            started_at: micros(task.started_at),
            finished_at: micros(task.finished_at),
            result_blob: blob.as_ref().map(|blob| blob.hash.clone()),
            result,
            kept: task.kept.as_ref().map(|kept| document("tasks.kept", kept)).transpose()?,
            error: plain_option(task.error.as_deref()),
        };
        Ok((row, blob))
    }
}

/// What only an edit writes.
#[derive(AsChangeset)]
#[diesel(table_name = tasks)]
pub(crate) struct TaskDefinitionRow {
    position: i64,
    kind: &'static str,
    priority: String,
    description: String,
    spec: String,
}

impl TaskDefinitionRow {
    pub(crate) fn new(task: &Task) -> Result<Self> {
        Ok(Self {
            position: i64::from(task.position),
            kind: task.spec.kind.name(),
            priority: word("tasks.priority", &task.spec.priority)?,
            description: plain(&task.spec.description),
            spec: document("tasks.spec", task.spec.as_ref())?,
        })
    }
}
