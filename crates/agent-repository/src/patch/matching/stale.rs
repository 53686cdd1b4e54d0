//! Context that is no longer as the patch shows it: a bounded part may be, if all else agrees.

use super::haystack::Haystack;
use super::pattern::Pattern;
use super::{Exhausted, Located, Place, block};
use crate::patch::report::MatchQuality;
use crate::patch::text::{plain, weight};
use crate::patch::{LineKind, PatchFormat};

/// Stale context lines that are borne before the first change, and after the last.
pub(super) const STALE_AT_EDGE: usize = 3;
/// Stale context lines that are borne between changes.
const STALE_INSIDE: usize = 1;
/// Context lines that must agree around lines that are added without removing any; one less where something
/// else speaks for the place.
const LEAST_AROUND_ADDED: usize = 3;
pub(super) const MOST_PLACES: usize = 20;
/// Letters and digits that must agree, so that a brace alone proves nothing.
pub(super) const LEAST_WEIGHT: usize = 8;

/// A place where the removed lines stand and some of the context does.
pub(super) struct Fit {
    start: isize,
    stale: usize,
    /// Whether enough agrees to change something here; a lesser fit only casts doubt on others.
    sound: bool,
    /// Whether no more lines are stale than may be.
    bounded: bool,
}

/// The one place that fits but for stale context, if there is one: every other place must agree in at least
/// two lines less.
pub(super) fn locate(
    haystack: &Haystack<'_, '_>,
    pattern: &Pattern<'_>,
) -> Result<Option<Located>, Exhausted> {
    let mut fits: Vec<Fit> = Vec::new();
    let first = haystack.from.cast_signed() - pattern.lead.cast_signed();
    let core = pattern.old.len() - pattern.trail.min(pattern.old.len());
    let last = haystack.lines.len().cast_signed() - core.cast_signed();
    for start in first..=last {
        fits.extend(fit(haystack, pattern, start)?);
    }
    let Some(least) = fits.iter().filter(|fit| fit.sound).map(|fit| fit.stale).min() else { return Ok(None) };
    let hint = pattern.hint().map(usize::cast_signed);
    // Where the stated line and the fewest stale lines agree, a lead of one line is enough.
    let stated = fits.iter().any(|fit| fit.sound && fit.stale == least && Some(fit.start) == hint);
    let bound = if stated { least } else { least + 1 };
    fits.retain(|fit| fit.stale <= bound || Some(fit.start) == hint);
    Ok(Some(match fits.as_slice() {
        [fit] if result_is_near(haystack, pattern, fit.start) => Located::Missing {
            detail: Some("Its added lines seem to be there already, within other context.".to_owned()),
        },
        [fit] if is_open_block(haystack, pattern, fit.start) => Located::Missing {
            detail: Some(
                "Lines that differ can be kept or replaced, depending on how the block is read; show them as they are."
                    .to_owned(),
            ),
        },
        [fit] => Located::At(Place {
            start: fit.start,
            rung: MatchQuality::StaleContext,
            stale: fit.stale,
            added: None,
            gap: None,
        }),
        _ => Located::Ambiguous {
            rung: MatchQuality::StaleContext,
            starts: fits.iter().map(|fit| fit.start.max(0).cast_unsigned()).take(MOST_PLACES).collect(),
        },
    }))
}

/// How well the hunk fits at `start`; `None` if it cannot belong there.
pub(super) fn fit(
    haystack: &Haystack<'_, '_>,
    pattern: &Pattern<'_>,
    start: isize,
) -> Result<Option<Fit>, Exhausted> {
    haystack.work.spend(2)?;
    let core = pattern.lead..pattern.old.len() - pattern.trail.min(pattern.old.len());
    let equal = |index: usize| line_fits(haystack, pattern, start, index);
    // Cheap first: the removed lines must all be there.
    let removed = |index: &usize| pattern.old[*index].kind == LineKind::Remove;
    if core.clone().filter(removed).any(|index| !equal(index)) {
        return Ok(None);
    }
    haystack.work.spend(pattern.old.len())?;
    let mut stale = [0_usize; 3];
    let (mut matched, mut context, mut agreed) = (0, 0, 0);
    for index in 0..pattern.old.len() {
        let is_context = pattern.old[index].kind == LineKind::Context;
        context += usize::from(is_context);
        if equal(index) {
            matched += usize::from(is_context);
            agreed += weight(std::iter::once(pattern.old_plain[index].as_ref()));
        } else {
            stale[usize::from(index >= core.start) + usize::from(index >= core.end)] += 1;
        }
    }
    let only_adds = !core.clone().any(|index| removed(&index));
    let bounded = stale[0] <= STALE_AT_EDGE && stale[2] <= STALE_AT_EDGE && stale[1] <= STALE_INSIDE;
    let enough =
        !only_adds || matched + usize::from(is_confirmed(haystack, pattern, start)) >= LEAST_AROUND_ADDED;
    let proven = matched * 2 >= context && agreed >= LEAST_WEIGHT && enough;
    // An empty line without its sign may well be an added one.
    let unmarked = (0..pattern.old.len()).any(|index| pattern.old[index].unmarked && !equal(index));
    let sound = bounded && proven && !unmarked && insertions_are_anchored(pattern, &equal);
    let plausible = matched > 0 && matched * 3 >= context;
    Ok(plausible.then(|| Fit { start, stale: stale.iter().sum(), sound, bounded }))
}

