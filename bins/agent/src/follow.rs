//! Works on a plan in this process and shows how that goes.

use crate::embedded::Embedded;
use crate::exit::{Failure, Outcome};
use crate::output::Terminal;
use crate::progress::Progress;
use crate::signals::interrupted;
use crate::{plan_view, watch};
use agent_core::ids::PlanId;

/// Works on the plan until it has ended or waits for a person.
pub(crate) async fn follow(embedded: &Embedded, id: PlanId, terminal: Terminal, quiet: bool) -> Outcome {
    let Embedded { agent, me } = embedded;
    let mut progress = if quiet { Progress::silent(terminal) } else { Progress::new(terminal) };
    progress.plan(watch::task_lines(&agent.plans().state(me, id).await?));
    let settled = tokio::select! {
        settled = watch::until_settled(agent, me, id, &mut progress, None) => settled?,
        () = interrupted() => {
            progress.end();
            let advice = format!("interrupted; the plan is kept, and goes on with `agent run --resume {id}`");
            return Err(Failure::work(advice));
        }
    };
    progress.end();
    if !quiet {
        let details = agent.plans().find(me, id).await?;
        let changes = agent.plans().diff(me, id).await?;
        plan_view::show_outcome(&terminal, &details, &changes);
    }
    Ok(plan_view::exit_of(settled.plan.status))
}
