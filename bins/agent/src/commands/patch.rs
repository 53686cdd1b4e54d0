//! `agent patch`: checks or applies a patch, all of it or nothing; lists, shows and takes back what was applied;
//! patches texts in memory.

use crate::diff;
use crate::embedded::repository;
use crate::exit::{Exit, Failure, Outcome, chain};
use crate::output::{Style, Terminal, plain};
use agent_core::ports::Clock;
use agent_repository::Error;
use agent_repository::patch::{
    self, ChangeSet, Fate, FileAction, FileChange, HunkReport, Origin, PatchSet, Recorded,
};
use agent_repository::path_guard::Root;
use agent_runtime::SystemClock;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};

mod filter;
mod history;

const EXAMPLES: &str = "\
Examples:
  agent patch check fix.patch --repo .       would it fit? Changes nothing
  git diff HEAD~1 | agent patch apply - --repo ../copy
  agent patch apply fix.patch --json         every hunk's fate as JSON
  agent patch log                            what was applied here, newest first
  agent patch undo 3                         take application 3 back, later edits stay
  agent patch filter < requests.jsonl        many texts in memory, one JSON line each

Takes unified diffs, *** Begin Patch envelopes and search/replace blocks.
Exit code 0: every file changed. Exit code 1: no file changed, and it says why.";

/// Arguments of `agent patch`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Patch {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Say whether the patch fits, and change nothing
    #[command(after_help = EXAMPLES)]
    Check(Arguments),
    /// Change every file of the patch, or none
    #[command(after_help = EXAMPLES)]
    Apply(Arguments),
    /// List what was applied to a repository, newest first
    #[command(after_help = EXAMPLES)]
    Log(history::Log),
    /// Show what an application changed, as a diff
    #[command(after_help = EXAMPLES)]
    Show(history::Show),
    /// Take an application back: later edits stay, and where they cannot, nothing is changed
    #[command(after_help = EXAMPLES)]
    Undo(history::Undo),
    /// Patch texts in memory: JSON lines in, JSON lines out
    Filter(filter::Filter),
}

#[derive(Debug, Args)]
struct Arguments {
    /// The patch; `-` reads standard input
    file: PathBuf,
    /// The repository
    #[arg(long, default_value = ".", value_name = "DIR")]
    repo: PathBuf,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

impl Patch {
    pub(super) fn run(self, terminal: Terminal) -> Outcome {
        let (arguments, apply) = match self.action {
            Action::Check(arguments) => (arguments, false),
            Action::Apply(arguments) => (arguments, true),
            Action::Log(log) => return log.run(terminal),
            Action::Show(show) => return show.run(terminal),
            Action::Undo(undo) => return undo.run(terminal),
            Action::Filter(filter) => return filter.run(),
        };
        let folder = repository(&arguments.repo)?;
        let text = read(&arguments.file)?;
        let result = work(&folder, &text, apply);
        if arguments.json {
            terminal.json(&as_json(&result, apply))?;
        } else {
            show(&terminal, &result, apply);
        }
        Ok(if result.is_ok() { Exit::Done } else { Exit::WorkFailed })
    }
}

/// The text of the patch, bounded before it is in memory.
fn read(file: &Path) -> Result<String, Failure> {
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let opened = std::fs::File::open(file).map_err(|error| unreadable(file, &error))?;
        Box::new(opened)
    };
    let mut bytes = Vec::new();
    let most = patch::LARGEST_PATCH as u64 + 1;
    source.take(most).read_to_end(&mut bytes).map_err(|error| unreadable(file, &error))?;
    String::from_utf8(bytes)
        .map_err(|_binary| Failure::usage(format!("the patch {} is not UTF-8 text", file.display())))
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    let advice = "name a patch file, or `-` for standard input";
    Failure::usage(format!("the patch {} cannot be read: {error}; {advice}", file.display()))
}

fn work(folder: &Path, text: &str, apply: bool) -> Result<Recorded, Error> {
    let root = Root::open(folder)?;
    let plan = || -> Result<ChangeSet, Error> { Ok(patch::plan_changes(&root, &PatchSet::parse(text)?)?) };
    if !apply {
        return Ok(Recorded { id: None, applied: plan()?.report().clone() });
    }
    let Some(history) = history::of(&root)? else {
        return Ok(Recorded { id: None, applied: plan()?.apply(&root)? });
    };
    history.recover(&root)?;
    history.apply(&root, &plan()?, &Origin::person(), SystemClock.now())
}

fn as_json(result: &Result<Recorded, Error>, apply: bool) -> Value {
    match result {
        Ok(Recorded { id, applied }) => {
            let mut json = json!(applied);
            json["ok"] = json!(true);
            json["changed"] = json!(apply && !applied.files.is_empty());
            json["id"] = json!(id);
            json
        }
        Err(Error::Rejected(rejected)) => json!({
            "ok": false, "changed": false, "error": "rejected",
            "detail": "the patch does not fit; no file was changed",
            "files": rejected.files, "hunks": rejected.hunks,
        }),
        Err(error) => json!({
            "ok": false, "changed": false, "error": error.code(), "detail": chain(error),
            "files": [], "hunks": [],
        }),
    }
}

fn show(terminal: &Terminal, result: &Result<Recorded, Error>, apply: bool) {
    match result {
        Ok(Recorded { id, applied: report }) => {
            show_hunks(terminal, &report.hunks);
            show_files(terminal, &report.files);
            diff::show(terminal, &report.diff);
            let (style, text) = match (report.files.len(), apply) {
                (0, _) => (Style::Yellow, "everything is there already; no file was changed".to_owned()),
                (count, true) => {
                    let undo = id.map(|id| format!("; `agent patch undo {id}` takes it back"));
                    let undo = undo.unwrap_or_else(|| "; there is no folder to record it in".to_owned());
                    (Style::Green, format!("applied: {count} file(s) changed{undo}"))
                }
                (count, false) => (Style::Green, format!("it fits: {count} file(s) would change")),
            };
            terminal.line(terminal.paint(style, text));
        }
        Err(Error::Rejected(rejected)) => {
            show_hunks(terminal, &rejected.hunks);
            terminal.line(plain(rejected.to_string().trim_end()));
        }
        Err(error) => {
            let text = format!("{}; no file was changed", chain(error));
            terminal.line(terminal.paint(Style::Red, plain(&text)));
        }
    }
}

fn show_hunks(terminal: &Terminal, hunks: &[HunkReport]) {
    for hunk in hunks {
        let (style, sign) = match hunk.fate {
            Fate::Applied => (Style::Green, "✓"),
            Fate::AlreadyApplied => (Style::Dim, "="),
            Fate::Ambiguous | Fate::NotFound | Fate::Blocked => (Style::Red, "✗"),
        };
        // The first line says the fate; the rest is advice, which the refusal repeats as a whole.
        let text = hunk.to_string();
        let first = text.lines().next().unwrap_or_default();
        terminal.line(format_args!("{} {}", terminal.paint(style, sign), plain(first)));
    }
}

pub(super) fn show_files(terminal: &Terminal, files: &[FileChange]) {
    for file in files {
        terminal.line(file_line(file));
    }
}

fn file_line(file: &FileChange) -> String {
    let what = match file.action {
        FileAction::Created => "created",
        FileAction::Modified => "modified",
        FileAction::Deleted => "deleted",
        FileAction::Renamed => "renamed",
    };
    let from = file.previous_path.as_ref().map(|path| format!(" from {path}")).unwrap_or_default();
    plain(&format!("{what} {}{from} (+{} -{})", file.path, file.lines_added, file.lines_removed))
}
