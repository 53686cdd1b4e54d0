//! What speaks for a place at which not all of the context stands.

use super::alignment::{self, Edge};
use super::haystack::Haystack;
use super::pattern::Pattern;
use super::stale::{Fit, LEAST_WEIGHT, STALE_AT_EDGE};
use super::{Exhausted, NEAR};
use crate::patch::LineKind;
use crate::patch::text::{indentation, weight};

/// Stale context lines that are borne between changes.
const STALE_INSIDE: usize = 1;
/// Context lines that must agree around lines that are added without removing any; one less where something
/// else speaks for the place.
const LEAST_AROUND_ADDED: usize = 3;
/// Letters and digits of removed lines that say where they stand without any context.
const DISTINCTIVE: usize = 16;
/// Letters and digits that must agree at the stated line where the file begins or ends.
const LEAST_AT_EDGE: usize = 4;
/// Lines, removed or context, that must agree where only the number says that these brackets are meant.
const LEAST_AT_NUMBER: usize = 3;

/// How well the hunk fits at `start`; `None` if it cannot belong there.
pub(super) fn fit(
    haystack: &Haystack<'_, '_>,
    pattern: &Pattern<'_>,
    start: isize,
) -> Result<Option<Fit>, Exhausted> {
    haystack.work.spend(2)?;
    let core = pattern.core();
    let equal = |index: usize| line_fits(haystack, pattern, start, index);
    // Cheap first: the removed lines must all be there.
    let removed = |index: &usize| pattern.old[*index].kind == LineKind::Remove;
    if core.clone().filter(removed).any(|index| !equal(index)) {
        return Ok(None);
    }
    haystack.work.spend(pattern.old.len())?;
    let mut inside = Edge::default();
    for index in core.clone().filter(|index| !removed(index)) {
        if equal(index) {
            inside.matched += 1;
        } else {
            inside.stale += 1;
        }
    }
    let there = core.clone().filter(|index| equal(*index));
    inside.agreed = weight(there.map(|index| pattern.old_plain[index].as_ref()));
    let (lead, trail) = edges(haystack, pattern, start)?;
    let sides = Sides { start, lead, inside, trail };
    let bounded = lead.stale <= STALE_AT_EDGE && trail.stale <= STALE_AT_EDGE && inside.stale <= STALE_INSIDE;
    let matched = sides.matched();
    let stated = sides.is_stated(pattern);
    let sound = bounded && sides.prove(haystack, pattern, stated);
    let plausible = sound || matched * 3 >= pattern.context_lines();
    Ok(plausible.then(|| Fit {
        start,
        gap: None,
        stale: sides.stale(),
        sound,
        complete: matched == pattern.context_lines(),
        bounded,
        stated,
        nearly_stated: pattern
            .hint()
            .is_some_and(|hint| hint.abs_diff(start.max(0).cast_unsigned()) <= lead.stale),
        foreign: !stated
            && (is_within_another(haystack, pattern, start)
                || is_numbered_otherwise(haystack, pattern, start)),
        far: is_far(haystack, pattern, start) && sides.stale() > 0,
        longer: trail.longer,
    }))
}

/// The context before the first change and after the last, laid against the file.
fn edges(
    haystack: &Haystack<'_, '_>,
    pattern: &Pattern<'_>,
    start: isize,
) -> Result<(Edge, Edge), Exhausted> {
    let core = pattern.core();
    let line =
        |at: isize| usize::try_from(at).ok().and_then(|at| haystack.plain().get(at)).map(AsRef::as_ref);
    let (first, end) = (start + core.start.cast_signed(), start + core.end.cast_signed());
    let lead = pattern.old_plain[..core.start].iter().rev();
    let trail = pattern.old_plain[core.end..].iter();
    let above = |step: usize| line(first - 1 - step.cast_signed());
    let below = |step: usize| line(end + step.cast_signed());
    haystack.work.spend(lead.len() + trail.len())?;
    let whole =
        (alignment::line_for_line(lead.clone(), above), alignment::line_for_line(trail.clone(), below));
    // Where nothing is removed, the lines next to the change are all that says where it is.
    let neighbours = [core.start.checked_sub(1), Some(core.end)].into_iter().flatten();
    let mut neighbours = neighbours.filter(|index| *index < pattern.old.len());
    let removes = core.clone().any(|index| pattern.old[index].kind == LineKind::Remove);
    let possible = removes
        || is_at_edge(haystack, pattern, start)
        || neighbours.any(|index| line_fits(haystack, pattern, start, index));
    if !possible || whole.0.stale + whole.1.stale == 0 {
        return Ok(whole);
    }
    haystack.work.spend((lead.len() + trail.len()) * alignment::BAND)?;
    Ok((alignment::edge(lead, above), alignment::edge(trail, below)))
}

