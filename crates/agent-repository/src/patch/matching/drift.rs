//! What hunks that are indented with tabs in a file of blanks, or the other way round, say about the others.

use std::borrow::Cow;

use super::reindent::{Unit, reindent};
use super::splice::Splice;
use crate::patch::text::{Line, indentation};
use crate::patch::{Hunk, LineKind};

/// Lines of a file that must be indented alike to say that all are.
const FEWEST_INDENTED: usize = 2;

/// The first hunk that adds lines indented with tabs to a file that is indented with blanks, or the other way round,
/// while nothing in the patch shows that its author knows how the file is indented.
pub(crate) fn foreign_indentation(lines: &[Line<'_>], hunks: &[Hunk]) -> Option<usize> {
    let by_tabs = |text: &str| text.starts_with('\t') && !text.trim().is_empty();
    let by_blanks = |text: &str| text.starts_with("  ") && !text.trim().is_empty();
    let tabs = lines.iter().filter(|line| by_tabs(&line.text)).count();
    let blanks = lines.iter().filter(|line| by_blanks(&line.text)).count();
    let all = || hunks.iter().flat_map(|hunk| &hunk.lines);
    let shows_tabs = || all().any(|line| by_tabs(&line.text));
    let shows_blanks = || all().any(|line| by_blanks(&line.text));
    let adds = |foreign: &dyn Fn(&str) -> bool| {
        hunks.iter().position(|hunk| hunk.added_lines().any(|line| foreign(&line.text)))
    };
    if tabs == 0 && blanks >= FEWEST_INDENTED && !shows_blanks() {
        adds(&by_tabs)
    } else if blanks == 0 && tabs >= FEWEST_INDENTED && !shows_tabs() {
        adds(&by_blanks)
    } else {
        None
    }
}

/// How the indentation of a patch differs from that of its file.
pub(crate) struct Drift {
    /// Indentations of the patch, and what they are in the file.
    wanted: Vec<String>,
    there: Vec<String>,
    units: Option<(Unit, Unit)>,
    to_blanks: bool,
    to_tabs: bool,
}

impl Drift {
    /// What placed hunks show; `None` unless that is tabs for blanks or blanks for tabs.
    pub(crate) fn of<'h>(
        lines: &[Line<'_>],
        hunks: &[Hunk],
        shown: impl Iterator<Item = (&'h Hunk, isize)>,
    ) -> Option<Self> {
        let (mut wanted, mut there) = (Vec::new(), Vec::new());
        for (hunk, start) in shown {
            let stands = lines.iter().skip(start.max(0).cast_unsigned());
            for (old, line) in hunk.old_lines().zip(stands).filter(|(old, _)| !old.text.trim().is_empty()) {
                wanted.push(format!("{}x", indentation(&old.text)));
                there.push(format!("{}x", indentation(&line.text)));
            }
        }
        let converts = |from: &[String], to: &[String]| {
            from.iter().zip(to).any(|(from, to)| from.contains('\t') && !to.contains('\t') && to.len() > 1)
        };
        let (to_blanks, to_tabs) = (converts(&wanted, &there), converts(&there, &wanted));
        if !to_blanks && !to_tabs {
            return None;
        }
        let kept = |hunk: &'_ Hunk| -> Vec<String> {
            let lines = hunk.lines.iter().filter(|line| line.kind != LineKind::Remove);
            lines.map(|line| line.text.clone()).collect()
        };
        let patch: Vec<String> = hunks.iter().flat_map(kept).collect();
        let of_patch = Unit::of(patch.iter().map(String::as_str));
        let of_file = Unit::of(lines.iter().map(|line| line.text.as_ref()));
        Some(Self { wanted, there, units: of_patch.zip(of_file), to_blanks, to_tabs })
    }

    /// Indents those added lines of a hunk whose indentation its own old lines do not confirm; `false` when
    /// that cannot be told.
    pub(crate) fn settle(&self, hunk: &Hunk, splices: &mut [Splice<'_>]) -> bool {
        let own: Vec<&str> = hunk.old_lines().map(|line| indentation(&line.text)).collect();
        let doubtful = |line: &str| {
            let indent = indentation(line);
            let drifts = (self.to_blanks && indent.contains('\t')) || (self.to_tabs && indent.contains("  "));
            drifts && !line.trim().is_empty() && !own.contains(&indent)
        };
        let wanted: Vec<&str> = self.wanted.iter().map(String::as_str).collect();
        let there: Vec<&str> = self.there.iter().map(String::as_str).collect();
        for line in
            splices.iter_mut().flat_map(|splice| &mut splice.added).filter(|line| doubtful(&line.text))
        {
            let Some(settled) = reindent(&wanted, &there, &[&line.text], || self.units) else { return false };
            line.text = Cow::Owned(settled.into_iter().next().unwrap_or_default());
        }
        true
    }
}
