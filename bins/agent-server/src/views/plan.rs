//! Plans as they are answered.

use super::policy::PolicyView;
use super::task::TaskView;
use super::words::PlanStatusView;
use agent_core::executor::Submitted;
use agent_core::plan::{Plan, PlanState};
use agent_core::ports::{PlanPage, PlanSummary};
use agent_core::time::Timestamp;
use agent_runtime::PlanDetails;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The plan in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PlanPath {
    /// The plan.
    #[param(minimum = 1, example = 1)]
    pub plan_id: i64,
}

/// The task in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PlanTaskPath {
    /// The plan.
    #[param(minimum = 1, example = 1)]
    pub plan_id: i64,
    /// The task.
    #[param(minimum = 1, example = 3)]
    pub task_id: i64,
}

/// Which plans to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListPlans {
    /// Only plans that stand here.
    #[param(value_type = Option<PlanStatusView>)]
    pub status: Option<String>,
    /// Only plans whose goal has all of these words, each taken literally, in whatever case; the last may be the beginning
    /// of one.
    #[param(max_length = 512)]
    pub q: Option<String>,
    /// At most so many; 50 when absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub limit: Option<String>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// A plan just created.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"plan_id": 1, "goal": "Make the tests pass", "tasks": 2, "status": "created"}))]
pub struct CreatedPlanView {
    /// Its id.
    pub plan_id: i64,
    /// The goal.
    pub goal: String,
    /// How many tasks it has; 0 while a language model is finding them.
    pub tasks: usize,
    /// Where it stands.
    pub status: PlanStatusView,
}

impl From<&PlanState> for CreatedPlanView {
    fn from(state: &PlanState) -> Self {
        Self {
            plan_id: state.plan.id.get(),
            goal: state.plan.goal.clone(),
            tasks: state.tasks.len(),
            status: state.plan.status.into(),
        }
    }
}

/// A plan without its tasks.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": 1, "goal": "Make the tests pass", "repo_path": "/srv/shop", "status": "running", "summary": null,
    "policy": {"approval": "never", "on_failure": "stop", "sandbox": "workspace_write", "network": false, "budget": {}},
    "auto_execute": true, "template_id": null, "version": 1, "revision": 4, "created_at": "2026-01-01T12:00:00.000Z",
    "updated_at": "2026-01-01T12:00:02.000Z", "started_at": "2026-01-01T12:00:01.000Z", "finished_at": null
}))]
pub struct PlanView {
    /// Identifier.
    pub id: i64,
    /// What is to be reached.
    pub goal: String,
    /// The repository it works on.
    pub repo_path: String,
    /// Where it stands.
    pub status: PlanStatusView,
    /// One sentence on how it ended, once it has.
    pub summary: Option<String>,
    /// The rules.
    pub policy: PolicyView,
    /// Whether it starts as soon as it has tasks.
    pub auto_execute: bool,
    /// The template it was made from.
    pub template_id: Option<String>,
    /// Which edition of goal, rules and tasks it follows: 1 as it was made, one more per edit. `If-Match` of edits.
    pub version: u32,
    /// Grows with each change.
    pub revision: i64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When its first task started.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
}

impl From<Plan> for PlanView {
    fn from(plan: Plan) -> Self {
        Self {
            id: plan.id.get(),
            goal: plan.goal,
            repo_path: plan.repo_path,
            status: plan.status.into(),
            summary: plan.summary,
            policy: plan.policy.into(),
            auto_execute: plan.auto_execute,
            template_id: plan.template_id,
            version: plan.version,
            revision: plan.revision.get(),
            created_at: plan.created_at,
            updated_at: plan.updated_at,
            started_at: plan.started_at,
            finished_at: plan.finished_at,
        }
    }
}

