//! The corpus tool on a small history that is made here: nothing comes out wrong.

use std::fmt::Write;
use std::path::Path;

use crate::corpus_tool::{Effort, KINDS, Outcome, changes_of, tally};

/// Commits of the history.
const COMMITS: usize = 24;

/// A generator of numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

#[expect(clippy::disallowed_methods, reason = "the history is a real one")]
fn git(folder: &Path, arguments: &[&str]) {
    let status = std::process::Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "core.autocrlf=false", "-c", "user.name=t", "-c", "user.email=t@localhost"])
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", folder)
        .status()
        .unwrap();
    assert!(status.success(), "git {arguments:?}");
}

/// Functions that look alike, as in any program, in two languages.
fn function(number: usize, numbers: &mut Numbers, python: bool) -> String {
    let mut text = String::new();
    let (value, limit) = (numbers.below(900), numbers.below(90));
    let _ = if python {
        writeln!(
            text,
            "def step_{number}(items):\n    \"\"\"Does what's needed - step {number}.\"\"\"\n    total = {value}\n\
             \n    for item in items:\n        if item > {limit}:\n            total += item\n    return total\n\n"
        )
    } else {
        writeln!(
            text,
            "export function step{number}(items) {{\n\tlet total = {value};\n\tfor (const item of items) {{\n\
             \t\tif (item > {limit}) {{\n\t\t\ttotal += item;\n\t\t}}\n\t}}\n\n\treturn total;\n}}\n"
        )
    };
    text
}

/// Edits some lines, and puts in and takes out others.
fn edited(text: &str, numbers: &mut Numbers, round: usize, python: bool) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(lines.len());
        let indent: String = lines[at].chars().take_while(|c| c.is_whitespace()).collect();
        match numbers.below(4) {
            0 => lines[at] = format!("{indent}replaced_{round}({})", numbers.below(99)),
            1 => lines.insert(at, format!("{indent}added_{round}(\"it's - new\")")),
            2 => drop(lines.remove(at)),
            _ => lines
                .splice(at..at, function(100 + round, numbers, python).lines().map(str::to_owned))
                .for_each(drop),
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn on_a_history_of_edits_no_kind_of_patch_comes_out_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let mut numbers = Numbers(7);
    let mut files = [("step.py", true), ("step.js", false)].map(|(name, python)| {
        let text: String = (0..12).map(|number| function(number, &mut numbers, python)).collect();
        (name, python, text)
    });
    git(folder.path(), &["init", "-q"]);
    for round in 0..=COMMITS {
        for (name, python, text) in &mut files {
            if round > 0 {
                *text = edited(text, &mut numbers, round, *python);
            }
            std::fs::write(folder.path().join(name), &text).unwrap();
        }
        git(folder.path(), &["add", "-A"]);
        git(folder.path(), &["commit", "-q", "-m", &format!("round {round}")]);
    }
    let changes = changes_of(folder.path(), COMMITS, 400).unwrap();
    assert_eq!(changes.len(), 2 * COMMITS);
    let mut patches = 0;
    for kind in KINDS {
        let tally = tally(&changes, kind, &Effort { seed: 1, most_examples: 1, runs: 1 });
        patches += tally.patches;
        assert_eq!(tally.wrong, 0, "{}: {:#?}", tally.kind, tally.examples);
        let refusals_are_told = tally
            .examples
            .iter()
            .all(|(_, outcome)| matches!(outcome, Outcome::Refused(text) if !text.is_empty()));
        assert!(refusals_are_told, "{}", tally.kind);
        assert!(kind.0 != "clean" || tally.exact == tally.patches, "{:#?}", tally.examples);
        assert!(
            tally.exact + tally.refused - tally.undecidable == 0 || tally.percent() >= 60.0,
            "{}: {} % exact",
            tally.kind,
            tally.percent()
        );
    }
    assert!(patches > 30 * changes.len(), "only {patches} patches were made");
}
