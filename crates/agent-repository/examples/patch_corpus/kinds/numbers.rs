//! Line numbers that are missing or wrong.

use super::super::change::Sign;
use super::super::draft::{Draft, Written, count, numbered};
use super::super::oracle::agreement;
use super::super::random::Random;

fn unnumbered(draft: &mut Draft, header: impl Fn(&Written) -> String) -> bool {
    for written in &mut draft.written {
        written.header = Some(header(written));
        written.stated = false;
    }
    has_old_lines(draft)
}

/// A hunk without old lines says nothing but its number.
fn has_old_lines(draft: &Draft) -> bool {
    draft.written.iter().all(|written| written.hunk.old().next().is_some())
}

pub(super) fn empty(draft: &mut Draft, _: &mut Random) -> bool {
    unnumbered(draft, |_| "@@ @@".to_owned())
}

pub(super) fn bare(draft: &mut Draft, _: &mut Random) -> bool {
    unnumbered(draft, |_| "@@".to_owned())
}

pub(super) fn elided(draft: &mut Draft, _: &mut Random) -> bool {
    unnumbered(draft, |_| "@@ ... @@".to_owned())
}

pub(super) fn section_only(draft: &mut Draft, _: &mut Random) -> bool {
    draft.written.iter().any(|written| !written.hunk.section.is_empty())
        && unnumbered(draft, |written| format!("@@ {}", written.hunk.section).trim_end().to_owned())
}

pub(super) fn zero(draft: &mut Draft, _: &mut Random) -> bool {
    unnumbered(draft, |_| "@@ -0,0 +0,0 @@".to_owned())
}

/// Every hunk states the first line.
pub(super) fn all_one(draft: &mut Draft, _: &mut Random) -> bool {
    unnumbered(draft, |_| "@@ -1,1 +1,1 @@".to_owned())
        && draft.written.iter().all(|written| written.hunk.start > 0)
}

/// The same distance off in every hunk, as after lines were added above.
pub(super) fn shifted(draft: &mut Draft, random: &mut Random) -> bool {
    let by = random.from(1..=40).cast_signed() * if random.coin() { 1 } else { -1 };
    shift_each(draft, |_| by)
}

/// Every hunk off by a distance of its own.
pub(super) fn all_wrong(draft: &mut Draft, random: &mut Random) -> bool {
    shift_each(draft, |_| random.from(1..=60).cast_signed() - 30)
}

fn shift_each(draft: &mut Draft, mut by: impl FnMut(&Written) -> isize) -> bool {
    let file: Vec<&str> = draft.change.before.iter().map(|line| line.trim()).collect();
    for written in &mut draft.written {
        let by = by(written);
        let mut moved = written.hunk.clone();
        moved.start = moved.start.saturating_add_signed(by);
        // With the number of an equal copy it would be the right patch for that copy.
        if moved.start != written.hunk.start {
            if agreement(&file, &moved, moved.start) == Some(moved.old().count()) {
                return false;
            }
            written.stated = false;
        }
        written.header = Some(numbered(&moved, 0, (0, 0)));
    }
    has_old_lines(draft)
}

/// Right lines, wrong numbers of lines.
pub(super) fn miscounted(draft: &mut Draft, random: &mut Random) -> bool {
    for written in &mut draft.written {
        let mut wrong = || random.from(0..=6).cast_signed() - 3;
        written.header = Some(numbered(&written.hunk, 0, (wrong(), wrong())));
    }
    has_old_lines(draft)
}

/// `@@ -12 +12 @@`, whatever follows.
pub(super) fn without_counts(draft: &mut Draft, _: &mut Random) -> bool {
    for written in &mut draft.written {
        let line =
            written.hunk.start + usize::from(count(&written.hunk, Sign::Add) < written.hunk.lines.len());
        written.header = Some(format!("@@ -{line} +{line} @@"));
    }
    has_old_lines(draft)
}

/// Neither lines nor numbers of lines are right.
pub(super) fn nonsense(draft: &mut Draft, random: &mut Random) -> bool {
    if !all_wrong(draft, random) {
        return false;
    }
    for written in &mut draft.written {
        let mut moved = written.hunk.clone();
        let header = written.header.take().unwrap_or_default();
        let line = header.trim_start_matches("@@ -").split(',').next().and_then(|line| line.parse().ok());
        moved.start = line.map_or(0, |line: usize| line.saturating_sub(1));
        let mut wrong = || random.from(1..=3).cast_signed() * if random.coin() { 1 } else { -1 };
        written.header = Some(numbered(&moved, 0, (wrong(), wrong())));
    }
    true
}

/// A remark where the enclosing line belongs.
pub(super) fn commented(draft: &mut Draft, random: &mut Random) -> bool {
    let remarks = ["# handle the empty case", "// rename the argument", "add the missing check"];
    for written in &mut draft.written {
        written.hunk.section = random.one_of(&remarks).copied().unwrap_or_default().to_owned();
        written.header = Some(numbered(&written.hunk, 0, (0, 0)));
    }
    true
}
