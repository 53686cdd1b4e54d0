//! Searches the text of a repository.
//!
//! Knows: the files a scan would read, and patterns. Never knows: plans, models; and it never shows a
//! line of a file that usually holds secrets.
//!
//! ```
//! use agent_repository::scan::ScanOptions;
//! use agent_repository::search::{SearchQuery, search};
//!
//! let folder = tempfile::tempdir()?;
//! std::fs::write(folder.path().join("main.rs"), "fn main() {\n    greet();\n}\n")?;
//! let report = search(folder.path(), &SearchQuery::text("greet("), &ScanOptions::default())?;
//! assert_eq!((report.matches[0].line, report.matches[0].column), (2, 5));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::path::Path;

use ignore::overrides::{Override, OverrideBuilder};
use regex::bytes::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scan::{Content, Error, Found, ScanOptions, SkipReason, Skipped, Visitor, escaped, walk};

/// Characters shown of a line.
const MAX_LINE: usize = 400;
/// Characters shown before the match when a line is longer than that.
const LEAD: usize = 80;
/// Lines of context, at most.
const MAX_CONTEXT: usize = 20;
/// Compiled size of a pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 1 << 20;

/// What to look for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchQuery {
    /// The text, or a regular expression if `regex` is set. It is looked for within single lines.
    pub pattern: String,
    /// The pattern is a regular expression.
    #[serde(default)]
    pub regex: bool,
    /// Upper and lower case differ.
    #[serde(default = "yes")]
    pub case_sensitive: bool,
    /// Only paths that match, such as `*.rs` or `src/**/*.py`; a leading `!` leaves paths out.
    #[serde(default)]
    pub glob: Option<String>,
    /// Matching lines to report, at most.
    #[serde(default = "default_max_results")]
    pub max_results: usize,
    /// Lines to show before and after each match, 20 at most.
    #[serde(default)]
    pub context_lines: usize,
}

fn yes() -> bool {
    true
}

fn default_max_results() -> usize {
    100
}

impl SearchQuery {
    /// Looks for a plain text in all files, with the case as it is written.
    pub fn text(pattern: impl Into<String>) -> Self {
        Self {
            pattern: pattern.into(),
            regex: false,
            case_sensitive: true,
            glob: None,
            max_results: default_max_results(),
            context_lines: 0,
        }
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SearchReport {
    /// The matching lines, in the order of paths and lines.
    pub matches: Vec<SearchMatch>,
    /// There are more, or a limit ended the walk.
    pub truncated: bool,
}

/// One line that matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SearchMatch {
    /// Relative to the root.
    pub path: String,
    /// From 1.
    pub line: u64,
    /// Where the first match in the line begins, in characters from 1.
    pub column: u64,
    /// The line, cut to 400 characters around the match.
    pub text: String,
    /// Lines before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// Lines after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
}

/// Searches the files below `root` that a scan with the same options would read.
///
/// Which matches are reported does not depend on the order in which files are read.
///
/// # Errors
///
/// [`Error::EmptyPattern`], [`Error::InvalidPattern`] or [`Error::InvalidGlob`] for a query that cannot
/// be understood; [`Error::RootUnreadable`] or [`Error::NotAFolder`] when `root` cannot be entered.
pub fn search(root: &Path, query: &SearchQuery, options: &ScanOptions<'_>) -> Result<SearchReport, Error> {
    let pattern = compile(query)?;
    let glob = query.glob.as_deref().map(compile_glob).transpose()?;
    let searchers = walk(root, b"", options, || Searcher {
        pattern: &pattern,
        glob: glob.as_ref(),
        query,
        found: Vec::new(),
        truncated: false,
        buffer: Vec::new(),
    })?;
    let mut truncated = searchers.iter().any(|searcher| searcher.truncated);
    let mut found: Vec<Hit> = searchers.into_iter().flat_map(|searcher| searcher.found).collect();
    truncated |= keep_first(&mut found, query.max_results);
    Ok(SearchReport { matches: found.into_iter().map(|hit| hit.shown).collect(), truncated })
}

/// The pattern for a line, and for a first look at a whole file.
struct Pattern {
    line: Regex,
    /// Matches at least the files that hold a matching line, if their lines end in a plain `\n`.
    file: Option<Regex>,
}

impl Pattern {
    fn may_match(&self, text: &[u8]) -> bool {
        self.file.as_ref().is_none_or(|file| text.contains(&b'\r') || file.is_match(text))
    }
}

fn compile(query: &SearchQuery) -> Result<Pattern, Error> {
    if query.pattern.is_empty() {
        return Err(Error::EmptyPattern);
    }
    let pattern = if query.regex { query.pattern.clone() } else { regex::escape(&query.pattern) };
    let build = |multi_line| {
        RegexBuilder::new(&pattern)
            .case_insensitive(!query.case_sensitive)
            .multi_line(multi_line)
            .size_limit(MAX_PATTERN_BYTES)
            .dfa_size_limit(MAX_PATTERN_BYTES * 4)
            .build()
            .map_err(|error| Error::InvalidPattern(Box::new(error)))
    };
    // These mean the ends of the text, or may switch off that `^` and `$` mean those of a line.
    let only_for_lines = query.regex && ["\\A", "\\z", "(?"].iter().any(|part| pattern.contains(part));
    let file = if only_for_lines { None } else { Some(build(true)?) };
    Ok(Pattern { line: build(false)?, file })
}

fn compile_glob(glob: &str) -> Result<Override, Error> {
    let invalid = |error| Error::InvalidGlob(Box::new(error));
    let mut builder = OverrideBuilder::new("/");
    builder.add(glob).map_err(invalid)?;
    builder.build().map_err(invalid)
}

/// A match with what orders it.
struct Hit {
    path: Vec<u8>,
    shown: SearchMatch,
}

/// Keeps the first `max` in the order of the report; true if some were dropped.
fn keep_first(found: &mut Vec<Hit>, max: usize) -> bool {
    found.sort_by(|a, b| (&a.path, a.shown.line).cmp(&(&b.path, b.shown.line)));
    let dropped = found.len() > max;
    found.truncate(max);
    dropped
}

struct Searcher<'a> {
    pattern: &'a Pattern,
    glob: Option<&'a Override>,
    query: &'a SearchQuery,
    found: Vec<Hit>,
    truncated: bool,
    buffer: Vec<u8>,
}

