//! Events as they are answered: the one envelope.

use agent_core::event::Event;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Which events to read.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListEvents {
    /// Only events behind this position; from the first when absent.
    #[param(value_type = Option<i64>, minimum = 0)]
    pub after: Option<String>,
    /// At most so many; 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub limit: Option<String>,
    /// Where there is none yet, waits so many milliseconds for the first; answers at once when absent.
    #[param(value_type = Option<u32>, minimum = 0, maximum = 30_000)]
    pub wait_ms: Option<String>,
}

/// From where to follow events.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StreamEvents {
    /// Replays what stands behind this position first; live only when absent. `Last-Event-ID` wins over it.
    #[param(value_type = Option<i64>, minimum = 0)]
    pub after: Option<String>,
}

/// What happened to a plan. Further fields depend on `event`: `plan_edited` has `version`, `by` and `summary`;
/// `run_recovered` has `generation`, `tasks_in_flight` and `actions[]` of `task_id`, `attempt` and `how` (`repeat`,
/// `continue`, `compare`, `outcome_unknown`, `crash_loop`); docs/api-design.md lists all.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "seq": 42, "cursor": 99, "event": "task_completed", "plan_id": 1, "task_id": 3,
    "timestamp": "2026-01-01T12:00:00.000Z", "result": {"exit_code": 0}
}))]
pub struct EventView {
    /// Position within the plan: 1, 2, 3 … without gaps.
    pub seq: i64,
    /// Position among the events of all plans.
    pub cursor: i64,
    /// What happened, such as `task_completed`, `plan_edited` or `run_recovered`.
    pub event: String,
    /// The plan.
    pub plan_id: i64,
    /// The task, where it concerns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_id: Option<i64>,
    /// When it was committed.
    #[schema(format = DateTime)]
    pub timestamp: String,
    /// The fields of this kind of event, beside the others.
    #[serde(flatten)]
    pub fields: BTreeMap<String, Value>,
}

/// A page of the events of all plans that the caller may see, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllEventsView {
    /// The events.
    #[schema(value_type = Vec<EventView>)]
    pub events: Vec<Event>,
    /// Pass as `after` to get what follows: the `cursor` of the last event.
    pub next_after: i64,
}

/// A page of the events of a plan, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventsView {
    /// The plan.
    pub plan_id: i64,
    /// The events.
    #[schema(value_type = Vec<EventView>)]
    pub events: Vec<Event>,
    /// Pass as `after` to get what follows.
    pub next_after: i64,
}
