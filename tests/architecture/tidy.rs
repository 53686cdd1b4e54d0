//! Files that can be read in one sitting and say what they are for.

use crate::workspace::{files, no_complaints, relative, root};
use std::collections::BTreeSet;

/// The most lines a file of the product may have.
const MAX_LINES: usize = 400;
/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helpers", "manager", "service", "types"];
/// Words of work that is not done.
const UNFINISHED: &[&str] = &["todo!(", "unimplemented!(", "for now", "placeholder"];
/// Where such a word is the subject itself.
const SUBJECT: &[(&str, &str)] = &[
    ("crates/agent-templates/src/", "placeholder"),
    ("bins/agent-server/src/views/template.rs", "placeholder"),
];

/// The files of the product: path and text.
fn sources() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for group in ["crates", "bins"] {
        for file in files(&root().join(group), ".rs") {
            let path = relative(&file);
            if path.split('/').nth(2) == Some("src") {
                found.push((path, std::fs::read_to_string(&file).expect("a source file is text")));
            }
        }
    }
    assert!(found.len() > 100, "the sources were not found");
    found
}

#[test]
fn no_file_is_too_long() {
    let long = |(_, text): &(String, String)| text.lines().count() > MAX_LINES;
    let complaints = sources().into_iter().filter(long).map(|(path, text)| {
        format!("{path} has {} lines: split it by noun to at most {MAX_LINES}", text.lines().count())
    });
    no_complaints(&complaints.collect::<Vec<_>>());
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    let headless = sources().into_iter().filter(|(_, text)| !text.trim_start().starts_with("//!"));
    let complaints = headless.map(|(path, _)| format!("{path}: begin with `//!` and a sentence on its job"));
    no_complaints(&complaints.collect::<Vec<_>>());
}

#[test]
fn modules_are_files_with_names_that_say_something() {
    let mut complaints = Vec::new();
    for (path, _) in sources() {
        if path.ends_with("/mod.rs") {
            complaints.push(format!("{path}: name the file after its module, beside its folder"));
        }
        let parts: Vec<&str> = path.split(['/', '.']).collect();
        if let Some(name) = parts.iter().find(|part| EMPTY_NAMES.contains(part)) {
            complaints.push(format!("{path}: `{name}` says nothing; name it after what it holds"));
        }
    }
    no_complaints(&complaints);
}

#[test]
fn nothing_is_left_for_later() {
    let mut complaints = Vec::new();
    let mut needed = BTreeSet::new();
    for (path, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            let line = line.to_lowercase();
            for word in UNFINISHED.iter().filter(|word| line.contains(**word)) {
                let subject =
                    SUBJECT.iter().find(|(place, subject)| path.starts_with(place) && subject == word);
                match subject {
                    Some(exception) => {
                        needed.insert(exception);
                    }
                    None => complaints.push(format!("{path}:{}: finish what {word:?} puts off", number + 1)),
                }
            }
        }
    }
    let unused = SUBJECT.iter().filter(|exception| !needed.contains(exception));
    complaints
        .extend(unused.map(|(path, word)| format!("{path} has no {word:?} any more: drop the exception")));
    no_complaints(&complaints);
}
