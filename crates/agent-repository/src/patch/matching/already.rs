//! Whether a hunk was applied before. Only what leaves no doubt counts: a hunk that is passed over although it was
//! not applied is as wrong as one that is applied elsewhere.

use super::stale::Fit;
use super::{Exhausted, Located, Search, stale};
use crate::patch::LineKind;
use crate::patch::report::MatchQuality;
use crate::patch::text::weight;

/// Letters and digits that removed lines must have, so that finding them says something.
const TELLING_REMOVED: usize = 4;

/// The result of a hunk that only adds, around the place where its context stands: what such a hunk looks
/// for can still be whole once it was applied. At the stated line a short
/// line may well be meant to stand there twice, unless the hunk ends where the file does.
pub(super) fn result_over(search: &Search<'_, '_, '_>, start: usize) -> Option<Located> {
    let (pattern, haystack) = (&search.pattern, &search.haystack);
    let added = pattern.new.len().checked_sub(pattern.old.len())?;
    let one_sided = pattern.lead == 0 || pattern.trail == 0;
    let stated = search.hint == Some(start);
    let possible = !stated || one_sided || pattern.adds_much();
    let only_adds = added == pattern.hunk.added_lines().count();
    if !possible || !only_adds || !pattern.result_is_telling() {
        return None;
    }
    let result =
        (start.saturating_sub(added)..=start).find(|start| haystack.has_result_at(pattern, *start))?;
    let at_end = pattern.trail == 0 && result + pattern.new.len() == haystack.lines.len();
    let at_start = pattern.lead == 0 && result == 0 && !stated;
    Some(if at_end || at_start || (!one_sided && !stated) {
        Located::Already { start: result, length: pattern.new.len() }
    } else {
        Located::Missing {
            detail: Some(format!(
                "Its added lines stand at line {} already; if they are meant to stand there twice, show more lines around them.",
                result + 1
            )),
        }
    })
}

/// The result of the hunk, where that is told apart from chance, and where the place before the change is
/// gone also when some of its context is stale.
pub(super) fn standing(search: &Search<'_, '_, '_>) -> Result<Option<Located>, Exhausted> {
    let (pattern, haystack) = (&search.pattern, &search.haystack);
    if !pattern.result_is_telling() {
        return Ok(None);
    }
    let [start] = haystack.result_places(pattern)?[..] else { return Ok(None) };
    let length = pattern.new.len();
    if removed_lines_stand(search, start..start + length)? {
        return Ok(None);
    }
    let mut fits = stale::survey(haystack, pattern)?;
    fits.retain(|fit| fit.sound || fit.is_likely(pattern));
    let overlaps = |fit: &&Fit| {
        let line = fit.start.max(0).cast_unsigned();
        line < start + length && start < line + pattern.old.len()
    };
    let best = |fits: &mut dyn Iterator<Item = &Fit>| {
        fits.min_by_key(|fit| (!fit.stated, !fit.sound, fit.stale)).copied()
    };
    let here = best(&mut fits.iter().filter(overlaps));
    let elsewhere = best(&mut fits.iter().filter(|fit| !overlaps(fit)));
    let removes = pattern.old.iter().any(|line| line.kind == LineKind::Remove);
    Ok(match (here, elsewhere) {
        (None, None) => Some(Located::Already { start, length }),
        (_, Some(other)) if other.stated => None,
        // What was applied here is just as well a copy of what is to be made of the other place.
        (here, Some(other)) if here.is_none_or(|here| !here.stated) => {
            let other = other.start.max(0).cast_unsigned();
            let starts = vec![start.min(other), start.max(other)];
            Some(Located::Ambiguous { rung: MatchQuality::StaleContext, starts })
        }
        (Some(_), _) if removes => None,
        _ => Some(Located::Already { start, length }),
    })
}

/// Whether removed lines stand beside a line that the hunk shows there, but not as a part of the result: what
/// surrounds them can also stand together while they are there.
fn removed_lines_stand(
    search: &Search<'_, '_, '_>,
    result: std::ops::Range<usize>,
) -> Result<bool, Exhausted> {
    let old = &search.pattern.old_plain;
    let lines = search.haystack.plain();
    let mut run = 0;
    while let Some(first) = (run..old.len()).find(|at| search.pattern.old[*at].kind == LineKind::Remove) {
        let kept = |at: &usize| search.pattern.old[*at].kind != LineKind::Remove;
        run = (first..old.len()).find(kept).unwrap_or(old.len());
        if weight(old[first..run].iter().map(AsRef::as_ref)) < TELLING_REMOVED {
            continue;
        }
        search.haystack.work.spend(lines.len())?;
        for at in search.haystack.from..(lines.len() + 1).saturating_sub(run - first) {
            if lines[at] != old[first] || lines[at..at + run - first] != old[first..run] {
                continue;
            }
            let within = result.start <= at && at + run - first <= result.end;
            let before = first.checked_sub(1).zip(at.checked_sub(1));
            let before = before.is_some_and(|(old_at, line)| old[old_at] == lines[line]);
            let after = lines.get(at + run - first).is_some_and(|line| old.get(run) == Some(line));
            if !within && (before || after || run - first == old.len()) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
