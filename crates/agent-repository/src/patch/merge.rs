//! Brings two changes of one text together, line by line.
//!
//! The rules are those of `diff3`: what only one side changed is taken from that side, what both changed alike
//! is taken once, and everything else is a conflict. Changes that touch each other count as one place, because
//! nothing unchanged between them says that they are independent.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use similar::DiffTag;

use super::diff::compared;

/// A place that both sides changed, each in its own way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConflictRegion {
    /// The first line of the place in our text, counted from 1.
    pub line: usize,
    /// The lines as we have them.
    pub ours: String,
    /// The lines as the other side has them.
    pub theirs: String,
}

/// Two changes that cannot be brought together without a decision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("both sides changed the same lines in {} place(s), the first at line {}", regions.len(),
    regions.first().map_or(0, |region| region.line))]
pub struct MergeConflict {
    /// The places in the order of the text; never empty.
    pub regions: Vec<ConflictRegion>,
}

/// Merges what became of `base` in two hands.
///
/// ```
/// use agent_repository::patch::merge_texts;
///
/// let merged = merge_texts("a\nb\nc\n", "A\nb\nc\n", "a\nb\nc\nd\n").unwrap();
/// assert_eq!(merged, "A\nb\nc\nd\n");
/// assert!(merge_texts("a\n", "mine\n", "yours\n").is_err());
/// ```
///
/// # Errors
/// [`MergeConflict`] with every place that both changed differently.
pub fn merge_texts(base: &str, ours: &str, theirs: &str) -> Result<String, MergeConflict> {
    // The cases that need no comparison are also the usual ones.
    if ours == theirs || base == theirs {
        return Ok(ours.to_owned());
    }
    if base == ours {
        return Ok(theirs.to_owned());
    }
    let base_lines = lines(base);
    merge(&base_lines, &Side::of(ours, &base_lines), &Side::of(theirs, &base_lines))
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// A text and how it came from the base.
struct Side<'t> {
    lines: Vec<&'t str>,
    changes: Vec<Change>,
}

/// Lines of the base, and the lines that replace them.
#[derive(Debug, Clone)]
struct Change {
    base: Range<usize>,
    new: Range<usize>,
}

impl<'t> Side<'t> {
    fn of(text: &'t str, base: &[&str]) -> Self {
        let lines = lines(text);
        Self { changes: changes(base, &lines), lines }
    }
}

fn changes(base: &[&str], new: &[&str]) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for operation in compared(base, new).ops().iter().filter(|operation| operation.tag() != DiffTag::Equal) {
        let (base, new) = (operation.old_range(), operation.new_range());
        match changes.last_mut() {
            Some(last) if last.base.end == base.start && last.new.end == new.start => {
                last.base.end = base.end;
                last.new.end = new.end;
            }
            _ => changes.push(Change { base, new }),
        }
    }
    changes
}

fn merge(base: &[&str], ours: &Side<'_>, theirs: &Side<'_>) -> Result<String, MergeConflict> {
    let (mut mine, mut other) = (Cursor::new(ours), Cursor::new(theirs));
    let mut merged = String::new();
    let mut regions = Vec::new();
    let mut done = 0;
    while let Some(start) = mine.next_start().into_iter().chain(other.next_start()).min() {
        let (left, right) = grouped(start, &mut mine, &mut other);
        let place = start..left.base.end.max(right.base.end);
        merged.extend(base[done..place.start].iter().copied());
        let (left, right) = (mine.region(&left, place.end), other.region(&right, place.end));
        let unchanged = &base[place.clone()];
        let chosen = if left == unchanged || left == right {
            Some(right)
        } else if right == unchanged {
            Some(left)
        } else {
            None
        };
        match chosen {
            Some(lines) => merged.extend(lines.iter().copied()),
            None => regions.push(ConflictRegion {
                line: mine.line_of(left),
                ours: left.concat(),
                theirs: right.concat(),
            }),
        }
        done = place.end;
    }
    merged.extend(base[done..].iter().copied());
    if regions.is_empty() { Ok(merged) } else { Err(MergeConflict { regions }) }
}

