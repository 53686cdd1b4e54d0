//! Whether a patch says which place it means. Knows nothing of the patcher.

use super::change::{Hunk, HunkLine, Sign};
use super::draft::{Draft, Format, Written};

/// Whether another place agrees with a hunk as well as the true one, and nothing in the patch chooses.
pub(crate) fn is_undecidable(draft: &Draft) -> bool {
    let file: Vec<&str> = draft.change.before.iter().map(|line| line.trim()).collect();
    // Blocks may stand in any order; hunks stand in the order of the file.
    let ordered = draft.format != Format::SearchReplace;
    let mut floor = 0;
    for written in &draft.written {
        let hunk = &written.hunk;
        let truly = agreement(&file, hunk, hunk.start);
        let whole = truly == Some(hunk.old().count());
        let (lead, trail) = hunk.edges();
        let least = truly.unwrap_or(0) + usize::from(written.stated);
        let last = file.len().saturating_sub(hunk.old().count());
        let rival = |start: usize| start != hunk.start && agreement(&file, hunk, start) >= Some(least);
        let from = if ordered { usize::saturating_sub(floor, lead) } else { 0 };
        if !(written.stated && whole) && (from..=last).any(rival) {
            return true;
        }
        floor = hunk.start + hunk.old().count().saturating_sub(trail);
    }
    false
}

/// Whether a line of a search/replace block is no longer as the block shows it, and stands on its replace side more
/// than once, or on its search side: then it is open which of those lines it becomes, and it may be kept or replaced.
pub(crate) fn leaves_stale_line_open(draft: &Draft) -> bool {
    let file: Vec<&str> = draft.change.before.iter().map(String::as_str).collect();
    draft.format == Format::SearchReplace
        && draft.written.iter().any(|Written { hunk, .. }| {
            let count = |without: Sign, text: &str| {
                hunk.lines.iter().filter(|line| line.sign != without && line.text == text).count()
            };
            let stale = |(at, line): (usize, &HunkLine)| {
                file.get(hunk.start + at).map(|there| there.trim()) != Some(line.text.trim())
            };
            let repeated = |text: &str| count(Sign::Remove, text) > 1 || count(Sign::Add, text) > 1;
            hunk.old().enumerate().any(|(at, line)| stale((at, line)) && repeated(&line.text))
        })
}

/// Whether the patch may have been cut off amid its last hunk: that states more lines than it has, just as many old ones
/// as the file has after it. A hunk that is cut off earlier lacks context, too, and so more lines than that.
pub(crate) fn may_be_cut_off(draft: &Draft) -> bool {
    let Some(Written { hunk, header: Some(header), .. }) = draft.written.last() else { return false };
    let mut counts =
        header.split_whitespace().filter_map(|range| range.split_once(',')?.1.parse::<usize>().ok());
    let (Some(stated_old), Some(stated_new)) = (counts.next(), counts.next()) else { return false };
    let old = hunk.old().count();
    let new = hunk.lines.iter().filter(|line| line.sign != Sign::Remove).count();
    let left = draft.change.before.len().saturating_sub(hunk.start + old);
    stated_old.checked_sub(old) == Some(left) && stated_new >= new && stated_old + stated_new > old + new
}

/// Whether one side of a hunk, the one without these lines, stands anywhere in the file, blanks around lines aside.
pub(crate) fn stands_whole(file: &[&str], hunk: &Hunk, without: Sign) -> bool {
    let side: Vec<&str> =
        hunk.lines.iter().filter(|line| line.sign != without).map(|line| line.text.trim()).collect();
    let mut places = file.windows(side.len().max(1));
    side.is_empty() || places.any(|lines| lines.iter().zip(&side).all(|(there, line)| there.trim() == *line))
}

/// How many old lines agree at a place; `None` unless all removed ones do.
pub(crate) fn agreement(file: &[&str], hunk: &Hunk, start: usize) -> Option<usize> {
    let mut equal = 0;
    for (index, line) in hunk.old().enumerate() {
        if file.get(start + index).is_some_and(|there| *there == line.text.trim()) {
            equal += 1;
        } else if line.sign == Sign::Remove {
            return None;
        }
    }
    Some(equal)
}

/// Whether a hunk without a line number stands whole at another place than the one that it was made for, where
/// it does not: then it is a right patch of that place. Blocks may also search what others of the patch wrote.
pub(crate) fn means_another_place(draft: &Draft) -> bool {
    let before: Vec<&str> = draft.change.before.iter().map(String::as_str).collect();
    let after = if draft.format == Format::SearchReplace { draft.change.after() } else { String::new() };
    let after: Vec<&str> = after.split_inclusive('\n').collect();
    let stands = |file: &[&str], hunk: &Hunk, start: usize| {
        hunk.old().enumerate().all(|(index, line)| file.get(start + index) == Some(&line.text.as_str()))
    };
    let anywhere = |file: &[&str], hunk: &Hunk| (0..file.len()).any(|start| stands(file, hunk, start));
    let strays = |hunk: &Hunk| {
        !stands(&before, hunk, hunk.start) && (anywhere(&before, hunk) || anywhere(&after, hunk))
    };
    draft.written.iter().filter(|written| !written.stated).any(|written| strays(&written.hunk))
}