/// The agreement before, between and after the changes of a hunk at a place.
struct Sides {
    start: isize,
    lead: Edge,
    inside: Edge,
    trail: Edge,
}

impl Sides {
    fn stale(&self) -> usize {
        self.lead.stale + self.inside.stale + self.trail.stale
    }

    fn matched(&self) -> usize {
        self.lead.matched + self.inside.matched + self.trail.matched
    }

    /// Whether the hunk's number names the place, also where lines before the change are more or fewer.
    fn is_stated(&self, pattern: &Pattern<'_>) -> bool {
        pattern.hint().map(usize::cast_signed).is_some_and(|hint| {
            hint == self.start || (self.lead.longer != 0 && hint == self.start - self.lead.longer)
        })
    }

    fn prove(&self, haystack: &Haystack<'_, '_>, pattern: &Pattern<'_>, stated: bool) -> bool {
        let start = self.start;
        let equal = |index: usize| line_fits(haystack, pattern, start, index);
        let matched = self.matched();
        if self.stale() > 1 && matched * 2 < pattern.context_lines() {
            return false;
        }
        // An empty line without its sign may well be an added one.
        if (0..pattern.old.len()).any(|index| pattern.old[index].unmarked && !equal(index)) {
            return false;
        }
        let kept = kept_weight(haystack, pattern, start);
        let agreed = self.lead.agreed + self.inside.agreed + self.trail.agreed + kept;
        let removed: Vec<usize> =
            pattern.core().filter(|index| pattern.old[*index].kind == LineKind::Remove).collect();
        let at_edge = is_at_edge(haystack, pattern, start);
        let enough = !removed.is_empty() || matched + usize::from(stated || at_edge) >= LEAST_AROUND_ADDED;
        let usual = enough && matched * 2 >= pattern.context_lines() && agreed >= LEAST_WEIGHT;
        // One stale line is little where the number, or what is removed, says which place is meant.
        let removed_weight = weight(removed.iter().map(|index| pattern.old_plain[*index].as_ref()));
        let at_number =
            removed_weight >= LEAST_WEIGHT || (enough && matched + removed.len() >= LEAST_AT_NUMBER);
        let single = self.stale() <= 1 && (removed_weight >= DISTINCTIVE || (stated && at_number));
        // Lines that are added where the file begins or ends are held there although the line beside them is edited.
        let known = stated || (pattern.stated().is_none() && kept >= LEAST_WEIGHT);
        let held = known
            && at_edge
            && self.stale() <= 1
            && self.lead.longer == 0
            && self.trail.longer == 0
            && pattern.core().is_empty()
            && agreed >= LEAST_AT_EDGE;
        let anchors =
            |index: usize| equal(index) || kept_line(haystack, pattern, start, index) >= LEAST_WEIGHT;
        held || ((usual || single) && insertions_are_anchored(pattern, &anchors))
    }
}

/// Letters and digits of old lines that are edited, but still there within the file's line.
pub(super) fn kept_weight(haystack: &Haystack<'_, '_>, pattern: &Pattern<'_>, start: isize) -> usize {
    (0..pattern.old.len()).map(|index| kept_line(haystack, pattern, start, index)).sum()
}

/// The letters and digits of one such line; none when it is not edited, or no longer there.
fn kept_line(haystack: &Haystack<'_, '_>, pattern: &Pattern<'_>, start: isize, index: usize) -> usize {
    let wanted = pattern.old_plain[index].trim();
    let there = line_there(haystack, start, index);
    let held = weight(std::iter::once(wanted));
    // A comma more or less is what makes lines of copies differ.
    let grown = |there: &str| weight(std::iter::once(there)) > held;
    if there.is_some_and(|there| there.contains(wanted) && grown(there)) { held } else { 0 }
}

