//! Starts every part and wires them together.

use super::Agent;
use crate::data_folder::{DataFolder, HomeLock};
use crate::deliveries::{self, Listeners};
use crate::error::{Error, Result};
use crate::figures::{Committed, MeteredModel, ModelTallies};
use crate::policy;
use crate::repositories::RepositoryRoots;
use crate::scan_caches::ScanCaches;
use crate::secrets::KnownSecrets;
use crate::services::Webhooks;
use crate::settings::{self, Settings};
use crate::surveys::CachedSurveys;
use crate::system::{SystemClock, SystemRandomness};
use crate::workspaces::PlanWorkspaces;
use agent_auth::{Authenticator, Passwords, SigningKey, Stores, SystemRandom};
use agent_core::executor::{Executor, ExecutorPorts, ExecutorSettings};
use agent_core::ids::WorkerId;
use agent_core::model::ModelDescription;
use agent_core::policy::Judge;
use agent_core::ports::{Clock, CommitListener, LanguageModel, Neighbours, Secrets};
use agent_core::time::Timestamp;
use agent_core::tool::{Tool, Toolbox};
use agent_events::{Bus, Hub, Wakes};
use agent_llm::{LlmSettings, Provider};
use agent_repository::isolation::IsolatedWorkspaces;
use agent_repository::tools::Recorder;
use agent_sandbox::{HostEnvironment, RunCommand, Sandbox};
use agent_store::Store;
use agent_webhooks::{Allowed, Wake};
use secrecy::SecretString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

/// What stands before the executor does.
pub(super) struct Parts {
    pub(super) store: Store,
    pub(super) hub: Hub,
    /// What joins this process with others on the same database, where a NATS is named.
    pub(super) bus: Option<Arc<Bus>>,
    pub(super) roots: Arc<RepositoryRoots>,
    pub(super) workspaces: Arc<PlanWorkspaces>,
    pub(super) caches: Arc<ScanCaches>,
    pub(super) sandbox: Sandbox,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) home: Option<HomeLock>,
    pub(super) worker: WorkerId,
    pub(super) judge: Arc<dyn Judge>,
    pub(super) secrets: Arc<dyn Secrets>,
    pub(super) webhooks: Webhooks,
}

/// What stands once it runs.
pub(super) struct Running {
    pub(super) authenticator: Authenticator,
    pub(super) first_password: Option<String>,
    pub(super) executor: Executor,
    pub(super) model: Option<ModelDescription>,
    pub(super) started_at: Timestamp,
    pub(super) counted: Counted,
}

/// What is counted while it runs.
#[derive(Default)]
pub(super) struct Counted {
    pub(super) committed: Arc<Committed>,
    pub(super) models: Arc<ModelTallies>,
}

impl Counted {
    fn metered(&self, model: Arc<dyn LanguageModel>, settings: &Settings) -> Arc<dyn LanguageModel> {
        let (prices, tallies) = (settings.llm_prices.clone(), Arc::clone(&self.models));
        Arc::new(MeteredModel { model, prices, tallies })
    }
}

