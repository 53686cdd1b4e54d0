//! Follows a plan of an embedded agent until it needs nobody any more, or somebody.

use crate::exit::Failure;
use crate::output::Terminal;
use crate::progress::{Progress, TaskLine};
use agent_auth::Principal;
use agent_core::event::{EventBody, Topic};
use agent_core::ids::PlanId;
use agent_core::plan::{PlanState, PlanStatus};
use agent_runtime::Agent;
use futures_util::StreamExt;

/// Shows every event of the plan, as bars or as JSON lines on standard output, until the plan has ended,
/// waits for a person, is paused, or is planned and not to be executed.
pub(crate) async fn until_settled(
    agent: &Agent,
    me: &Principal,
    id: PlanId,
    progress: &mut Progress,
    json_lines: Option<Terminal>,
) -> Result<PlanState, Failure> {
    let subscription = agent.events().subscribe(Topic::Plan(me.tenant, id), Some(0)).await;
    let mut events = subscription.map_err(agent_runtime::Error::from)?.stream;
    while let Some(envelope) = events.next().await {
        let envelope = envelope.map_err(agent_runtime::Error::from)?;
        if let Some(terminal) = json_lines {
            terminal.line(&envelope.json);
        }
        let event = &envelope.event;
        if !progress.knows_tasks() && event.task_id.is_some() {
            progress.plan(task_lines(&agent.plans().state(me, id).await?));
        }
        progress.show(event);
        if let EventBody::PlanUpdated { status, .. } = event.body
            && !is_busy(status)
        {
            let state = agent.plans().state(me, id).await?;
            // An event of the past may tell of a pause that is long over.
            if state.plan.status == status {
                return Ok(state);
            }
        }
    }
    Ok(agent.plans().state(me, id).await?)
}

fn is_busy(status: PlanStatus) -> bool {
    matches!(status, PlanStatus::Planning | PlanStatus::Running)
}

/// What the display is told of a plan's tasks.
pub(crate) fn task_lines(state: &PlanState) -> Vec<TaskLine> {
    let line = |task: &agent_core::plan::Task| TaskLine {
        id: task.id,
        position: task.position,
        description: task.spec.description.clone(),
    };
    state.tasks.iter().map(line).collect()
}
