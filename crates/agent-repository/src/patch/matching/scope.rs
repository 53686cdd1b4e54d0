//! The lines that a scope line (`@@ class Parser`) encloses.

use std::ops::Range;

use super::Exhausted;
use super::haystack::Haystack;
use crate::patch::text::{indentation, plain};

/// Every stretch of lines that the scope lines, outermost first, enclose; each starts with the innermost one.
pub(super) fn find(haystack: &Haystack<'_, '_>, scope: &[String]) -> Result<Vec<Range<usize>>, Exhausted> {
    let mut enclosing: Vec<Range<usize>> = Vec::new();
    for (depth, wanted) in scope.iter().enumerate() {
        haystack.work.spend(haystack.lines.len())?;
        let found = occurrences(haystack, wanted);
        let inner: Vec<usize> = if depth == 0 {
            found
        } else {
            let within = |at: &usize| enclosing.iter().any(|outer| outer.start < *at && *at < outer.end);
            found.into_iter().filter(within).collect()
        };
        haystack.work.spend(inner.len().saturating_mul(8))?;
        enclosing = inner.into_iter().map(|at| at..end_of(haystack, at)).collect();
    }
    Ok(enclosing)
}

/// Lines equal to the wanted one but for blanks around it; failing that, lines that start with it.
fn occurrences(haystack: &Haystack<'_, '_>, wanted: &str) -> Vec<usize> {
    let wanted = plain(wanted.trim());
    let at = |matches: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let lines = haystack.plain().iter().enumerate();
        lines.filter(|(_, line)| matches(line.trim_start())).map(|(index, _)| index).collect()
    };
    let equal = at(&|line| line == wanted);
    if equal.is_empty() { at(&|line| line.starts_with(wanted.as_ref())) } else { equal }
}

/// The line after the last one that is indented more than the line at `at`, or closes it.
fn end_of(haystack: &Haystack<'_, '_>, at: usize) -> usize {
    let depth = indentation(&haystack.lines[at].text).len();
    let following = haystack.lines.iter().enumerate().skip(at + 1);
    let outside = following.into_iter().find(|(_, line)| {
        let indent = indentation(&line.text).len();
        let closes = line.text.trim_start().starts_with(['}', ')', ']', '{']);
        !line.text.trim().is_empty() && (indent < depth || (indent == depth && !closes))
    });
    outside.map_or(haystack.lines.len(), |(index, _)| index)
}