impl Searcher<'_> {
    fn wants(&self, path: &[u8]) -> bool {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new("/").join(std::ffi::OsStr::from_bytes(path));
        self.glob.is_none_or(|glob| !glob.matched(&path, false).is_ignore())
    }

    fn search(&mut self, path: &[u8], text: &[u8]) {
        let lines: Vec<&[u8]> =
            text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n').collect();
        let context = self.query.context_lines.min(MAX_CONTEXT);
        let mut in_file = 0;
        for (number, line) in lines.iter().enumerate() {
            let line = without_return(line);
            let Some(first) = self.pattern.line.find(line) else { continue };
            if in_file == self.query.max_results {
                self.truncated = true;
                break;
            }
            in_file += 1;
            let around = |lines: &[&[u8]]| lines.iter().map(|line| cut(without_return(line), 0).1).collect();
            let (column, shown) = cut(line, first.start());
            self.found.push(Hit {
                path: path.to_vec(),
                shown: SearchMatch {
                    path: escaped(path),
                    line: number as u64 + 1,
                    column,
                    text: shown,
                    before: around(&lines[number.saturating_sub(context)..number]),
                    after: around(&lines[number + 1..(number + 1 + context).min(lines.len())]),
                },
            });
        }
        // Never more than a few times what is asked for, however many lines match.
        if self.found.len() > self.query.max_results.saturating_mul(4).saturating_add(64) {
            self.truncated |= keep_first(&mut self.found, self.query.max_results);
        }
    }
}

impl Visitor for Searcher<'_> {
    fn file(&mut self, file: &Found<'_>) {
        if !self.wants(file.path) {
            return;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        match file.read(&mut buffer) {
            // One look at the whole spares most files the look at each line.
            Ok((Content::Text, _)) if self.pattern.may_match(&buffer) => {
                self.search(file.path, &buffer);
            }
            Ok((Content::OverBudget, _)) => self.truncated = true,
            // Binary and sensitive files are not searched; files too large or unreadable are the scan's to report.
            Ok(_) | Err(_) => {}
        }
        self.buffer = buffer;
    }

    fn skipped(&mut self, skipped: Skipped) {
        self.truncated |= skipped.reason == SkipReason::Truncated;
    }
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The column of `at` and the part of the line around it.
fn cut(line: &[u8], at: usize) -> (u64, String) {
    let before = String::from_utf8_lossy(&line[..at]).chars().count();
    let start = if before + LEAD > MAX_LINE { before - LEAD } else { 0 };
    // No character takes more than four bytes; what lies further off need not be decoded.
    let end = line.len().min(at + 4 * MAX_LINE);
    let text = String::from_utf8_lossy(&line[..end]);
    let mut shown: String = text.chars().skip(start).take(MAX_LINE).collect();
    if start > 0 {
        shown.insert(0, '…');
    }
    if end < line.len() || text.chars().count() > start + MAX_LINE {
        shown.push('…');
    }
    (before as u64 + 1, shown)
}
