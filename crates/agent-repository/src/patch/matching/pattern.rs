//! A hunk prepared for being searched.

use std::borrow::Cow;

use crate::patch::text::{indentation, plain, weight};
use crate::patch::{Hunk, HunkLine, LineKind};

/// How many letters and digits make a match telling when context confirms it.
const TELLING_WITH_CONTEXT: usize = 4;
/// How many are needed when nothing else confirms it.
const TELLING_ALONE: usize = 16;
/// How many the lines around a deletion need to prove that it was done.
const TELLING_GAP: usize = 8;

pub(super) struct Pattern<'h> {
    pub(super) hunk: &'h Hunk,
    pub(super) old: Vec<&'h HunkLine>,
    pub(super) old_plain: Vec<Cow<'h, str>>,
    pub(super) new: Vec<&'h HunkLine>,
    /// How many context lines stand before the first change, and after the last one.
    pub(super) lead: usize,
    pub(super) trail: usize,
    /// Whether line endings count in exact comparisons.
    pub(super) endings: bool,
    offset: isize,
    /// The old line to look for first: the longest.
    pub(super) anchor: usize,
}

impl<'h> Pattern<'h> {
    pub(super) fn new(hunk: &'h Hunk, endings: bool, offset: isize) -> Self {
        let old: Vec<&HunkLine> = hunk.old_lines().collect();
        let old_plain = old.iter().map(|line| plain(&line.text)).collect::<Vec<_>>();
        let is_context = |line: &&HunkLine| line.kind == LineKind::Context;
        let lead = hunk.lines.iter().take_while(is_context).count();
        let trail = hunk.lines.iter().rev().take_while(is_context).count();
        let longest = old_plain.iter().enumerate().max_by_key(|(_, line)| line.trim_start().len());
        let anchor = longest.map_or(0, |(index, _)| index);
        Self { hunk, new: hunk.new_lines().collect(), lead, trail, endings, offset, anchor, old, old_plain }
    }

    /// The stated first line, counted from 0.
    pub(super) fn stated(&self) -> Option<usize> {
        self.hunk.old_start.map(|start| start.saturating_sub(1))
    }

    /// Where the stated line is when this hunk is as far from it as the one before was.
    pub(super) fn hint(&self) -> Option<usize> {
        self.stated().map(|line| line.saturating_add_signed(self.offset))
    }

    /// Whether the hunk speaks of the end of the file.
    pub(super) fn ends_file(&self) -> bool {
        self.hunk.at_end || self.hunk.old_lacks_newline || self.hunk.new_lacks_newline
    }

    pub(super) fn old_weight(&self) -> usize {
        weight(self.old_plain.iter().map(AsRef::as_ref))
    }

    /// The old lines from the first change to the last.
    pub(super) fn core(&self) -> std::ops::Range<usize> {
        self.lead..self.old.len() - self.trail.min(self.old.len())
    }

    pub(super) fn context_lines(&self) -> usize {
        self.context().count()
    }

    /// How far the first changed line that is not empty is indented.
    pub(super) fn depth(&self) -> Option<usize> {
        let mut changed = self.hunk.lines.iter().filter(|line| line.kind != LineKind::Context);
        let first = changed.find(|line| !line.text.trim().is_empty())?;
        Some(indentation(&first.text).len())
    }

    fn context(&self) -> impl Iterator<Item = &HunkLine> {
        self.hunk.lines.iter().filter(|line| line.kind == LineKind::Context)
    }

    /// Whether finding the new lines proves that the hunk was applied.
    pub(super) fn result_is_telling(&self) -> bool {
        let added = weight(self.hunk.added_lines().map(|line| line.text.as_str()));
        let context = weight(self.context().map(|line| line.text.as_str()));
        if self.hunk.added_lines().next().is_none() {
            return self.lead > 0 && self.trail > 0 && context >= TELLING_GAP;
        }
        added >= TELLING_ALONE || (added >= TELLING_WITH_CONTEXT && context > 0)
    }

    /// Whether the added lines alone are too much to be there by chance.
    pub(super) fn adds_much(&self) -> bool {
        weight(self.hunk.added_lines().map(|line| line.text.as_str())) >= TELLING_ALONE
    }

    /// Whether an indentation that differs can be told from one that the hunk itself changes.
    pub(super) fn may_drift(&self) -> bool {
        let reindents = self.hunk.lines.iter().any(|removed| {
            removed.kind == LineKind::Remove
                && self.hunk.added_lines().any(|added| added.text.trim() == removed.text.trim())
        });
        !reindents || self.context().any(|line| !line.text.trim().is_empty())
    }

    /// Whether the old lines are more than brackets.
    pub(super) fn is_telling(&self) -> bool {
        self.old_weight() >= TELLING_WITH_CONTEXT
    }
}
