//! Questions to people, and the answers of those who may give them.

use crate::error::Result;
use agent_auth::Principal;
use agent_core::Error;
use agent_core::approval::Resolution;
use agent_core::error::Defect;
use agent_core::executor::Executor;
use agent_core::executor::fact::Fact;
use agent_core::ids::{ApprovalId, PlanId};
use agent_core::plan::PlanState;
use agent_core::policy::{Demand, Judge, Judged, Permission, Rule};
use agent_core::ports::{Approval, ApprovalFilter, Clock, PlanReader, PlanStore};
use std::sync::Arc;

/// The longest note, in bytes.
const LONGEST_NOTE: usize = 2_000;

/// Which questions to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WantedApprovals {
    /// Only of this plan.
    pub plan_id: Option<PlanId>,
    /// Also those that are no longer open.
    pub include_decided: bool,
    /// Only those newer than this one (the cursor).
    pub after: Option<ApprovalId>,
    /// At most so many.
    pub limit: u32,
}

/// A page of questions.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalPage {
    /// The questions, oldest first.
    pub approvals: Vec<Approval>,
    /// How many match in all.
    pub total: u64,
    /// Pass as the cursor to get the next page.
    pub next: Option<ApprovalId>,
}

/// An answer as a person gives it.
#[derive(Debug, Clone, PartialEq)]
pub struct PersonsAnswer {
    /// The answer.
    pub decision: Resolution,
    /// What is said with it; a model that asked is told.
    pub note: Option<String>,
    /// The hash of what the person looked at; an answer to anything else is refused.
    pub args_hash: Option<String>,
}

/// An answer that was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Decided {
    /// The question with its answer.
    pub approval: Approval,
    /// The plan after it.
    pub state: PlanState,
}

/// Requests about questions to people.
#[derive(Clone)]
pub struct Approvals {
    executor: Executor,
    store: agent_store::Store,
    judge: Arc<dyn Judge>,
    clock: Arc<dyn Clock>,
}

impl Approvals {
    pub(crate) fn new(
        executor: &Executor,
        store: &agent_store::Store,
        judge: &Arc<dyn Judge>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let (executor, store) = (executor.clone(), store.clone());
        Self { executor, store, judge: Arc::clone(judge), clock: Arc::clone(clock) }
    }

    /// Questions about plans that the caller may see, oldest first.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn list(&self, caller: &Principal, wanted: WantedApprovals) -> Result<ApprovalPage> {
        let WantedApprovals { plan_id, include_decided, after, limit } = wanted;
        let visibility = caller.visibility();
        let filter = ApprovalFilter { visibility, plan_id, id: None, include_decided, after, limit };
        let (approvals, total) = PlanReader::approvals(&self.store, &filter).await?;
        let full = u32::try_from(approvals.len()).is_ok_and(|length| length == limit);
        let next = approvals.last().filter(|_| full).map(|last| last.id);
        Ok(ApprovalPage { approvals, total, next })
    }

    /// One question.
    ///
    /// # Errors
    /// `ApprovalNotFound`, also for one about somebody else's plan.
    pub async fn find(&self, caller: &Principal, id: ApprovalId) -> Result<Approval> {
        let (visibility, plan_id, include_decided) = (caller.visibility(), None, true);
        let filter =
            ApprovalFilter { visibility, plan_id, id: Some(id), include_decided, after: None, limit: 1 };
        let (mut found, _total) = PlanReader::approvals(&self.store, &filter).await?;
        Ok(found.pop().ok_or(Error::ApprovalNotFound(id))?)
    }

    /// Answers a question; the first answer counts.
    ///
    /// # Errors
    /// `ApprovalNotFound`; `ApprovalClosed` naming who was faster, or that it lapsed; `ApprovalMismatch`;
    /// `InvalidPlan` for an answer that this question does not have.
    pub async fn decide(&self, caller: &Principal, id: ApprovalId, answer: PersonsAnswer) -> Result<Decided> {
        let asked = self.find(caller, id).await?;
        if answer.args_hash.as_ref().is_some_and(|hash| *hash != asked.question.args_hash) {
            return Err(Error::ApprovalMismatch(id).into());
        }
        if let Some(closed) = self.closed(&asked) {
            return Err(closed.into());
        }
        let state = PlanStore::load(&self.store, Some(caller.visibility()), asked.plan_id).await?;
        self.check(&asked, &answer, &state)?;
        let PersonsAnswer { decision, note, .. } = answer;
        let (task, sequence, by) = (asked.task_id, asked.sequence, caller.username.clone());
        let fact = Fact::ApprovalDecided { task, sequence, decision, by, note };
        match self.executor.submit(caller.visibility(), asked.plan_id, fact).await {
            Ok(submitted) => Ok(Decided { approval: self.find(caller, id).await?, state: submitted.state }),
            Err(refused @ Error::IllegalTaskMove { .. }) => {
                // Somebody was faster, or the question lapsed or was withdrawn in this moment.
                let present = self.find(caller, id).await?;
                Err(self.closed(&present).unwrap_or(refused).into())
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Why a question takes no answer any more.
    fn closed(&self, asked: &Approval) -> Option<Error> {
        let approval = asked.id;
        if let Some(decision) = &asked.decision {
            let by = asked.decided_by.clone().unwrap_or_default();
            return Some(Error::ApprovalClosed { approval, decision: decision.as_str(), by });
        }
        let lapsed = asked.expires_at <= self.clock.now();
        lapsed.then(|| Error::ApprovalClosed {
            approval,
            decision: Resolution::Expired.as_str(),
            by: "expiry".to_owned(),
        })
    }

    /// Whether the question has such an answer.
    fn check(&self, asked: &Approval, answer: &PersonsAnswer, state: &PlanState) -> Result<()> {
        let mut defects = Vec::new();
        let word = answer.decision.as_str();
        let offered = asked.question.kind.decisions();
        if !offered.contains(&word) {
            let detail = format!("{word} is no answer to this question; it takes {}", offered.join(", "));
            defects.push(Defect::new("/decision", detail));
        } else if let Some(rule) = answer.decision.rule() {
            defects.extend(self.defect_of_rule(rule, asked, state));
        }
        if answer.note.as_ref().is_some_and(|note| note.len() > LONGEST_NOTE || note.contains('\0')) {
            defects.push(Defect::new("/note", format!("must be at most {LONGEST_NOTE} bytes without NUL")));
        }
        if defects.is_empty() { Ok(()) } else { Err(Error::InvalidPlan(defects).into()) }
    }

    /// A rule that is accepted along with a call must allow, make sense, and cover that very call.
    fn defect_of_rule(&self, rule: &Rule, asked: &Approval, state: &PlanState) -> Option<Defect> {
        if rule.permission != Permission::Allow {
            return Some(Defect::new("/rule/permission", "must be allow"));
        }
        if let Some(problem) = self.judge.problems(std::slice::from_ref(rule)).into_iter().next() {
            return Some(Defect::new("/rule", problem.detail));
        }
        let covers = &asked.question.covers;
        let tool = covers.get("tool").and_then(|tool| tool.as_str()).unwrap_or_default();
        let demand = serde_json::from_value::<Demand>(covers.get("demand").cloned().unwrap_or_default());
        let covered = demand.is_ok_and(|demand| {
            self.judge.covers(rule, Judged { tool, demand: &demand, policy: &state.plan.policy })
        });
        (!covered).then(|| Defect::new("/rule", "does not cover the call that it is accepted along with"))
    }
}
