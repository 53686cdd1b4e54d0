//! Questions about what is kept, answered as the stores with a database answer them.

use super::core::{MemoryCore, Row};
use crate::event::{Event, Topic, Touched};
use crate::ids::{PlanId, TaskId, TenantId};
use crate::model::Usage;
use crate::plan::{Attempt, PlanState, PlanStatus, PlanVersion, TaskStatus};
use crate::ports::{
    Approval, ApprovalFilter, ConversationMessage, MessageFilter, ModelUsage, PlanCounts, PlanFilter,
    PlanPage, PlanSummary, Step, StepKind, Visibility,
};
use crate::search::Search;
use std::collections::BTreeMap;

impl MemoryCore {
    /// A page of plans, newest first.
    pub fn list(&self, filter: &PlanFilter) -> PlanPage {
        let wanted = |state: &&PlanState| {
            let search = Search::of(filter.text.as_deref().unwrap_or_default());
            visible(filter.visibility, state)
                && filter.status.is_none_or(|status| state.plan.status == status)
                && search.is_found_in(&state.plan.goal)
        };
        let matching = || self.states().rev().filter(wanted);
        let older = matching().filter(|state| filter.before.is_none_or(|before| state.plan.id < before));
        // One more than asked for tells whether there is a next page.
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let mut plans: Vec<PlanSummary> = older.take(limit.saturating_add(1)).map(summary).collect();
        let more = plans.len() > limit;
        plans.truncate(limit);
        let next = plans.last().filter(|_| more).map(|last| last.plan.id);
        PlanPage { total: matching().count() as u64, plans, next }
    }

    /// Counts over all visible plans.
    pub fn counts(&self, visibility: Visibility) -> PlanCounts {
        let visible = || self.states().filter(|state| visible(visibility, state));
        let completed = visible().filter(|state| state.plan.status == PlanStatus::Completed);
        let live = visible().filter(|state| state.plan.status.is_live());
        PlanCounts {
            total: visible().count() as u64,
            completed: completed.count() as u64,
            live: live.count() as u64,
        }
    }

    /// All attempts of a plan, oldest first.
    pub fn attempts(&self, plan: PlanId) -> Vec<Attempt> {
        let of_plan = (plan, TaskId(i64::MIN), 0)..=(plan, TaskId(i64::MAX), u32::MAX);
        let mut found: Vec<Attempt> =
            self.attempts.range(of_plan).map(|(_, attempt)| attempt.clone()).collect();
        found.sort_by_key(|attempt| (attempt.started_at, attempt.task_id, attempt.attempt));
        found
    }

    /// All recorded steps of a plan, by task, attempt and position.
    pub fn steps(&self, plan: PlanId) -> Vec<Step> {
        let steps = self.steps.values().filter(|step| step.key.plan_id == plan);
        steps.cloned().collect()
    }

    /// The versions of a plan's definition, oldest first; none while nobody has edited it.
    pub fn versions(&self, plan: PlanId) -> &[PlanVersion] {
        self.versions.get(&plan).map_or(&[], Vec::as_slice)
    }

    /// Questions to people, oldest first, and how many match in all. One whose task has ended meanwhile waits for
    /// nobody and does not count as open.
    pub fn approvals(&self, filter: &ApprovalFilter) -> (Vec<Approval>, u64) {
        let open = |approval: &Approval, state: &PlanState| {
            let ended =
                |id: TaskId| state.task(id).is_none_or(|task: &crate::plan::Task| task.status.is_terminal());
            approval.decision.is_none() && !ended(approval.task_id)
        };
        let wanted = |approval: &&Approval| {
            let state = self.rows.get(&approval.plan_id).map(|row| &row.state);
            filter.plan_id.is_none_or(|plan| approval.plan_id == plan)
                && filter.id.is_none_or(|id| approval.id == id)
                && state.is_some_and(|state| {
                    visible(filter.visibility, state) && (filter.include_decided || open(approval, state))
                })
        };
        let matching = || self.approvals.values().filter(wanted);
        let newer = matching().filter(|approval| filter.after.is_none_or(|after| approval.id > after));
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        (newer.take(limit).cloned().collect(), matching().count() as u64)
    }

