//! Follows a plan until it needs nobody any more, or somebody.

use crate::backend::{Backend, Document};
use crate::exit::Failure;
use crate::output::Terminal;
use crate::progress::{Progress, TaskLine};
use agent_client::{PlanDetails, Task};
use agent_core::event::EventBody;
use agent_core::ids::PlanId;
use agent_core::plan::PlanStatus;
use agent_events::envelope_json;
use futures_util::StreamExt;

/// Shows every event of the plan, as bars or as JSON lines on standard output, until the plan has ended,
/// waits for a person, is paused, or is planned and not to be executed.
pub(crate) async fn until_settled(
    backend: &dyn Backend,
    id: PlanId,
    progress: &mut Progress,
    json_lines: Option<Terminal>,
) -> Result<Document<PlanDetails>, Failure> {
    let mut events = backend.follow(id, 0).await?;
    while let Some(event) = events.next().await {
        let event = event?;
        if let Some(terminal) = json_lines {
            terminal.json_text(&envelope_json(&event));
        }
        if !progress.knows_tasks() && event.task_id.is_some() {
            progress.plan(task_lines(&backend.tasks(id).await?.value.tasks));
        }
        progress.show(&event);
        if let EventBody::PlanUpdated { status, .. } = event.body
            && !is_busy(status)
        {
            let plan = backend.plan(id).await?;
            // An event of the past may tell of a pause that is long over.
            if plan.value.plan.status == status {
                return Ok(plan);
            }
        }
    }
    backend.plan(id).await
}

fn is_busy(status: PlanStatus) -> bool {
    matches!(status, PlanStatus::Planning | PlanStatus::Running)
}

/// What the display is told of a plan's tasks.
pub(crate) fn task_lines(tasks: &[Task]) -> Vec<TaskLine> {
    let line = |task: &Task| TaskLine {
        id: task.id,
        position: task.position,
        description: task.spec.description.clone(),
    };
    tasks.iter().map(line).collect()
}
