//! A store in a folder of its own, with a listener that remembers.

use agent_auth::Role;
use agent_auth::ports::{NewUser, UserStore};
use agent_core::event::{Event, EventBody, NewEvent};
use agent_core::ids::{PlanId, UserId, WorkerId};
use agent_core::plan::{NewPlan, PlanState, PlanStatus, TaskKind, TaskSpec};
use agent_core::policy::Policy;
use agent_core::ports::{Change, CommitListener, Fence, PlanStore};
use agent_core::time::Timestamp;
use agent_store::Store;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;

/// Remembers what it was told, call by call.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Vec<Vec<Event>>>);

impl CommitListener for Recorder {
    fn committed(&self, events: &[Event]) {
        self.0.lock().unwrap().push(events.to_vec());
    }
}

impl Recorder {
    pub(crate) fn calls(&self) -> Vec<Vec<Event>> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn events(&self) -> Vec<Event> {
        self.calls().concat()
    }
}

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) told: Arc<Recorder>,
    pub(crate) owner: UserId,
    folder: TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let told = Arc::new(Recorder::default());
        let listener: Arc<Recorder> = Arc::clone(&told);
        let url = format!("sqlite://{}", folder.path().join("agent.db").display());
        let store = Store::open(&url, listener).unwrap();
        let owner = user(&store, "ada").await;
        Self { store, told, owner, folder }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("agent.db")
    }

    pub(crate) fn url(&self) -> String {
        format!("sqlite://{}", self.path().display())
    }

    /// Another store on the same file, as another process would have it.
    pub(crate) fn another(&self) -> Store {
        Store::open(&self.url(), Arc::new(Recorder::default())).unwrap()
    }

    /// The file as a tool of the operator sees it.
    pub(crate) fn connection(&self) -> diesel::SqliteConnection {
        use diesel::Connection;
        diesel::SqliteConnection::establish(self.path().to_str().unwrap()).unwrap()
    }

    pub(crate) async fn plan(&self, n_tasks: usize) -> PlanState {
        let plan = new_plan(self.owner, n_tasks);
        PlanStore::create(&self.store, &plan, PlanStatus::Created, at(0)).await.unwrap()
    }

    /// A running plan with one task, held by `worker`.
    pub(crate) async fn held(&self, worker: &str) -> (PlanState, Fence) {
        let mut state = self.plan(1).await;
        state.plan.status = PlanStatus::Running;
        self.store.commit(&change(&state), None).await.unwrap();
        let worker = WorkerId(worker.into());
        let lease = Duration::from_secs(60);
        let claim = self.store.claim(&worker, lease, Some(state.plan.id)).await.unwrap().unwrap();
        (claim.state, claim.fence)
    }
}

pub(crate) async fn user(store: &Store, name: &str) -> UserId {
    let new = NewUser {
        username: name.into(),
        password_hash: "$argon2id$".into(),
        role: Role::User,
        request_key: None,
    };
    UserStore::create(store, &new, at(0)).await.unwrap().unwrap().id
}

/// An instant some milliseconds into the test's day.
pub(crate) fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_micros(1_767_268_800_000_000 + milliseconds * 1_000)
}

pub(crate) fn new_plan(owner: UserId, n_tasks: usize) -> NewPlan {
    let task = |n: usize| TaskSpec::new(format!("task {n}"), TaskKind::shell(format!("echo {n}")));
    NewPlan {
        owner,
        goal: "Make it work".into(),
        repo_path: "/srv/repository".into(),
        tasks: (1..=n_tasks).map(task).collect(),
        policy: Policy::default(),
        auto_execute: false,
        template_id: None,
        idempotency: None,
    }
}

/// A change that stores the plan as it is in `state`, whose revision is the one seen.
pub(crate) fn change(state: &PlanState) -> Change {
    let mut plan = state.plan.clone();
    plan.revision = state.plan.revision.next();
    Change {
        plan,
        seen: state.plan.revision,
        tasks: Vec::new(),
        redefined: Vec::new(),
        removed: Vec::new(),
        version: None,
        new_tasks: Vec::new(),
        select_new: false,
        attempts: Vec::new(),
        approvals: Vec::new(),
        decisions: Vec::new(),
        execution: None,
        events: Vec::new(),
        at: at(1),
    }
}

/// An event worth telling.
pub(crate) fn progress(message: impl Into<String>) -> NewEvent {
    NewEvent {
        task_id: None,
        body: EventBody::TaskProgress { progress: Some(12.5), message: message.into() },
    }
}

/// The numbers of a plan's events.
pub(crate) fn numbers(events: &[Event], plan: PlanId) -> Vec<i64> {
    events.iter().filter(|event| event.plan_id == plan).map(|event| event.seq).collect()
}
