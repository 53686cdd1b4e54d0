//! What travels: which plans are worth a look, and never what happened to them.

use agent_core::ids::{Owner, PlanId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The most plans that one message names; where there are more, everything is worth a look.
pub(super) const MOST_PLANS: usize = 1_024;

/// What there is to tell of one plan; several tellings become one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// Whose plan it is, where events of it were committed: those who listen read the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) written_for: Option<Owner>,
    /// A request changed it: whoever drives it looks at it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) changed: bool,
    /// It may be held by nobody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) free: bool,
}

impl Note {
    fn add(&mut self, other: Self) {
        self.written_for = other.written_for.or(self.written_for);
        self.changed |= other.changed;
        self.free |= other.free;
    }
}

/// Everything that waits to be told. Bounded: what does not fit is told as "look at everything".
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Notes {
    #[serde(default)]
    pub(super) plans: HashMap<PlanId, Note>,
    /// Anything may have happened, to any plan.
    #[serde(default)]
    pub(super) everything: bool,
}

impl Notes {
    pub(super) fn is_empty(&self) -> bool {
        self.plans.is_empty() && !self.everything
    }

    pub(super) fn add(&mut self, plan: PlanId, note: Note) {
        if self.everything {
            return;
        }
        self.plans.entry(plan).or_default().add(note);
        if self.plans.len() > MOST_PLANS {
            self.add_everything();
        }
    }

    pub(super) fn add_everything(&mut self) {
        *self = Self { plans: HashMap::new(), everything: true };
    }

    pub(super) fn add_all(&mut self, others: Self) {
        if others.everything {
            self.add_everything();
        }
        others.plans.into_iter().for_each(|(plan, note)| self.add(plan, note));
    }
}

/// A message as it is on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Message {
    /// Which server sends it; it does not listen to itself.
    pub(super) from: String,
    pub(super) notes: Notes,
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_core::ids::{TenantId, UserId};

    #[test]
    fn tellings_of_one_plan_become_one() {
        let mut notes = Notes::default();
        notes.add(
            PlanId(1),
            Note { written_for: Some(Owner::in_default_tenant(UserId(7))), ..Note::default() },
        );
        notes.add(PlanId(1), Note { changed: true, ..Note::default() });
        notes.add(PlanId(1), Note { free: true, ..Note::default() });
        let all = Note { written_for: Some(Owner::in_default_tenant(UserId(7))), changed: true, free: true };
        assert_eq!(notes.plans, HashMap::from([(PlanId(1), all)]));
    }

    #[test]
    fn more_than_fits_becomes_a_look_at_everything_and_stays_small() {
        let mut notes = Notes::default();
        for plan in 0..100_000 {
            notes.add(PlanId(plan), Note::default());
            assert!(notes.plans.len() <= MOST_PLANS);
        }
        assert!(notes.everything && notes.plans.is_empty());
    }

    #[test]
    fn a_message_survives_the_wire_and_stays_far_below_what_a_server_of_nats_takes() {
        let mut notes = Notes::default();
        for plan in 0..MOST_PLANS {
            let plan = PlanId(i64::MAX - i64::try_from(plan).unwrap());
            notes.add(
                plan,
                Note {
                    written_for: Some(Owner { tenant: TenantId(i64::MAX), user: UserId(i64::MAX) }),
                    changed: true,
                    free: true,
                },
            );
        }
        let sent = serde_json::to_vec(&Message { from: "one".to_owned(), notes: notes.clone() }).unwrap();
        assert!(sent.len() < 256 * 1024, "{} bytes", sent.len());
        let received: Message = serde_json::from_slice(&sent).unwrap();
        assert_eq!((received.from.as_str(), received.notes), ("one", notes));
    }
}
