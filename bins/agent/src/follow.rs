//! Watches the work on a plan, in this process or at a server.

use crate::backend::{Backend, Document};
use crate::exit::{Failure, Outcome};
use crate::output::Terminal;
use crate::progress::Progress;
use crate::signals::interrupted;
use crate::{plan_view, watch};
use agent_client::PlanDetails;
use agent_core::ids::PlanId;

/// Watches the plan until it has ended or waits for a person, and says how it stands then.
pub(crate) async fn follow(backend: &dyn Backend, id: PlanId, terminal: Terminal, quiet: bool) -> Outcome {
    let mut progress = if quiet { Progress::silent(terminal) } else { Progress::new(terminal) };
    progress.plan(watch::task_lines(&backend.tasks(id).await?.value.tasks));
    let settled = watch_until_settled(backend, id, &mut progress, None).await?.value;
    if !quiet {
        let changes = backend.diff(id).await?.value.diff;
        plan_view::show_outcome(&terminal, &settled, &changes);
    }
    Ok(plan_view::exit_of(settled.plan.status))
}

/// Shows the work on a plan until it has ended or waits for a person, and with `lines` every event too.
///
/// # Errors
/// When a person interrupts: the plan is kept.
pub(crate) async fn watch_until_settled(
    backend: &dyn Backend,
    id: PlanId,
    progress: &mut Progress,
    lines: Option<Terminal>,
) -> Result<Document<PlanDetails>, Failure> {
    let settled = tokio::select! {
        settled = watch::until_settled(backend, id, progress, lines) => settled?,
        () = interrupted() => {
            progress.end();
            return Err(Failure::work(match backend.server() {
                Some(_) => format!("interrupted; the server goes on, and `agent plans events {id} --follow` watches it"),
                None => format!("interrupted; the plan is kept, and goes on with `agent run --resume {id}`"),
            }));
        }
    };
    progress.end();
    Ok(settled)
}
