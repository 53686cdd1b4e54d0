//! What hunks make of the text of one file.

use std::borrow::Cow;
use std::ops::Range;

use super::matching::{self, Exhausted, Ground, Located, Place, Splice, Work};
use super::offset::Offset;
use super::text::{Text, starts_with_mark};
use super::{Fate, Hunk, HunkReport, LineKind, MatchQuality, PatchFormat, readings};
use crate::path_guard::RelativePath;

/// Hunks of one file for which the most similar text is looked up.
const MOST_NEAREST: usize = 20;
/// Context lines before and after a change, where a program counted them.
const USUAL_CONTEXT: usize = 3;
const DOTS: &str =
    "Lines that are left out with dots leave open where the others are; show all lines, or begin a new hunk.";
const TOO_COSTLY: &str = "Looking for it costs too much; split the patch or correct its line numbers.";
/// Lines by which people and models miscount.
const LARGEST_SLIP: usize = 3;
const END_IN_DOUBT: &str =
    "It changes whether the file ends with a newline, but the file ends otherwise; show its last lines.";
const CUT_OFF: &str = "The patch ends with this hunk, which states more lines than it has, so it may have been cut off; \
    send all of it, with as much context after the change as before it.";
const INDENTATION_IN_DOUBT: &str = "The patch is indented with tabs where the file has blanks, or the other way round, \
    which leaves open how its added lines are; indent them as the file does, or show an indented line beside them.";

/// What is to be known of the patch beside its hunks.
pub(crate) struct Origin<'p> {
    pub(crate) path: &'p RelativePath,
    pub(crate) format: PatchFormat,
    pub(crate) states_line_endings: bool,
    pub(crate) hunks: &'p [Hunk],
    /// Whether the text most similar to a hunk that is not found is looked up.
    pub(crate) explains: bool,
}

/// Applies hunks in the order in which they stand. All hunks are tried; the new text is there only if all of them fit.
pub(crate) fn patch_text(
    content: &str,
    origin: &Origin<'_>,
    work: &Work,
) -> (Option<String>, Vec<HunkReport>) {
    let hunks = origin.hunks;
    let mark = hunks.iter().flat_map(|hunk| &hunk.lines).any(|line| starts_with_mark(&line.text));
    let text = Text::new(content, mark);
    let mut change = TextChange {
        text,
        splices: Vec::new(),
        placed: Vec::new(),
        from: 0,
        offset: Offset::default(),
        origin,
        work,
    };
    let mut reports = Vec::with_capacity(hunks.len());
    let mut failures = 0;
    for (index, hunk) in hunks.iter().enumerate() {
        let mut report = empty_report(origin.path, index, hunk);
        change.hunk(index, hunk, &mut report, origin.explains && failures < MOST_NEAREST);
        failures += usize::from(report.fate.is_failure());
        reports.push(report);
    }
    if failures == 0
        && let Some(doubtful) = change.settle_indentation(hunks)
    {
        reports[doubtful].fate = Fate::NotFound;
        reports[doubtful].detail = Some(INDENTATION_IN_DOUBT.to_owned());
        return (None, reports);
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

/// A hunk at its place, and which of the splices are its.
struct Placed<'a> {
    index: usize,
    /// The hunk as it was read.
    hunk: Cow<'a, Hunk>,
    place: Place,
    splices: Range<usize>,
}

fn report_place(report: &mut HunkReport, place: &Place) {
    report.fate = Fate::Applied;
    report.rung = report.rung.max(Some(place.rung));
    report.line = Some(place.start.max(0).cast_unsigned() + 1);
    report.stale_context = place.stale;
}

/// Whether another reading of the hunk may be the better one.
fn is_doubtful(outcome: &Result<Located, Exhausted>) -> bool {
    match outcome {
        Ok(Located::Missing { .. }) => true,
        Ok(Located::At(Place { rung, .. }) | Located::Ambiguous { rung, .. }) => {
            *rung == MatchQuality::StaleContext
        }
        _ => false,
    }
}

struct TextChange<'a> {
    text: Text<'a>,
    splices: Vec<Splice<'a>>,
    placed: Vec<Placed<'a>>,
    from: usize,
    offset: Offset,
    origin: &'a Origin<'a>,
    work: &'a Work,
}

impl<'a> TextChange<'a> {
    fn ground(&self) -> Ground<'_, 'a> {
        Ground {
            lines: &self.text.lines,
            final_newline: self.text.final_newline,
            from: self.from,
            offset: self.offset.expected(),
            endings: self.origin.states_line_endings,
            format: self.origin.format,
            work: self.work,
        }
    }

