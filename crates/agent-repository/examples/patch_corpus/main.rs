//! Measures the patcher on patches as language models write them.
//!
//! Takes the changes of git histories, makes of each a patch of every kind (right ones, without line
//! numbers, indented otherwise, with stale context, in other formats, …) whose result is known, and prints
//! how many come out exactly, are refused, or come out wrong without a word.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use agent_repository::patch::unified_diff;
use agent_repository::path_guard::RelativePath;
use serde_json::json;

mod arguments;
// By its path, so that the crate's tests find the parts of the corpus beside it just as this program does.
#[path = "corpus.rs"]
mod corpus;

use arguments::{Arguments, USAGE};
use corpus::{Change, Effort, KINDS, Outcome, Sample, Tally};

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return finish(print(USAGE)),
        Err(error) => return complain(&format!("{error}\n\n{USAGE}")),
    };
    match measure(&arguments) {
        Ok(tallies) => {
            if let Some(Err(error)) = arguments.keep.as_ref().map(|folder| keep(folder, &tallies)) {
                return complain(&format!("the examples cannot be written: {error}"));
            }
            let wrong = tallies.iter().any(|tally| tally.wrong > 0);
            let printed = print(&report(&arguments, &tallies));
            if wrong { ExitCode::FAILURE } else { finish(printed) }
        }
        Err(error) => complain(&error),
    }
}

fn measure(arguments: &Arguments) -> Result<Vec<Tally>, String> {
    let mut changes: Vec<Change> = Vec::new();
    for repository in &arguments.repositories {
        changes.extend(corpus::changes_of(repository, arguments.commits, arguments.largest)?);
    }
    if changes.is_empty() {
        return Err("these histories change no text file".to_owned());
    }
    let wanted = KINDS.iter().filter(|kind| arguments.wants(kind.0));
    let effort = Effort { seed: arguments.seed, most_examples: arguments.show, runs: arguments.runs };
    Ok(wanted.map(|kind| corpus::tally(&changes, kind, &effort)).collect())
}

fn report(arguments: &Arguments, tallies: &[Tally]) -> String {
    if arguments.json {
        return as_json(arguments, tallies);
    }
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{:<33} {:>7} {:>7} {:>7} {:>11} {:>6} {:>7} {:>10} {:>8}",
        "kind", "patches", "exact", "refused", "undecidable", "wrong", "%", "median µs", "p99 µs"
    );
    for tally in tallies {
        let _ = writeln!(
            text,
            "{:<33} {:>7} {:>7} {:>7} {:>11} {:>6} {:>7.2} {:>10.1} {:>8.1}",
            tally.kind,
            tally.patches,
            tally.exact,
            tally.refused,
            tally.undecidable,
            tally.wrong,
            tally.percent(),
            microseconds(tally, 0.5),
            microseconds(tally, 0.99),
        );
    }
    text.push_str("% = exact of the patches whose place can be decided; undecidable is a part of refused.\n");
    for tally in tallies {
        tally.examples.iter().for_each(|(sample, outcome)| show(&mut text, tally.kind, sample, outcome));
    }
    text
}

/// The time within which this share of the patches is done.
fn microseconds(tally: &Tally, share: f64) -> f64 {
    let last = tally.times.len().saturating_sub(1);
    let index = (last as f64 * share).round() as usize;
    tally.times.get(index).copied().unwrap_or_default().as_secs_f64() * 1_000_000.0
}

fn as_json(arguments: &Arguments, tallies: &[Tally]) -> String {
    let kind = |tally: &Tally| {
        json!({
            "kind": tally.kind, "patches": tally.patches, "exact": tally.exact, "refused": tally.refused,
            "undecidable": tally.undecidable, "wrong": tally.wrong, "percent": tally.percent(),
            "median_us": microseconds(tally, 0.5), "p99_us": microseconds(tally, 0.99),
        })
    };
    let kinds: Vec<_> = tallies.iter().map(kind).collect();
    format!("{}\n", json!({ "seed": arguments.seed, "kinds": kinds }))
}

fn show(text: &mut String, kind: &str, sample: &Sample, outcome: &Outcome) {
    let _ = write!(text, "\n######## {kind}, {}: ", sample.path);
    match outcome {
        Outcome::Exact => {}
        Outcome::Refused(error) => {
            let _ = write!(text, "REFUSED\n{}\n-------- {error}\n", sample.patch);
        }
        Outcome::Wrong(result) => {
            let path = RelativePath::new(&sample.path);
            let diff = path.map(|path| unified_diff(&path, Some(&sample.after), Some(result)));
            let _ = write!(text, "WRONG\n{}\n", sample.patch);
            let _ =
                writeln!(text, "-------- from the right result to this one:\n{}", diff.unwrap_or_default());
        }
    }
}

/// Writes what is shown as files: `KIND-N.before`, `.patch` and `.after`.
fn keep(folder: &Path, tallies: &[Tally]) -> io::Result<()> {
    fs::create_dir(folder)?;
    for tally in tallies {
        for (number, (sample, _)) in tally.examples.iter().enumerate() {
            let write = |end: &str, text: &str| {
                fs::write(folder.join(format!("{}-{}.{end}", tally.kind, number + 1)), text)
            };
            write("before", &sample.before)?;
            write("patch", &sample.patch)?;
            write("after", &sample.after)?;
        }
    }
    Ok(())
}

fn print(text: &str) -> io::Result<()> {
    io::stdout().write_all(text.as_bytes())
}

fn finish(printed: io::Result<()>) -> ExitCode {
    if printed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn complain(text: &str) -> ExitCode {
    let _unheard = writeln!(io::stderr(), "{text}");
    ExitCode::from(2)
}
