//! Reads the answer of `git status --porcelain=v2 -z`.

use super::{ChangeKind, GitState, TrackedChange};
use crate::scan::escaped;

pub(crate) fn state(answer: &[u8]) -> GitState {
    let mut state = GitState { branch: None, head: None, dirty: false };
    for record in answer.split(|byte| *byte == 0).filter(|record| !record.is_empty()) {
        if let Some(head) = record.strip_prefix(b"# branch.oid ") {
            state.head = (head != b"(initial)").then(|| escaped(head));
        } else if let Some(branch) = record.strip_prefix(b"# branch.head ") {
            state.branch = (branch != b"(detached)").then(|| escaped(branch));
        } else if !record.starts_with(b"# ") {
            state.dirty = true;
        }
    }
    state
}

pub(crate) fn changes(answer: &[u8]) -> Vec<TrackedChange> {
    let mut changes = Vec::new();
    let mut records = answer.split(|byte| *byte == 0);
    while let Some(record) = records.next() {
        // The path is the rest after a fixed number of fields, and may itself hold blanks.
        let fields = match record.first() {
            Some(b'1') => 8,
            Some(b'2') => 9,
            Some(b'u') => 10,
            _ => continue,
        };
        let Some(path) = record.splitn(fields + 1, |byte| *byte == b' ').nth(fields) else { continue };
        let from = if record[0] == b'2' { records.next().map(escaped) } else { None };
        let codes = record.get(2..4).unwrap_or(b"..");
        changes.push(TrackedChange { path: escaped(path), kind: kind(record[0], codes), from });
    }
    changes
}

fn kind(record: u8, codes: &[u8]) -> ChangeKind {
    let has = |code: u8| codes.contains(&code);
    match record {
        b'u' => ChangeKind::Conflicted,
        b'2' if has(b'C') => ChangeKind::Copied,
        b'2' => ChangeKind::Renamed,
        _ if has(b'D') => ChangeKind::Deleted,
        _ if has(b'A') => ChangeKind::Added,
        _ => ChangeKind::Modified,
    }
}
