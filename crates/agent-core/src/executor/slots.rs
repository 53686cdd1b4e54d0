//! The room for attempts on this server, shared fairly between owners and between their plans.

use crate::ids::{Owner, PlanId};
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Room for so many attempts at once. Cheap to clone; all clones share the room.
///
/// A free slot goes to the waiting owner who has the fewest, of theirs to the plan that has the fewest, and
/// among equals to whoever waits longest. So neither a plan of a thousand tasks nor a user with a thousand
/// plans holds up the others.
#[derive(Clone)]
pub(super) struct Slots(Arc<Mutex<Book>>);

/// The right to run one attempt; given back when dropped.
pub(super) struct Slot {
    slots: Slots,
    owner: Owner,
    plan: PlanId,
}

/// Who has how many, and who waits.
struct Book {
    capacity: usize,
    free: usize,
    of_owner: HashMap<Owner, usize>,
    of_plan: HashMap<PlanId, usize>,
    waiting: Vec<Waiter>,
}

struct Waiter {
    owner: Owner,
    plan: PlanId,
    /// How many it could use.
    wanted: u32,
    reply: oneshot::Sender<Slot>,
}

/// How the room is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Occupancy {
    /// All the room.
    pub(super) slots: usize,
    /// What is taken of it.
    pub(super) running: usize,
    /// What waits for some.
    pub(super) waiting: usize,
}

impl Slots {
    pub(super) fn new(capacity: usize) -> Self {
        let (of_owner, of_plan, capacity) = (HashMap::new(), HashMap::new(), capacity.max(1));
        let book = Book { capacity, free: capacity, of_owner, of_plan, waiting: Vec::new() };
        Self(Arc::new(Mutex::new(book)))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // A panic while the book is held leaves it whole: counters and list change together at the end.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the room is used at this moment.
    pub(super) fn occupancy(&self) -> Occupancy {
        let book = self.book();
        let waiting = book.waiting.iter().filter(|waiter| !waiter.reply.is_closed());
        Occupancy {
            slots: book.capacity,
            running: book.capacity - book.free,
            waiting: waiting.map(|waiter| waiter.wanted as usize).sum(),
        }
    }

    /// A slot, as soon as there is one; `wanted` says how many could be used. Whoever stops waiting gives up its place.
    pub(super) async fn acquire(&self, owner: Owner, plan: PlanId, wanted: u32) -> Slot {
        loop {
            if let Some(slot) = self.try_acquire(owner, plan) {
                return slot;
            }
            let (reply, granted) = oneshot::channel();
            self.book().waiting.push(Waiter { owner, plan, wanted, reply });
            // One may have become free between the two looks.
            self.serve();
            if let Ok(slot) = granted.await {
                return slot;
            }
        }
    }

    /// A slot, when one is free and nobody waits for it.
    pub(super) fn try_acquire(&self, owner: Owner, plan: PlanId) -> Option<Slot> {
        let mut book = self.book();
        book.forget_the_gone();
        if book.free == 0 || !book.waiting.is_empty() {
            return None;
        }
        book.take(owner, plan);
        drop(book);
        Some(Slot { slots: self.clone(), owner, plan })
    }

    /// Hands free slots to those who wait.
    fn serve(&self) {
        loop {
            let mut book = self.book();
            let Some(waiter) = book.next() else { return };
            book.take(waiter.owner, waiter.plan);
            drop(book);
            let slot = Slot { slots: self.clone(), owner: waiter.owner, plan: waiter.plan };
            // One that is no longer wanted comes back by being dropped, and goes to the next.
            drop(waiter.reply.send(slot));
        }
    }
}

impl Slot {
    /// Counts the slot to a plan that had no id yet when it was taken.
    pub(super) fn assign(&mut self, plan: PlanId) {
        let mut book = self.slots.book();
        give_back(&mut book.of_plan, self.plan);
        *book.of_plan.entry(plan).or_default() += 1;
        self.plan = plan;
    }

    /// Whether the plan may go on with this slot: true unless another plan waits that has no more than it has.
    pub(super) fn may_be_kept(&self) -> bool {
        let mut book = self.slots.book();
        book.forget_the_gone();
        let (owners, plans) = (book.owned(self.owner), book.planned(self.plan));
        let without = (owners.saturating_sub(1), plans.saturating_sub(1));
        let mut others = book.waiting.iter().filter(|waiter| waiter.plan != self.plan);
        others.all(|waiter| {
            let same_owner = waiter.owner == self.owner;
            let owned = if same_owner { without.0 } else { book.owned(waiter.owner) };
            (owned, book.planned(waiter.plan)) > without
        })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut book = self.slots.book();
        book.free += 1;
        give_back(&mut book.of_owner, self.owner);
        give_back(&mut book.of_plan, self.plan);
        drop(book);
        self.slots.serve();
    }
}

fn give_back<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

impl Book {
    fn owned(&self, owner: Owner) -> usize {
        self.of_owner.get(&owner).copied().unwrap_or_default()
    }

