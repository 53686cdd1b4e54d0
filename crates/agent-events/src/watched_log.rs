//! The log, with one shared look per interval at what was written, so that ten thousand idle listeners cost one read and
//! not ten thousand.

use crate::error::{Error, Result};
use crate::wakes::Wakes;
use agent_core::event::Topic;
use agent_core::ports::EventLog;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// A look after more than so many intervals announces everything in place of what was written since.
const LOOKS_APART: u32 = 60;

pub(crate) struct WatchedLog {
    pub(crate) log: Arc<dyn EventLog>,
    pub(crate) interval: Duration,
    looks: Mutex<Looks>,
}

#[derive(Debug, Default)]
struct Looks {
    last: Option<Looked>,
    /// Whether somebody looks at this moment.
    is_looking: bool,
}

/// The last look: every event up to the cursor is announced.
#[derive(Debug, Clone, Copy)]
struct Looked {
    at: Instant,
    cursor: i64,
}

/// The right to look for all; ends however the look ends.
struct Looking(Arc<WatchedLog>);

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.looks().is_looking = false;
    }
}

impl WatchedLog {
    pub(crate) fn new(log: Arc<dyn EventLog>, interval: Duration) -> Self {
        Self { log, interval, looks: Mutex::default() }
    }

    /// Notes where the log ends before anybody listens.
    pub(crate) async fn begin(&self) -> Result<()> {
        if self.looks().last.is_none() {
            let newest = self.newest().await?;
            self.looks().last.get_or_insert(newest);
        }
        Ok(())
    }

    /// Announces what was written and perhaps not told here, unless somebody does or has done so just now. In a task of
    /// its own: the others rely on it, whether or not this listener goes on asking.
    pub(crate) async fn look(self: &Arc<Self>, wakes: &Arc<Wakes>) -> Result<()> {
        let Some(looking) = self.begin_look() else { return Ok(()) };
        let wakes = Arc::clone(wakes);
        let task = tokio::spawn(async move { looking.0.look_for_all(&wakes).await });
        AbortOnDropHandle::new(task).await.map_err(Error::stopped)?
    }

    fn begin_look(self: &Arc<Self>) -> Option<Looking> {
        let mut looks = self.looks();
        let just_now = looks.last.is_some_and(|last| last.at.elapsed() < self.interval / 2);
        if just_now || looks.is_looking {
            return None;
        }
        looks.is_looking = true;
        Some(Looking(Arc::clone(self)))
    }

    async fn look_for_all(&self, wakes: &Wakes) -> Result<()> {
        let last = self.looks().last.filter(|last| last.at.elapsed() < self.interval * LOOKS_APART);
        let looked = if let Some(last) = last {
            let at = Instant::now();
            let touched = self.log.touched(last.cursor).await.map_err(Error::Log)?;
            let cursor = touched.iter().map(|plan| plan.cursor).fold(last.cursor, i64::max);
            for plan in touched {
                wakes.announce(plan.plan_id, plan.owner, Some(plan.cursor));
            }
            Looked { at, cursor }
        } else {
            // Nobody has listened for long: what was written meanwhile may be much.
            let newest = self.newest().await?;
            wakes.announce_everything();
            newest
        };
        self.looks().last = Some(looked);
        Ok(())
    }

    async fn newest(&self) -> Result<Looked> {
        let at = Instant::now();
        let cursor = self.log.head(Topic::Everything).await.map_err(Error::Log)?;
        Ok(Looked { at, cursor })
    }

    fn looks(&self) -> MutexGuard<'_, Looks> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