/// Takes all changes that touch one another from both sides. Both begin at `start`, where one side has a change and
/// the other may have nothing.
fn grouped(start: usize, mine: &mut Cursor<'_, '_>, other: &mut Cursor<'_, '_>) -> (Change, Change) {
    let mut end = start;
    let (mut left, mut right) = (mine.nothing_at(start), other.nothing_at(start));
    loop {
        let before = end;
        mine.take_touching(end, &mut left);
        other.take_touching(end, &mut right);
        end = end.max(left.base.end).max(right.base.end);
        if end == before {
            return (left, right);
        }
    }
}

/// Walks through the changes of one side.
struct Cursor<'s, 't> {
    side: &'s Side<'t>,
    next: usize,
    /// How far the side's lines are ahead of the base after the changes so far.
    ahead: isize,
}

impl<'s, 't> Cursor<'s, 't> {
    fn new(side: &'s Side<'t>) -> Self {
        Self { side, next: 0, ahead: 0 }
    }

    fn next_start(&self) -> Option<usize> {
        self.side.changes.get(self.next).map(|change| change.base.start)
    }

    fn nothing_at(&self, base: usize) -> Change {
        let new = base.saturating_add_signed(self.ahead);
        Change { base: base..base, new: new..new }
    }

    fn take_touching(&mut self, end: usize, group: &mut Change) {
        while let Some(change) = self.side.changes.get(self.next).filter(|change| change.base.start <= end) {
            group.base.end = change.base.end;
            group.new.end = change.new.end;
            self.ahead = change.new.end.cast_signed() - change.base.end.cast_signed();
            self.next += 1;
        }
    }

    /// The side's lines of a place that may end further down in the base than its own changes do.
    fn region(&self, own: &Change, end: usize) -> &'s [&'t str] {
        &self.side.lines[own.new.start..own.new.end + (end - own.base.end)]
    }

    fn line_of(&self, region: &[&str]) -> usize {
        let offset = region.as_ptr().addr() - self.side.lines.as_ptr().addr();
        offset / size_of::<&str>() + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(letters: &str) -> String {
        letters.chars().map(|letter| format!("{letter}\n")).collect()
    }

    fn merged(base: &str, ours: &str, theirs: &str) -> Option<String> {
        let merged = merge_texts(&text(base), &text(ours), &text(theirs)).ok()?;
        Some(merged.replace('\n', ""))
    }

    #[test]
    fn changes_in_different_places_are_both_taken() {
        assert_eq!(merged("abcdef", "aXcdef", "abcdYf").as_deref(), Some("aXcdYf"));
        assert_eq!(merged("abcdef", "bcdef", "abcdefg").as_deref(), Some("bcdefg"));
        assert_eq!(merged("abcdef", "abXcdef", "abcdf").as_deref(), Some("abXcdf"));
        assert_eq!(merged("abcdefghi", "aXcdefghY", "abcZZZghi").as_deref(), Some("aXcZZZghY"));
        assert_eq!(merged("abcdefghij", "aXcdefghiY", "abcdZZghij").as_deref(), Some("aXcdZZghiY"));
    }

    #[test]
    fn the_same_change_on_both_sides_is_taken_once() {
        assert_eq!(merged("abc", "aXc", "aXc").as_deref(), Some("aXc"));
        assert_eq!(merged("abcde", "aXcde", "aXcdY").as_deref(), Some("aXcdY"));
        assert_eq!(merged("", "a", "a").as_deref(), Some("a"));
    }

    #[test]
    fn changes_that_touch_are_a_conflict_with_both_texts() {
        let conflict = merge_texts(&text("abcd"), &text("aXcd"), &text("abYd")).unwrap_err();
        let region = ConflictRegion { line: 2, ours: text("Xc"), theirs: text("bY") };
        assert_eq!(conflict.regions, [region]);
        assert_eq!(merged("ab", "aXb", "aYb"), None);
        assert_eq!(merged("abc", "ac", "aXc"), None);
    }

    #[test]
    fn a_missing_final_newline_is_a_change_of_the_last_line() {
        assert_eq!(merge_texts("a\nb\nc\n", "A\nb\nc\n", "a\nb\nc").as_deref(), Ok("A\nb\nc"));
        assert!(merge_texts("a\nb", "a\nb\nc\n", "a\nB").is_err());
    }
}
