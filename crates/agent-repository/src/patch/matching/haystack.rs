//! The file that is searched, and how lines are compared on each rung.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use super::pattern::Pattern;
use super::{Exhausted, Ground, Work, block, reindent};
use crate::patch::report::MatchQuality;
use crate::patch::text::{Ending, Line, indentation, plain, weight};
use crate::patch::{HunkLine, LineKind, PatchFormat};

/// Places beyond this number are not listed: the hunk is ambiguous anyhow.
const MOST_PLACES: usize = 20;

/// What becomes of lines that a block shows with other blanks at their end than the file has, and also adds.
pub(super) enum Moved {
    Nothing,
    AsThere(Vec<String>),
    Open,
}

pub(super) struct Haystack<'t, 'a> {
    pub(super) lines: &'t [Line<'a>],
    pub(super) from: usize,
    pub(super) format: PatchFormat,
    pub(super) work: &'t Work,
    final_newline: bool,
    ground: Ground<'t, 'a>,
    plain: OnceCell<Vec<Cow<'t, str>>>,
}

impl<'t, 'a> Haystack<'t, 'a> {
    pub(super) fn new(ground: Ground<'t, 'a>) -> Self {
        let Ground { lines, final_newline, from, format, work, .. } = ground;
        Self { lines, from, format, work, final_newline, ground, plain: OnceCell::new() }
    }

    pub(super) fn starting_at(&self, from: usize) -> Self {
        Self::new(Ground { from, ..self.ground })
    }

    /// All lines as they are compared when look-alikes do not count.
    pub(super) fn plain(&self) -> &[Cow<'t, str>] {
        self.plain.get_or_init(|| self.lines.iter().map(|line| plain(&line.text)).collect())
    }

    fn equal(&self, wanted: &HunkLine, at: usize, endings: bool) -> bool {
        let line = &self.lines[at];
        let unended = at + 1 == self.lines.len() && !self.final_newline;
        line.text == wanted.text
            && (!endings || unended || wanted.carriage_return == (line.ending == Ending::CrLf))
    }

    fn line_fits(&self, pattern: &Pattern<'_>, rung: MatchQuality, index: usize, at: usize) -> bool {
        match rung {
            MatchQuality::Exact | MatchQuality::Offset => self.equal(pattern.old[index], at, pattern.endings),
            MatchQuality::TrailingWhitespace => {
                self.lines[at].text.trim_end() == pattern.old[index].text.trim_end()
            }
            MatchQuality::Unicode | MatchQuality::StaleContext => {
                self.plain()[at] == pattern.old_plain[index]
            }
            MatchQuality::Indentation => {
                self.plain()[at].trim_start() == pattern.old_plain[index].trim_start()
            }
        }
    }

    /// Whether all old lines stand at `start`, compared as `rung` says.
    pub(super) fn fits(&self, pattern: &Pattern<'_>, rung: MatchQuality, start: usize) -> bool {
        if start.saturating_add(pattern.old.len()) > self.lines.len() {
            return false;
        }
        (0..pattern.old.len()).all(|index| self.line_fits(pattern, rung, index, start + index))
            && (rung != MatchQuality::Indentation || self.reindented(pattern, start).is_some())
    }

    /// All places where the old lines stand.
    pub(super) fn places(&self, pattern: &Pattern<'_>, rung: MatchQuality) -> Result<Vec<usize>, Exhausted> {
        let mut places = Vec::new();
        if rung == MatchQuality::Indentation && !pattern.may_drift() {
            return Ok(places);
        }
        let Some(last) = self.lines.len().checked_sub(pattern.old.len()) else { return Ok(places) };
        let first = self.from.saturating_sub(pattern.lead);
        self.work.spend((last + 1).saturating_sub(first))?;
        for start in first..=last {
            if self.line_fits(pattern, rung, pattern.anchor, start + pattern.anchor) {
                // Telling the indentation unit of the file looks at all of it.
                let looks_at_all = rung == MatchQuality::Indentation;
                self.work.spend(pattern.old.len() + if looks_at_all { self.lines.len() } else { 0 })?;
                if self.fits(pattern, rung, start) {
                    places.push(start);
                }
            }
            if places.len() == MOST_PLACES {
                break;
            }
        }
        Ok(places)
    }

    /// Whether exactly what the hunk wants to have at `start` stands there.
    pub(super) fn has_result_at(&self, pattern: &Pattern<'_>, start: usize) -> bool {
        start.saturating_add(pattern.new.len()) <= self.lines.len()
            && self.ends_as_wanted(pattern, start)
            && pattern
                .new
                .iter()
                .enumerate()
                .all(|(index, line)| self.equal(line, start + index, pattern.endings))
    }

    /// Whether the final newline is as a hunk that changes it wants it, where its new lines stand at `start`.
    fn ends_as_wanted(&self, pattern: &Pattern<'_>, start: usize) -> bool {
        let hunk = pattern.hunk;
        hunk.old_lacks_newline == hunk.new_lacks_newline
            || (start + pattern.new.len() == self.lines.len() && self.final_newline != hunk.new_lacks_newline)
    }