/// Collects what an embedder wants different, then starts.
pub struct AgentBuilder {
    pub(super) settings: Settings,
    pub(super) model: Option<Arc<dyn LanguageModel>>,
    pub(super) tools: Toolbox,
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
    pub async fn start(mut self) -> Result<Agent> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let started_at = clock.now();
        let wakes = Arc::new(Wakes::new());
        let bus = self.settings.nats_url.is_some().then(|| Arc::new(Bus::new(Arc::clone(&wakes))));
        let (wake, allowed) = (Wake::default(), deliveries::allowed(&self.settings)?);
        let counted = Counted::default();
        let listener = Listeners([
            listener(bus.as_ref(), &wakes),
            Arc::new(wake.clone()),
            Arc::<Committed>::clone(&counted.committed),
        ]);
        let (store, folder) = open_store(&self.settings, Arc::new(listener)).await?;
        let signing = self.settings.jwt_secret.clone().map_or_else(|| folder.jwt_secret(), Ok)?;
        let authenticator = authenticator(signing_keys(&self.settings, &signing)?, &store, &clock);
        let model = match self.model.take() {
            Some(model) => Some(model),
            None => connect_model(&self.settings).await?,
        };
        let described = model.as_ref().map(|model| model.describe());
        let model = model.map(|model| counted.metered(model, &self.settings));
        let home = folder.lock()?;
        let database = store.identity().await?;
        let roots = Arc::new(RepositoryRoots::resolve(&self.settings.repository_roots, store.clone())?);
        let parts = Parts {
            worker: worker_id(&folder, home.is_some())?,
            home,
            workspaces: Arc::new(workspaces(&self.settings, &roots, &clock)),
            roots,
            judge: Arc::new(policy::judge(&self.settings, private_files(&self.settings, &folder))?),
            secrets: Arc::new(KnownSecrets::new(&self.settings, &signing, Arc::clone(&clock))),
            caches: Arc::default(),
            sandbox: probe_sandbox(&self.settings, &folder),
            hub: Hub::new(wakes, Arc::new(store.clone())).of_epoch(&database),
            webhooks: webhooks(&store, &clock, allowed, wake),
            bus,
            store,
            clock,
        };
        let executor = self.executor(&parts, model);
        // Last of what can fail: the password of a new administrator is shown once, by a start that succeeds.
        let first_password = accounts(&self.settings, &authenticator).await?;
        executor.start();
        if let (Some(bus), Some(address)) = (&parts.bus, &self.settings.nats_url) {
            let server = uuid::Uuid::new_v4().to_string();
            bus.start(address, &database, &server, Arc::new(executor.clone()))?;
        }
        let running =
            Running { authenticator, first_password, executor, model: described, started_at, counted };
        Ok(Agent::assemble(self.settings, parts, running))
    }

    /// The executor, wired to everything it reaches the world through.
    fn executor(&self, parts: &Parts, model: Option<Arc<dyn LanguageModel>>) -> Executor {
        let store = &parts.store;
        let recorder = Recorder { folder: self.settings.history_folder(), clock: Arc::clone(&parts.clock) };
        let standard =
            agent_repository::tools::toolbox(Some(recorder)).with(RunCommand::new(parts.sandbox.clone()));
        let ports = ExecutorPorts {
            plans: Arc::new(store.clone()),
            reader: Arc::new(store.clone()),
            journal: Arc::new(store.clone()),
            conversations: Arc::new(store.clone()),
            model,
            tools: standard.with_all(self.tools.clone()),
            workspaces: Arc::clone(&parts.workspaces) as _,
            judge: Arc::clone(&parts.judge),
            secrets: Arc::clone(&parts.secrets),
            surveyor: Arc::new(CachedSurveys {
                caches: Arc::clone(&parts.caches),
                redactor: parts.secrets.redactor(),
            }),
            prices: self.settings.llm_prices.clone(),
            clock: Arc::clone(&parts.clock),
            randomness: Arc::new(SystemRandomness),
            neighbours: parts.bus.clone().map(|bus| bus as Arc<dyn Neighbours>),
            audience: Some(Arc::new(parts.hub.clone())),
        };
        let settings = ExecutorSettings {
            worker: parts.worker.clone(),
            max_parallel: self.settings.max_parallel_tasks,
            task_timeout: self.settings.task_timeout,
            max_recoveries: self.settings.max_recoveries,
            daily_limits: self.settings.daily_limits,
            lease: self.settings.lease,
            recover: self.settings.recover,
        };
        Executor::new(ports, settings)
    }
}

async fn open_store(settings: &Settings, listener: Arc<dyn CommitListener>) -> Result<(Store, DataFolder)> {
    let url = settings.database_url.clone();
    let opened = tokio::task::spawn_blocking(move || Store::open(&url, listener)).await;
    let store = opened.map_err(|error| Error::Internal(error.to_string()))??;
    // Every spelling of a path leads to the same lock and the same secret.
    let real = |path: PathBuf| path.canonicalize().unwrap_or(path);
    let folder = match settings::file_of(&settings.database_url) {
        Some(file) => DataFolder::of(&real(file)),
        None => DataFolder::without_database(&real(settings.data_folder.clone())),
    };
    Ok((store, folder))
}

/// Who hears of commits here, and elsewhere where servers are joined.
fn listener(bus: Option<&Arc<Bus>>, wakes: &Arc<Wakes>) -> Arc<dyn CommitListener> {
    match bus {
        Some(bus) => Arc::<Bus>::clone(bus),
        None => Arc::<Wakes>::clone(wakes),
    }
}

fn workspaces(settings: &Settings, roots: &Arc<RepositoryRoots>, clock: &Arc<dyn Clock>) -> PlanWorkspaces {
    PlanWorkspaces {
        roots: Arc::clone(roots),
        isolated: IsolatedWorkspaces::new(settings.workspaces_folder()),
        history_folder: settings.history_folder(),
        clock: Arc::clone(clock),
    }
}

