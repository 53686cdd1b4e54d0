//! From a place to the lines that change there.

use std::borrow::Cow;

use super::Place;
use crate::patch::text::{Ending, Line};
use crate::patch::{Hunk, LineKind};

/// Some lines that make way for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Splice<'a> {
    pub(crate) at: usize,
    pub(crate) removed: usize,
    pub(crate) added: Vec<Line<'a>>,
}

impl Splice<'_> {
    pub(crate) fn into_owned(self) -> Splice<'static> {
        let added = self.added.into_iter().map(Line::into_owned).collect();
        Splice { at: self.at, removed: self.removed, added }
    }
}

/// The changes of a hunk at its place. Context lines stay the file's own.
pub(crate) fn splices_of<'a>(
    lines: &[Line<'_>],
    dominant: Ending,
    endings: bool,
    hunk: &'a Hunk,
    place: &Place,
) -> Vec<Splice<'a>> {
    let verbatim = endings && endings_agree(lines, hunk, place);
    let mut splices: Vec<Splice<'a>> = Vec::new();
    let mut cursor = place.start;
    let mut open = false;
    let mut added = 0;
    let mut old = 0;
    for line in &hunk.lines {
        if line.kind != LineKind::Add {
            cursor += place.gap.filter(|gap| gap.before == old).map_or(0, |gap| gap.by);
            old += 1;
        }
        if line.kind == LineKind::Context {
            cursor += 1;
            open = false;
            continue;
        }
        if !open {
            splices.push(Splice { at: cursor.max(0).cast_unsigned(), removed: 0, added: Vec::new() });
            open = true;
        }
        let Some(splice) = splices.last_mut() else { continue };
        if line.kind == LineKind::Remove {
            cursor += 1;
            splice.removed += 1;
        } else {
            let text = match place.added.as_ref().and_then(|texts| texts.get(added)) {
                Some(text) => Cow::Owned(text.clone()),
                None => Cow::Borrowed(line.text.as_str()),
            };
            let ending = if verbatim {
                if line.carriage_return { Ending::CrLf } else { Ending::Lf }
            } else {
                ending_around(lines, splice, dominant)
            };
            splice.added.push(Line { text, ending });
            added += 1;
        }
    }
    splices
}

/// Whether the old lines end in the patch as they do in the file, so that the endings of the new ones count. The
/// last line may lack its ending.
fn endings_agree(lines: &[Line<'_>], hunk: &Hunk, place: &Place) -> bool {
    let last = lines.len().saturating_sub(1);
    hunk.old_lines().enumerate().all(|(index, line)| {
        let by = place.gap.filter(|gap| gap.before <= index).map_or(0, |gap| gap.by);
        let at = usize::try_from(place.start + index.cast_signed() + by).ok().filter(|at| *at < last);
        // A stale line is another one.
        at.is_none_or(|at| {
            lines[at].text != line.text || line.carriage_return == (lines[at].ending == Ending::CrLf)
        })
    })
}

/// New lines end as the lines do that they replace or follow.
fn ending_around(lines: &[Line<'_>], splice: &Splice<'_>, dominant: Ending) -> Ending {
    let replaced = if splice.removed > 0 { lines.get(splice.at) } else { None };
    let before = || splice.at.checked_sub(1).and_then(|before| lines.get(before));
    replaced.or_else(before).or_else(|| lines.get(splice.at)).map_or(dominant, |line| line.ending)
}

/// The lines after all changes, which are in the order of the file.
pub(crate) fn apply_splices<'a>(lines: &[Line<'a>], splices: Vec<Splice<'a>>) -> Vec<Line<'a>> {
    let mut result = Vec::with_capacity(lines.len());
    let mut next = 0;
    for splice in splices {
        result.extend_from_slice(lines.get(next..splice.at).unwrap_or_default());
        result.extend(splice.added);
        next = next.max(splice.at + splice.removed);
    }
    result.extend_from_slice(lines.get(next..).unwrap_or_default());
    result
}
