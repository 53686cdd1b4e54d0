//! A store on a database of its own, with a listener that remembers.

use crate::statements;
use agent_auth::Role;
use agent_auth::ports::{NewUser, TenantStore, UserStore};
use agent_core::Result;
use agent_core::event::{Event, EventBody, NewEvent};
use agent_core::executor::opening;
use agent_core::ids::{Owner, PlanId, TenantId, WorkerId};
use agent_core::plan::{NewPlan, PlanState, PlanStatus, TaskKind, TaskSpec};
use agent_core::policy::Policy;
use agent_core::ports::{Change, CommitListener, Fence, PlanStore};
use agent_core::time::Timestamp;
use agent_store::Store;
use agent_testkit_postgres::{PostgresCluster, TestDatabase};
use diesel::connection::SimpleConnection;
use std::marker::PhantomData;
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

/// Where the database of a test is.
pub(crate) enum Place {
    File(TempDir),
    Server(TestDatabase),
}

impl Place {
    pub(crate) fn url(&self) -> String {
        match self {
            Self::File(folder) => format!("sqlite://{}", folder.path().join("agent.db").display()),
            Self::Server(database) => database.url().to_owned(),
        }
    }
}

/// Which database the tests of a module run on.
pub(crate) trait Backend {
    /// An empty one; `None` where there is no such thing on this machine.
    fn empty() -> Option<Place>;
}

pub(crate) struct OnSqlite;
pub(crate) struct OnPostgres;

impl Backend for OnSqlite {
    fn empty() -> Option<Place> {
        Some(Place::File(tempfile::tempdir().unwrap()))
    }
}

impl Backend for OnPostgres {
    fn empty() -> Option<Place> {
        PostgresCluster::shared().map(|cluster| Place::Server(cluster.create_database(None)))
    }
}

pub(crate) fn open(url: &str) -> Result<Store, agent_store::Error> {
    statements::watch();
    Store::open(url, Arc::new(Recorder::default()))
}

/// A store on a database of its own, with a listener that remembers.
pub(crate) struct World<B> {
    pub(crate) store: Store,
    pub(crate) told: Arc<Recorder>,
    pub(crate) owner: Owner,
    // After the store: its connections end before the database does.
    place: Place,
    backend: PhantomData<B>,
}

impl<B: Backend> World<B> {
    pub(crate) fn empty() -> Option<Place> {
        B::empty()
    }

    pub(crate) async fn new() -> Option<Self> {
        statements::watch();
        let place = B::empty()?;
        let told = Arc::new(Recorder::default());
        let listener: Arc<Recorder> = Arc::clone(&told);
        let store = Store::open(&place.url(), listener).unwrap();
        let owner = user(&store, "ada").await;
        Some(Self { store, told, owner, place, backend: PhantomData })
    }

    pub(crate) fn url(&self) -> String {
        self.place.url()
    }

    /// Another store on the same database, as another process would have it.
    pub(crate) fn another(&self) -> Store {
        open(&self.url()).unwrap()
    }

    /// Runs statements as a tool of the operator would.
    pub(crate) fn execute(&self, sql: &str) {
        match &self.place {
            Place::File(_) => self.connection().batch_execute(sql).unwrap(),
            Place::Server(database) => drop(database.query(sql)),
        }
    }

    /// The file.
    pub(crate) fn path(&self) -> PathBuf {
        match &self.place {
            Place::File(folder) => folder.path().join("agent.db"),
            Place::Server(database) => panic!("{} is no file", database.name()),
        }
    }

    /// What [`statements::run_in`] knows this database by.
    pub(crate) fn place_of_connections(&self) -> String {
        match &self.place {
            Place::File(_) => self.path().display().to_string(),
            Place::Server(_) => String::new(),
        }
    }

    /// The file as a tool of the operator sees it.
    pub(crate) fn connection(&self) -> diesel::SqliteConnection {
        statements::unwatched(self.path().to_str().unwrap())
    }

    /// What a query yields on a server, first column only.
    pub(crate) fn query(&self, sql: &str) -> Vec<String> {
        match &self.place {
            Place::File(folder) => panic!("{folder:?} is no server"),
            Place::Server(database) => database.query(sql),
        }
    }

    /// The same as somebody who says that they work for this tenant, or does not say for whom.
    pub(crate) fn query_within(&self, tenant: Option<&str>, sql: &str) -> Result<Vec<String>, String> {
        match &self.place {
            Place::File(folder) => panic!("{folder:?} is no server"),
            Place::Server(database) => database.query_within(tenant, sql),
        }
    }

    pub(crate) async fn plan(&self, n_tasks: usize) -> PlanState {
        let plan = new_plan(self.owner, n_tasks);
        make(&self.store, &plan, PlanStatus::Created, at(0)).await.unwrap()
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

/// Stores a plan in a status, held by nobody.
pub(crate) async fn make(
    store: &Store,
    plan: &NewPlan,
    status: PlanStatus,
    at: Timestamp,
) -> Result<PlanState> {
    let opening = opening::open(plan.clone(), status, 0, None, at)?;
    Ok(PlanStore::create(store, &opening, plan.idempotency.as_ref()).await?.state)
}

pub(crate) async fn user(store: &Store, name: &str) -> Owner {
    user_in(store, name, TenantId::DEFAULT).await
}

/// Somebody whose account is made by that tenant.
pub(crate) async fn user_in(store: &Store, name: &str, tenant: TenantId) -> Owner {
    let user = UserStore::create(store, &new_user(name, tenant), at(0)).await.unwrap().unwrap();
    Owner { tenant: user.tenant, user: user.id }
}

pub(crate) fn new_user(name: &str, tenant: TenantId) -> NewUser {
    NewUser {
        username: name.into(),
        password_hash: "$argon2id$".into(),
        password_expires_at: None,
        tenant,
        role: Role::User,
        operator: false,
        request_key: None,
    }
}

/// Another tenant.
pub(crate) async fn tenant(store: &Store, name: &str) -> TenantId {
    store.create_tenant(name, None, at(0)).await.unwrap().unwrap().id
}

/// An instant some milliseconds into the test's day.
pub(crate) fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_micros(1_767_268_800_000_000 + milliseconds * 1_000)
}

pub(crate) fn new_plan(owner: Owner, n_tasks: usize) -> NewPlan {
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
