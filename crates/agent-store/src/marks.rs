//! Marks of plans that were read since the last commit: as long as nobody commits anything, they hold.

use crate::database::{CommitWatch, LastCommit};
use agent_core::ids::PlanId;
use agent_core::ports::{PlanMark, Visibility};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many are kept, at about a hundred bytes each.
const MOST: usize = 10_000;

/// Whose mark it is, and who may see it.
pub(crate) type MarkKey = (Visibility, PlanId);

/// Marks that were read since the last commit.
pub(crate) struct Marks {
    watch: Option<Box<dyn CommitWatch>>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// Nobody had committed anything after this when they were asked for.
    since: Option<LastCommit>,
    marks: HashMap<MarkKey, PlanMark>,
}

impl Marks {
    /// None yet. Without a watch none will ever be kept.
    pub(crate) fn new(watch: Option<Box<dyn CommitWatch>>) -> Self {
        Self { watch, kept: Mutex::default() }
    }

    /// The last commit, to be asked for before a mark is read.
    pub(crate) fn last_commit(&self) -> Option<LastCommit> {
        self.watch.as_ref()?.last()
    }

    /// The mark that was read since this commit, which is the last.
    pub(crate) fn find(&self, last: LastCommit, key: &MarkKey) -> Option<PlanMark> {
        let kept = self.lock();
        if kept.since != Some(last) {
            return None;
        }
        kept.marks.get(key).copied()
    }

    /// Keeps a mark that was read after this was the last commit. Where another came in between it may be newer than that
    /// commit; then nobody asks for it, since that is not the last any more.
    pub(crate) fn keep(&self, last: LastCommit, key: MarkKey, mark: PlanMark) {
        let mut kept = self.lock();
        if kept.since != Some(last) || kept.marks.len() >= MOST {
            kept.marks.clear();
            kept.since = Some(last);
        }
        kept.marks.insert(key, mark);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_core::ids::{Revision, TenantId};

    const ONE: LastCommit = LastCommit([1; 12]);
    const TWO: LastCommit = LastCommit([2; 12]);
    const MARK: PlanMark = PlanMark { revision: Revision(1), seq: 2 };

    fn key(plan: i64) -> MarkKey {
        (Visibility::Tenant(TenantId(1)), PlanId(plan))
    }

    #[test]
    fn a_mark_holds_until_the_next_commit() {
        let marks = Marks::new(None);
        marks.keep(ONE, key(1), MARK);
        assert_eq!(marks.find(ONE, &key(1)), Some(MARK));
        assert_eq!(marks.find(ONE, &key(2)), None);
        assert_eq!(marks.find(TWO, &key(1)), None);
        marks.keep(TWO, key(2), MARK);
        assert_eq!((marks.find(TWO, &key(1)), marks.find(ONE, &key(1))), (None, None));
    }

    #[test]
    fn there_are_never_more_than_a_few_thousand() {
        let marks = Marks::new(None);
        for plan in 0..3 * MOST as i64 {
            marks.keep(ONE, key(plan), MARK);
            assert!(marks.lock().marks.len() <= MOST);
        }
    }
}