/// Whether context is missing where the file begins or ends.
fn is_at_edge(haystack: &Haystack<'_, '_>, pattern: &Pattern<'_>, start: isize) -> bool {
    let end = start + pattern.old.len().cast_signed();
    (pattern.lead == 0 && start == 0) || (pattern.trail == 0 && end == haystack.lines.len().cast_signed())
}

/// Whether a hunk whose numbers of lines are right states another line, and what is stale here was not just edited:
/// then this may be a copy of a place that is gone.
fn is_far(haystack: &Haystack<'_, '_>, pattern: &Pattern<'_>, start: isize) -> bool {
    let Some(hint) = pattern.hint().filter(|_| !pattern.hunk.miscounted) else { return false };
    let distance = (start - hint.cast_signed()).unsigned_abs();
    distance > NEAR && kept_weight(haystack, pattern, start) == 0
}

/// Whether the line that encloses the changes in the hunk is another such line here: then this is a copy of the
/// place that is meant, with a name of its own.
fn is_within_another(haystack: &Haystack<'_, '_>, pattern: &Pattern<'_>, start: isize) -> bool {
    let Some(depth) = pattern.depth() else { return false };
    let opens = |line: &str| line.ends_with(['{', ':', '(', '[']);
    let encloses = |index: &usize| {
        let line = pattern.old_plain[*index].as_ref();
        indentation(line).len() < depth && opens(line)
    };
    let Some(index) = (0..pattern.lead).rev().find(encloses) else { return false };
    if stands(haystack, pattern, start, index) {
        return false;
    }
    let wanted = pattern.old_plain[index].trim();
    line_there(haystack, start, index).is_some_and(|there| opens(there) && !there.contains(wanted))
}

/// Whether a line beside the changes stands there with another number: then this is the next of several copies that
/// are told apart by it.
fn is_numbered_otherwise(haystack: &Haystack<'_, '_>, pattern: &Pattern<'_>, start: isize) -> bool {
    let core = pattern.core();
    let beside = [core.start.checked_sub(1), Some(core.end).filter(|end| *end < pattern.old.len())];
    beside.into_iter().flatten().any(|index| {
        let wanted = pattern.old_plain[index].as_ref();
        let there = line_there(haystack, start, index);
        there.is_some_and(|there| {
            there != wanted
                && without_digits(there).eq(without_digits(wanted))
                && !pattern.old_plain.contains(there)
        })
    })
}

fn without_digits(line: &str) -> impl Iterator<Item = char> {
    line.chars().filter(|character| !character.is_ascii_digit())
}

/// Whether no line confirms the hunk's indentation, while stale ones differ from the file in nothing else: then its
/// added lines are indented otherwise, too.
pub(super) fn is_indented_otherwise(
    haystack: &Haystack<'_, '_>,
    pattern: &Pattern<'_>,
    start: isize,
) -> bool {
    let mut otherwise = false;
    for (index, wanted) in pattern.old_plain.iter().enumerate().filter(|(_, line)| !line.is_empty()) {
        let Some(there) = line_there(haystack, start, index) else { continue };
        if there == wanted {
            // One blank is how lines of a comment begin at any level.
            if indentation(wanted).len() > 1 || wanted.starts_with('\t') {
                return false;
            }
        } else {
            otherwise |= there.trim_start() == wanted.trim_start();
        }
    }
    otherwise && pattern.hunk.added_lines().any(|line| !line.text.trim().is_empty())
}

/// Whether an old line stands where it belongs, or as near as lines that are more or fewer may move it.
pub(super) fn stands(haystack: &Haystack<'_, '_>, pattern: &Pattern<'_>, start: isize, index: usize) -> bool {
    let core = pattern.core();
    let reach = if core.contains(&index) { 0 } else { alignment::WIDEST.cast_signed() };
    (-reach..=reach).any(|by| line_fits(haystack, pattern, start + by, index))
}

pub(super) fn line_fits(
    haystack: &Haystack<'_, '_>,
    pattern: &Pattern<'_>,
    start: isize,
    index: usize,
) -> bool {
    line_there(haystack, start, index).is_some_and(|line| *line == pattern.old_plain[index])
}

/// The file's line where an old line would stand, look-alikes and blanks at its end aside.
fn line_there<'t>(
    haystack: &'t Haystack<'_, '_>,
    start: isize,
    index: usize,
) -> Option<&'t std::borrow::Cow<'t, str>> {
    usize::try_from(start + index.cast_signed()).ok().and_then(|at| haystack.plain().get(at))
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
