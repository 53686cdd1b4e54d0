//! One store, one workshop, one model, and any number of servers that share them and can crash.

use super::bench::answer_to;
use super::model::{ScriptedModel, Turn};
use super::store::FaultyStore;
use super::tools::Workshop;
use agent_core::event::EventBody;
use agent_core::executor::fact::Fact;
use agent_core::executor::{Executor, ExecutorPorts, ExecutorSettings};
use agent_core::ids::{PlanId, TenantId, WorkerId};
use agent_core::plan::{NewPlan, Plan, PlanState, PlanStatus, Task};
use agent_core::policy::{Judge, ModeJudge, WorkspaceMode};
use agent_core::ports::{
    Clock, Conversations, DailyLimits, Guidance, Journal, LanguageModel, Neighbours, NothingSecret,
    PlanReader, PlanStore, Randomness, Secrets, Survey, Surveyor, Workspaces,
};
use agent_core::pricing::{Price, PriceList};
use agent_core::time::Timestamp;
use agent_core::{Error, Result};
use async_trait::async_trait;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio::sync::watch;

/// The longest that anything in these tests may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Goes with the time, and jumps when told to.
pub(crate) struct JumpingClock {
    start: tokio::time::Instant,
    ahead: AtomicI64,
}

impl Clock for JumpingClock {
    fn now(&self) -> Timestamp {
        let ahead = self.ahead.load(Ordering::SeqCst);
        Timestamp::from_micros(1_767_268_800_000_000 + ahead).plus(self.start.elapsed())
    }
}

struct NoLuck;

impl Randomness for NoLuck {
    fn fraction(&self) -> f64 {
        1.0
    }
}

struct OneRepository;

#[async_trait]
impl Surveyor for OneRepository {
    async fn survey(&self, _folder: &Path, goal: &str, _map_tokens: usize) -> Result<Survey> {
        Ok(Survey {
            description: "3 files of Python".into(),
            map: format!("parser.py:\n1: def parse(text)  # for {goal}\n"),
            guidance: vec![Guidance { path: "AGENTS.md".into(), text: "Indent with tabs.\n".into() }],
            commands: vec![vec!["make".into(), "test".into()]],
        })
    }
}

#[async_trait]
impl Workspaces for OneRepository {
    async fn open(&self, plan: &Plan) -> Result<PathBuf> {
        Ok(PathBuf::from(&plan.repo_path))
    }

    async fn keep(&self, plan: &Plan, task: &Task) -> Result<()> {
        if plan.policy.workspace == WorkspaceMode::Isolated {
            let done = std::path::Path::new(&plan.repo_path).join(format!("kept-{}", task.position));
            std::fs::write(done, &task.spec.description).map_err(|error| Error::Workspace(error.into()))?;
        }
        Ok(())
    }
}

pub(crate) struct World {
    pub(crate) store: Arc<FaultyStore>,
    pub(crate) workshop: Arc<Workshop>,
    pub(crate) model: Arc<ScriptedModel>,
    pub(crate) judge: Arc<dyn Judge>,
    pub(crate) secrets: Arc<dyn Secrets>,
    pub(crate) clock: Arc<JumpingClock>,
}

/// A server of that name with four slots.
pub(crate) fn settings(name: &str) -> ExecutorSettings {
    ExecutorSettings {
        worker: WorkerId(name.into()),
        max_parallel: 4,
        // Longer than any test waits: a timeout must never be what ends it.
        task_timeout: PATIENCE * 3,
        lease: Duration::from_secs(60),
        max_recoveries: 3,
        daily_limits: DailyLimits::default(),
        recover: true,
    }
}

/// A running server with a runtime of its own, so that it can die at any moment.
pub(crate) struct Server {
    executor: Executor,
    runtime: Option<Runtime>,
}

impl World {
    pub(crate) fn new(turns: Vec<Turn>) -> Self {
        let clock = Arc::new(JumpingClock { start: tokio::time::Instant::now(), ahead: AtomicI64::new(0) });
        let store = Arc::new(FaultyStore::new({
            let clock = Arc::clone(&clock);
            move || clock.now()
        }));
        let model = Arc::new(ScriptedModel::new(turns));
        let (judge, secrets) = (Arc::new(ModeJudge), Arc::new(NothingSecret));
        Self { store, workshop: Arc::default(), model, clock, judge, secrets }
    }

    pub(crate) fn server(&self, name: &str) -> Server {
        self.server_with(settings(name))
    }

    pub(crate) fn server_with(&self, settings: ExecutorSettings) -> Server {
        self.server_beside(settings, None)
    }

