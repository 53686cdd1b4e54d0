//! Patches as people, git and language models write them: understood, located, applied as a whole, undone.
//!
//! A patch goes three steps: [`PatchSet::parse`] understands the text, [`plan_changes`] works out against a
//! workspace what every file would become, and [`ChangeSet::apply`] writes all of it or nothing. What cannot
//! be located beyond doubt is refused with everything that is needed to correct the patch.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::path_guard::RelativePath;

mod apply;
mod blocks;
mod diff;
mod envelope;
mod file_change;
mod history;
mod in_memory;
mod matching;
mod merge;
mod offset;
mod order;
mod overlay;
mod plan;
mod readings;
mod record;
mod report;
mod text;
mod undo;
mod unified;

pub use diff::unified_diff;
pub use history::{Application, History, Origin, Recorded};
pub use in_memory::apply_to_text;
pub use merge::{ConflictRegion, MergeConflict, merge_texts};
pub(crate) use overlay::Snapshot;
pub use plan::{ChangeSet, check, plan_changes, write_file};
pub use record::{ChangeRecord, DiskState, Fingerprint, RecordedFile};
pub use report::{
    Applied, Fate, FileAction, FileChange, FileProblem, HunkReport, MatchQuality, Nearest, Rejected,
};
pub(crate) use undo::{FileVersions, plan_merge};

/// Largest accepted patch text in bytes.
pub const LARGEST_PATCH: usize = 16 * 1024 * 1024;
/// Largest file that is patched, in bytes.
pub const LARGEST_FILE: u64 = 32 * 1024 * 1024;
/// Most hunks, and most files, in one patch.
pub const MOST_HUNKS: usize = 10_000;

/// How a patch is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatchFormat {
    /// `--- a/file`, `+++ b/file`, `@@ -1,3 +1,4 @@`, as git and GNU diff write it.
    Unified,
    /// `*** Begin Patch` … `*** End Patch`.
    Envelope,
    /// `<<<<<<< SEARCH` … `=======` … `>>>>>>> REPLACE`.
    SearchReplace,
}

/// An understood patch: which files, and what is to happen to each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchSet {
    /// How it was written.
    pub format: PatchFormat,
    /// The files in the order of the patch. A file may occur more than once.
    pub files: Vec<FilePatch>,
}

/// What a patch wants of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePatch {
    /// The file as it is named before the patch.
    pub path: RelativePath,
    /// What is to happen to it.
    pub operation: Operation,
    /// Whether the patch shows line endings, so that they count when lines are compared.
    pub states_line_endings: bool,
}

/// What is to happen to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// A file that does not exist yet.
    Create {
        /// Its whole content.
        content: String,
        /// Whether it may be executed.
        executable: bool,
    },
    /// A file that exists.
    Modify {
        /// The changes, in the order of the file (search/replace blocks: in any order).
        hunks: Vec<Hunk>,
        /// Its new name.
        rename_to: Option<RelativePath>,
        /// Whether it may be executed from now on; `None` leaves that alone.
        executable: Option<bool>,
    },
    /// A file that is to go.
    Delete {
        /// The content as the patch shows it, which must be the file's; `None` when the patch does not show it.
        hunks: Option<Vec<Hunk>>,
    },
}

/// Lines to find, and what they become.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hunk {
    /// Context, removed and added lines.
    pub lines: Vec<HunkLine>,
    /// First line before the change as stated, counted from 1; 0 or the line before for a hunk that only adds.
    pub old_start: Option<usize>,
    /// First line after the change as stated.
    pub new_start: Option<usize>,
    /// Lines that enclose the place, outermost first (`@@ class Parser`): binding.
    pub scope: Vec<String>,
    /// The enclosing line that diff tools show after the second `@@`: only used to choose between equal places.
    pub section: Option<String>,
    /// Whether the hunk says that it ends at the end of the file.
    pub at_end: bool,
    /// Whether the stated numbers of lines were wrong.
    pub miscounted: bool,
    /// How many old and new lines are stated but not there, where the patch ends with this hunk.
    pub shortfall: Option<(usize, usize)>,
    /// Whether the file is said to lack its final newline before the change.
    pub old_lacks_newline: bool,
    /// Whether the file is said to lack its final newline after the change.
    pub new_lacks_newline: bool,
}

/// One line of a hunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HunkLine {
    /// What happens to it.
    pub kind: LineKind,
    /// The line without its ending.
    pub text: String,
    /// Whether the ending in the patch was CR LF.
    pub carriage_return: bool,
    /// Whether the line is empty, its sign too, so that its kind is a guess.
    pub unmarked: bool,
}

/// What happens to a line of a hunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind {
    /// It is there before and after.
    Context,
    /// It is there before only.
    Remove,
    /// It is there after only.
    Add,
}

/// The patch text cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("line {line} of the patch: {reason}")]
pub struct ParseError {
    /// The line of the patch, counted from 1.
    pub line: usize,
    /// What is wrong with it and what to write instead.
    pub reason: String,
}

