//! Patches with a known result, made from real changes, and what the patcher makes of them.

use std::time::{Duration, Instant};

use agent_repository::patch::apply_to_text;
use agent_repository::path_guard::RelativePath;

mod change;
mod draft;
mod history;
mod kinds;
mod oracle;
mod random;

pub(crate) use change::Change;
use draft::Draft;
pub(crate) use history::changes_of;
pub(crate) use kinds::KINDS;
use kinds::Kind;
use random::Random;

/// The result of a patch that has none: no text file has it.
const UNREACHABLE: &str = "\0";

/// A patch, the file it is for, and the only right result.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) path: String,
    pub(crate) before: String,
    pub(crate) patch: String,
    pub(crate) after: String,
    /// Whether the patch leaves open which place it means, so that refusing it is right too.
    pub(crate) undecidable: bool,
}

/// What became of a sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Byte for byte the expected result.
    Exact,
    Refused(String),
    /// Applied with another result: the one fault that cannot be forgiven.
    Wrong(String),
}

/// How much is tried, and what is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) seed: u64,
    /// How many examples of each sort are kept.
    pub(crate) most_examples: usize,
    /// How often each patch is applied.
    pub(crate) runs: usize,
}

/// The results of one kind.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) kind: &'static str,
    pub(crate) patches: usize,
    pub(crate) exact: usize,
    pub(crate) refused: usize,
    /// Those of the refused that leave their place open.
    pub(crate) undecidable: usize,
    pub(crate) wrong: usize,
    pub(crate) times: Vec<Duration>,
    /// The first ones that are wrong, and the first that are refused without being undecidable.
    pub(crate) examples: Vec<(Sample, Outcome)>,
}

/// Makes a patch of this kind from a change; `None` where the kind does not exist for it.
pub(crate) fn sample(change: &Change, kind: &Kind, random: &mut Random) -> Option<Sample> {
    let mut draft = Draft::of(change);
    if !kind.1.iter().all(|perturb| perturb(&mut draft, random)) || oracle::means_another_place(&draft) {
        return None;
    }
    Some(Sample {
        path: change.path.clone(),
        before: draft.change.before(),
        patch: draft.patch(),
        after: if draft.hopeless { UNREACHABLE.to_owned() } else { draft.change.after() },
        undecidable: draft.cut > 0
            || draft.contradicts
            || oracle::may_be_cut_off(&draft)
            || draft.hopeless
            || oracle::is_undecidable(&draft)
            || oracle::leaves_stale_line_open(&draft),
    })
}

/// Applies a sample some times, and tells how long that takes: the fastest time counts, because other work of the
/// machine only adds.
#[expect(clippy::disallowed_methods, reason = "a tool that measures time")]
pub(crate) fn try_out(sample: &Sample, runs: usize) -> (Outcome, Duration) {
    let mut fastest = Duration::MAX;
    let mut result = RelativePath::new(&sample.path).map(|_| None);
    for _ in 0..runs.max(1) {
        let started = Instant::now();
        result = RelativePath::new(&sample.path)
            .and_then(|path| apply_to_text(&path, Some(&sample.before), &sample.patch));
        fastest = fastest.min(started.elapsed());
    }
    let outcome = match result {
        Ok(after) if after.as_deref() == Some(&sample.after) => Outcome::Exact,
        Ok(after) => Outcome::Wrong(after.unwrap_or_default()),
        Err(error) => Outcome::Refused(error.to_string()),
    };
    (outcome, fastest)
}

/// Tries every change as a patch of this kind.
pub(crate) fn tally(changes: &[Change], kind: &'static Kind, effort: &Effort) -> Tally {
    let Effort { seed, most_examples, runs } = *effort;
    let mut tally = Tally { kind: kind.0, ..Tally::default() };
    let (mut wrong, mut refused) = (Vec::new(), Vec::new());
    for (number, change) in changes.iter().enumerate() {
        let Some(sample) = sample(change, kind, &mut Random::of(seed, kind.0, number)) else { continue };
        let (outcome, time) = try_out(&sample, runs);
        tally.patches += 1;
        tally.times.push(time);
        match outcome {
            Outcome::Exact => tally.exact += 1,
            Outcome::Refused(_) => {
                tally.refused += 1;
                tally.undecidable += usize::from(sample.undecidable);
                if !sample.undecidable && refused.len() < most_examples {
                    refused.push((sample, outcome));
                }
            }
            Outcome::Wrong(_) => {
                tally.wrong += 1;
                if wrong.len() < most_examples {
                    wrong.push((sample, outcome));
                }
            }
        }
    }
    tally.times.sort_unstable();
    tally.examples = wrong;
    tally.examples.append(&mut refused);
    tally
}

impl Tally {
    /// Exact ones in percent of those whose place can be decided.
    pub(crate) fn percent(&self) -> f64 {
        let decidable = self.patches - self.undecidable;
        100.0 * self.exact as f64 / decidable.max(1) as f64
    }
}
