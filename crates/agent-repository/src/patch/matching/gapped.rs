//! Context between two changes in which lines were put, or from which they were taken: the changes before and
//! after fit, but not equally far down.

use std::ops::Range;

use super::evidence::insertions_are_anchored;
use super::haystack::Haystack;
use super::pattern::Pattern;
use super::stale::{Fit, LEAST_WEIGHT, STALE_AT_EDGE};
use super::{Exhausted, Gap};
use crate::patch::LineKind;
use crate::patch::text::weight;

/// Most lines that the file may have more, or fewer.
const WIDEST: isize = 3;

/// Adds the places that fit but for such a gap.
pub(super) fn survey(
    haystack: &Haystack<'_, '_>,
    pattern: &Pattern<'_>,
    fits: &mut Vec<Fit>,
) -> Result<(), Exhausted> {
    let runs = inner_context(pattern);
    if runs.is_empty() {
        return Ok(());
    }
    for start in haystack.from.saturating_sub(pattern.lead)..haystack.lines.len() {
        for run in &runs {
            fits.extend(fit(haystack, pattern, start, run)?);
        }
    }
    Ok(())
}

/// The context between changes, as ranges of old lines.
fn inner_context(pattern: &Pattern<'_>) -> Vec<Range<usize>> {
    let core = pattern.core();
    let mut runs: Vec<Range<usize>> = Vec::new();
    let mut old = 0;
    let mut continues = false;
    for line in &pattern.hunk.lines {
        let is_inner = line.kind == LineKind::Context && core.contains(&old);
        match runs.last_mut().filter(|_| is_inner && continues) {
            Some(run) => run.end = old + 1,
            None if is_inner => runs.push(old..old + 1),
            None => {}
        }
        continues = is_inner;
        old += usize::from(line.kind != LineKind::Add);
    }
    runs
}

/// The best fit at `start` with a gap within `run`.
fn fit(
    haystack: &Haystack<'_, '_>,
    pattern: &Pattern<'_>,
    start: usize,
    run: &Range<usize>,
) -> Result<Option<Fit>, Exhausted> {
    haystack.work.spend(2)?;
    let equal = |index: usize, by: isize| {
        let line = (start + index).checked_add_signed(by).and_then(|at| haystack.plain().get(at));
        line.is_some_and(|line| *line == pattern.old_plain[index])
    };
    let must = |index: &usize| pattern.old[*index].kind == LineKind::Remove || pattern.old[*index].unmarked;
    // What stands next to the changes on either side of the context must be there; where lines are missing, what
    // stands beyond them does as well.
    let begins = equal(run.start, 0);
    let may_begin = begins || (run.start > 0 && equal(run.start - 1, 0));
    if !may_begin || (0..run.start).filter(must).any(|index| !equal(index, 0)) {
        return Ok(None);
    }
    let mut best: Option<Fit> = None;
    for by in (-WIDEST..=WIDEST).filter(|by| *by != 0) {
        haystack.work.spend(pattern.old.len())?;
        let ends = equal(run.end - 1, by);
        let held =
            if by < 0 { ends || (run.end < pattern.old.len() && equal(run.end, by)) } else { begins && ends };
        if !held || (run.end..pattern.old.len()).filter(must).any(|at| !equal(at, by)) {
            continue;
        }
        let cuts = if by < 0 { run.start..run.end + 1 } else { run.start + 1..run.end };
        for before in cuts {
            haystack.work.spend(pattern.old.len())?;
            // No line of the file stands for two of the hunk.
            let after = |index: usize| index.cast_signed() + by >= before.cast_signed() && equal(index, by);
            let holds = |index: usize| if index < before { equal(index, 0) } else { after(index) };
            let Some(missing) = missing_lines(pattern, &holds) else { continue };
            let stale = missing + by.max(0).cast_unsigned();
            if best.as_ref().is_none_or(|best| stale < best.stale) {
                best = Some(Fit {
                    start: start.cast_signed(),
                    gap: Some(Gap { before, by }),
                    stale,
                    sound: true,
                    complete: missing == 0,
                    bounded: true,
                    stated: pattern.hint() == Some(start),
                    nearly_stated: pattern.hint() == Some(start),
                    foreign: false,
                    far: false,
                    longer: 0,
                });
            }
        }
    }
    Ok(best)
}

/// How many context lines are not there; `None` when that leaves too little.
fn missing_lines(pattern: &Pattern<'_>, holds: &impl Fn(usize) -> bool) -> Option<usize> {
    let context = pattern.old.iter().filter(|line| line.kind == LineKind::Context).count();
    let missing = (0..pattern.old.len()).filter(|index| !holds(*index)).count();
    let there = (0..pattern.old.len()).filter(|index| holds(*index));
    let agreed = weight(there.map(|index| pattern.old_plain[index].as_ref()));
    let enough = missing <= STALE_AT_EDGE && missing * 2 <= context && agreed >= LEAST_WEIGHT;
    (enough && insertions_are_anchored(pattern, holds)).then_some(missing)
}
