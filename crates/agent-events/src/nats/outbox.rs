//! What is to be told to the other servers and is not yet. Putting something in never waits and never fails.

use super::message::{Note, Notes};
use agent_core::ids::PlanId;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Notes that wait. They are joined per plan, so that however long NATS is away it stays small.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Mutex<Notes>,
    filled: Notify,
}

/// Notes that are being sent; back in the outbox when this is dropped before they are known to have arrived.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    outbox: &'a Outbox,
    notes: Notes,
}

impl Outbox {
    pub(super) fn put(&self, plan: PlanId, note: Note) {
        self.lock().add(plan, note);
        self.filled.notify_one();
    }

    pub(super) fn put_everything(&self) {
        self.lock().add_everything();
        self.filled.notify_one();
    }

    /// All that waits, once there is something.
    pub(super) async fn take(&self) -> Taken<'_> {
        loop {
            if let Some(taken) = self.take_present() {
                return taken;
            }
            self.filled.notified().await;
        }
    }

    /// All that waits, if there is anything.
    pub(super) fn take_present(&self) -> Option<Taken<'_>> {
        let notes = std::mem::take(&mut *self.lock());
        (!notes.is_empty()).then_some(Taken { outbox: self, notes })
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken<'_> {
    pub(super) fn notes(&self) -> &Notes {
        &self.notes
    }

    /// They have arrived.
    pub(super) fn sent(mut self) {
        self.notes = Notes::default();
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if !self.notes.is_empty() {
            self.outbox.lock().add_all(std::mem::take(&mut self.notes));
            self.outbox.filled.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_did_not_arrive_is_sent_again_with_what_came_meanwhile() {
        let outbox = Outbox::default();
        outbox.put(PlanId(1), Note { changed: true, ..Note::default() });
        let lost = outbox.take().await;
        outbox.put(PlanId(2), Note { free: true, ..Note::default() });
        drop(lost);
        let again = outbox.take().await;
        assert_eq!(again.notes().plans.len(), 2);
        again.sent();
        assert!(outbox.take_present().is_none());
    }
}
