//! What an executor is made of: the ports it reaches the world through, and how it works.

use crate::ids::WorkerId;
use crate::plan::PlanState;
use crate::policy::Judge;
use crate::ports::{
    Clock, Conversations, DailyLimits, Journal, LanguageModel, Neighbours, NewMessage, PlanReader, PlanStore,
    Randomness, Secrets, Surveyor, Workspaces,
};
use crate::pricing::PriceList;
use crate::tool::Toolbox;
use crate::transient::Audience;
use std::sync::Arc;
use std::time::Duration;

/// Everything the executor reaches the world through.
pub struct ExecutorPorts {
    /// Keeps plans.
    pub plans: Arc<dyn PlanStore>,
    /// Answers questions about plans.
    pub reader: Arc<dyn PlanReader>,
    /// Records steps.
    pub journal: Arc<dyn Journal>,
    /// Keeps what was said.
    pub conversations: Arc<dyn Conversations>,
    /// Answers prompts; `None` where no language model is configured.
    pub model: Option<Arc<dyn LanguageModel>>,
    /// What tasks may do to the world.
    pub tools: Toolbox,
    /// Gives each plan its folder.
    pub workspaces: Arc<dyn Workspaces>,
    /// Says what may be done.
    pub judge: Arc<dyn Judge>,
    /// Keeps secrets out of everything that is told.
    pub secrets: Arc<dyn Secrets>,
    /// Describes repositories to the planner.
    pub surveyor: Arc<dyn Surveyor>,
    /// What models cost.
    pub prices: PriceList,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Spreads retries.
    pub randomness: Arc<dyn Randomness>,
    /// Executors of other processes on the same store; without, they find out when they look by themselves.
    pub neighbours: Option<Arc<dyn Neighbours>>,
    /// Whoever watches while work goes on.
    pub audience: Option<Arc<dyn Audience>>,
}

/// How the executor works.
#[derive(Debug, Clone)]
pub struct ExecutorSettings {
    /// Names this process as a holder of leases.
    pub worker: WorkerId,
    /// Attempts that may run at once, over all plans.
    pub max_parallel: usize,
    /// Ceiling of an attempt that names none.
    pub task_timeout: Duration,
    /// How long a plan stays ours after we were last heard of.
    pub lease: Duration,
    /// How many crashes in a row may catch the same attempt in flight before it fails as a `crash_loop`.
    pub max_recoveries: u32,
    /// What one person's calls to language models may use in a day.
    pub daily_limits: DailyLimits,
    /// Whether plans that others left behind are taken over.
    pub recover: bool,
}

impl ExecutorSettings {
    /// The usual settings, for a worker of that name: four attempts at once, five minutes each.
    pub fn named(worker: impl Into<String>) -> Self {
        Self {
            worker: WorkerId(worker.into()),
            max_parallel: 4,
            task_timeout: Duration::from_secs(300),
            lease: Duration::from_secs(15),
            max_recoveries: 3,
            daily_limits: DailyLimits::default(),
            recover: true,
        }
    }
}

impl ExecutorPorts {
    /// Adds to a plan's conversation; losing a line of it is no reason to fail a plan.
    pub(super) async fn say(&self, state: &PlanState, role: &str, content: String) {
        let message = NewMessage {
            owner: state.plan.owner,
            role: role.to_owned(),
            content: self.secrets.redactor().redact(&content).into_owned(),
            plan_id: Some(state.plan.id),
            idempotency: None,
        };
        if let Err(error) = self.conversations.add(&message, self.clock.now()).await {
            tracing::warn!(plan = %state.plan.id, %error, "a message of the conversation was not kept");
        }
    }
}
