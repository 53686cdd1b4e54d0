//! What hunks make of the text of one file.

use super::matching::{self, Exhausted, Ground, Located, Place, Splice, Work};
use super::text::{Text, starts_with_mark};
use super::{Fate, Hunk, HunkReport, PatchFormat};
use crate::path_guard::RelativePath;

/// Hunks of one file for which the most similar text is looked up.
const MOST_NEAREST: usize = 20;

/// What is to be known of the patch beside its hunks.
pub(crate) struct Origin<'p> {
    pub(crate) path: &'p RelativePath,
    pub(crate) format: PatchFormat,
    pub(crate) states_line_endings: bool,
}

/// Applies hunks to a text. All hunks are tried; the new text is there only if all of them fit.
pub(crate) fn patch_text(
    content: &str,
    hunks: &[Hunk],
    origin: &Origin<'_>,
    work: &Work,
) -> (Option<String>, Vec<HunkReport>) {
    let mark = hunks.iter().flat_map(|hunk| &hunk.lines).any(|line| starts_with_mark(&line.text));
    let mut change =
        TextChange { text: Text::new(content, mark), splices: Vec::new(), from: 0, origin, work };
    let mut reports = Vec::with_capacity(hunks.len());
    let mut failures = 0;
    for (index, hunk) in hunks.iter().enumerate() {
        let mut report = empty_report(origin.path, index, hunk);
        change.hunk(hunk, &mut report, failures < MOST_NEAREST);
        failures += usize::from(report.fate.is_failure());
        reports.push(report);
    }
    let content = (failures == 0).then(|| change.finish());
    (content, reports)
}

/// The report of a hunk whose file cannot be patched.
pub(crate) fn blocked_report(path: &RelativePath, index: usize, hunk: &Hunk) -> HunkReport {
    empty_report(path, index, hunk)
}

fn empty_report(path: &RelativePath, index: usize, hunk: &Hunk) -> HunkReport {
    HunkReport {
        path: path.clone(),
        hunk: index + 1,
        fate: Fate::Blocked,
        rung: None,
        line: None,
        stated_line: hunk.old_start,
        miscounted: hunk.miscounted,
        stale_context: 0,
        candidates: Vec::new(),
        nearest: None,
        detail: None,
    }
}

struct TextChange<'a> {
    text: Text<'a>,
    splices: Vec<Splice<'a>>,
    from: usize,
    origin: &'a Origin<'a>,
    work: &'a Work,
}

impl<'a> TextChange<'a> {
    fn ground(&self) -> Ground<'_, 'a> {
        Ground {
            lines: &self.text.lines,
            final_newline: self.text.final_newline,
            from: self.from,
            endings: self.origin.states_line_endings,
            format: self.origin.format,
            work: self.work,
        }
    }

    fn hunk(&mut self, hunk: &'a Hunk, report: &mut HunkReport, with_nearest: bool) {
        if hunk.changes_nothing() {
            report.fate = Fate::AlreadyApplied;
            report.detail = Some("It has neither added nor removed lines.".to_owned());
            return;
        }
        let outcome = matching::locate(self.ground(), hunk);
        match outcome {
            Ok(Located::At(place)) => {
                report.fate = Fate::Applied;
                report.rung = Some(place.rung);
                report.line = Some(place.start.max(0).cast_unsigned() + 1);
                report.stale_context = place.stale;
                self.put(hunk, &place);
            }
            Ok(Located::Already { start, length }) => {
                report.fate = Fate::AlreadyApplied;
                report.line = Some(start + 1);
                self.advance(start + length);
            }
            Ok(Located::Ambiguous { rung, starts }) => {
                report.fate = Fate::Ambiguous;
                report.rung = Some(rung);
                report.candidates = starts.iter().map(|start| start + 1).collect();
            }
            Ok(Located::Missing { detail }) => {
                report.fate = Fate::NotFound;
                report.detail = detail;
                if with_nearest {
                    report.nearest = matching::nearest(self.ground(), hunk).unwrap_or_default();
                }
            }
            Err(Exhausted) => {
                report.fate = Fate::NotFound;
                report.detail = Some(
                    "Looking for it costs too much; split the patch or correct its line numbers.".to_owned(),
                );
            }
        }
    }

    fn put(&mut self, hunk: &'a Hunk, place: &Place) {
        let splices = matching::splices_of(
            &self.text.lines,
            self.text.dominant,
            self.origin.states_line_endings,
            hunk,
            place,
        );
        let end = place.start + hunk.old_lines().count().cast_signed();
        if end >= self.text.lines.len().cast_signed() && hunk.old_lacks_newline != hunk.new_lacks_newline {
            self.text.final_newline = hunk.old_lacks_newline;
        }
        if self.origin.format == PatchFormat::SearchReplace {
            // A block may search what the block before it wrote.
            self.text.lines = matching::apply_splices(&self.text.lines, splices);
        } else {
            if let Some(last) = splices.last() {
                self.from = last.at + last.removed;
            }
            self.splices.extend(splices);
        }
    }

    fn advance(&mut self, to: usize) {
        if self.origin.format != PatchFormat::SearchReplace {
            self.from = self.from.max(to.min(self.text.lines.len()));
        }
    }

    fn finish(mut self) -> String {
        self.text.lines = matching::apply_splices(&self.text.lines, std::mem::take(&mut self.splices));
        self.text.render()
    }
}
