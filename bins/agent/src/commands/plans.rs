//! `agent plans`: looks at plans, and moves and changes them, on this machine's data or at a server.

mod change;
mod conversation;
mod events;
mod look;
mod moves;
mod workspace;

pub(super) use look::more;

use crate::backend::Place;
use crate::exit::Outcome;
use crate::output::Terminal;
use clap::{Args, Subcommand};

const EXAMPLES: &str = "\
Examples:
  agent plans list --status failed
  agent plans show 7
  agent plans execute 7
  agent plans events 7 --follow
  agent plans pause 7 --server https://agent.example
  agent plans conversation 7 --search parser
  agent plans diff 7 | git apply -R        take a plan's changes back
  agent plans merge 7                      bring in what `agent run --isolated` did
  agent plans retry 7 --task 12 --following

Works on what `agent run` and `agent plan` keep in AGENT_DATABASE_URL or in the user's data folder; at a server with
--server URL, or after `agent login URL`. `edit`, `versions`, `merge` and `discard` work on this machine's data only.";

/// Arguments of `agent plans`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Plans {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List plans, newest first
    List(look::List),
    /// Show a plan, its tasks and figures
    Show(look::Show),
    /// List the tasks of a plan with their ids
    Tasks(look::Tasks),
    /// Show what happened to a plan, and with --follow what happens to it
    Events(events::Events),
    /// Show what a plan changed
    Diff(look::Diff),
    /// Carry out a plan, or one of its tasks with what it needs
    Execute(moves::Execute),
    /// Start nothing new of a plan; what runs goes on to its end
    Pause(moves::Pause),
    /// Go on with a paused plan
    Resume(moves::Resume),
    /// End a plan, what runs of it included
    Cancel(moves::Cancel),
    /// Try again what did not complete, or a task with all that follows from it
    Retry(moves::Retry),
    /// Show what people, models and tools said about a plan
    Conversation(conversation::Show),
    /// Say something to a plan; the next call to its model hears it
    Say(conversation::Say),
    /// Bring what an isolated plan did to the repository's files; later edits there stay
    Merge(workspace::Merge),
    /// Remove the folder and branch of an isolated plan; what was not merged is lost
    Discard(workspace::Discard),
    /// Change a plan's goal, rules and tasks, whatever it is doing
    Edit(change::Edit),
    /// List the versions that edits have left
    Versions(change::Versions),
}

impl Plans {
    pub(super) async fn run(self, terminal: Terminal) -> Outcome {
        let Self { action, place } = self;
        match action {
            Action::List(list) => {
                place.during(false, async |backend| list.run(backend, terminal).await).await
            }
            Action::Show(show) => {
                place.during(false, async |backend| show.run(backend, terminal).await).await
            }
            Action::Tasks(tasks) => {
                place.during(false, async |backend| tasks.run(backend, terminal).await).await
            }
            Action::Events(events) => {
                place.during(false, async |backend| events.run(backend, terminal).await).await
            }
            Action::Diff(diff) => {
                place.during(false, async |backend| diff.run(backend, terminal).await).await
            }
            Action::Execute(execute) => execute.request().carry_out(place, terminal).await,
            Action::Pause(pause) => pause.request().carry_out(place, terminal).await,
            Action::Resume(resume) => resume.request().carry_out(place, terminal).await,
            Action::Cancel(cancel) => cancel.request().carry_out(place, terminal).await,
            Action::Retry(retry) => retry.request().carry_out(place, terminal).await,
            Action::Conversation(show) => {
                place.during(false, async |backend| show.run(backend, terminal).await).await
            }
            Action::Say(say) => place.during(false, async |backend| say.run(backend, terminal).await).await,
            Action::Merge(merge) => {
                place
                    .during_here("`agent plans merge`", false, async |here| merge.run(here, terminal).await)
                    .await
            }
            Action::Discard(discard) => {
                let discarding = async |here: &_| discard.run(here, terminal).await;
                place.during_here("`agent plans discard`", false, discarding).await
            }
            Action::Edit(edit) => {
                place
                    .during_here("`agent plans edit`", true, async |here| edit.run(here, terminal).await)
                    .await
            }
            Action::Versions(versions) => {
                let listing = async |here: &_| versions.run(here, terminal).await;
                place.during_here("`agent plans versions`", false, listing).await
            }
        }
    }
}
