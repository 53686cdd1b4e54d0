//! The rest of the outside, as simple as it can be, for programs that need no more.

use super::store::MemoryStore;
use crate::error::Result;
use crate::executor::ExecutorPorts;
use crate::plan::{Plan, Task};
use crate::policy::ModeJudge;
use crate::ports::{NothingSecret, Randomness, Survey, Surveyor, Workspaces};
use crate::pricing::PriceList;
use crate::tool::Toolbox;
use async_trait::async_trait;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

impl MemoryStore {
    /// Ports for an executor that keeps everything here, offers these tools and works in the folders that plans
    /// name. There is no language model; set the field where goals in words or `agent` tasks need one.
    pub fn ports(&self, tools: Toolbox) -> ExecutorPorts {
        ExecutorPorts {
            plans: Arc::new(self.clone()),
            reader: Arc::new(self.clone()),
            journal: Arc::new(self.clone()),
            conversations: Arc::new(self.clone()),
            model: None,
            tools,
            workspaces: Arc::new(NamedFolders),
            judge: Arc::new(ModeJudge),
            secrets: Arc::new(NothingSecret),
            surveyor: Arc::new(BlankSurveyor),
            prices: PriceList::default(),
            clock: self.clock(),
            randomness: Arc::new(EvenSpread::default()),
            neighbours: None,
            audience: None,
        }
    }
}

/// Works in the folder that the plan names, whatever it is: the embedding program answers for its plans.
#[derive(Debug, Clone, Copy, Default)]
pub struct NamedFolders;

#[async_trait]
impl Workspaces for NamedFolders {
    async fn open(&self, plan: &Plan) -> Result<PathBuf> {
        Ok(PathBuf::from(&plan.repo_path))
    }

    /// The files of the folder are the work itself.
    async fn keep(&self, _plan: &Plan, _task: &Task) -> Result<()> {
        Ok(())
    }
}

/// Knows nothing of any repository.
#[derive(Debug, Clone, Copy, Default)]
pub struct BlankSurveyor;

#[async_trait]
impl Surveyor for BlankSurveyor {
    async fn survey(&self, _folder: &Path, _goal: &str, _map_tokens: usize) -> Result<Survey> {
        Ok(Survey::default())
    }
}

/// Spreads retries evenly without randomness: multiples of the golden ratio, of which no two come close
/// (Knuth, The Art of Computer Programming, volume 3, section 6.4).
#[derive(Debug, Default)]
pub struct EvenSpread(AtomicU32);

impl Randomness for EvenSpread {
    fn fraction(&self) -> f64 {
        const GOLDEN: u32 = 0x9E37_79B9;
        f64::from(self.0.fetch_add(GOLDEN, Ordering::Relaxed)) / (f64::from(u32::MAX) + 1.0)
    }
}
