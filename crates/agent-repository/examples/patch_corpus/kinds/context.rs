//! Context that is missing, stale or written wrongly.

use super::super::change::{HunkLine, Sign};
use super::super::draft::Draft;
use super::super::random::Random;

pub(super) fn without_lead(draft: &mut Draft, random: &mut Random) -> bool {
    shorten(draft, |lead, _| (random.from(1..=lead.max(1)).min(lead), 0))
}

pub(super) fn without_trail(draft: &mut Draft, random: &mut Random) -> bool {
    shorten(draft, |_, trail| (0, random.from(1..=trail.max(1)).min(trail)))
}

pub(super) fn without_any(draft: &mut Draft, _: &mut Random) -> bool {
    shorten(draft, |lead, trail| (lead, trail))
}

/// One line of context on each side.
pub(super) fn short(draft: &mut Draft, _: &mut Random) -> bool {
    shorten(draft, |lead, trail| (lead.saturating_sub(1), trail.saturating_sub(1)))
}

/// Drops context at the edges; at least one old line must be left to show the place.
fn shorten(draft: &mut Draft, mut dropped: impl FnMut(usize, usize) -> (usize, usize)) -> bool {
    let mut any = false;
    for written in &mut draft.written {
        let hunk = &mut written.hunk;
        let (lead, trail) = hunk.edges();
        let (first, last) = dropped(lead, trail);
        hunk.lines.truncate(hunk.lines.len() - last);
        hunk.lines.drain(..first);
        hunk.start += first;
        any |= first + last > 0;
        if hunk.old().next().is_none() {
            return false;
        }
    }
    any
}

/// Three dots in place of a context line that is neither the first nor next to the change.
pub(super) fn elided(draft: &mut Draft, random: &mut Random) -> bool {
    let places = interior(draft);
    let Some((hunk, index)) = random.one_of(&places).copied() else { return false };
    draft.written[hunk].hunk.lines[index].text = "...\n".to_owned();
    true
}

/// Two hunks under one header, with three dots for what stands between them.
pub(super) fn joined(draft: &mut Draft, random: &mut Random) -> bool {
    if draft.written.len() < 2 {
        return false;
    }
    let first = random.below(draft.written.len() - 1);
    let second = draft.written.remove(first + 1);
    let dots = HunkLine { sign: Sign::Context, text: "...\n".to_owned(), bare: false };
    let lines = &mut draft.written[first].hunk.lines;
    lines.push(dots);
    lines.extend(second.hunk.lines);
    true
}

/// Context lines between two others that are no change: hunk and line.
fn interior(draft: &Draft) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    for (number, written) in draft.written.iter().enumerate() {
        let lines = &written.hunk.lines;
        let is_context = |index: usize| lines.get(index).is_some_and(|line| line.sign == Sign::Context);
        let inside = (1..lines.len()).filter(|at| (at - 1..=at + 1).all(is_context));
        places.extend(inside.map(|at| (number, at)));
    }
    places
}

/// Context lines with at least four letters: hunk and line.
fn telling(draft: &Draft) -> Vec<(usize, usize)> {
    let mut places = Vec::new();
    for (number, written) in draft.written.iter().enumerate() {
        let lines = written.hunk.lines.iter().enumerate();
        let telling = lines.filter(|(_, line)| {
            line.sign == Sign::Context && line.text.chars().filter(|c| c.is_alphanumeric()).count() >= 4
        });
        places.extend(telling.map(|(index, _)| (number, index)));
    }
    places
}

/// Somebody edited a context line of the file.
pub(super) fn stale_edited(draft: &mut Draft, random: &mut Random) -> bool {
    let places = telling(draft);
    let Some((number, index)) = random.one_of(&places).copied() else { return false };
    let hunk = &draft.change.hunks[number];
    let old_index = hunk.lines[..index].iter().filter(|line| line.sign != Sign::Add).count();
    let edit = random.below(3);
    let mut seen = 0;
    draft.change.edit_old_lines(number, |text, _| {
        if seen == old_index {
            let end = text.trim_end().len();
            let word = text.find(char::is_alphanumeric).unwrap_or(0);
            match edit {
                0 => text.insert_str(end, " // reviewed"),
                1 => text.insert_str(word, "new_"),
                _ => text.replace_range(word..end, "something_else_entirely()"),
            }
        }
        seen += 1;
    });
    true
}

/// Somebody added a line between two context lines of the file.
pub(super) fn stale_inserted(draft: &mut Draft, random: &mut Random) -> bool {
    let places = interior(draft);
    let Some((number, index)) = random.one_of(&places).copied() else { return false };
    draft.change.insert_context(number, index, "something_new_was_added_here();\n");
    follow_file(draft, number);
    true
}

/// Somebody removed a context line of the file.
pub(super) fn stale_removed(draft: &mut Draft, random: &mut Random) -> bool {
    let places = interior(draft);
    let Some((number, index)) = random.one_of(&places).copied() else { return false };
    draft.change.remove_context(number, index);
    follow_file(draft, number);
    true
}

/// Somebody removed any context line of the file, also one next to the change.
pub(super) fn stale_removed_anywhere(draft: &mut Draft, random: &mut Random) -> bool {
    let places = telling(draft);
    let Some((number, index)) = random.one_of(&places).copied() else { return false };
    draft.change.remove_context(number, index);
    follow_file(draft, number);
    true
}

/// The patch was made before: its later hunks state lines that are no longer true.
fn follow_file(draft: &mut Draft, changed: usize) {
    for (number, written) in draft.written.iter_mut().enumerate().skip(changed + 1) {
        written.header = Some(super::super::draft::numbered(&written.hunk, 0, (0, 0)));
        written.hunk.start = draft.change.hunks[number].start;
        written.stated = false;
    }
}

/// Empty context lines lost their leading blank.
pub(super) fn blank_unmarked(draft: &mut Draft, _: &mut Random) -> bool {
    unmark(draft, Sign::Context)
}

/// Empty added lines lost their plus sign.
pub(super) fn added_blank_unmarked(draft: &mut Draft, _: &mut Random) -> bool {
    unmark(draft, Sign::Add)
}

fn unmark(draft: &mut Draft, sign: Sign) -> bool {
    let mut any = false;
    for line in draft.written.iter_mut().flat_map(|written| &mut written.hunk.lines) {
        if line.sign == sign && line.text == "\n" {
            line.bare = true;
            any = true;
        }
    }
    any
}

/// A context line lost its leading blank.
pub(super) fn text_unmarked(draft: &mut Draft, random: &mut Random) -> bool {
    let mut places = telling(draft);
    places.retain(|(hunk, index)| {
        let text = &draft.written[*hunk].hunk.lines[*index].text;
        !text.starts_with([' ', '\t', '+', '-', '\\', '@'])
    });
    let Some((hunk, index)) = random.one_of(&places).copied() else { return false };
    draft.written[hunk].hunk.lines[index].bare = true;
    true
}
