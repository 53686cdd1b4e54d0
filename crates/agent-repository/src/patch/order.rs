//! Hunks that stand in a patch against the order of the file.

use super::file_change::{self, Origin};
use super::matching::Work;
use super::{Fate, Hunk, HunkReport, MatchQuality, PatchFormat};

/// Applies hunks to a text. All hunks are tried; the new text is there only if all of them fit.
///
/// Hunks belong in the order of the file. Where they are not, they are put there by their line numbers, if each of
/// them then fits exactly at its own.
pub(crate) fn patch_text(
    content: &str,
    origin: &Origin<'_>,
    work: &Work,
) -> (Option<String>, Vec<HunkReport>) {
    if let Some(sorted) = sorted(content, origin, work) {
        return sorted;
    }
    file_change::patch_text(content, origin, work)
}

fn sorted(content: &str, origin: &Origin<'_>, work: &Work) -> Option<(Option<String>, Vec<HunkReport>)> {
    let order = order_by_number(origin)?;
    let hunks: Vec<Hunk> = order.iter().map(|index| origin.hunks[*index].clone()).collect();
    let (after, mut reports) =
        file_change::patch_text(content, &Origin { hunks: &hunks, explains: false, ..*origin }, work);
    let exact =
        |report: &HunkReport| report.fate == Fate::Applied && report.rung == Some(MatchQuality::Exact);
    if after.is_none() || !reports.iter().all(exact) {
        return None;
    }
    for (report, index) in reports.iter_mut().zip(order) {
        report.hunk = index + 1;
    }
    reports.sort_by_key(|report| report.hunk);
    Some((after, reports))
}

/// The hunks as their numbers order them; `None` when that is how they stand, or some have none.
fn order_by_number(origin: &Origin<'_>) -> Option<Vec<usize>> {
    if origin.format != PatchFormat::Unified {
        return None;
    }
    let numbers: Vec<usize> = origin.hunks.iter().map(|hunk| hunk.old_start).collect::<Option<_>>()?;
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by_key(|index| numbers[*index]);
    (!order.is_sorted()).then_some(order)
}