/// Whether something beside the lines speaks for the place: the stated line, or that context is missing where
/// the file begins or ends.
fn is_confirmed(haystack: &Haystack<'_, '_>, pattern: &Pattern<'_>, start: isize) -> bool {
    let end = start + pattern.old.len().cast_signed();
    pattern.hint().is_some_and(|hint| hint.cast_signed() == start)
        || (pattern.lead == 0 && start == 0)
        || (pattern.trail == 0 && end == haystack.lines.len().cast_signed())
}

/// Whether it is only a guess what becomes of a stale line of a search/replace block.
fn is_open_block(haystack: &Haystack<'_, '_>, pattern: &Pattern<'_>, start: isize) -> bool {
    let stale = (0..pattern.old.len()).filter(|index| !line_fits(haystack, pattern, start, *index));
    haystack.format == PatchFormat::SearchReplace && block::is_open(&pattern.old, &pattern.new, stale)
}

fn line_fits(haystack: &Haystack<'_, '_>, pattern: &Pattern<'_>, start: isize, index: usize) -> bool {
    let at = usize::try_from(start + index.cast_signed()).ok();
    at.and_then(|at| haystack.plain().get(at)).is_some_and(|line| *line == pattern.old_plain[index])
}

/// Lines that are added without removing any need a neighbour that is still there.
pub(super) fn insertions_are_anchored(pattern: &Pattern<'_>, equal: &impl Fn(usize) -> bool) -> bool {
    let mut old = 0;
    let mut run = Run::default();
    for line in pattern.hunk.lines.iter().map(Some).chain([None]) {
        match line.map(|line| line.kind) {
            Some(LineKind::Add) => run.adds = true,
            Some(LineKind::Remove) => {
                run.removes = true;
                old += 1;
            }
            Some(LineKind::Context) | None => {
                if run.adds && !run.removes && !run.is_anchored(pattern, old, equal) {
                    return false;
                }
                run = Run::default();
                old += 1;
            }
        }
    }
    true
}

#[derive(Default)]
struct Run {
    adds: bool,
    removes: bool,
}

impl Fit {
    /// Whether all of the context but a third agrees.
    pub(super) fn is_near(&self, pattern: &Pattern<'_>) -> bool {
        let context = pattern.old.iter().filter(|line| line.kind == LineKind::Context).count();
        self.bounded && self.stale * 3 <= context
    }

    /// Whether at least half of the context agrees.
    pub(super) fn is_likely(&self, pattern: &Pattern<'_>) -> bool {
        let context = pattern.old.iter().filter(|line| line.kind == LineKind::Context).count();
        self.stale * 2 <= context
    }
}

impl Run {
    /// Whether the lines next to the place are still there, up to one that says something.
    fn is_anchored(&self, pattern: &Pattern<'_>, next: usize, equal: &impl Fn(usize) -> bool) -> bool {
        let telling = |index: &usize| !pattern.old_plain[*index].is_empty();
        let holds = |indices: &mut dyn Iterator<Item = usize>| {
            indices.take_while(|index| equal(*index)).any(|index| telling(&index))
        };
        holds(&mut (0..next.min(pattern.old.len())).rev()) || holds(&mut (next..pattern.old.len()))
    }
}

/// Whether the lines of a hunk that only adds stand near the place already: applying it would double them.
pub(super) fn result_is_near(haystack: &Haystack<'_, '_>, pattern: &Pattern<'_>, start: isize) -> bool {
    if pattern.old.iter().any(|line| line.kind == LineKind::Remove) {
        return false;
    }
    let added: Vec<_> =
        pattern.hunk.added_lines().map(|line| plain(&line.text)).filter(|line| !line.is_empty()).collect();
    let Some(first) = added.first() else { return false };
    let reach = pattern.old.len() + added.len() + STALE_AT_EDGE;
    let from = start.max(0).cast_unsigned().saturating_sub(reach);
    let window = haystack.plain().iter().skip(from).take(2 * reach + pattern.old.len());
    let there: Vec<_> = window.filter(|line| !line.is_empty()).collect();
    there
        .windows(added.len())
        .any(|lines| lines[0] == first && lines.iter().zip(&added).all(|(a, b)| *a == b))
}
