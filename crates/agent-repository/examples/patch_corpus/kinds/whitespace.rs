//! Indentation, blanks at line ends, line endings and characters that look alike.

use super::super::change::Sign;
use super::super::draft::Draft;
use super::super::random::Random;

/// Changes every line of the patch that is not blank; the file stays as it is. When no old line shows it, the
/// patch is a right one that means something else.
fn rewrite(draft: &mut Draft, edit: impl Fn(&str) -> String) -> bool {
    let mut any = false;
    for line in draft.written.iter_mut().flat_map(|written| &mut written.hunk.lines) {
        if !line.text.trim().is_empty() {
            let edited = edit(&line.text);
            any |= edited != line.text && line.sign != Sign::Add;
            line.text = edited;
        }
    }
    any
}

pub(super) fn indented_by_two(draft: &mut Draft, _: &mut Random) -> bool {
    rewrite(draft, |line| format!("  {line}"))
}

pub(super) fn indented_by_four(draft: &mut Draft, _: &mut Random) -> bool {
    rewrite(draft, |line| format!("    {line}"))
}

pub(super) fn indented_by_one(draft: &mut Draft, _: &mut Random) -> bool {
    rewrite(draft, |line| format!(" {line}"))
}

pub(super) fn indented_by_eight(draft: &mut Draft, _: &mut Random) -> bool {
    rewrite(draft, |line| format!("        {line}"))
}

