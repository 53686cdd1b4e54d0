//! What stands around and between hunks, and what is missing at the end.

use super::super::change::Sign;
use super::super::draft::{Draft, count};
use super::super::random::Random;

pub(super) fn remarks(draft: &mut Draft, random: &mut Random) -> bool {
    let remarks = ["# now the second part", "// update the caller", "The next change removes the old name:"];
    for written in &mut draft.written {
        written.remark = random.one_of(&remarks).map(|remark| (*remark).to_owned());
    }
    true
}

pub(super) fn chomped(draft: &mut Draft, _: &mut Random) -> bool {
    draft.chomped = true;
    // A blank line at the end would be lost with its newline.
    let last = draft.written.last().and_then(|written| written.hunk.lines.last());
    last.is_some_and(|line| !line.text.trim_end_matches(['\n', '\r']).is_empty())
}

pub(super) fn fenced(draft: &mut Draft, _: &mut Random) -> bool {
    draft.around.0 = "Here is the patch:\n\n```diff\n".to_owned();
    draft.around.1 =
        "```\n\nIt changes what you asked for:\n- the first thing\n- the second thing\n".to_owned();
    true
}

pub(super) fn mailed(draft: &mut Draft, _: &mut Random) -> bool {
    draft.around.0 = "From: A <a@example.org>\nSubject: [PATCH] Mend it\n\nMend it.\n\n---\n".to_owned();
    draft.around.1 = "-- \n2.39.5\n\n".to_owned();
    true
}

/// One of the hunks stands in the patch twice.
pub(super) fn hunk_twice(draft: &mut Draft, random: &mut Random) -> bool {
    let index = random.below(draft.written.len());
    let copy = draft.written[index].clone();
    draft.written.insert(index, copy);
    true
}

/// The patch ends amid the changes of its last hunk: only a refusal is right.
pub(super) fn cut_off(draft: &mut Draft, random: &mut Random) -> bool {
    let Some(last) = draft.written.last() else { return false };
    let (_, trail) = last.hunk.edges();
    let changed = last.hunk.lines.len() - trail;
    let more = random.from(1..=changed.max(2) - 1);
    draft.cut = trail + more;
    // Something to change must be left of the hunk, and every line must be one of the text.
    let left = &last.hunk.lines[..last.hunk.lines.len() - draft.cut.min(last.hunk.lines.len())];
    left.iter().any(|line| line.sign != Sign::Context)
        && count(&last.hunk, Sign::Context) < last.hunk.lines.len()
        && draft.ends_lines()
}
