//! What stands in the file where a hunk probably meant to go: for the error message only.

use super::Exhausted;
use super::haystack::Haystack;
use super::pattern::Pattern;
use crate::patch::report::Nearest;
use crate::patch::text::plain;

/// How many places per searched line are looked at closely.
const PLACES: usize = 6;
/// How many lines per searched line are compared closely.
const LOOKED_AT: usize = 32;
/// Less similarity than this is no help.
const LEAST_SIMILARITY: f64 = 0.2;
const LONGEST_LINE: usize = 300;
const MOST_LINES_SHOWN: usize = 40;
const MOST_BYTES_SHOWN: usize = 4096;
/// A line comparison here costs about this many plain ones.
const COST: usize = 32;

pub(super) fn nearest(
    haystack: &Haystack<'_, '_>,
    pattern: &Pattern<'_>,
) -> Result<Option<Nearest>, Exhausted> {
    let mut starts: Vec<isize> = pattern.hint().map(usize::cast_signed).into_iter().collect();
    let mut by_length: Vec<usize> = (0..pattern.old.len()).collect();
    by_length.sort_by_key(|index| std::cmp::Reverse(pattern.old_plain[*index].trim().len()));
    for index in by_length.into_iter().take(2) {
        haystack.work.spend(haystack.lines.len().saturating_mul(COST))?;
        let wanted = Pairs::of(&pattern.old_plain[index]);
        let scored = likely(haystack, &pattern.old_plain[index]).into_iter();
        let scored = scored.map(|at| (at, wanted.likeness(&haystack.plain()[at])));
        let mut scored: Vec<(usize, f64)> = scored.filter(|(_, score)| *score > 0.0).collect();
        scored.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(&right.0)));
        starts.extend(scored.iter().take(PLACES).map(|(at, _)| at.cast_signed() - index.cast_signed()));
    }
    haystack.work.spend(starts.len().saturating_mul(pattern.old.len()).saturating_mul(COST))?;
    let wanted: Vec<Pairs> = pattern.old_plain.iter().map(|line| Pairs::of(line)).collect();
    let scored = starts.into_iter().map(|start| (start, similarity(haystack, &wanted, start)));
    let best = scored.max_by(|left, right| left.1.total_cmp(&right.1).then(right.0.cmp(&left.0)));
    Ok(best.filter(|(_, similarity)| *similarity >= LEAST_SIMILARITY).map(|(start, similarity)| {
        let first = start.max(0).cast_unsigned();
        let end = (start + pattern.old.len().cast_signed()).max(0).cast_unsigned().min(haystack.lines.len());
        Nearest { line: first + 1, similarity: rounded(similarity), actual: shown(haystack, first, end) }
    }))
}

/// The lines that share the most with this one, as far as that is told at a glance.
fn likely(haystack: &Haystack<'_, '_>, wanted: &str) -> Vec<usize> {
    let wanted = glance(wanted);
    let shared = |line: &str| {
        let glance = glance(line);
        let both = (glance & wanted).count_ones() * 2000;
        both / (glance.count_ones() + wanted.count_ones()).max(1)
    };
    let mut lines: Vec<(u32, usize)> =
        haystack.plain().iter().enumerate().map(|(at, line)| (shared(line), at)).collect();
    lines.retain(|(shared, _)| *shared > 0);
    let by_share = |(shared, at): &(u32, usize)| (std::cmp::Reverse(*shared), *at);
    if lines.len() > LOOKED_AT {
        lines.select_nth_unstable_by_key(LOOKED_AT, by_share);
        lines.truncate(LOOKED_AT);
    }
    lines.into_iter().map(|(_, at)| at).collect()
}

/// One bit for every sort of neighbouring pairs of bytes that a line has.
fn glance(line: &str) -> u128 {
    let line = line.trim().as_bytes();
    let pairs = line[..line.len().min(LONGEST_LINE)].windows(2);
    pairs.fold(0, |seen, pair| seen | 1 << ((u32::from(pair[0]) * 31 + u32::from(pair[1])) % u128::BITS))
}

fn rounded(similarity: f64) -> f64 {
    (similarity * 1000.0).round() / 1000.0
}

fn shown(haystack: &Haystack<'_, '_>, first: usize, end: usize) -> String {
    let mut actual = String::new();
    for line in haystack.lines.get(first..end).unwrap_or_default().iter().take(MOST_LINES_SHOWN) {
        if actual.len() + line.text.len() > MOST_BYTES_SHOWN {
            actual.push_str("[…]\n");
            break;
        }
        actual.push_str(&line.text);
        actual.push('\n');
    }
    actual
}

#[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
fn similarity(haystack: &Haystack<'_, '_>, wanted: &[Pairs], start: isize) -> f64 {
    let likeness = |(index, wanted): (usize, &Pairs)| {
        let at = usize::try_from(start + index.cast_signed()).ok();
        at.and_then(|at| haystack.plain().get(at)).map_or(0.0, |line| wanted.likeness(line))
    };
    wanted.iter().enumerate().map(likeness).sum::<f64>() / wanted.len().max(1) as f64
}

/// The neighbouring pairs of bytes of a line, sorted: two lines are as alike as the pairs they share.
struct Pairs {
    text: String,
    pairs: Vec<[u8; 2]>,
}

impl Pairs {
    fn of(line: &str) -> Self {
        let text = plain(line.trim()).into_owned();
        Self { pairs: pairs_of(&text), text }
    }

    #[expect(clippy::cast_precision_loss, reason = "lines are cut at a few hundred bytes")]
    fn likeness(&self, line: &str) -> f64 {
        let line = line.trim();
        if line == self.text {
            return 1.0;
        }
        if line.is_empty() || self.pairs.is_empty() {
            return 0.0;
        }
        let other = pairs_of(line);
        let (mut left, mut right, mut shared) = (0, 0, 0_usize);
        while let (Some(mine), Some(theirs)) = (self.pairs.get(left), other.get(right)) {
            match mine.cmp(theirs) {
                std::cmp::Ordering::Less => left += 1,
                std::cmp::Ordering::Greater => right += 1,
                std::cmp::Ordering::Equal => {
                    (left, right, shared) = (left + 1, right + 1, shared + 1);
                }
            }
        }
        (2.0 * shared as f64 / (self.pairs.len() + other.len()) as f64).min(0.99)
    }
}

fn pairs_of(text: &str) -> Vec<[u8; 2]> {
    let bytes = &text.as_bytes()[..text.len().min(LONGEST_LINE)];
    let mut pairs: Vec<[u8; 2]> = bytes.windows(2).map(|pair| [pair[0], pair[1]]).collect();
    pairs.sort_unstable();
    pairs
}