impl PatchSet {
    /// Understands a patch in any of the three formats; prose, code fences and here-document wrappers around
    /// it are passed over.
    ///
    /// # Errors
    /// [`Error::PatchTooLarge`] and [`Error::TooManyHunks`] beyond the limits, [`Error::PathRefused`] for a
    /// path out of the workspace, [`Error::Parse`] with line and advice for everything else.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > LARGEST_PATCH {
            return Err(Error::PatchTooLarge { bytes: text.len(), limit: LARGEST_PATCH });
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = split_lines(text);
        let format = detect(&lines).ok_or_else(|| unrecognised(&lines))?;
        let files = match format {
            PatchFormat::Unified => unified::parse(&lines)?,
            PatchFormat::Envelope => envelope::parse(&lines)?,
            PatchFormat::SearchReplace => blocks::parse(&lines)?,
        };
        let hunks: usize = files.iter().map(|file| file.operation.hunks().len()).sum();
        if hunks > MOST_HUNKS || files.len() > MOST_HUNKS {
            return Err(Error::TooManyHunks { limit: MOST_HUNKS });
        }
        Ok(Self { format, files })
    }
}

impl Operation {
    /// The hunks, if the operation has any.
    #[must_use]
    pub fn hunks(&self) -> &[Hunk] {
        match self {
            Self::Create { .. } | Self::Delete { hunks: None } => &[],
            Self::Modify { hunks, .. } | Self::Delete { hunks: Some(hunks) } => hunks,
        }
    }
}

impl Hunk {
    /// The lines that must be there before the change.
    pub(crate) fn old_lines(&self) -> impl Iterator<Item = &HunkLine> {
        self.lines.iter().filter(|line| line.kind != LineKind::Add)
    }

    /// The lines that are there after the change.
    pub(crate) fn new_lines(&self) -> impl Iterator<Item = &HunkLine> {
        self.lines.iter().filter(|line| line.kind != LineKind::Remove)
    }

    pub(crate) fn added_lines(&self) -> impl Iterator<Item = &HunkLine> {
        self.lines.iter().filter(|line| line.kind == LineKind::Add)
    }

    /// Whether a line ends with CR LF while others of the patch do not.
    pub(crate) fn shows_carriage_return(&self) -> bool {
        self.lines.iter().any(|line| line.carriage_return)
    }

    pub(crate) fn changes_nothing(&self) -> bool {
        self.lines.iter().all(|line| line.kind == LineKind::Context)
            && self.old_lacks_newline == self.new_lacks_newline
    }
}

impl ParseError {
    pub(crate) fn new(index: usize, reason: impl Into<String>) -> Self {
        Self { line: index + 1, reason: reason.into() }
    }
}

/// A line of the patch text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawLine<'a> {
    pub(crate) text: &'a str,
    pub(crate) carriage_return: bool,
}

impl RawLine<'_> {
    pub(crate) fn to_hunk_line(self, kind: LineKind, text: &str) -> HunkLine {
        let unmarked = self.text.is_empty();
        HunkLine { kind, text: text.to_owned(), carriage_return: self.carriage_return, unmarked }
    }
}

/// Cuts the text into lines. When every line ends with CR LF it is the patch that was converted on its way,
/// which says nothing about the files.
fn split_lines(text: &str) -> Vec<RawLine<'_>> {
    let mut lines: Vec<RawLine<'_>> = text
        .split_inclusive('\n')
        .map(|line| {
            let text = line.strip_suffix('\n').unwrap_or(line);
            let stripped = if text.len() < line.len() { text.strip_suffix('\r') } else { None };
            RawLine { text: stripped.unwrap_or(text), carriage_return: stripped.is_some() }
        })
        .collect();
    end_last_line(text, &mut lines);
    let converted = text.matches('\n').count() == text.matches("\r\n").count();
    if converted {
        lines.iter_mut().for_each(|line| line.carriage_return = false);
    }
    lines
}

/// A patch that lost its final newline says no longer how its last line ends: as the one like it before.
fn end_last_line(text: &str, lines: &mut [RawLine<'_>]) {
    if text.ends_with('\n') {
        return;
    }
    let Some((last, before)) = lines.split_last_mut() else { return };
    let like_it = before.iter().rev().find(|line| line.text.chars().next() == last.text.chars().next());
    if like_it.is_some_and(|line| line.carriage_return) {
        last.text = last.text.strip_suffix('\r').unwrap_or(last.text);
        last.carriage_return = true;
    }
}

/// The format whose first mark comes first.
fn detect(lines: &[RawLine<'_>]) -> Option<PatchFormat> {
    lines.iter().enumerate().find_map(|(index, line)| {
        let next = lines.get(index + 1).map_or("", |line| line.text);
        if envelope::is_begin(line.text) {
            Some(PatchFormat::Envelope)
        } else if blocks::is_search(line.text) {
            Some(PatchFormat::SearchReplace)
        } else if line.text.starts_with("diff --git ") || unified::is_name_pair(line.text, next) {
            Some(PatchFormat::Unified)
        } else {
            None
        }
    })
}

fn unrecognised(lines: &[RawLine<'_>]) -> ParseError {
    let headless = lines.iter().position(|line| line.text.starts_with("@@"));
    match headless {
        Some(index) => {
            ParseError::new(index, "this hunk names no file; write `--- a/path` and `+++ b/path` before it")
        }
        None => ParseError::new(
            0,
            "no patch found; write a unified diff (`--- a/path`, `+++ b/path`, `@@`), an envelope \
             (`*** Begin Patch` … `*** End Patch`) or search/replace blocks",
        ),
    }
}