    /// A server that tells others where to look.
    pub(crate) fn server_beside(
        &self,
        settings: ExecutorSettings,
        neighbours: Option<Arc<dyn Neighbours>>,
    ) -> Server {
        let ports = ExecutorPorts {
            plans: Arc::<FaultyStore>::clone(&self.store) as Arc<dyn PlanStore>,
            reader: Arc::<FaultyStore>::clone(&self.store) as Arc<dyn PlanReader>,
            journal: Arc::<FaultyStore>::clone(&self.store) as Arc<dyn Journal>,
            conversations: Arc::<FaultyStore>::clone(&self.store) as Arc<dyn Conversations>,
            model: Some(Arc::<ScriptedModel>::clone(&self.model) as Arc<dyn LanguageModel>),
            tools: self.workshop.toolbox(),
            workspaces: Arc::new(OneRepository),
            judge: Arc::clone(&self.judge),
            secrets: Arc::clone(&self.secrets),
            surveyor: Arc::new(OneRepository),
            prices: PriceList::default().with("script-1", Price { input: 10.0, output: 100.0 }),
            clock: Arc::<JumpingClock>::clone(&self.clock),
            randomness: Arc::new(NoLuck),
            neighbours,
            audience: None,
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let executor = {
            let _inside = runtime.enter();
            Executor::new(ports, settings)
        };
        executor.start();
        Server { executor, runtime: Some(runtime) }
    }

    pub(crate) fn jump(&self, duration: Duration) {
        self.clock.ahead.fetch_add(i64::try_from(duration.as_micros()).unwrap(), Ordering::SeqCst);
    }

    /// Makes all leases run out.
    pub(crate) fn expire_leases(&self) {
        self.jump(Duration::from_secs(3_600));
    }

    /// Another worker takes the plan, whatever its lease.
    pub(crate) fn steal(&self, plan: PlanId) {
        let now = self.clock.now().plus(Duration::from_secs(86_400));
        let claim =
            self.store.core().claim(&WorkerId("thief".into()), Duration::from_secs(86_400), Some(plan), now);
        claim.expect("a live plan can be stolen");
    }

    pub(crate) fn state(&self, plan: PlanId) -> PlanState {
        self.store.core().load(plan).unwrap()
    }

    /// Waits until the stored plan is as wanted.
    pub(crate) async fn until(&self, plan: PlanId, wanted: impl Fn(&PlanState) -> bool) -> PlanState {
        let mut changes = self.store.changes();
        let found = tokio::time::timeout(PATIENCE, async {
            loop {
                changes.borrow_and_update();
                let state = self.state(plan);
                if wanted(&state) {
                    return state;
                }
                changes.changed().await.unwrap();
            }
        });
        found.await.unwrap_or_else(|_| panic!("it never became as wanted: {:#?}", self.state(plan)))
    }

    pub(crate) async fn until_status(&self, plan: PlanId, status: PlanStatus) -> PlanState {
        self.until(plan, |state| state.plan.status == status).await
    }

    /// Waits until so many tool calls have begun.
    pub(crate) async fn until_called(&self, calls: usize) {
        until_at_least(self.workshop.began(), calls).await;
    }

    /// Waits until the model was asked so often.
    pub(crate) async fn until_asked(&self, times: usize) {
        until_at_least(self.model.asked(), times).await;
    }

    /// Waits until nobody holds the plan.
    pub(crate) async fn until_released(&self, plan: PlanId) {
        self.until(plan, |_| self.store.core().holder(plan).is_none()).await;
    }

    /// Waits until the server has no plan in hand.
    pub(crate) async fn until_idle(&self, server: &Server) {
        let mut changes = self.store.changes();
        let idle = async {
            while server.executor.plans_in_hand() > 0 {
                // Letting go is the last thing a server does; the store does not always hear of it.
                let _ = tokio::time::timeout(Duration::from_millis(10), changes.changed()).await;
            }
        };
        tokio::time::timeout(PATIENCE, idle).await.expect("the server does not let go");
    }

    /// The names of a plan's events.
    pub(crate) fn events(&self, plan: PlanId) -> Vec<&'static str> {
        self.store.core().events(plan).iter().map(|event| event.body.name()).collect()
    }

    pub(crate) fn told(&self, plan: PlanId, wanted: impl Fn(&EventBody) -> bool) -> bool {
        self.store.core().events(plan).iter().any(|event| wanted(&event.body))
    }
}

pub(crate) async fn until_at_least<T: PartialOrd + Copy>(mut counter: watch::Receiver<T>, wanted: T) {
    let reached = tokio::time::timeout(PATIENCE, counter.wait_for(|count| *count >= wanted));
    reached.await.expect("it never happened").unwrap();
}

impl Server {
    /// Runs a call of the executor where the server lives.
    async fn on<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        self.runtime.as_ref().unwrap().spawn(work).await.unwrap()
    }

    pub(crate) async fn try_create(&self, plan: NewPlan) -> Result<PlanState> {
        let executor = self.executor.clone();
        self.on(async move { executor.create(plan).await }).await
    }

    pub(crate) async fn create(&self, plan: NewPlan) -> PlanId {
        self.try_create(plan).await.unwrap().plan.id
    }

    pub(crate) async fn try_submit(&self, plan: PlanId, fact: Fact) -> Result<PlanState> {
        let executor = self.executor.clone();
        self.on(async move {
            executor
                .submit(agent_core::ports::Visibility::Tenant(TenantId::DEFAULT), plan, fact)
                .await
                .map(|submitted| submitted.state)
        })
        .await
    }

    pub(crate) async fn submit(&self, plan: PlanId, fact: Fact) -> PlanState {
        self.try_submit(plan, fact).await.unwrap()
    }

    pub(crate) async fn approve(&self, plan: PlanId, task: &Task) {
        self.submit(plan, answer_to(task, true, None)).await;
    }

    /// The executor as others on the same store tell it where to look.
    pub(crate) fn as_neighbour(&self) -> Executor {
        self.executor.clone()
    }

    pub(crate) async fn stop(&self, grace: Duration) {
        let executor = self.executor.clone();
        self.on(async move { executor.stop(grace).await }).await;
    }

    /// Dies without a word: all that was under way is gone when this returns.
    pub(crate) async fn crash(mut self) {
        let runtime = self.runtime.take().unwrap();
        tokio::task::spawn_blocking(move || runtime.shutdown_timeout(PATIENCE)).await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
