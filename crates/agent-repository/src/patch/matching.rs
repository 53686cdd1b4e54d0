//! Finds the one place where a hunk belongs, or says why there is none.
//!
//! A ladder of comparisons is climbed from exact to loose, and the first rung that has a place decides: one
//! place is taken, several are an error. Nothing here prefers the first or the nearest of several places.

use super::report::MatchQuality;
use super::text::Line;
use super::{Hunk, PatchFormat};

mod alignment;
mod already;
mod block;
mod drift;
mod evidence;
mod gapped;
mod haystack;
mod insertion;
mod nearest;
mod pattern;
mod reindent;
mod scope;
mod splice;
mod stale;

pub(crate) use drift::{Drift, foreign_indentation};
use haystack::{Haystack, Moved};
use pattern::Pattern;
pub(crate) use splice::{Splice, apply_splices, splices_of};

/// The rungs in the order in which they are tried; a shifted place of the first counts as `Offset`.
const RUNGS: [MatchQuality; 4] =
    [MatchQuality::Exact, MatchQuality::TrailingWhitespace, MatchQuality::Unicode, MatchQuality::Indentation];

const OPEN_BLANKS: &str = "Lines that end otherwise in the block than in the file are also added or stand there more than \
    once, which leaves open how each ends; write them as they stand in the file.";
/// How far from the stated line a place may be that is taken for meant by it.
const NEAR: usize = 3;
/// Line comparisons that one plan may cost; enough for thousands of hunks in large files.
const MOST_WORK: u64 = 200_000_000;

/// Counts line comparisons, so that a hostile patch ends with an error instead of never.
#[derive(Debug)]
pub(crate) struct Work(std::cell::Cell<u64>);

/// The patch costs more comparisons than one plan may.
#[derive(Debug)]
pub(crate) struct Exhausted;

impl Work {
    pub(crate) fn new() -> Self {
        Self(std::cell::Cell::new(MOST_WORK))
    }

    fn spend(&self, amount: usize) -> Result<(), Exhausted> {
        let left = self.0.get().checked_sub(amount as u64).ok_or(Exhausted)?;
        self.0.set(left);
        Ok(())
    }
}

/// The file as it is before a hunk, and where the hunk may change it.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'t, 'a> {
    pub(crate) lines: &'t [Line<'a>],
    pub(crate) final_newline: bool,
    /// The first line that this hunk may change: everything before belongs to earlier hunks.
    pub(crate) from: usize,
    /// How far the hunk before was from its stated line.
    pub(crate) offset: isize,
    /// Whether line endings count in exact comparisons.
    pub(crate) endings: bool,
    pub(crate) format: PatchFormat,
    pub(crate) work: &'t Work,
}

/// Where a hunk belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// The file's line that belongs to the hunk's first old line; below zero when stale context hangs over.
    pub(crate) start: isize,
    pub(crate) rung: MatchQuality,
    pub(crate) stale: usize,
    /// The added lines as they must be written here, when they differ from the patch.
    pub(crate) added: Option<Vec<String>>,
    /// Lines that the file has more or fewer amid the context.
    pub(crate) gap: Option<Gap>,
    /// How many lines the file has more than the hunk's context, which moves all that follows.
    pub(crate) longer: isize,
}

impl Place {
    /// How many lines further down than its number of lines says the hunk ends here.
    pub(crate) fn growth(&self) -> isize {
        self.longer + self.gap.map_or(0, |gap| gap.by)
    }
}

/// From old line `before` on, the file's lines are `by` further down than the hunk's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    pub(crate) before: usize,
    pub(crate) by: isize,
}

/// The outcome of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Located {
    At(Place),
    /// The result stands at this line already, and goes on for that many lines.
    Already {
        start: usize,
        length: usize,
    },
    Ambiguous {
        rung: MatchQuality,
        starts: Vec<usize>,
    },
    Missing {
        detail: Option<String>,
    },
}

/// Finds the place of a hunk.
pub(crate) fn locate(ground: Ground<'_, '_>, hunk: &Hunk) -> Result<Located, Exhausted> {
    let haystack = Haystack::new(ground);
    let pattern = Pattern::new(hunk, ground.endings, ground.offset);
    if pattern.old.is_empty() {
        return insertion::locate(&haystack, &pattern, ground.format);
    }
    let search = Search { hint: pattern.hint(), haystack, pattern };
    let stated = search.pattern.stated();
    if let Some(line) = stated.filter(|line| search.is_passed(*line)) {
        return Ok(Located::Missing { detail: Some(out_of_order(line)) });
    }
    let mut fitting =
        [search.hint, stated].into_iter().flatten().filter(|line| search.fits_exactly_at(*line));
    if let Some(line) = fitting.next() {
        if let Some(other) = fitting.find(|other| *other != line) {
            let starts = vec![line.min(other), line.max(other)];
            return Ok(Located::Ambiguous { rung: MatchQuality::Exact, starts });
        }
        let rung = if stated == Some(line) { MatchQuality::Exact } else { MatchQuality::Offset };
        let over = already::result_over(&search, line);
        return Ok(over.unwrap_or_else(|| search.at(line, rung)));
    }
    for rung in RUNGS {
        if let Some(located) = search.rung(rung)? {
            return Ok(located);
        }
    }
    if let Some(already) = already::standing(&search)? {
        return Ok(already);
    }
    if let Some(located) = stale::locate(&search.haystack, &search.pattern)? {
        return Ok(located);
    }
    search.missing()
}

