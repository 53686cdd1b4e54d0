//! Unified diffs as git, GNU diff and language models write them.

use super::{FilePatch, Hunk, ParseError, RawLine};
use crate::error::Error;

mod body;
mod header;
mod name;

use body::Blanks;
use header::Header;
pub(crate) use name::quoted;

/// What empty lines without a sign are taken for, in this order, until the stated numbers of lines are right.
const BLANKS: [Blanks; 4] = [Blanks::Context, Blanks::AddedBetween, Blanks::AddedBeside, Blanks::Added];

/// Whether two lines are the `---` and `+++` lines of a file.
pub(crate) fn is_name_pair(first: &str, second: &str) -> bool {
    first.starts_with("--- ") && second.starts_with("+++ ")
}

/// The line numbers after `@@`.
pub(crate) struct StatedLines {
    pub(crate) old_start: usize,
    pub(crate) new_start: Option<usize>,
    pub(crate) section: Option<String>,
    old_count: usize,
    new_count: Option<usize>,
}

/// Reads what follows the first `@@`: `-1,3 +1,4 @@ fn main()`. `None` when there are no numbers.
pub(crate) fn stated_lines(header: &str) -> Option<StatedLines> {
    let (ranges, section) = header.split_once("@@").unwrap_or((header, ""));
    let mut old = None;
    let mut new = None;
    for word in ranges.split_whitespace() {
        if let Some(range) = word.strip_prefix('-') {
            old = Some(range_of(range)?);
        } else {
            new = Some(range_of(word.strip_prefix('+')?)?);
        }
    }
    let (old_start, old_count) = old?;
    let section = section.trim();
    Some(StatedLines {
        old_start,
        old_count,
        new_start: new.map(|(start, _)| start),
        new_count: new.map(|(_, count)| count),
        section: (!section.is_empty()).then(|| section.to_owned()),
    })
}

fn range_of(range: &str) -> Option<(usize, usize)> {
    match range.split_once(',') {
        Some((start, count)) => Some((start.parse().ok()?, count.parse().ok()?)),
        None => Some((range.parse().ok()?, 1)),
    }
}

/// The enclosing line in a header without numbers: `@@ class Parser`, `@@ fn main() @@`, not `@@ ... @@`.
pub(crate) fn heading(header: &str) -> Option<String> {
    let mut text = header.trim();
    if let Some((before, after)) = text.split_once("@@") {
        text = if after.trim().is_empty() { before.trim() } else { after.trim() };
    }
    let elided = text.chars().all(|c| matches!(c, '.' | '…' | '-' | '+' | ',' | ' '));
    (!elided).then(|| text.to_owned())
}

/// Understands all files of a diff. Lines that belong to no file are passed over.
pub(crate) fn parse(lines: &[RawLine<'_>]) -> Result<Vec<FilePatch>, Error> {
    let mut files = Vec::new();
    let mut open: Option<Header> = None;
    let mut in_hunks = false;
    let mut index = 0;
    while let Some(line) = lines.get(index) {
        let next = lines.get(index + 1).map_or("", |line| line.text);
        if line.text.starts_with("diff --git ") {
            finish(open.replace(Header::git(index, line.text)), &mut files)?;
            index += 1;
        } else if is_name_pair(line.text, next) {
            if open.as_ref().is_none_or(Header::has_names) {
                finish(open.replace(Header::plain(index)), &mut files)?;
            }
            if let Some(header) = &mut open {
                header.name_pair(line.text, next);
            }
            index += 2;
        } else if line.text.starts_with("@@") {
            let Some(header) = &mut open else {
                let reason = "this hunk names no file; write `--- a/path` and `+++ b/path` before it";
                return Err(ParseError::new(index, reason).into());
            };
            let (hunk, end) = parse_hunk(lines, index)?;
            header.hunks.push(hunk);
            in_hunks = true;
            index = end;
        } else if in_hunks && body::is_stray_change(line.text) {
            let reason =
                "this line stands outside of a hunk; begin context lines with a blank and hunks with `@@`";
            return Err(ParseError::new(index, reason).into());
        } else {
            if let Some(header) = &mut open {
                header.extended(index, line.text)?;
            }
            index += 1;
        }
    }
    finish(open, &mut files)?;
    if files.is_empty() {
        return Err(ParseError::new(0, "the diff changes no file").into());
    }
    Ok(files)
}

fn finish(header: Option<Header>, files: &mut Vec<FilePatch>) -> Result<(), Error> {
    files.extend(header.map(Header::into_file_patch).transpose()?.flatten());
    Ok(())
}

fn parse_hunk(lines: &[RawLine<'_>], start: usize) -> Result<(Hunk, usize), ParseError> {
    let header = lines[start].text.strip_prefix("@@").unwrap_or_default();
    let stated = stated_lines(header);
    let counted_as = |blanks| body::counted(lines, start + 1, stated.as_ref()?, blanks);
    let counted = BLANKS.into_iter().find_map(counted_as);
    let miscounted = stated.is_some() && counted.is_none();
    let (body, end) = counted.unwrap_or_else(|| body::marked(lines, start + 1));
    if body.lines.is_empty() {
        return Err(ParseError::new(
            start,
            "this hunk has no lines; write context, `-` and `+` lines after it",
        ));
    }
    let shortfall =
        stated.as_ref().filter(|_| miscounted).and_then(|stated| body::shortfall(lines, end, &body, stated));
    let mut hunk = Hunk { miscounted, shortfall, ..body };
    match stated {
        Some(stated) => {
            (hunk.old_start, hunk.new_start) = (Some(stated.old_start), stated.new_start);
            hunk.section = stated.section;
        }
        None => hunk.section = heading(header),
    }
    Ok((hunk, end))
}
