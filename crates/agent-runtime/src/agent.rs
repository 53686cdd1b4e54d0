//! The running agent: every part started, wired and stoppable.

use crate::data_folder::{DataFolder, HomeLock};
use crate::error::{Error, Result};
use crate::repositories::RepositoryRoots;
use crate::services::{Conversation, Plans, Repositories, Stats, Templates};
use crate::settings::Settings;
use crate::system::{SystemClock, SystemRandomness};
use agent_analytics::Analytics;
use agent_auth::ports::{NewUser, User, UserStore};
use agent_auth::{Authenticator, Passwords, Principal, Role, SigningKey, Stores};
use agent_core::executor::{Executor, ExecutorPorts, ExecutorSettings};
use agent_core::ids::WorkerId;
use agent_core::model::ModelDescription;
use agent_core::event::Topic;
use agent_core::ports::{Clock, CommitListener, Conversations, EventLog, LanguageModel, MessageFilter, PlanReader};
use agent_core::time::Timestamp;
use agent_core::tool::{Tool, Toolbox};
use agent_events::{Hub, Wakes};
use agent_llm::{LlmSettings, Provider};
use agent_sandbox::{HostEnvironment, RunCommand, Sandbox};
use agent_store::Store;
use secrecy::SecretString;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

/// How long a plan stays with a worker that is no longer heard of.
const LEASE: Duration = Duration::from_secs(15);
/// The account of whoever runs an embedded agent.
const LOCAL_USER: &str = "local";

/// Collects what an embedder wants different, then starts.
pub struct AgentBuilder {
    settings: Settings,
    model: Option<Arc<dyn LanguageModel>>,
    tools: Toolbox,
}

impl AgentBuilder {
    /// Answers prompts with this model instead of the configured one.
    #[must_use]
    pub fn model(mut self, model: Arc<dyn LanguageModel>) -> Self {
        self.model = Some(model);
        self
    }

    /// Offers a further tool, or another one in place of a standard one.
    #[must_use]
    pub fn tool<T: Tool>(mut self, tool: T) -> Self {
        self.tools = self.tools.with(tool);
        self
    }

    /// Starts the agent.
    ///
    /// # Errors
    /// Settings, data folder, database or language model errors, each saying what to do.
    pub async fn start(self) -> Result<Agent> {
        Agent::start_with(self).await
    }
}

/// How the process is, without asking the database.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// Version of this program.
    pub version: &'static str,
    /// `none` where no language model is configured.
    pub llm_provider: String,
    /// Time since the start.
    pub uptime: Duration,
}

/// How one part is.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// `database`, `events`, `workers` or `sandbox`.
    pub name: &'static str,
    /// Whether it can do its work.
    pub ready: bool,
    /// What is known about it.
    pub detail: String,
}

/// Whether the process can take requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Readiness {
    /// Each part.
    pub parts: Vec<Part>,
}

impl Readiness {
    /// Whether every part is ready.
    pub fn is_ready(&self) -> bool {
        self.parts.iter().all(|part| part.ready)
    }
}

/// A running agent. Cheap to clone; all clones are the same agent.
#[derive(Clone)]
pub struct Agent(Arc<Inner>);

struct Inner {
    settings: Settings,
    store: Store,
    hub: Hub,
    executor: Executor,
    authenticator: Authenticator,
    analytics: Analytics,
    plans: Plans,
    conversation: Conversation,
    repositories: Repositories,
    templates: Templates,
    sandbox: Sandbox,
    model: Option<ModelDescription>,
    first_password: Option<String>,
    clock: Arc<dyn Clock>,
    started_at: Timestamp,
    _home: Option<HomeLock>,
}

impl Agent {
    /// Starts with these settings.
    ///
    /// # Errors
    /// As [`AgentBuilder::start`].
    pub async fn start(settings: Settings) -> Result<Self> {
        Self::builder(settings).start().await
    }

    /// Starts with these settings and what the embedder changes about them.
    pub fn builder(settings: Settings) -> AgentBuilder {
        AgentBuilder { settings, model: None, tools: Toolbox::default() }
    }

