//! What an executor and its drivers share.

use super::figures::Attempts;
use super::slots::Slots;
use super::wiring::{ExecutorPorts, ExecutorSettings};
use crate::ids::PlanId;
use crate::origin::Origin;
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::{Notify, RwLock};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The executor's state, as far as it is not in the store.
pub(super) struct Shared {
    pub(super) ports: Arc<ExecutorPorts>,
    pub(super) settings: ExecutorSettings,
    pub(super) slots: Slots,
    pub(super) stop: CancellationToken,
    pub(super) drivers: Mutex<HashMap<PlanId, Arc<Signals>>>,
    /// Held for reading from before a plan is stored until its driver is in the books: whoever gets it for
    /// writing knows that every plan stored by then is there.
    pub(super) creations: RwLock<()>,
    /// Work may have come up that the next regular look would find late.
    pub(super) look: Notify,
    pub(super) tracker: TaskTracker,
    pub(super) attempts: Attempts,
    /// Where drivers run, whichever thread a request came in on.
    pub(super) runtime: Handle,
}

/// How a driver is spoken to.
#[derive(Default)]
pub(super) struct Signals {
    /// The plan was changed by somebody else.
    pub(super) changed: Notify,
    /// The lease is gone.
    pub(super) lost: CancellationToken,
    /// The claim was answered with a lease.
    pub(super) held: AtomicBool,
    /// The latest request of this process that asked something of the plan.
    origin: Mutex<Option<Origin>>,
}

impl Signals {
    /// What is done from now on goes back to the request at hand; without one it stays as it was.
    pub(super) fn asked(&self) {
        if let Some(origin) = Origin::current() {
            *self.origin.lock().unwrap_or_else(PoisonError::into_inner) = Some(origin);
        }
    }

    /// The request that what is done now goes back to.
    pub(super) fn origin(&self) -> Option<Origin> {
        self.origin.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shared {
    /// The drivers at work, by plan.
    pub(super) fn registry(&self) -> MutexGuard<'_, HashMap<PlanId, Arc<Signals>>> {
        // A panic while the map is held leaves it whole: every use is a single map operation.
        self.drivers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
