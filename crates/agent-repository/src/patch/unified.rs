//! Unified diffs as git, GNU diff and language models write them.

use super::{FilePatch, Hunk, HunkLine, LineKind, ParseError, RawLine};
use crate::error::Error;

mod header;
mod name;

use header::Header;
pub(crate) use name::quoted;

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
            index = end;
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
    let counted = stated.as_ref().and_then(|stated| counted_body(lines, start + 1, stated));
    let miscounted = stated.is_some() && counted.is_none();
    let (body, end) = counted.unwrap_or_else(|| marked_body(lines, start + 1));
    if body.lines.is_empty() {
        return Err(ParseError::new(
            start,
            "this hunk has no lines; write context, `-` and `+` lines after it",
        ));
    }
    let mut hunk = Hunk { miscounted, ..body };
    match stated {
        Some(stated) => {
            (hunk.old_start, hunk.new_start) = (Some(stated.old_start), stated.new_start);
            hunk.section = stated.section;
        }
        None => hunk.section = heading(header),
    }
    Ok((hunk, end))
}

/// Reads exactly as many lines as stated; `None` when the numbers do not fit what stands there.
fn counted_body(lines: &[RawLine<'_>], start: usize, stated: &StatedLines) -> Option<(Hunk, usize)> {
    let (mut old, mut new) = (stated.old_count, stated.new_count?);
    let mut hunk = Hunk::default();
    let mut index = start;
    while old > 0 || new > 0 {
        let line = lines.get(index)?;
        if line.text.starts_with('\\') {
            mark_missing_newline(&mut hunk);
        } else {
            let (kind, text) = body_line(line)?;
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

/// Reads as far as lines look like those of a hunk.
fn marked_body(lines: &[RawLine<'_>], start: usize) -> (Hunk, usize) {
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
        } else if let Some((kind, text)) = body_line(line) {
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

fn is_signature(line: &str) -> bool {
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

fn body_line<'a>(line: &RawLine<'a>) -> Option<(LineKind, &'a str)> {
    match line.text.as_bytes().first() {
        None => Some((LineKind::Context, "")),
        Some(b' ') => Some((LineKind::Context, &line.text[1..])),
        Some(b'-') => Some((LineKind::Remove, &line.text[1..])),
        Some(b'+') => Some((LineKind::Add, &line.text[1..])),
        Some(_) => None,
    }
}

/// `\ No newline at end of file` speaks of the line before it.
fn mark_missing_newline(hunk: &mut Hunk) {
    let Some(HunkLine { kind, text, carriage_return }) = hunk.lines.last_mut() else { return };
    if *carriage_return {
        // Without a newline, a carriage return is a part of the line.
        *carriage_return = false;
        text.push('\r');
    }
    hunk.old_lacks_newline |= *kind != LineKind::Add;
    hunk.new_lacks_newline |= *kind != LineKind::Remove;
}