/// A plan in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "id": 1, "goal": "Make the tests pass", "repo_path": "/srv/shop", "status": "running", "summary": null, "tasks": 2,
    "completed_tasks": 1, "created_at": "2026-01-01T12:00:00.000Z", "updated_at": "2026-01-01T12:00:02.000Z"
}))]
pub struct PlanSummaryView {
    /// Identifier.
    pub id: i64,
    /// What is to be reached.
    pub goal: String,
    /// The repository it works on.
    pub repo_path: String,
    /// Where it stands.
    pub status: PlanStatusView,
    /// One sentence on how it ended, once it has.
    pub summary: Option<String>,
    /// How many tasks it has.
    pub tasks: u32,
    /// How many of them are completed.
    pub completed_tasks: u32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

impl From<PlanSummary> for PlanSummaryView {
    fn from(listed: PlanSummary) -> Self {
        let PlanSummary { plan, tasks, completed } = listed;
        Self {
            id: plan.id.get(),
            goal: plan.goal,
            repo_path: plan.repo_path,
            status: plan.status.into(),
            summary: plan.summary,
            tasks,
            completed_tasks: completed,
            created_at: plan.created_at,
            updated_at: plan.updated_at,
        }
    }
}

/// A page of plans, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlansView {
    /// The plans.
    pub plans: Vec<PlanSummaryView>,
    /// How many match in all.
    pub total: u64,
    /// Pass as `cursor` to get the next page; null on the last.
    #[schema(example = json!(null))]
    pub next_cursor: Option<String>,
}

impl From<PlanPage> for PlansView {
    fn from(page: PlanPage) -> Self {
        Self {
            plans: page.plans.into_iter().map(Into::into).collect(),
            total: page.total,
            next_cursor: page.next.map(|id| id.to_string()),
        }
    }
}

/// Figures of one plan.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({
    "total_tasks": 2, "completed_tasks": 1, "failed_tasks": 0, "total_executions": 1, "progress": 50.0,
    "tokens": 1830, "cost": null
}))]
pub struct StatisticsView {
    /// How many tasks it has.
    pub total_tasks: u64,
    /// How many are completed.
    pub completed_tasks: u64,
    /// How many failed for good.
    pub failed_tasks: u64,
    /// How many attempts were started.
    pub total_executions: u64,
    /// Share of completed tasks, 0 to 100.
    pub progress: f64,
    /// Model tokens used.
    pub tokens: u64,
    /// Cost in US dollars; null while no prices are known.
    pub cost: Option<f64>,
}

impl From<agent_runtime::Statistics> for StatisticsView {
    fn from(figures: agent_runtime::Statistics) -> Self {
        Self {
            total_tasks: figures.total_tasks,
            completed_tasks: figures.completed_tasks,
            failed_tasks: figures.failed_tasks,
            total_executions: figures.total_executions,
            progress: figures.progress,
            tokens: figures.tokens,
            cost: figures.cost,
        }
    }
}

/// A plan with its tasks and figures.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlanDetailsView {
    /// The plan.
    pub plan: PlanView,
    /// Its tasks, by position.
    pub tasks: Vec<TaskView>,
    /// Its figures.
    pub statistics: StatisticsView,
}

impl From<PlanDetails> for PlanDetailsView {
    fn from(details: PlanDetails) -> Self {
        let tasks = TaskView::all(&details.state);
        Self { plan: details.state.plan.into(), tasks, statistics: details.statistics.into() }
    }
}

/// The tasks of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PlanTasksView {
    /// The plan.
    pub plan_id: i64,
    /// Its tasks, by position.
    pub tasks: Vec<TaskView>,
}

/// Which part of a plan is meant.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({}))]
pub struct SelectTask {
    /// Only this task, with what it needs; the whole plan when absent.
    #[serde(default)]
    pub task_id: Option<i64>,
}

/// What to try again.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"task_id": 3, "following": true}))]
pub struct RetryTasks {
    /// Only this task, with what it needs and what waited for it; everything that did not complete when absent.
    #[serde(default)]
    pub task_id: Option<i64>,
    /// Whether the task and all that follows from it run again, completed or not.
    #[serde(default)]
    pub following: bool,
}

/// An accepted request to execute.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(example = json!({"success": true, "result": "plan 1 is running", "execution_id": 1, "plan_id": 1, "status": "running"}))]
pub struct ExecutionAcceptedView {
    /// Always true: what is refused is a problem.
    pub success: bool,
    /// What happens now, in words; follow the events for the outcome.
    pub result: String,
    /// Names this request; null where nothing had to be started.
    pub execution_id: Option<i64>,
    /// The plan.
    pub plan_id: i64,
    /// Where it stands now.
    pub status: PlanStatusView,
}

impl From<Submitted> for ExecutionAcceptedView {
    fn from(submitted: Submitted) -> Self {
        let plan = submitted.state.plan;
        Self {
            success: true,
            result: format!("plan {} is {}", plan.id, plan.status),
            execution_id: submitted.execution_id.map(agent_core::ids::ExecutionId::get),
            plan_id: plan.id.get(),
            status: plan.status.into(),
        }
    }
}
