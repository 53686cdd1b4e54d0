//! Files with a second place that looks almost like the one that is meant, or in which that one is gone.

use super::super::change::Sign;
use super::super::draft::{Draft, numbered};
use super::super::oracle::stands_whole;
use super::super::random::Random;

/// Lines around a hunk that are copied with it.
const AROUND: usize = 4;
/// How far from the place that is gone the copy is.
const FAR: usize = 20;

/// A copy of the lines around a hunk stands before it in the file, in which one of the hunk's old lines is another.
/// Gives the number of the hunk and how many lines the copy has.
fn twin(draft: &mut Draft, random: &mut Random) -> Option<(usize, usize)> {
    let number = random.below(draft.change.hunks.len());
    let hunk = draft.change.hunks[number].clone();
    let floor = number.checked_sub(1).map_or(0, |before| {
        let before = &draft.change.hunks[before];
        before.start + before.old().count()
    });
    let old = hunk.old().count();
    let first = hunk.start.saturating_sub(AROUND).max(floor);
    let last = (hunk.start + old + AROUND).min(draft.change.before.len());
    let mut copy: Vec<String> = draft.change.before.get(first..last)?.to_vec();
    let telling = |line: &String| line.chars().filter(|c| c.is_alphanumeric()).count() >= 4;
    let within: Vec<usize> =
        (hunk.start - first..hunk.start - first + old).filter(|at| telling(&copy[*at])).collect();
    let edited = *random.one_of(&within)?;
    let indent = copy[edited].len() - copy[edited].trim_start().len();
    copy[edited].insert_str(indent, "other_");
    if copy.iter().any(|line| !line.ends_with('\n')) {
        return None;
    }
    let length = copy.len();
    draft.change.before.splice(first..first, copy);
    for hunk in draft.change.hunks.iter_mut().skip(number) {
        hunk.start += length;
    }
    for written in draft.written.iter_mut().skip(number) {
        written.hunk.start += length;
    }
    Some((number, length))
}

/// The near copy is no reason not to find the place, where the patch has numbers and where it has none.
pub(super) fn near_copy(draft: &mut Draft, random: &mut Random) -> bool {
    twin(draft, random).is_some()
}

/// The number of the hunk is that of the near copy.
pub(super) fn number_of_copy(draft: &mut Draft, random: &mut Random) -> bool {
    let Some((number, length)) = twin(draft, random) else { return false };
    let mut moved = draft.written[number].hunk.clone();
    moved.start -= length;
    draft.written[number].header = Some(numbered(&moved, 0, (0, 0)));
    draft.written[number].stated = false;
    draft.contradicts = true;
    true
}

/// The place of one hunk is gone, a near copy of it stands at the end of the file: only a refusal is right. Without
/// numbers that would be the same as one stale line, so that the patch says nothing of it.
pub(super) fn place_gone(draft: &mut Draft, random: &mut Random) -> bool {
    let number = random.below(draft.change.hunks.len());
    let hunk = draft.change.hunks[number].clone();
    let old = hunk.old().count();
    let gone: Vec<String> = draft.change.before.drain(hunk.start..hunk.start + old).collect();
    let mut copy = gone;
    let telling: Vec<usize> =
        (0..old).filter(|at| copy[*at].chars().filter(|c| c.is_alphanumeric()).count() >= 4).collect();
    let Some(edited) = random.one_of(&telling).copied() else { return false };
    let text = copy[edited].clone();
    // A line that still holds the old one would be an edited one, and no copy.
    let first = text.find(char::is_alphanumeric).unwrap_or(0);
    let rest = text[first..].find(|c: char| !c.is_alphanumeric()).unwrap_or(0);
    copy[edited] = format!("{}another_word{}", &text[..first], &text[first + rest..]);
    draft.hopeless = true;
    // Where they stand a second time, the patch is a right one for that place, and done where its result is there.
    let ended = draft.change.before.iter().chain(&copy).all(|line| line.ends_with('\n'));
    let far = draft.change.before.len() > hunk.start + FAR;
    draft.change.before.extend(copy);
    let file: Vec<&str> = draft.change.before.iter().map(String::as_str).collect();
    let stands = |without: Sign| stands_whole(&file, &hunk, without);
    ended && far && !stands(Sign::Add) && !stands(Sign::Remove)
}

/// The hunks stand in the patch against the order of the file.
pub(super) fn reordered(draft: &mut Draft, _: &mut Random) -> bool {
    let mut shift = 0;
    for written in &mut draft.written {
        written.header = Some(numbered(&written.hunk, shift, (0, 0)));
        let count =
            |sign: Sign| written.hunk.lines.iter().filter(|line| line.sign == sign).count().cast_signed();
        shift += count(Sign::Remove) - count(Sign::Add);
    }
    draft.written.reverse();
    draft.written.len() > 1
}
