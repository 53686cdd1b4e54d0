//! Other ways to read a hunk that does not fit as it is written.

use super::{Hunk, LineKind};

/// Ways to write that lines are left out.
const ELLIPSES: [&str; 3] = ["...", "…", "[...]"];
/// What may stand around them, so that they are a comment.
const COMMENT_MARKS: [&str; 8] = ["<!--", "-->", "/*", "*/", "//", "#", "--", ";"];

/// The hunk with empty lines that lost their sign as added ones: those between added lines, then also those
/// next to one.
pub(crate) fn with_blanks_added(hunk: &Hunk) -> Vec<Hunk> {
    let guessed = |index: usize| {
        hunk.lines.get(index).is_some_and(|line| line.unmarked && line.kind == LineKind::Context)
    };
    let is_added = |index: Option<usize>| {
        index.is_some_and(|at| hunk.lines.get(at).map(|l| l.kind) == Some(LineKind::Add))
    };
    let mut readings: Vec<Hunk> = Vec::new();
    for both_sides in [true, false] {
        let mut reading = hunk.clone();
        for index in (0..hunk.lines.len()).filter(|index| guessed(*index)) {
            let before = (0..index).rev().find(|at| !guessed(*at));
            let after = (index..hunk.lines.len()).find(|at| !guessed(*at));
            let added = (is_added(before), is_added(after));
            if added == (true, true) || (!both_sides && (added.0 || added.1)) {
                reading.lines[index].kind = LineKind::Add;
            }
        }
        if reading != *hunk && !readings.contains(&reading) {
            readings.push(reading);
        }
    }
    readings
}

/// The parts of a hunk that says with dots that lines are left out; empty when it does not say so. Parts that
/// change nothing only say where the others are, and are left out too. Dots that the file itself holds
/// (`is_there`) are a line of it: Python has such statements.
pub(crate) fn parts(hunk: &Hunk, is_there: impl Fn(&str) -> bool) -> Vec<Hunk> {
    let is_gap = |line: &super::HunkLine| {
        line.kind == LineKind::Context && is_ellipsis(&line.text) && !is_there(line.text.trim())
    };
    if !hunk.lines.iter().any(is_gap) {
        return Vec::new();
    }
    let mut parts: Vec<Hunk> = Vec::new();
    for lines in hunk.lines.split(is_gap) {
        let first = parts.is_empty() && std::ptr::eq(lines.as_ptr(), hunk.lines.as_ptr());
        let part = Hunk {
            lines: lines.to_vec(),
            old_start: hunk.old_start.filter(|_| first),
            scope: if first { hunk.scope.clone() } else { Vec::new() },
            section: hunk.section.clone().filter(|_| first),
            ..Hunk::default()
        };
        if !part.changes_nothing() {
            parts.push(part);
        }
    }
    if let Some(last) = parts.last_mut() {
        last.at_end = hunk.at_end;
        (last.old_lacks_newline, last.new_lacks_newline) = (hunk.old_lacks_newline, hunk.new_lacks_newline);
    }
    parts
}

fn is_ellipsis(line: &str) -> bool {
    let mut text = line.trim();
    for mark in COMMENT_MARKS {
        text = text.strip_prefix(mark).unwrap_or(text).trim_start();
        text = text.strip_suffix(mark).unwrap_or(text).trim_end();
    }
    ELLIPSES.contains(&text)
}