    async fn start_with(builder: AgentBuilder) -> Result<Self> {
        let settings = builder.settings;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let started_at = clock.now();
        let wakes = Arc::new(Wakes::new());
        let (store, folder) = open_store(&settings, Arc::clone(&wakes)).await?;
        let hub = Hub::new(wakes, Arc::new(store.clone()));
        let home = folder.lock()?;
        let worker = worker_id(home.is_some())?;
        let authenticator = authenticator(&settings, &folder, &store, &clock)?;
        let first_password = accounts(&settings, &authenticator).await?;
        let model = match builder.model {
            Some(model) => Some(model),
            None => connect_model(&settings).await?,
        };
        let roots = Arc::new(RepositoryRoots::resolve(&settings.repository_roots)?);
        let sandbox = probe_sandbox(&settings, &folder);
        let described = model.as_ref().map(|model| model.describe());
        let standard = agent_repository::tools::toolbox()
            .with(RunCommand::new(sandbox.clone()));
        let ports = ExecutorPorts {
            plans: Arc::new(store.clone()),
            reader: Arc::new(store.clone()),
            journal: Arc::new(store.clone()),
            conversations: Arc::new(store.clone()),
            model,
            tools: standard.with_all(builder.tools),
            workspaces: Arc::clone(&roots) as _,
            surveyor: Arc::clone(&roots) as _,
            clock: Arc::clone(&clock),
            randomness: Arc::new(SystemRandomness),
        };
        let executor = Executor::new(ports, executor_settings(&settings, worker));
        executor.start();
        let templates = Arc::new(agent_templates::Catalogue::builtin());
        let plans = Plans {
            executor: executor.clone(),
            store: store.clone(),
            hub: hub.clone(),
            roots: Arc::clone(&roots),
            templates: Arc::clone(&templates),
        };
        Ok(Self(Arc::new(Inner {
            conversation: Conversation { store: store.clone(), clock: Arc::clone(&clock) },
            repositories: Repositories { roots },
            templates: Templates { catalogue: templates },
            analytics: Analytics::new(Arc::new(store.clone()), Arc::clone(&clock)),
            model: described,
            _home: home,
            settings,
            store,
            hub,
            executor,
            authenticator,
            plans,
            sandbox,
            first_password,
            clock,
            started_at,
        })))
    }

    /// The effective settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Requests about plans.
    pub fn plans(&self) -> &Plans {
        &self.0.plans
    }

    /// Requests about conversations.
    pub fn conversation(&self) -> &Conversation {
        &self.0.conversation
    }

    /// Requests about repositories.
    pub fn repositories(&self) -> &Repositories {
        &self.0.repositories
    }

    /// Requests about templates.
    pub fn templates(&self) -> &Templates {
        &self.0.templates
    }

    /// Figures about executions.
    pub fn analytics(&self) -> &Analytics {
        &self.0.analytics
    }

    /// Logins, tokens, keys and users.
    pub fn authenticator(&self) -> &Authenticator {
        &self.0.authenticator
    }

    /// Live events.
    pub fn events(&self) -> &Hub {
        &self.0.hub
    }

    /// The clock everything here goes by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// The language model that answers, if any.
    pub fn model(&self) -> Option<&ModelDescription> {
        self.0.model.as_ref()
    }

    /// The administrator's one-time password, when this start created the account without being given one.
    pub fn first_password(&self) -> Option<&str> {
        self.0.first_password.as_deref()
    }

    /// How the process is; asks nothing and nobody.
    pub fn health(&self) -> Health {
        let uptime = self.0.clock.now().since(self.0.started_at);
        Health { version: env!("CARGO_PKG_VERSION"), llm_provider: self.provider(), uptime }
    }

    fn provider(&self) -> String {
        self.0.model.as_ref().map_or_else(|| "none".to_owned(), |model| model.provider.clone())
    }

    /// Whether each part can do its work.
    pub async fn readiness(&self) -> Readiness {
        let database = match EventLog::head(&self.0.store, Topic::Everything).await {
            Ok(_) => (true, "answers".to_owned()),
            Err(error) => (false, error.to_string()),
        };
        let workers = format!("{} plans in hand", self.0.executor.plans_in_hand());
        let part = |name, (ready, detail)| Part { name, ready, detail };
        Readiness {
            parts: vec![
                part("events", (database.0, "read from the database, woken by commits".to_owned())),
                part("database", database),
                part("workers", (true, workers)),
                part("sandbox", describe_sandbox(&self.0.sandbox)),
            ],
        }
    }

