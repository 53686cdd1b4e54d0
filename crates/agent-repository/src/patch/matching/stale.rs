//! Context that is no longer as the patch shows it: a bounded part may be, if all else agrees.

use super::haystack::Haystack;
use super::pattern::Pattern;
use super::{Exhausted, Gap, Located, Place, block, evidence, gapped};
use crate::patch::report::MatchQuality;
use crate::patch::text::plain;
use crate::patch::{LineKind, PatchFormat};

/// Stale context lines that are borne before the first change, and after the last.
pub(super) const STALE_AT_EDGE: usize = 3;
pub(super) const MOST_PLACES: usize = 20;
/// Letters and digits that must agree, so that a brace alone proves nothing.
pub(super) const LEAST_WEIGHT: usize = 8;

/// A place where the removed lines stand and some of the context does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    pub(super) start: isize,
    pub(super) gap: Option<Gap>,
    pub(super) stale: usize,
    /// Whether enough agrees to change something here; a lesser fit only casts doubt on others.
    pub(super) sound: bool,
    /// Whether all of the context is there, among lines that were put in.
    pub(super) complete: bool,
    /// Whether no more lines are stale than may be.
    pub(super) bounded: bool,
    /// Whether the number of the hunk names this place.
    pub(super) stated: bool,
    /// Whether it names it also if lines before the change are more or fewer than seems.
    pub(super) nearly_stated: bool,
    /// Whether the number of the hunk speaks of another place, and nothing but likeness for this one.
    pub(super) far: bool,
    /// Whether the line that encloses the changes in the hunk is another such line here.
    pub(super) foreign: bool,
    /// How many lines the file has more than the hunk's context, so that later hunks are as much further down.
    pub(super) longer: isize,
}

/// Every place where the removed lines stand and some of the context does.
pub(super) fn survey(haystack: &Haystack<'_, '_>, pattern: &Pattern<'_>) -> Result<Vec<Fit>, Exhausted> {
    let mut fits: Vec<Fit> = Vec::new();
    let first = haystack.from.cast_signed() - pattern.lead.cast_signed();
    let core = pattern.old.len() - pattern.trail.min(pattern.old.len());
    let last = haystack.lines.len().cast_signed() - core.cast_signed();
    for start in first..=last {
        fits.extend(evidence::fit(haystack, pattern, start)?);
    }
    gapped::survey(haystack, pattern, &mut fits)?;
    Ok(fits)
}

/// The one place that fits but for stale context, if there is one: every other place must agree in at least
/// two lines less.
pub(super) fn locate(
    haystack: &Haystack<'_, '_>,
    pattern: &Pattern<'_>,
) -> Result<Option<Located>, Exhausted> {
    Ok(choose(haystack, pattern, survey(haystack, pattern)?))
}

fn choose(haystack: &Haystack<'_, '_>, pattern: &Pattern<'_>, mut fits: Vec<Fit>) -> Option<Located> {
    let least = fits.iter().filter(|fit| fit.sound).map(|fit| fit.stale).min()?;
    // Where the stated line and the fewest stale lines agree, a lead of one line is enough.
    let stated = fits.iter().any(|fit| fit.sound && fit.stale == least && fit.stated);
    let bound = if stated { least } else { least + 1 };
    let hint = pattern.hint().map(usize::cast_signed);
    fits.retain(|fit| fit.stale <= bound || Some(fit.start) == hint);
    // Of several ways to lay the hunk at one place, a better one leaves the others out.
    let better = fits.clone();
    fits.retain(|fit| !better.iter().any(|other| other.start == fit.start && other.stale < fit.stale));
    if let Some(kept) = kept(haystack, pattern, &fits, least) {
        fits = vec![kept];
    }
    Some(match fits.as_slice() {
        [fit] if result_is_near(haystack, pattern, fit.start) => Located::Missing {
            detail: Some("Its added lines seem to be there already, within other context.".to_owned()),
        },
        [fit] if fit.is_line_for_line() && evidence::is_indented_otherwise(haystack, pattern, fit.start) => Located::Missing {
            detail: Some("Its context is indented otherwise there; indent the hunk as the file is.".to_owned()),
        },
        [fit] if is_open_block(haystack, pattern, fit.start) => Located::Missing {
            detail: Some(
                "Lines that differ can be kept or replaced, depending on how the block is read; show them as they are."
                    .to_owned(),
            ),
        },
        [fit] if fit.far => Located::Missing {
            detail: Some(
                "The only place like it is not near the stated line, so it may be a copy; correct the line or the context."
                    .to_owned(),
            ),
        },
        [fit] if fit.foreign => Located::Missing {
            detail: Some(
                "The only place like it is enclosed by another line, so it may be a copy; show its own.".to_owned(),
            ),
        },
        [fit] => Located::At(Place {
            start: fit.start,
            rung: MatchQuality::StaleContext,
            stale: fit.stale,
            added: None,
            gap: fit.gap,
            longer: fit.longer,
        }),
        _ => Located::Ambiguous {
            rung: MatchQuality::StaleContext,
            starts: fits.iter().map(|fit| fit.start.max(0).cast_unsigned()).take(MOST_PLACES).collect(),
        },
    })
}

/// Of several places that agree alike, the only one where what is stale was edited so that the old text is still
/// there, unless the number names another, or another has all of the context.
fn kept(haystack: &Haystack<'_, '_>, pattern: &Pattern<'_>, fits: &[Fit], least: usize) -> Option<Fit> {
    let kept = |fit: &&Fit| evidence::kept_weight(haystack, pattern, fit.start) > 0;
    let mut all_kept = fits.iter().filter(kept);
    let fit = all_kept.next().filter(|fit| fit.sound && fit.stale == least && least <= 1 && !fit.foreign)?;
    let telling = evidence::kept_weight(haystack, pattern, fit.start) >= LEAST_WEIGHT;
    let hint = pattern.hint().map(usize::cast_signed);
    let others = || fits.iter().filter(|other| other.start != fit.start);
    let alone = all_kept.next().is_none() && others().all(|other| !other.complete);
    let unstated = || others().all(|other| !other.stated && Some(other.start) != hint);
    let leads = || telling && others().all(|other| other.stale > least);
    let meant = if hint.is_some() { fit.stated && unstated() } else { leads() };
    (alone && meant).then_some(*fit)
}

/// Whether it is only a guess what becomes of a stale line of a search/replace block.
fn is_open_block(haystack: &Haystack<'_, '_>, pattern: &Pattern<'_>, start: isize) -> bool {
    let stale = (0..pattern.old.len()).filter(|index| !evidence::line_fits(haystack, pattern, start, *index));
    haystack.format == PatchFormat::SearchReplace && block::is_open(&pattern.old, &pattern.new, stale)
}

impl Fit {
    /// Whether the hunk's lines are one below the other in the file, too.
    fn is_line_for_line(&self) -> bool {
        self.gap.is_none() && self.longer == 0
    }

    /// Whether all of the context but a third agrees.
    pub(super) fn is_near(&self, pattern: &Pattern<'_>) -> bool {
        self.bounded && self.stale * 3 <= pattern.context_lines()
    }

    /// Whether at least half of the context agrees.
    pub(super) fn is_likely(&self, pattern: &Pattern<'_>) -> bool {
        self.stale * 2 <= pattern.context_lines()
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
