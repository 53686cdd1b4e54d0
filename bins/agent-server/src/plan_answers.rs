//! Answers about plans that hold as long as the plan is as it was: a plan that nobody changes is read, priced and written as
//! JSON once, however often it is asked for. Whether it changed is asked of the database at each request.

use crate::conditional::plan_tag;
use crate::views::plan::PlanDetailsView;
use actix_web::web::Bytes;
use agent_core::ids::PlanId;
use agent_core::ports::PlanMark;
use agent_runtime::PlanDetails;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many bytes of answers are kept.
const MOST_BYTES: usize = 8 * 1024 * 1024;
/// A longer answer is not worth the room.
const LONGEST: usize = 256 * 1024;

/// An answer as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct PlanAnswer {
    /// Its `ETag`.
    pub(crate) tag: String,
    /// The plan in JSON.
    pub(crate) body: Bytes,
}

impl PlanAnswer {
    /// The answer that tells these details.
    ///
    /// # Errors
    /// Where they cannot be written as JSON, which no plan can bring about.
    pub(crate) fn new(details: PlanDetails) -> serde_json::Result<Self> {
        let tag = plan_tag(&details);
        Ok(Self { tag, body: serde_json::to_vec(&PlanDetailsView::from(details))?.into() })
    }
}

/// The answers that were given last, in bounded room.
#[derive(Debug, Default)]
pub(crate) struct PlanAnswers(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<PlanId, (PlanMark, PlanAnswer)>,
    bytes: usize,
}

impl PlanAnswers {
    /// The answer about a plan that still has this mark.
    pub(crate) fn find(&self, plan: PlanId, mark: PlanMark) -> Option<PlanAnswer> {
        let kept = self.lock();
        let (at, answer) = kept.answers.get(&plan)?;
        (*at == mark).then(|| answer.clone())
    }

    /// Keeps an answer that was made after the plan had this mark. It may tell of later changes: then nobody will ask for
    /// it, since the plan has another mark already.
    pub(crate) fn keep(&self, plan: PlanId, mark: PlanMark, answer: &PlanAnswer) {
        if answer.body.len() > LONGEST {
            return;
        }
        let mut kept = self.lock();
        if kept.bytes + answer.body.len() > MOST_BYTES {
            *kept = Kept::default();
        }
        kept.bytes += answer.body.len();
        if let Some((_, before)) = kept.answers.insert(plan, (mark, answer.clone())) {
            kept.bytes -= before.body.len();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_core::ids::Revision;

    fn answer(length: usize) -> PlanAnswer {
        PlanAnswer { tag: "\"1\"".to_owned(), body: vec![b'x'; length].into() }
    }

    #[test]
    fn an_answer_is_found_under_its_mark_alone() {
        let answers = PlanAnswers::default();
        let (first, second) =
            (PlanMark { revision: Revision(1), seq: 2 }, PlanMark { revision: Revision(1), seq: 3 });
        answers.keep(PlanId(1), first, &answer(10));
        assert!(answers.find(PlanId(1), first).is_some());
        assert!(answers.find(PlanId(1), second).is_none());
        assert!(answers.find(PlanId(2), first).is_none());
    }

    #[test]
    fn room_is_bounded() {
        let answers = PlanAnswers::default();
        let mark = PlanMark { revision: Revision(1), seq: 2 };
        for plan in 0..1_000 {
            answers.keep(PlanId(plan), mark, &answer(LONGEST));
            let kept = answers.lock();
            assert_eq!(kept.bytes, kept.answers.values().map(|(_, answer)| answer.body.len()).sum::<usize>());
            assert!(kept.bytes <= MOST_BYTES);
        }
        answers.keep(PlanId(1_000), mark, &answer(LONGEST + 1));
        assert!(answers.find(PlanId(1_000), mark).is_none());
        assert!(answers.find(PlanId(999), mark).is_some());
    }
}
