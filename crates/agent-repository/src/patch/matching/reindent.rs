//! Added lines take the indentation of the place, when the place differs from the hunk by indentation only.

use std::collections::BTreeMap;

use crate::patch::text::indentation;

/// How far the levels of a text are apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Tab,
    Blanks(usize),
}

const TAB_COLUMNS: usize = 8;
const WIDEST_UNIT: usize = 8;

impl Unit {
    /// The unit of a text: tabs, or the most common step inwards.
    pub(super) fn of<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        let (mut tabs, mut blanks) = (0_usize, 0_usize);
        let mut steps = [0_usize; WIDEST_UNIT + 1];
        let mut previous = None;
        for line in lines.filter(|line| !line.trim().is_empty()) {
            let indent = indentation(line);
            match indent.as_bytes().first() {
                Some(b'\t') => tabs += 1,
                Some(_) => blanks += 1,
                None => {}
            }
            let step = previous.map_or(0, |previous| indent.len().saturating_sub(previous));
            if !indent.contains('\t') && (2..=WIDEST_UNIT).contains(&step) {
                steps[step] += 1;
            }
            previous = Some(indent.len());
        }
        if tabs > blanks {
            return Some(Self::Tab);
        }
        let (step, count) = steps.iter().enumerate().rev().max_by_key(|(_, count)| **count)?;
        (*count > 0).then_some(Self::Blanks(step))
    }

    /// Whole levels of an indentation, and the blanks that remain.
    fn level(self, indent: &str) -> Option<(isize, usize)> {
        match self {
            Self::Tab => {
                let rest = indent.trim_start_matches('\t');
                (!rest.contains('\t')).then_some(((indent.len() - rest.len()).cast_signed(), rest.len()))
            }
            Self::Blanks(width) => (!indent.contains('\t'))
                .then_some(((indent.len() / width).cast_signed(), indent.len() % width)),
        }
    }

    fn render(self, level: isize, rest: usize) -> Option<String> {
        let level = usize::try_from(level).ok()?;
        let mut indent = match self {
            Self::Tab => "\t".repeat(level),
            Self::Blanks(width) => " ".repeat(level * width),
        };
        indent.push_str(&" ".repeat(rest));
        Some(indent)
    }
}

/// Indents `added`, which is written to fit `wanted`, so that it fits `there`.
pub(super) fn reindent(
    wanted: &[&str],
    there: &[&str],
    added: &[&str],
    units: impl FnOnce() -> Option<(Unit, Unit)>,
) -> Option<Vec<String>> {
    let pairs: Vec<(&str, &str)> = wanted
        .iter()
        .zip(there)
        .filter(|(wanted, _)| !wanted.trim().is_empty())
        .map(|(wanted, there)| (indentation(wanted), indentation(there)))
        .collect();
    let seen = consistent(&pairs)?;
    let is_new = |line: &&&str| !line.trim().is_empty() && !seen.contains_key(indentation(line));
    let (shifted, converted) = if added.iter().any(|line| is_new(&line)) {
        let shift = Shift::of(&pairs);
        let shifted: Option<Vec<String>> =
            shift.and_then(|shift| map_lines(added, &seen, |i| shift.apply(i)));
        let converted = units().and_then(|(from, to)| convert(&pairs, added, &seen, from, to));
        (shifted, converted)
    } else {
        (map_lines(added, &seen, |_| None), None)
    };
    match (shifted, converted) {
        // Two readings of the same difference that disagree leave the indentation open.
        (Some(shifted), Some(converted)) => (shifted == converted).then_some(shifted),
        (shifted, converted) => shifted.or(converted),
    }
}

/// The indentations of the hunk and what they are in the file, when that is one to one and keeps the order.
fn consistent<'p>(pairs: &[(&'p str, &'p str)]) -> Option<BTreeMap<&'p str, &'p str>> {
    let mut seen = BTreeMap::new();
    for (wanted, there) in pairs {
        if seen.insert(*wanted, *there).is_some_and(|before| before != *there) {
            return None;
        }
    }
    let mut by_width: Vec<(usize, usize)> =
        seen.iter().map(|(wanted, there)| (columns(wanted), columns(there))).collect();
    by_width.sort_unstable();
    let ordered = by_width.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1);
    (ordered && !seen.is_empty()).then_some(seen)
}

fn columns(indent: &str) -> usize {
    indent
        .chars()
        .fold(0, |column, c| if c == '\t' { (column / TAB_COLUMNS + 1) * TAB_COLUMNS } else { column + 1 })
}

fn map_lines(
    added: &[&str],
    seen: &BTreeMap<&str, &str>,
    unseen: impl Fn(&str) -> Option<String>,
) -> Option<Vec<String>> {
    let map_line = |line: &&str| {
        if line.trim().is_empty() {
            return Some((*line).to_owned());
        }
        let indent = indentation(line);
        let mapped = match seen.get(indent) {
            Some(there) => (*there).to_owned(),
            None => unseen(indent)?,
        };
        Some(mapped + &line[indent.len()..])
    };
    added.iter().map(map_line).collect()
}

/// The same blanks more, or fewer, before every line.
enum Shift<'p> {
    Deeper(&'p str),
    Shallower(&'p str),
}

impl<'p> Shift<'p> {
    fn of(pairs: &[(&'p str, &'p str)]) -> Option<Self> {
        let (wanted, there) = pairs.first()?;
        if let Some(more) = there.strip_suffix(wanted) {
            let uniform = pairs.iter().all(|(wanted, there)| there.strip_prefix(more) == Some(*wanted));
            return uniform.then_some(Self::Deeper(more));
        }
        let fewer = wanted.strip_suffix(there)?;
        let uniform = pairs.iter().all(|(wanted, there)| wanted.strip_prefix(fewer) == Some(*there));
        uniform.then_some(Self::Shallower(fewer))
    }

    fn apply(&self, indent: &str) -> Option<String> {
        match self {
            Self::Deeper(more) => Some(format!("{more}{indent}")),
            Self::Shallower(fewer) => indent.strip_prefix(fewer).map(str::to_owned),
        }
    }
}

/// Levels of one unit become levels of another, all shifted by the same number.
fn convert(
    pairs: &[(&str, &str)],
    added: &[&str],
    seen: &BTreeMap<&str, &str>,
    from: Unit,
    to: Unit,
) -> Option<Vec<String>> {
    let mut shift = None;
    for (wanted, there) in pairs {
        let ((level, rest), (there_level, there_rest)) = (from.level(wanted)?, to.level(there)?);
        let difference = there_level - level;
        if rest != there_rest || *shift.get_or_insert(difference) != difference {
            return None;
        }
    }
    let shift = shift?;
    map_lines(added, seen, |indent| {
        let (level, rest) = from.level(indent)?;
        to.render(level + shift, rest)
    })
}
