//! Context beside a change, laid against the file's lines although some are edited, more or fewer.

use std::borrow::Cow;
use std::cmp::Reverse;

use crate::patch::text::weight;

/// Most lines that the file may have more, or fewer, beside one change.
pub(super) const WIDEST: usize = 3;
pub(super) const BAND: usize = 2 * WIDEST + 1;

/// How context on one side of a change agrees with the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Edge {
    /// Lines that are edited, missing, or put in.
    pub(super) stale: usize,
    /// Lines that are there.
    pub(super) matched: usize,
    /// Letters and digits of those.
    pub(super) agreed: usize,
    /// How many lines the file has more than the context; below zero for fewer.
    pub(super) longer: isize,
}

impl Edge {
    fn edited(self) -> Self {
        Self { stale: self.stale + 1, ..self }
    }

    fn rank(&self) -> (usize, Reverse<usize>, usize) {
        (self.stale, Reverse(self.matched), self.longer.unsigned_abs())
    }
}

/// Lays the lines of one edge, the one next to the change first, against those that `there` gives in the same
/// order. Of all ways the one with the fewest stale lines counts.
pub(super) fn edge<'l>(
    wanted: impl ExactSizeIterator<Item = &'l Cow<'l, str>>,
    there: impl Fn(usize) -> Option<&'l str>,
) -> Edge {
    let mut row = [None; BAND];
    row[WIDEST] = Some(Edge::default());
    put_in(&mut row);
    for (index, line) in wanted.enumerate() {
        let mut next = [None; BAND];
        for (slot, state) in row.iter().enumerate() {
            let Some(state) = state else { continue };
            // The line that this many lines more, or fewer, leave for this one.
            let at = (index + slot).checked_sub(WIDEST);
            let beside = if at.and_then(&there) == Some(line.as_ref()) {
                let agreed = state.agreed + weight(std::iter::once(line.as_ref()));
                Edge { matched: state.matched + 1, agreed, ..*state }
            } else {
                state.edited()
            };
            offer(&mut next[slot], beside);
            if let Some(fewer) = slot.checked_sub(1) {
                offer(&mut next[fewer], Edge { longer: state.longer - 1, ..state.edited() });
            }
        }
        put_in(&mut next);
        row = next;
    }
    row.into_iter().flatten().min_by_key(Edge::rank).unwrap_or_default()
}

/// The same line for line, where a place is too unlikely for more.
pub(super) fn line_for_line<'l>(
    wanted: impl Iterator<Item = &'l Cow<'l, str>>,
    there: impl Fn(usize) -> Option<&'l str>,
) -> Edge {
    let mut edge = Edge::default();
    for (step, line) in wanted.enumerate() {
        if there(step) == Some(line.as_ref()) {
            edge.matched += 1;
            edge.agreed += weight(std::iter::once(line.as_ref()));
        } else {
            edge.stale += 1;
        }
    }
    edge
}

/// Lines of the file that the context does not have.
fn put_in(row: &mut [Option<Edge>; BAND]) {
    for slot in 1..BAND {
        if let Some(before) = row[slot - 1] {
            offer(&mut row[slot], Edge { longer: before.longer + 1, ..before.edited() });
        }
    }
}

fn offer(slot: &mut Option<Edge>, edge: Edge) {
    if slot.is_none_or(|other| edge.rank() < other.rank()) {
        *slot = Some(edge);
    }
}