    fn hunk(&mut self, index: usize, hunk: &'a Hunk, report: &mut HunkReport, with_nearest: bool) {
        if hunk.changes_nothing() {
            report.fate = Fate::AlreadyApplied;
            report.detail = Some("It has neither added nor removed lines.".to_owned());
            return;
        }
        let Some(outcome) = self.outcome(index, hunk, report) else { return };
        match outcome {
            Ok(Located::At(place)) if self.is_cut_off(hunk, &place) => {
                report.fate = Fate::NotFound;
                report.line = Some(place.start.max(0).cast_unsigned() + 1);
                report.detail = Some(CUT_OFF.to_owned());
            }
            Ok(Located::At(place)) if self.leaves_end_open(hunk, &place) => {
                report.fate = Fate::NotFound;
                report.line = Some(place.start.max(0).cast_unsigned() + 1);
                report.detail = Some(END_IN_DOUBT.to_owned());
            }
            Ok(Located::At(place)) => {
                report_place(report, &place);
                self.place(index, hunk, place);
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
                report.detail = Some(TOO_COSTLY.to_owned());
            }
        }
    }

    /// Where the hunk is, or that it is in doubt also when read otherwise; `None` when nothing is left to do.
    fn outcome(
        &mut self,
        index: usize,
        hunk: &Hunk,
        report: &mut HunkReport,
    ) -> Option<Result<Located, Exhausted>> {
        let outcome = matching::locate(self.ground(), hunk);
        if self.is_repeated(hunk, &outcome) {
            report.fate = Fate::AlreadyApplied;
            report.detail = Some("It stands in the patch twice.".to_owned());
            return None;
        }
        if !is_doubtful(&outcome) {
            return Some(outcome);
        }
        let parts = readings::parts(hunk, |dots| self.text.lines.iter().any(|line| line.text.trim() == dots));
        if self.read_otherwise(index, hunk, &parts, report) {
            return None;
        }
        if !parts.is_empty() && matches!(outcome, Ok(Located::At(_))) {
            return Some(Ok(Located::Missing { detail: Some(DOTS.to_owned()) }));
        }
        Some(outcome)
    }

    fn place(&mut self, index: usize, hunk: &'a Hunk, place: Place) {
        if let Some(line) = hunk.old_start.filter(|_| hunk.old_lines().next().is_some()) {
            let offset = place.start + 1 - line.max(1).cast_signed();
            self.offset.observe(offset, place.growth());
        }
        let first = self.splices.len();
        self.put(hunk, &place);
        let splices = first..self.splices.len();
        self.placed.push(Placed { index, hunk: Cow::Borrowed(hunk), place, splices });
    }

    /// Whether the patch seems to end amid this hunk: it states more lines, and does not end as a whole hunk does,
    /// with as much context as it begins with or at the end of the file; or it does, but numbers of lines are
    /// right in the rest of the patch, or too far off for a slip.
    fn is_cut_off(&self, hunk: &Hunk, place: &Place) -> bool {
        let Some((old, new)) = hunk.shortfall else { return false };
        let is_context = |line: &&super::HunkLine| line.kind == LineKind::Context;
        let lead = hunk.lines.iter().take_while(is_context).count();
        let trail = hunk.lines.iter().rev().take_while(is_context).count();
        let end = Self::end_of(hunk, place);
        if end >= self.text.lines.len().cast_signed() {
            // No more old lines can follow, so that a number of them that is too large is just wrong.
            return old == 0;
        }
        let left = self.text.lines.len().cast_signed() - end;
        if old.cast_signed() == left || (lead < USUAL_CONTEXT && place.start > 0) {
            // Hunks go on without context after the change only to the end of the file, which is just where this
            // one would go by its number of lines.
            return true;
        }
        let usual = if place.start == 0 { USUAL_CONTEXT } else { lead.min(USUAL_CONTEXT) };
        let others = self.origin.hunks.iter().filter(|other| *other != hunk);
        let counts_are_right = others.clone().count() > 0 && others.clone().all(|other| !other.miscounted);
        trail == 0 || trail < usual || counts_are_right || old.max(new) > LARGEST_SLIP
    }

    /// Whether the hunk is a copy of one before it that has no place of its own.
    fn is_repeated(&self, hunk: &Hunk, outcome: &Result<Located, Exhausted>) -> bool {
        let copy_of = |placed: &&Placed| {
            let other = &placed.hunk;
            (&other.lines, &other.scope, &other.section) == (&hunk.lines, &hunk.scope, &hunk.section)
                && other.old_start == hunk.old_start
        };
        let Some(earlier) = self.placed.iter().find(copy_of) else { return false };
        // A number that is wrong says of neither which one it means.
        let is_stated = |start: usize| earlier.place.start + 1 == start.max(1).cast_signed();
        match outcome {
            _ if hunk.old_start.is_some_and(is_stated) => true,
            Ok(Located::Missing { .. }) => true,
            Ok(Located::At(place)) => place.start == earlier.place.start,
            _ => false,
        }
    }

