//! Changes written down as git-style unified diffs.

use std::fmt::Write;
use std::time::Duration;

use similar::{Algorithm, ChangeTag, TextDiff};

use super::unified::quoted;
use crate::path_guard::RelativePath;

const CONTEXT_LINES: usize = 3;
/// After this time the diff of two huge, very different files becomes coarser; it stays right.
const FINEST_DIFF_TIME: Duration = Duration::from_secs(2);

/// One side of a change.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Side<'a> {
    pub(crate) path: &'a RelativePath,
    pub(crate) content: &'a str,
    pub(crate) executable: bool,
}

/// A file's part of a diff, and its size.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct FileDiff {
    pub(crate) text: String,
    pub(crate) lines_added: usize,
    pub(crate) lines_removed: usize,
}

/// Shows what separates two versions of a file as a git-style unified diff, which `git apply` and
/// [`PatchSet::parse`](super::PatchSet::parse) read. `None` is a file that does not exist; two equal
/// versions give an empty text.
#[must_use]
pub fn unified_diff(path: &RelativePath, before: Option<&str>, after: Option<&str>) -> String {
    let side = |content| Side { path, content, executable: false };
    file_diff(before.map(side), after.map(side)).text
}

/// The diff from one side to the other; a missing side is a file that does not exist.
pub(crate) fn file_diff(old: Option<Side<'_>>, new: Option<Side<'_>>) -> FileDiff {
    let Some(any) = old.or(new) else { return FileDiff::default() };
    let (old_path, new_path) = (old.unwrap_or(any).path, new.map_or(any.path, |new| new.path));
    let (before, after) = (old.map_or("", |old| old.content), new.map_or("", |new| new.content));
    let old_name = quoted(&format!("a/{}", old_path.as_str()));
    let new_name = quoted(&format!("b/{}", new_path.as_str()));
    let mut diff = FileDiff::default();
    let mut head = format!("diff --git {old_name} {new_name}\n");
    let bare = head.len();
    match (old, new) {
        (Some(old), Some(new)) => {
            if old.executable != new.executable {
                let _ = write!(head, "old mode {}\nnew mode {}\n", mode(old), mode(new));
            }
            if old_path != new_path {
                let (from, to) = (quoted(old_path.as_str()), quoted(new_path.as_str()));
                let _ = write!(head, "rename from {from}\nrename to {to}\n");
            }
        }
        (None, Some(new)) => {
            let _ = writeln!(head, "new file mode {}", mode(new));
        }
        (Some(old), None) => {
            let _ = writeln!(head, "deleted file mode {}", mode(old));
        }
        (None, None) => {}
    }
    if before != after {
        let old_line = if old.is_some() { named(&old_name) } else { "/dev/null".to_owned() };
        let new_line = if new.is_some() { named(&new_name) } else { "/dev/null".to_owned() };
        let _ = write!(head, "--- {old_line}\n+++ {new_line}\n");
        write_hunks(&mut diff, before, after);
    }
    if head.len() > bare {
        diff.text.insert_str(0, &head);
    }
    diff
}

fn mode(side: Side<'_>) -> &'static str {
    if side.executable { "100755" } else { "100644" }
}

/// A name with blanks is closed with a tab, as git does, so that nothing is taken for a time stamp.
fn named(name: &str) -> String {
    if name.contains(' ') && !name.starts_with('"') { format!("{name}\t") } else { name.to_owned() }
}

fn write_hunks(diff: &mut FileDiff, before: &str, after: &str) {
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let lines = compared(&old, &new);
    for group in lines.grouped_ops(CONTEXT_LINES) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { continue };
        let old_range = first.old_range().start..last.old_range().end;
        let new_range = first.new_range().start..last.new_range().end;
        let _ = writeln!(diff.text, "@@ -{} +{} @@", stated(&old_range), stated(&new_range));
        for change in group.iter().flat_map(|operation| lines.iter_changes(operation)) {
            let sign = match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            };
            diff.lines_added += usize::from(sign == '+');
            diff.lines_removed += usize::from(sign == '-');
            let line: &str = change.value();
            diff.text.push(sign);
            diff.text.push_str(line);
            if !line.ends_with('\n') {
                diff.text.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
}

/// Compares two texts line by line.
pub(super) fn compared<'o, 'n>(old: &[&'o str], new: &[&'n str]) -> TextDiff<'o, 'n, str> {
    TextDiff::configure().algorithm(Algorithm::Myers).timeout(FINEST_DIFF_TIME).diff_slices(old, new)
}

fn stated(range: &std::ops::Range<usize>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => (range.start + 1).to_string(),
        length => format!("{},{length}", range.start + 1),
    }
}