/// The most similar text, for a hunk that was not found.
pub(crate) fn nearest(ground: Ground<'_, '_>, hunk: &Hunk) -> Result<Option<super::Nearest>, Exhausted> {
    nearest::nearest(&Haystack::new(ground), &Pattern::new(hunk, ground.endings, ground.offset))
}

fn out_of_order(line: usize) -> String {
    format!(
        "They stand at line {}, before the place of an earlier hunk; put the hunks in the order of the file.",
        line + 1
    )
}

struct Search<'t, 'a, 'h> {
    haystack: Haystack<'t, 'a>,
    pattern: Pattern<'h>,
    hint: Option<usize>,
}

impl Search<'_, '_, '_> {
    fn fits_exactly_at(&self, start: usize) -> bool {
        start + self.pattern.lead >= self.haystack.from
            && self.haystack.fits(&self.pattern, MatchQuality::Exact, start)
    }

    /// Whether the hunk fits at its number, but an earlier hunk was further down: what fits elsewhere is a copy.
    fn is_passed(&self, line: usize) -> bool {
        self.haystack.format != PatchFormat::SearchReplace
            && line + self.pattern.lead < self.haystack.from
            && self.haystack.fits(&self.pattern, MatchQuality::Exact, line)
    }

    fn at(&self, start: usize, rung: MatchQuality) -> Located {
        let loose = rung > MatchQuality::Offset && self.haystack.format == PatchFormat::SearchReplace;
        if loose && self.haystack.mixes_variants(&self.pattern, start) {
            return Located::Missing { detail: Some(OPEN_BLANKS.to_owned()) };
        }
        let added = match rung {
            MatchQuality::Indentation => self.haystack.reindented(&self.pattern, start),
            // A line on both sides of a block is one line, wherever on the other side it stands.
            MatchQuality::TrailingWhitespace if self.haystack.format == PatchFormat::SearchReplace => {
                match self.haystack.moved(&self.pattern, start) {
                    Moved::AsThere(added) => Some(added),
                    Moved::Nothing => None,
                    Moved::Open => return Located::Missing { detail: Some(OPEN_BLANKS.to_owned()) },
                }
            }
            _ => None,
        };
        Located::At(Place { start: start.cast_signed(), rung, stale: 0, added, gap: None, longer: 0 })
    }

    fn rung(&self, rung: MatchQuality) -> Result<Option<Located>, Exhausted> {
        let found = self.haystack.places(&self.pattern, rung)?;
        let found = self.narrowed(found)?;
        // Brackets that are indented otherwise stand everywhere; with a number that names one they say enough.
        if rung == MatchQuality::Indentation
            && !self.pattern.is_telling()
            && self.hint.is_none_or(|hint| found != [hint])
        {
            return Ok(None);
        }
        let stated =
            [self.hint, self.pattern.stated()].into_iter().flatten().find(|line| found.contains(line));
        let start = match (found.as_slice(), stated) {
            ([], _) => return Ok(None),
            ([start], _) => *start,
            // Of several that fit alike, the one that the patch states.
            (_, Some(start)) => start,
            _ => return Ok(Some(Located::Ambiguous { rung, starts: found })),
        };
        // Line for line, or what stands there would be the rest of a hunk that only removes.
        let as_long = self.pattern.new.len() == self.pattern.old.len();
        if rung > MatchQuality::Exact && as_long && self.haystack.has_result_at(&self.pattern, start) {
            return Ok(Some(Located::Already { start, length: self.pattern.new.len() }));
        }
        if let Some(already) = already::result_over(self, start) {
            return Ok(Some(already));
        }
        if let Some(other) = self.rival(rung, start)? {
            let mut starts = vec![start, other];
            starts.sort_unstable();
            return Ok(Some(Located::Ambiguous { rung, starts }));
        }
        let moved = rung == MatchQuality::Exact && self.hint.is_some();
        Ok(Some(self.at(start, if moved { MatchQuality::Offset } else { rung })))
    }

    /// Another place that the hunk speaks for, where a looser comparison would accept it: the stated line, or
    /// the end of the file at which context is missing. Then neither is beyond doubt.
    fn rival(&self, rung: MatchQuality, start: usize) -> Result<Option<usize>, Exhausted> {
        let pattern = &self.pattern;
        let length = self.haystack.lines.len();
        let at_start = (pattern.lead == 0 && pattern.trail > 0).then_some(0);
        let at_end =
            (pattern.trail == 0 && pattern.lead > 0).then(|| length.checked_sub(pattern.old.len())).flatten();
        let allowed = |other: &usize| *other != start && other + pattern.lead >= self.haystack.from;
        // Lines that are more or fewer beside the place itself are none of another place.
        let apart = |other: &usize| other.abs_diff(start) > NEAR;
        for other in [at_start, at_end].into_iter().flatten().filter(allowed).filter(apart) {
            let fit = evidence::fit(&self.haystack, pattern, other.cast_signed())?;
            if fit.is_some_and(|fit| fit.is_likely(pattern)) {
                return Ok(Some(other));
            }
        }
        if rung == MatchQuality::Indentation
            && let Some(other) = self.stale_as_indented(start)?
        {
            return Ok(Some(other));
        }
        let Some(hint) = self.hint.filter(allowed) else { return Ok(None) };
        let mut looser = RUNGS.into_iter().filter(|other| *other > rung);
        // A hunk with context on one side only has less of it to agree.
        let one_sided = pattern.lead == 0 || pattern.trail == 0;
        let fits = looser.any(|other| self.haystack.fits(pattern, other, hint))
            || evidence::fit(&self.haystack, pattern, hint.cast_signed())?
                .is_some_and(|fit| one_sided || fit.is_likely(pattern));
        if fits {
            return Ok(Some(hint));
        }
        // A line more or less within the context moves what the number states.
        let near = (hint.saturating_sub(NEAR)..=hint + NEAR).filter(|other| allowed(other) && *other != hint);
        for other in near {
            let fit = evidence::fit(&self.haystack, pattern, other.cast_signed())?;
            if fit.is_some_and(|fit| fit.nearly_stated && fit.is_near(pattern)) {
                return Ok(Some(other));
            }
        }
        Ok(None)
    }

    /// Another place that is indented as the hunk is and fits but for a stale line: it may be the one that is meant,
    /// and this one a copy at another level.
    fn stale_as_indented(&self, start: usize) -> Result<Option<usize>, Exhausted> {
        let fits = stale::survey(&self.haystack, &self.pattern)?;
        let other = fits
            .iter()
            .filter(|fit| fit.start != start.cast_signed() && fit.sound && fit.is_near(&self.pattern));
        Ok(other.min_by_key(|fit| fit.stale).map(|fit| fit.start.max(0).cast_unsigned()))
    }

    /// Chooses between places by what the hunk says about its surroundings.
    fn narrowed(&self, mut found: Vec<usize>) -> Result<Vec<usize>, Exhausted> {
        let end = self.haystack.lines.len().checked_sub(self.pattern.old.len());
        if self.pattern.ends_file()
            && let Some(end) = end.filter(|end| found.contains(end))
        {
            return Ok(vec![end]);
        }
        let hunk = self.pattern.hunk;
        if !hunk.scope.is_empty() {
            let scopes = scope::find(&self.haystack, &hunk.scope)?;
            if let Some(first) = scopes.iter().map(|scope| scope.start).min() {
                let inside: Vec<usize> =
                    found.iter().copied().filter(|start| self.is_inside(*start, &scopes)).collect();
                found.retain(|start| start + self.pattern.lead >= first);
                return Ok(if inside.is_empty() { found } else { inside });
            }
        }
        if let Some(section) = hunk.section.as_ref().filter(|_| found.len() > 1) {
            let scopes = scope::find(&self.haystack, std::slice::from_ref(section))?;
            let inside: Vec<usize> =
                found.iter().copied().filter(|start| self.is_inside(*start, &scopes)).collect();
            if inside.len() == 1 {
                return Ok(inside);
            }
        }
        Ok(found)
    }

    fn is_inside(&self, start: usize, scopes: &[std::ops::Range<usize>]) -> bool {
        // The last line before the change: what is added at the end of a scope is still inside.
        let before = start + self.pattern.lead.saturating_sub(1);
        scopes.iter().any(|scope| scope.contains(&before))
    }

    fn missing(&self) -> Result<Located, Exhausted> {
        let mut detail = None;
        if self.haystack.from > 0 && self.haystack.format != PatchFormat::SearchReplace {
            let anywhere = self.haystack.starting_at(0);
            if let Some(start) = anywhere.places(&self.pattern, MatchQuality::TrailingWhitespace)?.first() {
                detail = Some(out_of_order(*start));
            }
        }
        Ok(Located::Missing { detail })
    }
}
