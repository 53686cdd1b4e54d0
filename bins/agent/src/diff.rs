//! Shows a unified diff and counts what it changes.

use crate::output::{Style, Terminal, plain};
use serde::Serialize;
use std::collections::BTreeSet;

/// What a diff changes, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct DiffStatistics {
    /// Files that it touches.
    pub(crate) files: usize,
    /// Lines that it adds.
    pub(crate) insertions: usize,
    /// Lines that it removes.
    pub(crate) deletions: usize,
}

impl DiffStatistics {
    /// Counts a diff as git writes it. Several changes of one file count as one file.
    pub(crate) fn of(diff: &str) -> Self {
        let mut files = BTreeSet::new();
        let mut statistics = Self::default();
        let mut in_hunk = false;
        for line in diff.lines() {
            if let Some(names) = line.strip_prefix("diff --git ") {
                files.insert(names);
                in_hunk = false;
            } else if line.starts_with("@@ ") {
                in_hunk = true;
            } else if in_hunk && line.starts_with('+') {
                statistics.insertions += 1;
            } else if in_hunk && line.starts_with('-') {
                statistics.deletions += 1;
            }
        }
        Self { files: files.len(), ..statistics }
    }
}

impl std::fmt::Display for DiffStatistics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.files == 0 {
            return f.write_str("no file changed");
        }
        let s = |count: usize| if count == 1 { "" } else { "s" };
        let (files, insertions, deletions) = (self.files, self.insertions, self.deletions);
        write!(f, "{files} file{} changed, ", s(files))?;
        write!(f, "{insertions} insertion{}, {deletions} deletion{}", s(insertions), s(deletions))
    }
}

/// Writes a diff to standard output: coloured on a terminal, and byte for byte where a program reads it.
pub(crate) fn show(terminal: &Terminal, diff: &str) {
    if terminal.width.is_none() {
        terminal.raw(diff);
        return;
    }
    for line in diff.lines() {
        let text = plain(line);
        let style = match text.as_bytes() {
            [b'd', b'i', b'f', b'f', b' ', ..]
            | [b'+', b'+', b'+', b' ', ..]
            | [b'-', b'-', b'-', b' ', ..] => Some(Style::Bold),
            [b'@', b'@', ..] => Some(Style::Cyan),
            [b'+', ..] => Some(Style::Green),
            [b'-', ..] => Some(Style::Red),
            _ => None,
        };
        match style {
            Some(style) => terminal.line(terminal.paint(style, text)),
            None => terminal.line(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_in_hunks_only_and_a_file_once() {
        let diff = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n same\n-old\n+new\n+more\n\
                    diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -9 +9 @@\n--- gone\n";
        let expected = DiffStatistics { files: 1, insertions: 2, deletions: 2 };
        assert_eq!(DiffStatistics::of(diff), expected);
        assert_eq!(expected.to_string(), "1 file changed, 2 insertions, 2 deletions");
    }
}