fn webhooks(store: &Store, clock: &Arc<dyn Clock>, allowed: Allowed, wake: Wake) -> Webhooks {
    let (store, clock) = (store.clone(), Arc::clone(clock));
    Webhooks { store, allowed, wake, clock, random: Arc::new(SystemRandom) }
}

/// The lasting name of the process that is at home, or a name of its own for any other.
fn worker_id(folder: &DataFolder, at_home: bool) -> Result<WorkerId> {
    let visitor = || Ok(format!("visitor-{}", uuid::Uuid::new_v4()));
    if at_home { folder.worker() } else { visitor() }.map(WorkerId)
}

/// Signs with the present secret, and still knows what earlier ones signed.
fn signing_keys(settings: &Settings, present: &SecretString) -> Result<SigningKey> {
    let retired = settings.access.retired_jwt_secrets.clone();
    Ok(SigningKey::with_retired(present.clone(), retired)?)
}

fn authenticator(keys: SigningKey, store: &Store, clock: &Arc<dyn Clock>) -> Authenticator {
    let store = Arc::new(store.clone());
    let stores = Stores {
        users: Arc::clone(&store) as _,
        tenants: Arc::clone(&store) as _,
        keys: Arc::clone(&store) as _,
        refresh: store as _,
    };
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Authenticator::new(stores, keys, Passwords::new(cores), Arc::clone(clock))
}

/// Commands never see the database, its lock or the signing secret, even where the folder is readable.
fn probe_sandbox(settings: &Settings, folder: &DataFolder) -> Sandbox {
    let host: HostEnvironment = settings.environment.iter().collect();
    Sandbox::probe_with(host, &private_files(settings, folder), settings.sandbox_backend)
}

/// What lies beside the database and is nobody else's business.
fn private_files(settings: &Settings, folder: &DataFolder) -> Vec<PathBuf> {
    let mut private = folder.private_files();
    private.push(settings.history_folder());
    private
}

async fn accounts(settings: &Settings, authenticator: &Authenticator) -> Result<Option<String>> {
    if settings.dev {
        authenticator.create_demo_accounts().await?;
        return Ok(None);
    }
    if !settings.bind.ip().is_loopback() {
        refuse_demo_accounts(authenticator).await?;
    }
    if settings.recover {
        return Ok(authenticator.ensure_admin(settings.admin_password.clone()).await?);
    }
    Ok(None)
}

/// A database that was used for a demo has accounts whose passwords everybody knows.
async fn refuse_demo_accounts(authenticator: &Authenticator) -> Result<()> {
    let found = authenticator.find_demo_accounts().await?;
    if found.is_empty() {
        return Ok(());
    }
    let text = format!(
        "bind: others can reach this address, and the accounts {} still have their demo passwords; change or disable \
         them first, or bind to 127.0.0.1",
        found.join(" and ")
    );
    Err(Error::Settings(text))
}

async fn connect_model(settings: &Settings) -> Result<Option<Arc<dyn LanguageModel>>> {
    let configured = settings.llm_provider.or_else(|| agent_llm::detect(&settings.environment));
    let provider = match configured {
        Some(provider) => provider,
        None if agent_llm::ollama_is_listening(agent_llm::OLLAMA_BASE_URL).await => Provider::Ollama,
        None => return Ok(None),
    };
    let key_of = |provider: Provider| {
        let variable = provider.key_variable()?;
        settings.environment.get(variable).cloned().map(SecretString::from)
    };
    let first = LlmSettings {
        provider: Some(provider),
        base_url: settings.llm_base_url.clone(),
        model: settings.llm_model.clone(),
        api_key: settings.llm_api_key.clone().or_else(|| key_of(provider)),
        script: settings.llm_script.clone(),
        context_window: settings.llm_context_window,
        tool_calling: settings.llm_tool_calling,
        ..LlmSettings::default()
    };
    let fallbacks = settings.llm_fallbacks.iter().map(|fallback| LlmSettings {
        provider: Some(fallback.provider),
        base_url: fallback.base_url.clone(),
        model: fallback.model.clone(),
        api_key: key_of(fallback.provider),
        tool_calling: settings.llm_tool_calling,
        ..LlmSettings::default()
    });
    Ok(Some(agent_llm::connect_profiles(std::iter::once(first).chain(fallbacks).collect())?))
}