    /// All places where the new lines stand, blanks at line ends aside.
    pub(super) fn result_places(&self, pattern: &Pattern<'_>) -> Result<Vec<usize>, Exhausted> {
        let length = pattern.new.len();
        let Some(last) = self.lines.len().checked_sub(length) else { return Ok(Vec::new()) };
        let longest = pattern.new.iter().enumerate().max_by_key(|(_, line)| line.text.len());
        let anchor = longest.map_or(0, |(index, _)| index);
        let first = self.from.saturating_sub(pattern.lead);
        self.work.spend((last + 1).saturating_sub(first))?;
        // A hunk that changes nothing but line endings is done only where they are as it wants them.
        let fits = |index: usize, start: usize| {
            let (line, wanted) = (&self.lines[start + index], pattern.new[index]);
            let ending = !pattern.endings || wanted.carriage_return == (line.ending == Ending::CrLf);
            let unended = start + index + 1 == self.lines.len();
            (ending || unended) && line.text.trim_end() == wanted.text.trim_end()
        };
        let mut places = Vec::new();
        for start in first..=last {
            if fits(anchor, start) {
                self.work.spend(length)?;
                if self.ends_as_wanted(pattern, start) && (0..length).all(|index| fits(index, start)) {
                    places.push(start);
                }
            }
        }
        Ok(places)
    }

    /// Whether lines that are equal in a block stand for lines of the file that are not, and it is a guess which of
    /// them stays.
    pub(super) fn mixes_variants(&self, pattern: &Pattern<'_>, start: usize) -> bool {
        let Some(there) = self.lines.get(start..start + pattern.old.len()) else { return false };
        let mut variants: BTreeMap<&str, (&str, bool)> = BTreeMap::new();
        for (old, line) in pattern.old.iter().zip(there) {
            let (first, mixed) = variants.entry(&old.text).or_insert((&line.text, false));
            *mixed |= *first != line.text;
        }
        let is_mixed =
            |index: &usize| variants.get(pattern.old[*index].text.as_str()).is_some_and(|(_, mixed)| *mixed);
        let mut rows = (0..pattern.old.len()).filter(is_mixed).peekable();
        rows.peek().is_some() && block::is_open(&pattern.old, &pattern.new, rows)
    }

    /// What becomes of added lines that the patch only moves and shows with blanks at their end: they are as the
    /// file has them, unless it is open which of its lines are meant.
    pub(super) fn moved(&self, pattern: &Pattern<'_>, start: usize) -> Moved {
        let Some(there) = self.lines.get(start..start + pattern.old.len()) else { return Moved::Nothing };
        let shown = |text: &str| -> Vec<&str> {
            let blank_ended = text.trim_end().len() < text.len();
            let alike = pattern.old.iter().zip(there).filter(|(old, _)| blank_ended && old.text == text);
            alike.map(|(_, line)| line.text.as_ref()).collect()
        };
        let count = |lines: &[&HunkLine], text: &str| lines.iter().filter(|line| line.text == text).count();
        let mut texts = Vec::new();
        let mut changes = false;
        for added in pattern.hunk.added_lines().map(|line| line.text.as_str()) {
            let there = shown(added);
            let Some(first) = there.first().filter(|_| there.iter().any(|line| *line != added)) else {
                texts.push(added.to_owned());
                continue;
            };
            // Whether it is one of those, which of them, or new and so meant as it is written, is a guess.
            let is_one = there.iter().all(|line| line == first) && !added.trim().is_empty();
            if !is_one || count(&pattern.new, added) > count(&pattern.old, added) {
                return Moved::Open;
            }
            changes = true;
            texts.push((*first).to_owned());
        }
        if changes { Moved::AsThere(texts) } else { Moved::Nothing }
    }

    /// The added lines with the indentation that the old lines have here; `None` when it does not differ
    /// uniformly, or when that leaves the indentation of an added line open.
    pub(super) fn reindented(&self, pattern: &Pattern<'_>, start: usize) -> Option<Vec<String>> {
        let there: Vec<&str> =
            self.lines.get(start..start + pattern.old.len())?.iter().map(|line| line.text.as_ref()).collect();
        let wanted: Vec<&str> = pattern.old.iter().map(|line| line.text.as_str()).collect();
        if differ_in_brackets_only(&wanted, &there) {
            return None;
        }
        let added: Vec<&str> = pattern.hunk.added_lines().map(|line| line.text.as_str()).collect();
        let units = || {
            let hunk = pattern.hunk.lines.iter().filter(|line| line.kind != LineKind::Remove);
            let patch_unit = reindent::Unit::of(hunk.map(|line| line.text.as_str()))?;
            let file_unit = reindent::Unit::of(self.lines.iter().map(|line| line.text.as_ref()))?;
            Some((patch_unit, file_unit))
        };
        reindent::reindent(&wanted, &there, &added, units)
    }
}

/// Whether lines with words are indented alike and only brackets are not: those are other brackets, one level further
/// in or out.
fn differ_in_brackets_only(wanted: &[&str], there: &[&str]) -> bool {
    let telling = |line: &str| weight(std::iter::once(line)) > 0;
    let (mut alike, mut otherwise) = (false, false);
    for (wanted, there) in wanted.iter().zip(there).filter(|(wanted, _)| telling(wanted)) {
        let same = indentation(wanted) == indentation(there);
        alike |= same;
        otherwise |= !same;
    }
    alike && !otherwise
}
