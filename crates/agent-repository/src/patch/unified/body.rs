//! The lines of a hunk: how far it goes, and what each line is.

use super::{StatedLines, is_name_pair};
use crate::patch::{Hunk, HunkLine, LineKind, RawLine};

/// Unmarked lines in a row that are still taken for context.
const MOST_UNMARKED: usize = 8;
/// What begins a line that is no line of a hunk, marked or not.
const OUTSIDE: [&str; 15] = [
    "@@",
    "diff ",
    "index ",
    "Index: ",
    "Only in ",
    "Binary ",
    "***",
    "===",
    "<<<",
    ">>>",
    "```",
    "~~~",
    "\\",
    "From ",
    "Subject: ",
];

/// What an empty line without a sign is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blanks {
    Context,
    /// An added line, where it stands between added lines.
    AddedBetween,
    /// An added line, where it stands next to one.
    AddedBeside,
    /// An added line, wherever it stands.
    Added,
}

/// Reads exactly as many lines as stated; `None` when the numbers do not fit what stands there.
pub(super) fn counted(
    lines: &[RawLine<'_>],
    start: usize,
    stated: &StatedLines,
    blanks: Blanks,
) -> Option<(Hunk, usize)> {
    let (mut old, mut new) = (stated.old_count, stated.new_count?);
    let mut hunk = Hunk::default();
    let mut index = start;
    while old > 0 || new > 0 {
        let line = lines.get(index)?;
        if line.text.starts_with('\\') {
            mark_missing_newline(&mut hunk);
        } else {
            let (mut kind, text) = read_line(lines, index)?;
            let after_added = hunk.lines.last().is_some_and(|line| line.kind == LineKind::Add);
            let added = match blanks {
                Blanks::Context => false,
                Blanks::AddedBetween => after_added && before_added(lines, index),
                Blanks::AddedBeside => after_added || before_added(lines, index),
                Blanks::Added => true,
            };
            if added && line.text.is_empty() {
                kind = LineKind::Add;
            }
            old = if kind == LineKind::Add { old } else { old.checked_sub(1)? };
            new = if kind == LineKind::Remove { new } else { new.checked_sub(1)? };
            hunk.lines.push(line.to_hunk_line(kind, text));
        }
        index += 1;
    }
    if lines.get(index).is_some_and(|line| line.text.starts_with('\\')) {
        mark_missing_newline(&mut hunk);
        index += 1;
    }
    let following = lines.get(index).map_or("", |line| line.text);
    let second = lines.get(index + 1).map_or("", |line| line.text);
    let ends = !following.starts_with([' ', '+', '-'])
        || is_name_pair(following, second)
        || is_signature(following)
        || (following.trim().is_empty() && !second.starts_with([' ', '+', '-']));
    ends.then_some((hunk, index))
}

fn before_added(lines: &[RawLine<'_>], index: usize) -> bool {
    let rest = lines.get(index..).unwrap_or_default();
    rest.iter().find(|line| !line.text.is_empty()).is_some_and(|line| line.text.starts_with('+'))
}

/// Reads as far as lines look like those of a hunk.
pub(super) fn marked(lines: &[RawLine<'_>], start: usize) -> (Hunk, usize) {
    let mut hunk = Hunk::default();
    let mut index = start;
    let mut trailing_empty = 0;
    while let Some(line) = lines.get(index) {
        let second = lines.get(index + 1).map_or("", |line| line.text);
        let third = lines.get(index + 2).map_or("", |line| line.text);
        if line.text.starts_with('\\') {
            mark_missing_newline(&mut hunk);
        } else if (is_name_pair(line.text, second) && third.starts_with("@@")) || ends_mail(lines, index) {
            break;
        } else if let Some((kind, text)) = read_line(lines, index) {
            trailing_empty = if line.text.is_empty() { trailing_empty + 1 } else { 0 };
            hunk.lines.push(line.to_hunk_line(kind, text));
        } else {
            break;
        }
        index += 1;
    }
    // Empty lines after a hunk are layout; as context they would have a leading blank.
    hunk.lines.truncate(hunk.lines.len() - trailing_empty);
    (hunk, index)
}

/// How many old and new lines are stated but not there, when the patch ends with this hunk.
pub(super) fn shortfall(
    lines: &[RawLine<'_>],
    end: usize,
    hunk: &Hunk,
    stated: &StatedLines,
) -> Option<(usize, usize)> {
    let rest = lines.get(end..).unwrap_or_default();
    let old = stated.old_count.checked_sub(hunk.old_lines().count())?;
    let new = stated.new_count?.checked_sub(hunk.new_lines().count())?;
    (old + new > 0 && rest.iter().all(|line| line.text.trim().is_empty())).then_some((old, new))
}

/// Whether a line after a hunk seems to be one of its changes. `- text` may also be an item of a list.
pub(super) fn is_stray_change(line: &str) -> bool {
    let mut after = line.chars().skip(1);
    let item = after.next() == Some(' ') && after.next().is_some_and(|c| !c.is_whitespace());
    (line.starts_with('+') && !line.starts_with("+++ "))
        || (line.starts_with('-') && !line.starts_with("--") && !item)
}

pub(super) fn is_signature(line: &str) -> bool {
    line.trim_end() == "--"
}

/// `-- ` and a version close a mailed patch.
fn ends_mail(lines: &[RawLine<'_>], index: usize) -> bool {
    let version = lines.get(index + 1).map_or("", |line| line.text);
    let rest = lines.get(index + 2..).unwrap_or_default();
    lines[index].text == "-- "
        && version.starts_with(|c: char| c.is_ascii_digit())
        && rest.iter().all(|line| line.text.trim().is_empty())
}

/// A line of a hunk. One that lost its sign is context when lines with one follow at once: context is compared
/// with the file, so that nothing is written because of it.
fn read_line<'a>(lines: &[RawLine<'a>], index: usize) -> Option<(LineKind, &'a str)> {
    let text = lines.get(index)?.text;
    match text.as_bytes().first() {
        None => Some((LineKind::Context, "")),
        Some(b' ') => Some((LineKind::Context, &text[1..])),
        Some(b'-') => Some((LineKind::Remove, &text[1..])),
        Some(b'+') => Some((LineKind::Add, &text[1..])),
        Some(_) => is_within(lines, index).then_some((LineKind::Context, text)),
    }
}

/// Whether an unmarked line, or some of them in a row, stands right before a marked one.
fn is_within(lines: &[RawLine<'_>], index: usize) -> bool {
    for (at, line) in lines.iter().enumerate().skip(index).take(MOST_UNMARKED + 1) {
        let second = lines.get(at + 1).map_or("", |line| line.text);
        if line.text.is_empty() || OUTSIDE.iter().any(|start| line.text.starts_with(start)) {
            return false;
        }
        if line.text.starts_with([' ', '+', '-']) {
            return !is_name_pair(line.text, second) && !is_signature(line.text);
        }
    }
    false
}

/// `\ No newline at end of file` speaks of the line before it.
fn mark_missing_newline(hunk: &mut Hunk) {
    let Some(HunkLine { kind, text, carriage_return, .. }) = hunk.lines.last_mut() else { return };
    if *carriage_return {
        // Without a newline, a carriage return is a part of the line.
        *carriage_return = false;
        text.push('\r');
    }
    hunk.old_lacks_newline |= *kind != LineKind::Add;
    hunk.new_lacks_newline |= *kind != LineKind::Remove;
}