    fn planned(&self, plan: PlanId) -> usize {
        self.of_plan.get(&plan).copied().unwrap_or_default()
    }

    fn take(&mut self, owner: Owner, plan: PlanId) {
        self.free -= 1;
        *self.of_owner.entry(owner).or_default() += 1;
        *self.of_plan.entry(plan).or_default() += 1;
    }

    fn forget_the_gone(&mut self) {
        self.waiting.retain(|waiter| !waiter.reply.is_closed());
    }

    /// Whose turn it is, if a slot is free.
    fn next(&mut self) -> Option<Waiter> {
        if self.free == 0 {
            return None;
        }
        self.forget_the_gone();
        let share = |waiter: &Waiter| (self.owned(waiter.owner), self.planned(waiter.plan));
        let first = self.waiting.iter().enumerate().min_by_key(|(place, waiter)| (share(waiter), *place));
        let place = first.map(|(place, _)| place)?;
        Some(self.waiting.remove(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::UserId;
    use futures_util::FutureExt;
    use std::future::Future;
    use std::pin::Pin;

    fn owner_of(user: i64) -> Owner {
        Owner::in_default_tenant(UserId(user))
    }

    type Waiting = Pin<Box<dyn Future<Output = Slot>>>;

    fn wait(slots: &Slots, owner: i64, plan: i64) -> Waiting {
        let slots = slots.clone();
        let mut waiting: Waiting =
            Box::pin(async move { slots.acquire(owner_of(owner), PlanId(plan), 2).await });
        assert!(waiting.as_mut().now_or_never().is_none(), "there was room");
        waiting
    }

    fn take(slots: &Slots, owner: i64, plan: i64) -> Slot {
        slots.try_acquire(owner_of(owner), PlanId(plan)).unwrap()
    }

    fn served(waiting: &mut Waiting) -> Option<Slot> {
        waiting.as_mut().now_or_never()
    }

    #[test]
    fn a_free_slot_goes_to_the_owner_who_has_the_fewest() {
        let slots = Slots::new(2);
        let (first, second) = (take(&slots, 1, 10), take(&slots, 1, 11));
        let mut greedy = wait(&slots, 1, 12);
        let mut modest = wait(&slots, 2, 20);
        drop(first);
        let modest = served(&mut modest).unwrap();
        assert!(served(&mut greedy).is_none());
        drop(second);
        assert!(served(&mut greedy).is_some());
        drop(modest);
    }

    #[test]
    fn among_the_plans_of_an_owner_the_one_with_the_fewest_is_first() {
        let slots = Slots::new(3);
        let mut held = vec![take(&slots, 1, 10), take(&slots, 1, 10), take(&slots, 1, 11)];
        let mut large = wait(&slots, 1, 10);
        let mut small = wait(&slots, 1, 12);
        drop(held.pop());
        assert!(served(&mut small).is_some());
        assert!(served(&mut large).is_some(), "the small one gave its slot back at once");
    }

    #[test]
    fn a_plan_keeps_its_slot_unless_somebody_waits_who_has_no_more() {
        let slots = Slots::new(2);
        let (mine, other) = (take(&slots, 1, 10), take(&slots, 2, 20));
        assert!(mine.may_be_kept());
        let second_of_other = wait(&slots, 2, 21);
        assert!(mine.may_be_kept(), "who waits has one already");
        assert!(!other.may_be_kept(), "of equal shares the one that waits is next");
        drop(second_of_other);
        assert!(other.may_be_kept(), "nobody waits any more");
        let _stranger = wait(&slots, 3, 30);
        assert!(!mine.may_be_kept());
    }

    #[test]
    fn a_slot_granted_to_somebody_who_left_goes_on_to_the_next() {
        let slots = Slots::new(1);
        let only = take(&slots, 1, 10);
        let gone = wait(&slots, 2, 20);
        let mut next = wait(&slots, 3, 30);
        assert_eq!(slots.occupancy(), Occupancy { slots: 1, running: 1, waiting: 4 });
        drop(gone);
        assert_eq!(slots.occupancy().waiting, 2, "who left wants nothing");
        drop(only);
        assert!(served(&mut next).is_some());
        assert!(slots.try_acquire(owner_of(1), PlanId(10)).is_some());
    }
}
