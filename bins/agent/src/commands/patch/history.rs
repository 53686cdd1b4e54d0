//! `agent patch log`, `show` and `undo`: what was applied to a repository.

use super::{EXAMPLES, as_json, show, show_files};
use crate::diff;
use crate::embedded::{history_folder, repository};
use crate::exit::{Exit, Failure, Outcome, chain};
use crate::output::{Terminal, plain};
use crate::table::{Table, number, text, word};
use agent_core::ports::Clock;
use agent_repository::Error;
use agent_repository::patch::{Application, History, Origin, Recorded};
use agent_repository::path_guard::Root;
use agent_runtime::SystemClock;
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Arguments of `agent patch log`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Log {
    /// At most so many
    #[arg(long, default_value_t = 50, value_name = "NUMBER")]
    limit: usize,
    #[command(flatten)]
    place: Place,
}

/// Arguments of `agent patch show`.
#[derive(Debug, Args)]
pub(super) struct Show {
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    place: Place,
}

/// Arguments of `agent patch undo`.
#[derive(Debug, Args)]
pub(super) struct Undo {
    #[command(flatten)]
    chosen: Chosen,
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Args)]
struct Chosen {
    /// The number that `agent patch log` shows; the newest that still holds when left out
    id: Option<u64>,
}

#[derive(Debug, Args)]
struct Place {
    /// The repository
    #[arg(long, default_value = ".", value_name = "DIR")]
    repo: PathBuf,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// The history of a workspace; `None` where no folder to keep it in can be had.
pub(super) fn of(root: &Root) -> Result<Option<History>, Error> {
    history_folder().map(|folder| History::of_workspace(&folder, root)).transpose()
}

/// A workspace with its history.
fn open(repo: &Path) -> Result<(Root, History), Failure> {
    let root = Root::open(&repository(repo)?).map_err(|error| told(&error))?;
    let history = of(&root).map_err(|error| told(&error))?.ok_or_else(|| {
        Failure::usage("no folder holds a history; set HOME or XDG_DATA_HOME to the one that `apply` had")
    })?;
    Ok((root, history))
}

fn told(error: &Error) -> Failure {
    match error {
        Error::NoSuchApplication { .. } => Failure::usage(chain(error)),
        _ => Failure::work(chain(error)),
    }
}

impl Chosen {
    fn find(&self, history: &History) -> Result<Application, Failure> {
        if let Some(id) = self.id {
            return history.find(id).map_err(|error| told(&error));
        }
        let list = history.list().map_err(|error| told(&error))?;
        let holding = list.into_iter().find(|one| one.undone_by.is_none() && one.undoes.is_none());
        holding.ok_or_else(|| Failure::usage("nothing in the history of this repository still holds"))
    }
}

impl Log {
    pub(super) fn run(self, terminal: Terminal) -> Outcome {
        let (_, history) = open(&self.place.repo)?;
        let mut list = history.list().map_err(|error| told(&error))?;
        let total = list.len();
        list.truncate(self.limit);
        if self.place.json {
            terminal.json(&json!({"applications": list, "total": total}))?;
            return Ok(Exit::Done);
        }
        if list.is_empty() {
            terminal.line("nothing was applied to this repository yet");
            return Ok(Exit::Done);
        }
        let mut table = Table::new([number("id"), word("applied"), word("by"), text("files"), word("state")]);
        for one in &list {
            let by = one.origin.step.as_deref().unwrap_or("command line");
            table.row([one.id.into(), one.at.into(), by.into(), files(one).into(), state(one).into()]);
        }
        table.show(&terminal);
        if total > list.len() {
            terminal.note(format_args!("{} older ones: --limit {total} shows all", total - list.len()));
        }
        Ok(Exit::Done)
    }
}

/// The first files, and how many more.
fn files(application: &Application) -> String {
    const MOST: usize = 3;
    let names = application.files.iter().map(|file| file.path.to_string());
    let mut text = names.take(MOST).collect::<Vec<_>>().join(", ");
    if application.files.len() > MOST {
        text.push_str(&format!(" and {} more", application.files.len() - MOST));
    }
    plain(&text)
}

fn state(application: &Application) -> String {
    match (application.interrupted, application.undone_by, application.undoes) {
        (true, ..) => "interrupted".to_owned(),
        (_, Some(by), _) => format!("undone by {by}"),
        (_, None, Some(undone)) => format!("undoes {undone}"),
        (_, None, None) => "applied".to_owned(),
    }
}

impl Show {
    pub(super) fn run(self, terminal: Terminal) -> Outcome {
        let (_, history) = open(&self.place.repo)?;
        let application = self.chosen.find(&history)?;
        let changes = history.diff(application.id).map_err(|error| told(&error))?;
        if self.place.json {
            let mut document = json!(application);
            document["diff"] = json!(changes);
            terminal.json(&document)?;
        } else {
            let by = application.origin.step.as_deref().unwrap_or("command line");
            let (id, at, state) = (application.id, application.at, state(&application));
            terminal.line(format_args!("{id}: {at}, {}, {state}", plain(by)));
            show_files(&terminal, &application.files);
            diff::show(&terminal, &changes);
        }
        Ok(Exit::Done)
    }
}

impl Undo {
    pub(super) fn run(self, terminal: Terminal) -> Outcome {
        let (root, history) = open(&self.place.repo)?;
        history.recover(&root).map_err(|error| told(&error))?;
        let id = self.chosen.find(&history)?.id;
        let result = if self.dry_run {
            let planned = history.plan_undo(&root, id);
            planned.map(|change| Recorded { id: None, applied: change.report().clone() })
        } else {
            history.undo(&root, id, &Origin::person(), SystemClock.now())
        };
        if self.place.json {
            terminal.json(&as_json(&result, !self.dry_run))?;
        } else {
            show(&terminal, &result, !self.dry_run);
        }
        Ok(if result.is_ok() { Exit::Done } else { Exit::WorkFailed })
    }
}
