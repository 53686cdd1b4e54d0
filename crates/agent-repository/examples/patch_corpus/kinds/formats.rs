//! The same change in another format, or under other names.

use super::super::change::Sign;
use super::super::draft::{Draft, Format, Names};
use super::super::random::Random;

fn named(draft: &mut Draft, names: Names) -> bool {
    draft.names = names;
    true
}

pub(super) fn without_git_line(draft: &mut Draft, _: &mut Random) -> bool {
    named(draft, Names::WithoutGitLine)
}

pub(super) fn git_line_only(draft: &mut Draft, _: &mut Random) -> bool {
    named(draft, Names::GitLineOnly)
}

pub(super) fn without_prefixes(draft: &mut Draft, _: &mut Random) -> bool {
    named(draft, Names::WithoutPrefixes)
}

pub(super) fn with_times(draft: &mut Draft, _: &mut Random) -> bool {
    named(draft, Names::WithTimes)
}

/// Neither of the other formats has numbers, nor a way to speak of a missing final newline.
fn formatted(draft: &mut Draft, format: Format) -> bool {
    draft.format = format;
    draft.written.iter_mut().for_each(|written| written.stated = false);
    let shown = draft.written.iter().all(|written| written.hunk.old().next().is_some());
    shown && draft.ends_lines()
}

pub(super) fn envelope(draft: &mut Draft, _: &mut Random) -> bool {
    formatted(draft, Format::Envelope { scoped: false })
}

pub(super) fn scoped_envelope(draft: &mut Draft, _: &mut Random) -> bool {
    draft.written.iter().any(|written| !written.hunk.section.is_empty())
        && formatted(draft, Format::Envelope { scoped: true })
}

pub(super) fn search_replace(draft: &mut Draft, _: &mut Random) -> bool {
    let mut lines = draft.written.iter().flat_map(|written| &written.hunk.lines);
    let no_marks = lines.all(|line| {
        line.sign == Sign::Context || !line.text.starts_with("====") && !line.text.starts_with(">>>>")
    });
    no_marks && formatted(draft, Format::SearchReplace)
}
