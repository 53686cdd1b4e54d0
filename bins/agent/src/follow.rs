//! Works on a plan in this process and shows how that goes.

use crate::embedded::Embedded;
use crate::exit::{Failure, Outcome};
use crate::output::Terminal;
use crate::progress::Progress;
use crate::signals::interrupted;
use crate::{plan_view, watch};
use agent_core::ids::PlanId;
use agent_core::plan::PlanState;

/// Works on the plan until it has ended or waits for a person.
pub(crate) async fn follow(embedded: &Embedded, id: PlanId, terminal: Terminal, quiet: bool) -> Outcome {
    let Embedded { agent, me } = embedded;
    let mut progress = if quiet { Progress::silent(terminal) } else { Progress::new(terminal) };
    progress.plan(watch::task_lines(&agent.plans().state(me, id).await?));
    let settled = watch_until_settled(embedded, id, &mut progress, None).await?;
    if !quiet {
        let details = agent.plans().find(me, id).await?;
        let changes = agent.plans().diff(me, id).await?;
        plan_view::show_outcome(&terminal, &details, &changes);
    }
    Ok(plan_view::exit_of(settled.plan.status))
}

/// Shows the work on a plan until it has ended or waits for a person, and with `lines` every event too.
///
/// # Errors
/// When a person interrupts: the plan is kept.
pub(crate) async fn watch_until_settled(
    embedded: &Embedded,
    id: PlanId,
    progress: &mut Progress,
    lines: Option<Terminal>,
) -> Result<PlanState, Failure> {
    let Embedded { agent, me } = embedded;
    let settled = tokio::select! {
        settled = watch::until_settled(agent, me, id, progress, lines) => settled?,
        () = interrupted() => {
            progress.end();
            let advice = format!("interrupted; the plan is kept, and goes on with `agent run --resume {id}`");
            return Err(Failure::work(advice));
        }
    };
    progress.end();
    Ok(settled)
}
