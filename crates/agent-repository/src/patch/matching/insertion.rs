//! Hunks that only add lines and show nothing of what is there.

use super::haystack::Haystack;
use super::pattern::Pattern;
use super::{Exhausted, Located, Place, scope};
use crate::patch::PatchFormat;
use crate::patch::report::MatchQuality;

pub(super) fn locate(
    haystack: &Haystack<'_, '_>,
    pattern: &Pattern<'_>,
    format: PatchFormat,
) -> Result<Located, Exhausted> {
    let length = haystack.lines.len();
    if length == 0 {
        return Ok(at(0));
    }
    if pattern.hunk.scope.is_empty() {
        return Ok(if pattern.hunk.at_end {
            unless_there(haystack, pattern, length.saturating_sub(pattern.new.len()), length)
        } else {
            Located::Missing { detail: Some(advice(format).to_owned()) }
        });
    }
    let scopes = scope::find(haystack, &pattern.hunk.scope)?;
    let anchors: Vec<usize> =
        scopes.iter().map(|scope| scope.start).filter(|start| start + 1 >= haystack.from).collect();
    Ok(match anchors.as_slice() {
        [] => Located::Missing {
            detail: Some(
                "The line after @@ is not in the file; copy it exactly as it stands there.".to_owned(),
            ),
        },
        [anchor] => unless_there(haystack, pattern, anchor + 1, anchor + 1),
        _ => Located::Ambiguous { rung: MatchQuality::Exact, starts: anchors },
    })
}

fn at(start: usize) -> Located {
    Located::At(Place {
        start: start.cast_signed(),
        rung: MatchQuality::Exact,
        stale: 0,
        added: None,
        gap: None,
        longer: 0,
    })
}

fn unless_there(haystack: &Haystack<'_, '_>, pattern: &Pattern<'_>, result: usize, start: usize) -> Located {
    if pattern.old_weight() == 0 && pattern.result_is_telling() && haystack.has_result_at(pattern, result) {
        return Located::Already { start: result, length: pattern.new.len() };
    }
    at(start)
}

fn advice(format: PatchFormat) -> &'static str {
    match format {
        PatchFormat::Unified => {
            "A hunk without context or removed lines says only a line number, which proves nothing; add context lines."
        }
        PatchFormat::Envelope => {
            "A hunk that only adds needs context lines, a line after @@ to follow, or `*** End of File`."
        }
        PatchFormat::SearchReplace => {
            "An empty SEARCH part fits only an empty or new file; put the lines there that the new ones follow."
        }
    }
}
