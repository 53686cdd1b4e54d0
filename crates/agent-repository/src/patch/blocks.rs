//! Search/replace blocks: a path, the lines to find between marks, the lines to put there.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::{FilePatch, Hunk, LineKind, Operation, ParseError, RawLine};
use crate::error::Error;
use crate::path_guard::RelativePath;

pub(crate) fn is_search(line: &str) -> bool {
    is_mark(line, '<', Some("SEARCH"))
}

fn is_divider(line: &str) -> bool {
    is_mark(line, '=', None)
}

fn is_replace(line: &str) -> bool {
    is_mark(line, '>', Some("REPLACE"))
}

fn is_mark(line: &str, mark: char, word: Option<&str>) -> bool {
    let rest = line.trim_start_matches(mark);
    let length = line.len() - rest.len();
    (5..=9).contains(&length)
        && match word {
            Some(word) => rest.strip_prefix(' ').is_some_and(|rest| rest.trim_end() == word),
            None => rest.trim_end().is_empty(),
        }
}

/// Understands every block in the text. Blocks without a path of their own belong to the file of the block
/// before.
pub(crate) fn parse(lines: &[RawLine<'_>]) -> Result<Vec<FilePatch>, Error> {
    let mut files: Vec<FilePatch> = Vec::new();
    let mut index = 0;
    let mut outside_from = 0;
    while let Some(line) = lines.get(index) {
        if !is_search(line.text) {
            index += 1;
            continue;
        }
        let named = path_before(lines.get(outside_from..index).unwrap_or_default());
        let path = match (named, files.last()) {
            (Some(name), _) => RelativePath::new(&name)?,
            (None, Some(previous)) => previous.path.clone(),
            (None, None) => {
                let reason = "this block names no file; write its path on the line before";
                return Err(ParseError::new(index, reason).into());
            }
        };
        let block = Block::find(lines, index)?;
        let hunk = block.hunk(lines);
        match files.last_mut() {
            Some(FilePatch {
                path: previous,
                operation: Operation::Modify { hunks, .. },
                states_line_endings,
            }) if *previous == path => {
                *states_line_endings |= hunk.shows_carriage_return();
                hunks.push(hunk);
            }
            _ => files.push(file_patch(path, hunk)),
        }
        index = block.replace + 1;
        outside_from = index;
    }
    Ok(files)
}

fn file_patch(path: RelativePath, hunk: Hunk) -> FilePatch {
    let states_line_endings = hunk.shows_carriage_return();
    let operation = Operation::Modify { hunks: vec![hunk], rename_to: None, executable: None };
    FilePatch { path, operation, states_line_endings }
}

/// The path on the nearest line above the block, its decoration taken off.
fn path_before(above: &[RawLine<'_>]) -> Option<String> {
    let mut candidates = above.iter().rev().map(|line| line.text.trim()).filter(|text| !text.is_empty());
    let mut candidate = candidates.next()?;
    if candidate.starts_with("```") || candidate.starts_with("~~~") {
        let info = candidate.trim_start_matches(['`', '~']).trim();
        // "```rust src/lib.rs" and "```src/lib.rs" name the file on the fence itself.
        if let Some(name) = info.split_whitespace().last().filter(|name| name.contains(['/', '.'])) {
            return Some(name.to_owned());
        }
        candidate = candidates.next()?;
    }
    let bare = candidate
        .trim_start_matches(['#', '*', '>', '-', ' '])
        .trim_end_matches([':', '*', ' '])
        .trim_matches('`');
    let bare = ["File:", "file:", "Path:", "path:"]
        .iter()
        .fold(bare, |bare, label| bare.strip_prefix(label).unwrap_or(bare));
    let name = bare.trim().trim_matches('`');
    let plausible = !name.is_empty() && !name.starts_with("```") && !name.contains(['<', '>']);
    // A sentence is not a path; names with blanks are accepted when they look like nothing else.
    let words = name.split_whitespace().count();
    let sentence =
        words > 3 || (words > 1 && !name.contains(['/', '.'])) || name.ends_with(['.', '!', '?', ',', ';']);
    (plausible && !sentence).then(|| name.to_owned())
}

struct Block {
    search: usize,
    divider: usize,
    replace: usize,
}

impl Block {
    fn find(lines: &[RawLine<'_>], search: usize) -> Result<Self, ParseError> {
        let mut dividers = Vec::new();
        for (index, line) in lines.iter().enumerate().skip(search + 1) {
            if is_replace(line.text) {
                return match dividers.as_slice() {
                    [divider] => Ok(Self { search, divider: *divider, replace: index }),
                    [] => Err(ParseError::new(index, "this block lacks its `=======` line")),
                    [_, second, ..] => Err(ParseError::new(
                        *second,
                        "a second `=======` line leaves open which one divides the block; use a unified diff",
                    )),
                };
            } else if is_divider(line.text) {
                dividers.push(index);
            } else if is_search(line.text) {
                break;
            }
        }
        Err(ParseError::new(search, "this block lacks its `>>>>>>> REPLACE` line, it may have been cut off"))
    }

    /// Lines that both sides have become context, so that the file's own bytes are kept for them.
    fn hunk(&self, lines: &[RawLine<'_>]) -> Hunk {
        let old = lines.get(self.search + 1..self.divider).unwrap_or_default();
        let new = lines.get(self.divider + 1..self.replace).unwrap_or_default();
        let mut hunk = Hunk::default();
        let mut push = |kind, lines: &[RawLine<'_>]| {
            hunk.lines.extend(lines.iter().map(|line| line.to_hunk_line(kind, line.text)));
        };
        for operation in capture_diff_slices(Algorithm::Myers, &texts(old), &texts(new)) {
            let (removed, added) = (&old[operation.old_range()], &new[operation.new_range()]);
            if matches!(operation, DiffOp::Equal { .. }) {
                push(LineKind::Context, removed);
            } else {
                push(LineKind::Remove, removed);
                push(LineKind::Add, added);
            }
        }
        hunk
    }
}

/// Lines that differ in their ending only are a change, too.
fn texts<'a>(lines: &[RawLine<'a>]) -> Vec<(&'a str, bool)> {
    lines.iter().map(|line| (line.text, line.carriage_return)).collect()
}