    /// Places a hunk that does not fit as it is written, when it fits as it may be meant.
    fn read_otherwise(&mut self, index: usize, hunk: &Hunk, parts: &[Hunk], report: &mut HunkReport) -> bool {
        if self.origin.format == PatchFormat::SearchReplace {
            return false;
        }
        let whole = readings::with_blanks_added(hunk).into_iter().map(|reading| vec![reading]);
        for reading in whole.chain([parts.to_vec()]).filter(|reading| !reading.is_empty()) {
            let (splices, placed, from) = (self.splices.len(), self.placed.len(), self.from);
            let mut read = report.clone();
            if reading.into_iter().all(|part| self.put_part(index, part, &mut read)) {
                *report = read;
                return true;
            }
            self.splices.truncate(splices);
            self.placed.truncate(placed);
            self.from = from;
        }
        false
    }

    fn put_part(&mut self, index: usize, part: Hunk, report: &mut HunkReport) -> bool {
        match matching::locate(self.ground(), &part) {
            Ok(Located::At(place)) if place.rung != MatchQuality::StaleContext => {
                let line = report.line.filter(|_| report.fate == Fate::Applied);
                report_place(report, &place);
                report.line = line.or(report.line);
                let splices: Vec<Splice<'a>> =
                    self.splices_of(&part, &place).into_iter().map(Splice::into_owned).collect();
                let first = self.splices.len();
                self.push(splices);
                self.end_file(&part, &place);
                let splices = first..self.splices.len();
                self.placed.push(Placed { index, hunk: Cow::Owned(part), place, splices });
                true
            }
            _ => false,
        }
    }

    fn splices_of<'h>(&self, hunk: &'h Hunk, place: &Place) -> Vec<Splice<'h>> {
        let endings = self.origin.states_line_endings;
        matching::splices_of(&self.text.lines, self.text.dominant, endings, hunk, place)
    }

    fn push(&mut self, splices: Vec<Splice<'a>>) {
        if let Some(last) = splices.last() {
            self.from = last.at + last.removed;
        }
        self.splices.extend(splices);
    }

    fn put(&mut self, hunk: &'a Hunk, place: &Place) {
        let splices = self.splices_of(hunk, place);
        self.end_file(hunk, place);
        if self.origin.format == PatchFormat::SearchReplace {
            // A block may search what the block before it wrote.
            self.text.lines = matching::apply_splices(&self.text.lines, splices);
        } else {
            self.push(splices);
        }
    }

    /// The line after the last one that a hunk shows, at its place.
    fn end_of(hunk: &Hunk, place: &Place) -> isize {
        place.start + hunk.old_lines().count().cast_signed() + place.growth()
    }

    /// Whether a hunk changes the final newline, but the file does not end with its stale context.
    fn leaves_end_open(&self, hunk: &Hunk, place: &Place) -> bool {
        place.rung == MatchQuality::StaleContext
            && hunk.old_lacks_newline != hunk.new_lacks_newline
            && Self::end_of(hunk, place) < self.text.lines.len().cast_signed()
    }

    /// Adds or takes away the final newline, where a hunk that says so ends the file.
    fn end_file(&mut self, hunk: &Hunk, place: &Place) {
        let end = Self::end_of(hunk, place);
        if end >= self.text.lines.len().cast_signed() && hunk.old_lacks_newline != hunk.new_lacks_newline {
            self.text.final_newline = hunk.old_lacks_newline;
        }
    }

    /// Indents added lines as the file is indented where only other hunks of the patch show how that differs.
    /// Gives the first hunk of which that leaves the indentation open.
    fn settle_indentation(&mut self, hunks: &[Hunk]) -> Option<usize> {
        let drifted = self.placed.iter().filter(|placed| placed.place.rung == MatchQuality::Indentation);
        let shown = drifted.map(|placed| (placed.hunk.as_ref(), placed.place.start));
        let Some(drift) = matching::Drift::of(&self.text.lines, hunks, shown) else {
            // What fits line for line is meant as it is written.
            let rungs = || self.placed.iter().map(|placed| placed.place.rung);
            let doubtful = rungs().any(|rung| rung > MatchQuality::Offset)
                && rungs().all(|rung| rung != MatchQuality::Indentation);
            return if doubtful { matching::foreign_indentation(&self.text.lines, hunks) } else { None };
        };
        for placed in self.placed.iter().filter(|placed| placed.place.rung != MatchQuality::Indentation) {
            let splices = self.splices.get_mut(placed.splices.clone()).unwrap_or_default();
            if !drift.settle(&placed.hunk, splices) {
                return Some(placed.index);
            }
        }
        None
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
