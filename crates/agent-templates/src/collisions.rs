//! Whether tasks that may run at the same time touch the same file.

use crate::check::Found;
use crate::text::shortened;
use agent_core::error::Defect;
use agent_core::plan::TaskSpec;

/// Two tasks that may run at the same time must not touch the same file, unless both only read it. The tasks are those
/// of a plan that was found sound.
pub(crate) fn check(tasks: &[TaskSpec], found: &mut Found) {
    let footprints: Vec<Footprint<'_>> = (0..tasks.len()).map(|index| Footprint::of(tasks, index)).collect();
    for (index, task) in footprints.iter().enumerate() {
        for (other_index, other) in footprints.iter().enumerate().skip(index + 1) {
            if task.waits_for(other_index) || other.waits_for(index) {
                continue;
            }
            let Some(path) = task.shared_with(other) else { continue };
            let (path, first) = (shortened(path), index + 1);
            let detail = format!("{path:?} is also touched by task {first}; let one wait for the other");
            found.push(Defect::new(format!("/tasks/{other_index}/depends_on"), detail));
            if found.is_full() {
                return;
            }
        }
    }
}

/// What one task touches, and whom it waits for.
struct Footprint<'a> {
    /// For each task, whether it comes before.
    before: Vec<bool>,
    reads: Vec<Fixed<'a>>,
    writes: Vec<Fixed<'a>>,
}

impl<'a> Footprint<'a> {
    fn of(tasks: &'a [TaskSpec], index: usize) -> Self {
        let all = |paths: &'a [String]| paths.iter().map(|path| fixed(path)).collect();
        let touched = tasks.get(index);
        Self {
            before: before(tasks, index),
            reads: touched.map_or_else(Vec::new, |task| all(&task.reads)),
            writes: touched.map_or_else(Vec::new, |task| all(&task.writes)),
        }
    }

    fn waits_for(&self, index: usize) -> bool {
        self.before.get(index).copied().unwrap_or(false)
    }

    fn shared_with(&self, other: &Self) -> Option<&'a str> {
        shared(&self.writes, &other.writes)
            .or_else(|| shared(&self.writes, &other.reads))
            .or_else(|| shared(&self.reads, &other.writes))
    }
}

/// For each task, whether the one at `index` waits for it. Looks at every edge once.
fn before(tasks: &[TaskSpec], index: usize) -> Vec<bool> {
    let mut found = vec![false; tasks.len()];
    let mut open = vec![index];
    while let Some(next) = open.pop() {
        for position in tasks.get(next).into_iter().flat_map(|task| &task.depends_on) {
            let Some(earlier) = position.checked_sub(1).and_then(|index| usize::try_from(index).ok()) else {
                continue;
            };
            if let Some(seen @ false) = found.get_mut(earlier) {
                *seen = true;
                open.push(earlier);
            }
        }
    }
    found
}

fn shared<'a>(left: &[Fixed<'a>], right: &[Fixed<'_>]) -> Option<&'a str> {
    left.iter().find(|l| right.iter().any(|r| overlaps(l, r))).map(|l| l.path)
}

/// Whether two paths or patterns may mean the same file: one is, or lies below, the other. Of a pattern
/// only the part before its first wildcard counts, so that doubt means yes.
fn overlaps(left: &Fixed<'_>, right: &Fixed<'_>) -> bool {
    let below = |path: &Fixed<'_>, root: &Fixed<'_>| {
        path.text
            .strip_prefix(root.text)
            .is_some_and(|rest| root.open || rest.is_empty() || rest.starts_with('/') || root.text.is_empty())
    };
    below(left, right) || below(right, left)
}

struct Fixed<'a> {
    /// The whole path.
    path: &'a str,
    /// The part of it that is known.
    text: &'a str,
    /// Whether more follows that is not known.
    open: bool,
}

fn fixed(path: &str) -> Fixed<'_> {
    match path.find(['*', '?', '[', '{']) {
        Some(end) => Fixed { path, text: &path[..end], open: true },
        None => Fixed { path, text: path.trim_end_matches('/'), open: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_overlap_when_one_holds_the_other() {
        let cases = [
            ("src/a.rs", "src/a.rs", true),
            ("src", "src/a.rs", true),
            ("src/", "src/deep/a.rs", true),
            ("src/**", "src/a.rs", true),
            ("tests/*.py", "tests", true),
            ("src/a.rs", "src/b.rs", false),
            ("src", "src2/a.rs", false),
            ("src/model*", "src/route.rs", false),
        ];
        for (left, right, expected) in cases {
            assert_eq!(overlaps(&fixed(left), &fixed(right)), expected, "{left} {right}");
            assert_eq!(overlaps(&fixed(right), &fixed(left)), expected, "{right} {left}");
        }
    }
}