    /// Events of a topic with positions above `after`, oldest first, at most `limit`.
    pub fn read(&self, topic: Topic, after: i64, limit: u32) -> Vec<Event> {
        let skipped = usize::try_from(after).unwrap_or(0);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        if let Topic::Plan(tenant, plan) = topic {
            return self.events_in(tenant, plan).iter().skip(skipped).take(limit).cloned().collect();
        }
        let all = self.log.iter().skip(skipped);
        let events = all.filter_map(|(plan, place)| self.events(*plan).get(*place));
        events.filter(|event| belongs(topic, event)).take(limit).cloned().collect()
    }

    /// The position of the newest event of a topic; 0 when there is none.
    pub fn head(&self, topic: Topic) -> i64 {
        if let Topic::Plan(tenant, plan) = topic {
            return self.events_in(tenant, plan).last().map_or(0, |event| event.seq);
        }
        let newest = self.log.iter().rev().filter_map(|(plan, place)| self.events(*plan).get(*place));
        newest.filter(|event| belongs(topic, event)).map(|event| event.cursor).next().unwrap_or(0)
    }

    /// The plans that have events with cursors above `after`, in no order.
    pub fn touched(&self, after: i64) -> Vec<Touched> {
        let newest = |row: &Row| {
            let event = self.events(row.state.plan.id).last()?;
            let touched = Touched { plan_id: event.plan_id, owner: event.owner, cursor: event.cursor };
            Some(touched).filter(|touched| touched.cursor > after)
        };
        self.rows.values().filter_map(newest).collect()
    }

    fn events_in(&self, tenant: TenantId, plan: PlanId) -> &[Event] {
        let is_its = self.row(plan).is_ok_and(|row| row.state.plan.owner.tenant == tenant);
        if is_its { self.events(plan) } else { &[] }
    }

    /// Tokens of a plan's answered model calls, added up by model.
    pub fn model_usage(&self, plan: PlanId) -> Vec<ModelUsage> {
        let mut by_model: BTreeMap<&str, Usage> = BTreeMap::new();
        let calls = self.steps.values().filter(|step| step.key.plan_id == plan);
        for step in calls.filter(|step| step.intent.kind == StepKind::Model) {
            let usage = by_model.entry(&step.intent.name).or_default();
            *usage = usage.plus(step.result.as_ref().map(|result| result.usage).unwrap_or_default());
        }
        by_model.into_iter().map(|(model, usage)| ModelUsage { model: model.to_owned(), usage }).collect()
    }

    /// Messages, oldest first, and how many match in all.
    pub fn messages(&self, filter: &MessageFilter) -> (Vec<ConversationMessage>, u64) {
        let matching = || {
            let visible = self.messages.iter().filter(|(owner, _)| filter.visibility.includes(*owner));
            let wanted = |message: &&ConversationMessage| {
                filter.plan_id.is_none_or(|plan| message.plan_id == Some(plan))
                    && filter.role.as_ref().is_none_or(|role| message.role == *role)
                    && filter.text.as_ref().is_none_or(|text| Search::of(text).is_found_in(&message.content))
            };
            visible.map(|(_, message)| message).filter(wanted)
        };
        let newer = matching().filter(|message| filter.after.is_none_or(|after| message.id > after));
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        (newer.take(limit).cloned().collect(), matching().count() as u64)
    }

    fn states(&self) -> impl DoubleEndedIterator<Item = &PlanState> {
        self.rows.values().map(|row| &row.state)
    }
}

fn visible(visibility: Visibility, state: &PlanState) -> bool {
    visibility.includes(state.plan.owner)
}

fn belongs(topic: Topic, event: &Event) -> bool {
    match topic {
        Topic::Plan(tenant, plan) => event.owner.tenant == tenant && event.plan_id == plan,
        Topic::Owner(owner) => event.owner == owner,
        Topic::Tenant(tenant) => event.owner.tenant == tenant,
        Topic::Everything => true,
    }
}

fn summary(state: &PlanState) -> PlanSummary {
    let completed = state.tasks.iter().filter(|task| task.status == TaskStatus::Completed).count();
    PlanSummary {
        plan: state.plan.clone(),
        tasks: u32::try_from(state.tasks.len()).unwrap_or(u32::MAX),
        completed: u32::try_from(completed).unwrap_or(u32::MAX),
    }
}
