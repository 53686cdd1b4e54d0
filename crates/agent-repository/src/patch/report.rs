//! What a patch did, would do, or why it cannot be applied: for people, programs and language models.

use std::fmt;

use agent_core::error::with_causes;
use serde::{Deserialize, Serialize};

use super::ConflictRegion;
use crate::error::Error;
use crate::path_guard::RelativePath;

/// How exactly the lines of a hunk were found. Later is looser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchQuality {
    /// Every line equal, at the stated line, or in the only such place when no line is stated.
    Exact,
    /// Every line equal, in the only such place, which is not at the stated line.
    Offset,
    /// Equal but for blanks at line ends.
    TrailingWhitespace,
    /// Equal but for look-alike dashes, quotes and blanks.
    Unicode,
    /// Equal but for an indentation that differs uniformly; added lines were indented to fit.
    Indentation,
    /// All removed lines equal, some context lines are stale.
    StaleContext,
}

/// What became of a hunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It has one place and is part of the change.
    Applied,
    /// Its result is there already; nothing to change.
    AlreadyApplied,
    /// It fits several places, so it fits none.
    Ambiguous,
    /// It fits nowhere.
    NotFound,
    /// Its file cannot be patched at all.
    Blocked,
}

/// The text that looks most like the lines that were not found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Nearest {
    /// Its first line, counted from 1.
    pub line: usize,
    /// How alike it is, 0 to 1.
    pub similarity: f64,
    /// The lines as they really stand there.
    pub actual: String,
}

/// What became of one hunk, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HunkReport {
    /// The file as named before the patch.
    pub path: RelativePath,
    /// Which hunk of the file's patch, counted from 1.
    pub hunk: usize,
    /// What became of it.
    pub fate: Fate,
    /// How its place was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rung: Option<MatchQuality>,
    /// The first line of its place before the change, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// The line that the patch states.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stated_line: Option<usize>,
    /// Whether the stated numbers of lines were wrong.
    pub miscounted: bool,
    /// How many context lines are stale.
    pub stale_context: usize,
    /// The places that fit equally well, when there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<usize>,
    /// The most similar text, when nothing fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<Nearest>,
    /// What to know or do beyond that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Why a file cannot be patched, whatever its hunks say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileProblem {
    /// The file.
    pub path: RelativePath,
    /// The situation in one word, as [`Error::code`] gives it.
    pub problem: String,
    /// The situation in words, with advice.
    pub detail: String,
    /// The places that somebody else changed too, when it is a merge that does not come out even.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<ConflictRegion>,
}

/// What happened to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileAction {
    /// It is new.
    Created,
    /// Its content or mode changed.
    Modified,
    /// It is gone.
    Deleted,
    /// It has a new name, and perhaps new content.
    Renamed,
}

/// What happened to one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// The file, under its new name.
    pub path: RelativePath,
    /// Its name before, when it was renamed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous_path: Option<RelativePath>,
    /// What happened.
    pub action: FileAction,
    /// Hash of the content before, in lower-case hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_sha256: Option<String>,
    /// Hash of the content after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_sha256: Option<String>,
    /// Lines that are new.
    pub lines_added: usize,
    /// Lines that are gone.
    pub lines_removed: usize,
}

/// What a patch did, or would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Applied {
    /// The files that changed; none when everything was applied already.
    pub files: Vec<FileChange>,
    /// Every hunk in the order of the patch.
    pub hunks: Vec<HunkReport>,
    /// The change as a git-style unified diff.
    pub diff: String,
    /// The diff that undoes it.
    pub inverse: String,
}

/// A patch that does not fit. Nothing was changed; all hunks were tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rejected {
    /// Files that cannot be patched at all.
    pub files: Vec<FileProblem>,
    /// Every hunk in the order of the patch, also those that would fit.
    pub hunks: Vec<HunkReport>,
}

impl FileProblem {
    pub(crate) fn new(path: &RelativePath, problem: &str, detail: impl Into<String>) -> Self {
        Self { path: path.clone(), problem: problem.to_owned(), detail: detail.into(), regions: Vec::new() }
    }

    pub(crate) fn from_error(path: &RelativePath, error: &Error) -> Self {
        let regions = match error {
            Error::MergeConflict { regions, .. } => regions.clone(),
            _ => Vec::new(),
        };
        Self { regions, ..Self::new(path, error.code(), with_causes(error)) }
    }
}

impl Fate {
    /// Whether this hunk alone makes the patch impossible.
    #[must_use]
    pub fn is_failure(self) -> bool {
        !matches!(self, Self::Applied | Self::AlreadyApplied)
    }
}

impl std::error::Error for Rejected {}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failed = self.hunks.iter().filter(|hunk| hunk.fate.is_failure()).count();
        write!(f, "The patch was refused and no file was changed: ")?;
        writeln!(f, "{failed} of {} hunks and {} files have a problem.", self.hunks.len(), self.files.len())?;
        for problem in &self.files {
            writeln!(f, "\n{}: {}", problem.path, problem.detail)?;
        }
        for hunk in self.hunks.iter().filter(|hunk| hunk.fate.is_failure() && hunk.fate != Fate::Blocked) {
            write!(f, "\n{hunk}")?;
        }
        Ok(())
    }
}

impl fmt::Display for HunkReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, hunk {}", self.path, self.hunk)?;
        if let Some(stated) = self.stated_line {
            write!(f, " (stated at line {stated})")?;
        }
        match self.fate {
            Fate::Applied => writeln!(f, ": fits at line {}", self.line.unwrap_or(0))?,
            Fate::AlreadyApplied => writeln!(f, ": its result is there already")?,
            Fate::Blocked => writeln!(f, ": its file cannot be patched")?,
            Fate::Ambiguous => {
                let lines: Vec<String> = self.candidates.iter().map(ToString::to_string).collect();
                writeln!(f, ": fits equally well at lines {}", lines.join(", "))?;
                writeln!(f, "  Add context lines around it until it fits one place only.")?;
            }
            Fate::NotFound => writeln!(f, ": these lines are not in the file")?,
        }
        if let Some(detail) = &self.detail {
            writeln!(f, "  {detail}")?;
        }
        if let Some(nearest) = &self.nearest {
            writeln!(
                f,
                "  Nearest is line {} (similarity {:.2}), which reads:",
                nearest.line, nearest.similarity
            )?;
            for line in nearest.actual.lines() {
                write!(f, "  | ")?;
                for c in line.chars() {
                    if c.is_control() && c != '\t' {
                        write!(f, "{}", c.escape_default())?
                    } else {
                        write!(f, "{c}")?
                    }
                }
                writeln!(f)?;
            }
            writeln!(f, "  Write context and removed lines exactly as they stand in the file.")?;
        }
        Ok(())
    }
}