    /// A few figures, of what the caller may see.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn stats(&self, caller: &Principal) -> Result<Stats> {
        let visibility = caller.visibility();
        let counts = PlanReader::counts(&self.0.store, visibility).await?;
        let filter = MessageFilter { visibility, plan_id: None, after: None, limit: 1 };
        let (_, total_messages) = Conversations::messages(&self.0.store, &filter).await?;
        Ok(Stats {
            total_plans: counts.total,
            completed_plans: counts.completed,
            total_messages,
            llm_provider: self.provider(),
        })
    }

    /// The account that stands for whoever runs an embedded agent: an administrator of their own data.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn local_principal(&self) -> Result<Principal> {
        let user = match self.0.store.find_by_name(LOCAL_USER).await? {
            Some(account) => account.user,
            None => self.create_local_user().await?,
        };
        Ok(Principal {
            user_id: user.id,
            username: user.username,
            role: Role::Admin,
            scopes: Role::Admin.scopes().to_vec(),
            expires_at: None,
        })
    }

    async fn create_local_user(&self) -> Result<User> {
        let user = NewUser {
            username: LOCAL_USER.to_owned(),
            // No password has this hash: the account is for the process that owns the data, not for logins.
            password_hash: "!".to_owned(),
            role: Role::Admin,
        };
        let created = self.0.store.create(&user, self.0.clock.now()).await?;
        created.ok_or_else(|| Error::Internal("the local account was created by somebody else just now".to_owned()))
    }

    /// Stops taking work, lets what runs finish within ten seconds, and closes the database.
    pub async fn stop(self) {
        self.stop_within(Duration::from_secs(10)).await;
    }

    /// As [`Agent::stop`], with another grace period.
    pub async fn stop_within(self, grace: Duration) {
        self.0.executor.stop(grace).await;
        if let Err(error) = self.0.store.close().await {
            tracing::warn!(%error, "the database was not checkpointed; nothing is lost by that");
        }
    }
}

/// What is enforced here. A machine without the means is still ready: it refuses what it cannot confine.
fn describe_sandbox(sandbox: &Sandbox) -> (bool, String) {
    let levels = sandbox.effective().levels.iter();
    let words = levels.map(|support| match &support.reason {
        None => format!("{}: enforced", support.level),
        Some(reason) => format!("{}: refused, {reason}", support.level),
    });
    (true, words.collect::<Vec<_>>().join("; "))
}

async fn open_store(settings: &Settings, wakes: Arc<Wakes>) -> Result<(Store, DataFolder)> {
    let url = settings.database_url.clone();
    let listener: Arc<dyn CommitListener> = wakes;
    let opened = tokio::task::spawn_blocking(move || Store::open(&url, listener)).await;
    let store = opened.map_err(|error| Error::Internal(error.to_string()))??;
    let path = settings.database_path().unwrap_or_else(|| "agent.db".into());
    Ok((store, DataFolder::of(&path)))
}

/// The lasting name of the process that is at home, or a name of its own for any other.
fn worker_id(at_home: bool) -> Result<WorkerId> {
    if at_home {
        return Ok(WorkerId("home".to_owned()));
    }
    Ok(WorkerId(format!("visitor-{}", uuid::Uuid::new_v4())))
}

fn executor_settings(settings: &Settings, worker: WorkerId) -> ExecutorSettings {
    ExecutorSettings {
        worker,
        max_parallel: settings.max_parallel_tasks,
        task_timeout: settings.task_timeout,
        lease: LEASE,
        recover: settings.recover,
    }
}

fn authenticator(
    settings: &Settings,
    folder: &DataFolder,
    store: &Store,
    clock: &Arc<dyn Clock>,
) -> Result<Authenticator> {
    let secret = match settings.jwt_secret.clone() {
        Some(secret) => secret,
        None => folder.jwt_secret()?,
    };
    let store = Arc::new(store.clone());
    let stores = Stores { users: Arc::clone(&store) as _, keys: Arc::clone(&store) as _, refresh: store as _ };
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Ok(Authenticator::new(stores, SigningKey::new(secret)?, Passwords::new(cores), Arc::clone(clock)))
}

/// Commands never see the database, its lock or the signing secret, even where the folder is readable.
fn probe_sandbox(settings: &Settings, folder: &DataFolder) -> Sandbox {
    let host: HostEnvironment = settings.environment.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
    Sandbox::probe_hiding(host, &folder.private_files())
}

async fn accounts(settings: &Settings, authenticator: &Authenticator) -> Result<Option<String>> {
    if settings.dev {
        authenticator.create_demo_accounts().await?;
        return Ok(None);
    }
    if settings.recover {
        return Ok(authenticator.ensure_admin(settings.admin_password.clone()).await?);
    }
    Ok(None)
}

async fn connect_model(settings: &Settings) -> Result<Option<Arc<dyn LanguageModel>>> {
    let configured = settings.llm_provider.or_else(|| agent_llm::detect(&settings.environment));
    let provider = match configured {
        Some(provider) => provider,
        None if agent_llm::ollama_is_listening(agent_llm::OLLAMA_BASE_URL).await => Provider::Ollama,
        None => return Ok(None),
    };
    let key_of_environment = || {
        let variable = provider.key_variable()?;
        settings.environment.get(variable).cloned().map(SecretString::from)
    };
    let llm = LlmSettings {
        provider: Some(provider),
        base_url: settings.llm_base_url.clone(),
        model: settings.llm_model.clone(),
        api_key: settings.llm_api_key.clone().or_else(key_of_environment),
        script: settings.llm_script.clone(),
        ..LlmSettings::default()
    };
    Ok(Some(agent_llm::connect(llm)?))
}
