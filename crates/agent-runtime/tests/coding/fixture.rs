//! A workshop: a real repository and a real agent on a database file, with a model that plays a script.

mod model;
mod outcome;
mod repository;
mod words;

pub(crate) use model::Recorded;
pub(crate) use outcome::Outcome;
pub(crate) use repository::Repository;
pub(crate) use words::{Fitting, about, call, calls, finish, in_attempts, in_order, patch, plan, say};

use agent_auth::Principal;
use agent_core::event::EventBody;
use agent_core::ids::PlanId;
use agent_core::plan::{CommandLine, PlanState, RetryPolicy, TaskKind, TaskSpec};
use agent_core::policy::Policy;
use agent_core::ports::Step;
use agent_llm::Turn;
use agent_runtime::{Agent, CreatePlan, EventQuery, Settings, WantedMessages};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// How long a plan may take before the test says that it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// An agent at work on a repository of its own.
pub(crate) struct Workshop {
    pub(crate) agent: Agent,
    pub(crate) me: Principal,
    pub(crate) model: Arc<Recorded>,
    pub(crate) repository: Repository,
    data: TempDir,
}

/// A task for the model that counts as done when a line for the shell exits with 0.
pub(crate) fn agent_task(description: &str, verify: &str) -> TaskSpec {
    let verify = (!verify.is_empty()).then(|| CommandLine::Shell(verify.to_owned()));
    TaskSpec::new(description, TaskKind::Agent { verify })
}

/// The same task, to be tried so often without a pause.
pub(crate) fn tried(task: TaskSpec, max_attempts: u32) -> TaskSpec {
    TaskSpec { retry: RetryPolicy { max_attempts, backoff_ms: 1, max_backoff_ms: 1 }, ..task }
}

impl Workshop {
    /// Opens one in which the model says these things, in this order.
    pub(crate) async fn open(repository: Repository, turns: Vec<Turn>) -> Self {
        Self::with_model(repository, Recorded::new(in_order(turns))).await
    }

    /// Opens one with a model of its own.
    pub(crate) async fn with_model(repository: Repository, model: Recorded) -> Self {
        Self::with(repository, model, |_| {}).await
    }

    /// Opens one with a model and settings of its own.
    pub(crate) async fn with(
        repository: Repository,
        model: Recorded,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let data = tempfile::tempdir().unwrap();
        let model = Arc::new(model);
        let agent = start(&data, &repository, &model, change).await;
        let me = agent.local_principal().await.unwrap();
        Self { agent, me, model, repository, data }
    }

    /// Stops without patience, as a process does that is told to end, and starts anew on the same data.
    pub(crate) async fn restart(self, model: Recorded) -> Self {
        let Self { agent, repository, data, .. } = self;
        agent.stop_within(Duration::ZERO).await;
        let model = Arc::new(model);
        let agent = start(&data, &repository, &model, |settings| settings.recover = true).await;
        let me = agent.local_principal().await.unwrap();
        Self { agent, me, model, repository, data }
    }

    /// Lets the model work on one task, to its end.
    pub(crate) async fn task(&self, description: &str, verify: &str) -> Outcome {
        self.tasks([agent_task(description, verify)], Policy::default()).await
    }

    /// Executes tasks under these rules, to their end.
    pub(crate) async fn tasks<const N: usize>(&self, tasks: [TaskSpec; N], policy: Policy) -> Outcome {
        let id = self.begin(tasks, policy).await;
        self.end_of(id).await
    }

    /// Lets the planner find the tasks of a goal and executes them, to their end.
    pub(crate) async fn goal(&self, goal: &str, policy: Policy) -> Outcome {
        let request = CreatePlan { policy, ..CreatePlan::new(goal).execute() };
        let id = self.agent.plans().create(&self.me, request).await.unwrap().plan.id;
        self.end_of(id).await
    }

    /// Begins to execute tasks.
    pub(crate) async fn begin<const N: usize>(&self, tasks: [TaskSpec; N], policy: Policy) -> PlanId {
        let request = CreatePlan::new("Get the work done").with_tasks(tasks).execute();
        let request = CreatePlan { policy, ..request };
        self.agent.plans().create(&self.me, request).await.unwrap().plan.id
    }

    /// The plan once it has ended.
    pub(crate) async fn end_of(&self, plan: PlanId) -> Outcome {
        let ended = tokio::time::timeout(PATIENCE, self.agent.plans().wait(&self.me, plan)).await;
        let state: PlanState = ended.unwrap_or_else(|_| panic!("plan {plan} does not end")).unwrap();
        Outcome(state)
    }

    /// The recorded steps of a plan's task, over all attempts.
    pub(crate) async fn steps(&self, outcome: &Outcome, position: u32) -> Vec<Step> {
        let task = outcome.0.at(position).unwrap().id;
        let attempts = self.agent.plans().executions(&self.me, outcome.id(), task).await.unwrap();
        attempts.into_iter().flat_map(|(_, steps)| steps).collect()
    }

    /// What was told of a plan, in order.
    pub(crate) async fn events(&self, outcome: &Outcome) -> Vec<EventBody> {
        let page = self
            .agent
            .plans()
            .events(&self.me, outcome.id(), EventQuery { limit: 1_000, ..EventQuery::default() })
            .await
            .unwrap();
        page.events.into_iter().map(|event| event.body).collect()
    }

    /// What somebody said in the conversation of a plan, in order.
    pub(crate) async fn said(&self, outcome: &Outcome, role: &str) -> Vec<String> {
        let plan_id = Some(outcome.id());
        let wanted = WantedMessages {
            plan_id,
            role: Some(role.to_owned()),
            limit: 1_000,
            ..WantedMessages::default()
        };
        let page = self.agent.conversation().list(&self.me, wanted).await.unwrap();
        page.messages.into_iter().map(|message| message.content).collect()
    }
}

async fn start(
    data: &TempDir,
    repository: &Repository,
    model: &Arc<Recorded>,
    change: impl FnOnce(&mut Settings),
) -> Agent {
    let mut settings = Settings {
        repository_roots: vec![repository.path().to_owned()],
        max_parallel_tasks: 2,
        ..Settings::embedded(data.path())
    };
    change(&mut settings);
    Agent::builder(settings).model(Arc::<Recorded>::clone(model)).start().await.unwrap()
}