pub(super) fn indented_by_tab(draft: &mut Draft, _: &mut Random) -> bool {
    rewrite(draft, |line| format!("\t{line}"))
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// What all lines of a hunk are indented by is missing.
pub(super) fn outdented(draft: &mut Draft, _: &mut Random) -> bool {
    let mut any = false;
    for written in &mut draft.written {
        let telling = |text: &&str| !text.trim().is_empty();
        let texts = || written.hunk.lines.iter().map(|line| line.text.as_str()).filter(telling);
        let shared = texts().map(indentation).min().unwrap_or(0);
        let first = texts().next().map(|line| line[..shared].to_owned()).unwrap_or_default();
        if shared == 0 || !texts().all(|line| line.starts_with(&first)) {
            continue;
        }
        for line in written.hunk.lines.iter_mut().filter(|line| !line.text.trim().is_empty()) {
            line.text.drain(..shared);
        }
        any = true;
    }
    any
}

/// Whether no hunk has a line that begins with this. Where the change itself brings such lines, the patch reads the
/// same whether they are meant or not.
fn none_begins_with(draft: &Draft, start: &str) -> bool {
    let mut lines = draft.change.hunks.iter().flat_map(|hunk| &hunk.lines);
    !lines.any(|line| line.text.starts_with(start) && !line.text.trim().is_empty())
}

/// The file is indented with blanks, the patch with tabs.
pub(super) fn tabs_for_blanks(draft: &mut Draft, _: &mut Random) -> bool {
    if !none_begins_with(draft, "\t") {
        return false;
    }
    let lines = || draft.change.before.iter().map(|line| indentation(line));
    let in_fours = lines().filter(|width| *width > 0 && width % 4 == 0).count();
    let in_twos = lines().filter(|width| *width > 0 && width % 4 == 2).count();
    let unit = if in_twos * 4 > in_fours { 2 } else { 4 };
    rewrite(draft, |line| {
        let width = line.len() - line.trim_start_matches(' ').len();
        format!("{}{}{}", "\t".repeat(width / unit), " ".repeat(width % unit), &line[width..])
    })
}

/// The file is indented with tabs, the patch with four blanks for each.
pub(super) fn blanks_for_tabs(draft: &mut Draft, _: &mut Random) -> bool {
    if !none_begins_with(draft, "    ") {
        return false;
    }
    rewrite(draft, |line| {
        let width = line.len() - line.trim_start_matches('\t').len();
        format!("{}{}", "    ".repeat(width), &line[width..])
    })
}

fn with_blanks(text: &mut String, blanks: &str) {
    let end = text.trim_end_matches(['\n', '\r']).len();
    text.insert_str(end, blanks);
}

/// Whether the change itself puts blanks at the end of a line, or takes them away.
fn changes_blanks(draft: &Draft) -> bool {
    let of = |sign: Sign| {
        let lines = draft.change.hunks.iter().flat_map(|hunk| &hunk.lines);
        lines.filter(move |line| line.sign == sign).map(|line| line.text.as_str())
    };
    // An added line of nothing but blanks reads like an empty one that is shown with blanks.
    let says_something = |text: &str| !text.trim_end_matches(['\n', '\r']).is_empty();
    of(Sign::Add).any(|added| {
        says_something(added)
            && of(Sign::Remove).any(|old| old != added && old.trim_end() == added.trim_end())
    })
}

/// Old lines of the patch have blanks at the end that the file does not have.
pub(super) fn trailing_in_patch(draft: &mut Draft, random: &mut Random) -> bool {
    let mut any = false;
    if changes_blanks(draft) {
        return false;
    }
    for line in draft.written.iter_mut().flat_map(|written| &mut written.hunk.lines) {
        if line.sign != Sign::Add && random.coin() {
            with_blanks(&mut line.text, random.one_of(&[" ", "  ", "\t"]).copied().unwrap_or_default());
            any = true;
        }
    }
    any
}

/// Lines of the file have blanks at the end that the patch does not have.
pub(super) fn trailing_in_file(draft: &mut Draft, random: &mut Random) -> bool {
    let mut any = false;
    if changes_blanks(draft) {
        return false;
    }
    for hunk in 0..draft.change.hunks.len() {
        draft.change.edit_old_lines(hunk, |text, _| {
            if random.coin() {
                with_blanks(text, random.one_of(&[" ", "  ", "\t"]).copied().unwrap_or_default());
                any = true;
            }
        });
    }
    any
}

/// Typographic quotes and dashes, and blanks that do not break, for those of a keyboard.
fn look_alike(text: &str) -> String {
    if text.trim().is_empty() {
        return text.to_owned();
    }
    let (body, indent) = (text.trim_start(), indentation(text));
    let replaced = body.replace('"', "\u{201d}").replace('\'', "\u{2019}").replace(" - ", " \u{2013} ");
    format!("{}{}", &text[..indent], replaced.replacen(' ', "\u{a0}", 1))
}

pub(super) fn look_alikes_in_patch(draft: &mut Draft, _: &mut Random) -> bool {
    let mut any = false;
    for line in draft.written.iter_mut().flat_map(|written| &mut written.hunk.lines) {
        if line.sign != Sign::Add && line.text.is_ascii() {
            let edited = look_alike(&line.text);
            any |= edited != line.text;
            line.text = edited;
        }
    }
    any
}

pub(super) fn look_alikes_in_file(draft: &mut Draft, _: &mut Random) -> bool {
    let mut any = false;
    for hunk in 0..draft.change.hunks.len() {
        draft.change.edit_old_lines(hunk, |text, _| {
            if text.is_ascii() {
                let edited = look_alike(text);
                any |= edited != *text;
                *text = edited;
            }
        });
    }
    any
}

fn has_crlf(draft: &Draft) -> bool {
    let added = draft.written.iter().flat_map(|written| &written.hunk.lines).map(|line| &line.text);
    draft.change.before.iter().chain(added).any(|line| line.contains('\r'))
}

fn to_crlf(text: &mut String) {
    if text.ends_with('\n') {
        text.insert(text.len() - 1, '\r');
    }
}

/// The file has CR LF everywhere, the patch nowhere.
pub(super) fn crlf_file(draft: &mut Draft, _: &mut Random) -> bool {
    let possible = !has_crlf(draft) && draft.change.before.iter().any(|line| line.ends_with('\n'));
    draft.change.before.iter_mut().for_each(to_crlf);
    draft.change.hunks.iter_mut().flat_map(|hunk| &mut hunk.lines).for_each(|line| to_crlf(&mut line.text));
    possible
}

/// The patch has CR LF everywhere, the file nowhere.
pub(super) fn crlf_patch(draft: &mut Draft, _: &mut Random) -> bool {
    draft.as_crlf = true;
    !has_crlf(draft)
}

/// File and hunks have CR LF, the header lines do not, as git writes it.
pub(super) fn crlf_everywhere(draft: &mut Draft, random: &mut Random) -> bool {
    let possible = crlf_file(draft, random);
    for line in draft.written.iter_mut().flat_map(|written| &mut written.hunk.lines) {
        to_crlf(&mut line.text);
    }
    possible
}
