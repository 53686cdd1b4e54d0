//! Steps as rows.

use super::blob::{self, Blob};
use super::{document, instant, large, parse, plain, small, stored, variant, word};
use crate::schema::steps;
use agent_core::Result;
use agent_core::ids::{PlanId, TaskId, TenantId};
use agent_core::model::Usage;
use agent_core::ports::{Step, StepIntent, StepKey, StepResult};
use agent_core::time::Timestamp;
use diesel::prelude::*;

#[derive(Queryable, Selectable)]
#[diesel(table_name = steps)]
pub(crate) struct StepRow {
    plan_id: i64,
    task_id: i64,
    attempt: i64,
    position: i64,
    kind: String,
    name: String,
    effect: String,
    status: Option<String>,
    input_tokens: i64,
    output_tokens: i64,
    started_at: i64,
    finished_at: Option<i64>,
    input: String,
    prepared: String,
    output: Option<String>,
}

impl StepRow {
    /// The step, with its output where that was too long for the row.
    pub(crate) fn into_step(self, long_output: Option<String>) -> Result<Step> {
        let usage = Usage {
            input_tokens: large("steps.input_tokens", self.input_tokens)?,
            output_tokens: large("steps.output_tokens", self.output_tokens)?,
        };
        let result = match (self.status, long_output.or(self.output)) {
            (Some(status), Some(output)) => Some(StepResult {
                status: variant("steps.status", status)?,
                output: parse("steps.output", &output)?,
                usage,
            }),
            _ => None,
        };
        Ok(Step {
            key: StepKey {
                plan_id: PlanId(self.plan_id),
                task_id: TaskId(self.task_id),
                attempt: small("steps.attempt", self.attempt)?,
                position: small("steps.position", self.position)?,
            },
            intent: StepIntent {
                kind: variant("steps.kind", self.kind)?,
                name: self.name,
                effect: variant("steps.effect", self.effect)?,
                input: parse("steps.input", &self.input)?,
                prepared: parse("steps.prepared", &self.prepared)?,
            },
            result,
            started_at: Timestamp::from_micros(self.started_at),
            finished_at: instant(self.finished_at),
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = steps, treat_none_as_default_value = false)]
pub(crate) struct NewStepRow {
    tenant_id: i64,
    plan_id: i64,
    task_id: i64,
    attempt: i64,
    position: i64,
    kind: String,
    name: String,
    effect: String,
    input_tokens: i64,
    output_tokens: i64,
    started_at: i64,
    input: String,
    prepared: String,
}

impl NewStepRow {
    pub(crate) fn new(tenant: TenantId, key: StepKey, intent: &StepIntent, at: Timestamp) -> Result<Self> {
        Ok(Self {
            tenant_id: tenant.get(),
            plan_id: key.plan_id.get(),
            task_id: key.task_id.get(),
            attempt: i64::from(key.attempt),
            position: i64::from(key.position),
            kind: word("steps.kind", &intent.kind)?,
            name: plain(&intent.name),
            effect: word("steps.effect", &intent.effect)?,
            input_tokens: 0,
            output_tokens: 0,
            started_at: at.as_micros(),
            input: document("steps.input", &intent.input)?,
            prepared: document("steps.prepared", &intent.prepared)?,
        })
    }
}

#[derive(AsChangeset)]
#[diesel(table_name = steps, treat_none_as_null = true)]
pub(crate) struct StepResultRow {
    status: &'static str,
    input_tokens: i64,
    output_tokens: i64,
    finished_at: i64,
    output: String,
    output_blob: Option<Vec<u8>>,
}

impl StepResultRow {
    /// The row, and the output where it is too long for it.
    pub(crate) fn new(result: &StepResult, at: Timestamp) -> Result<(Self, Option<Blob>)> {
        let (output, blob) = blob::split(document("steps.output", &result.output)?);
        let row = Self {
            status: result.status.as_str(),
            input_tokens: stored(result.usage.input_tokens),
            output_tokens: stored(result.usage.output_tokens),
            finished_at: at.as_micros(),
            output: output.unwrap_or_else(|| "null".to_owned()),
            output_blob: blob.as_ref().map(|blob| blob.hash.clone()),
        };
        Ok((row, blob))
    }
}
