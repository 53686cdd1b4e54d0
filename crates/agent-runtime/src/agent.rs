//! The running agent: every part started, wired and stoppable.

mod assembly;
mod condition;
mod upkeep;

pub use assembly::AgentBuilder;
pub use condition::{Health, Part, Readiness};

use crate::data_folder::HomeLock;
use crate::deliveries::Deliveries;
use crate::error::{Error, Result};
use crate::figures::{Figures, ProcessFigures};
use crate::services::{Approvals, Audit, Conversation, Plans, Repositories, Stats, Templates, Webhooks};
use crate::settings::Settings;
use agent_analytics::Analytics;
use agent_auth::ports::{NewUser, User, UserStore};
use agent_auth::{Authenticator, Principal, Role, Scope};
use agent_core::event::Topic;
use agent_core::executor::Executor;
use agent_core::ids::TenantId;
use agent_core::model::ModelDescription;
use agent_core::policy::Judge;
use agent_core::ports::{Clock, Conversations, EventLog, MessageFilter, PlanReader};
use agent_core::time::Timestamp;
use agent_core::tool::Toolbox;
use agent_events::{Bus, Hub};
use agent_sandbox::Sandbox;
use agent_store::Store;
use assembly::{Counted, Parts, Running};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The account of whoever runs an embedded agent.
const LOCAL_USER: &str = "local";

/// A running agent. Cheap to clone; all clones are the same agent.
#[derive(Clone)]
pub struct Agent(Arc<Inner>);

struct Inner {
    settings: Settings,
    store: Store,
    hub: Hub,
    bus: Option<Arc<Bus>>,
    executor: Executor,
    authenticator: Authenticator,
    analytics: Analytics,
    audit: Audit,
    stop: CancellationToken,
    plans: Plans,
    approvals: Approvals,
    judge: Arc<dyn Judge>,
    conversation: Conversation,
    repositories: Repositories,
    templates: Templates,
    webhooks: Webhooks,
    deliveries: Option<Deliveries>,
    sandbox: Sandbox,
    model: Option<ModelDescription>,
    first_password: Option<String>,
    clock: Arc<dyn Clock>,
    started_at: Timestamp,
    counted: Counted,
    _home: Option<HomeLock>,
}

/// Begins what is done from time to time; until the token is cancelled.
fn keep_up(settings: &Settings, audit: &Audit, analytics: &Analytics, store: &Store) -> CancellationToken {
    let stop = CancellationToken::new();
    if let Some(kept) = settings.access.audit_retention.filter(|_| settings.recover) {
        tokio::spawn(upkeep::forget(audit.clone(), kept, stop.clone()));
    }
    tokio::spawn(upkeep::count(analytics.clone(), store.clone(), stop.clone()));
    stop
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

    fn assemble(settings: Settings, parts: Parts, running: Running) -> Self {
        let redactor = parts.secrets.redactor();
        let Parts {
            store, hub, bus, roots, workspaces, caches, sandbox, clock, home, judge, webhooks, ..
        } = parts;
        let Running { authenticator, first_password, executor, model, started_at, counted } = running;
        let templates = Templates::new(Arc::new(store.clone()), Arc::clone(&clock));
        let plans = Plans {
            executor: executor.clone(),
            store: store.clone(),
            hub: hub.clone(),
            roots: Arc::clone(&roots),
            workspaces,
            templates: templates.clone(),
            prices: settings.llm_prices.clone(),
            model: model.as_ref().map(|model| model.model.clone()),
            judge: Arc::clone(&judge),
            redactor: Arc::clone(&redactor),
            most_active: (settings.access.user_active_plans, settings.access.tenant_active_plans),
        };
        let prices = settings.llm_prices.clone();
        let analytics = Analytics::new(Arc::new(store.clone()), Arc::clone(&clock), prices);
        let audit = Audit::new(Arc::new(store.clone()), Arc::clone(&clock), Arc::clone(&redactor));
        let stop = keep_up(&settings, &audit, &analytics, &store);
        let approvals = Approvals::new(&executor, &store, &judge, &clock);
        Self(Arc::new(Inner {
            conversation: Conversation { store: store.clone(), clock: Arc::clone(&clock), redactor },
            audit,
            stop,
            approvals,
            judge,
            repositories: Repositories { roots, caches },
            templates,
            deliveries: settings.recover.then(|| Deliveries::start(&webhooks)),
            webhooks,
            analytics,
            _home: home,
            settings,
            store,
            hub,
            bus,
            executor,
            authenticator,
            plans,
            sandbox,
            model,
            first_password,
            clock,
            started_at,
            counted,
        }))
    }

    /// The effective settings.
    pub fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Requests about plans.
    pub fn plans(&self) -> &Plans {
        &self.0.plans
    }

    /// Requests about questions to people.
    pub fn approvals(&self) -> &Approvals {
        &self.0.approvals
    }

    /// What is allowed, asked and denied here.
    pub fn judge(&self) -> &Arc<dyn Judge> {
        &self.0.judge
    }

    /// What commands can be kept from here.
    pub fn sandbox(&self) -> &Sandbox {
        &self.0.sandbox
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

    /// Requests about webhooks.
    pub fn webhooks(&self) -> &Webhooks {
        &self.0.webhooks
    }

    /// Figures about executions.
    pub fn analytics(&self) -> &Analytics {
        &self.0.analytics
    }

    /// Who did what.
    pub fn audit(&self) -> &Audit {
        &self.0.audit
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
                part("events", (database.0, condition::describe_events(self.0.bus.as_deref()))),
                part("database", database),
                part("workers", (true, workers)),
                part("sandbox", condition::describe_sandbox(&self.0.sandbox)),
            ],
        }
    }

    /// What is counted here, for whoever watches from outside.
    pub fn figures(&self) -> Figures {
        Figures {
            uptime: self.0.clock.now().since(self.0.started_at),
            executor: self.0.executor.figures(),
            committed: self.0.counted.committed.read(),
            commits: self.0.store.commits(),
            models: self.0.counted.models.read(),
            deliveries: self.0.deliveries.as_ref().map(Deliveries::figures).unwrap_or_default(),
            process: ProcessFigures::read(),
        }
    }

    /// How much was written to the database, and in how many commits.
    pub fn store_statistics(&self) -> agent_store::WriterStatistics {
        self.0.store.statistics()
    }

    /// How many plans are being driven here at this moment.
    pub fn plans_in_hand(&self) -> usize {
        self.0.executor.plans_in_hand()
    }

    /// A few figures, of what the caller may see.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn stats(&self, caller: &Principal) -> Result<Stats> {
        let visibility = caller.visibility();
        let counts = PlanReader::counts(&self.0.store, visibility).await?;
        let filter =
            MessageFilter { visibility, plan_id: None, role: None, text: None, after: None, limit: 1 };
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
        let user = match self.0.store.find_by_name(LOCAL_USER, None).await? {
            Some(account) => account.user,
            None => self.create_local_user().await?,
        };
        Ok(Principal {
            user_id: user.id,
            tenant: user.tenant,
            username: user.username,
            role: Role::Admin,
            operator: true,
            scopes: Scope::ALL.to_vec(),
            key_id: None,
            expires_at: None,
        })
    }

    async fn create_local_user(&self) -> Result<User> {
        let user = NewUser {
            username: LOCAL_USER.to_owned(),
            // No password has this hash: the account is for the process that owns the data, not for logins.
            password_hash: "!".to_owned(),
            password_expires_at: None,
            tenant: TenantId::DEFAULT,
            role: Role::Admin,
            operator: true,
            request_key: None,
        };
        if let Some(created) = UserStore::create(&self.0.store, &user, self.0.clock.now()).await? {
            return Ok(created);
        }
        // Somebody else created it just now.
        let found = self.0.store.find_by_name(LOCAL_USER, None).await?;
        found
            .map(|account| account.user)
            .ok_or_else(|| Error::Internal("the local account is gone".to_owned()))
    }

    /// Waits until the storage has failed. Nothing is written any more then: the program is to be ended and,
    /// once the disk is looked after, started again.
    pub async fn storage_failed(&self) {
        self.0.store.failed().await;
    }

    /// Stops taking work, lets what runs finish within ten seconds, and closes the database.
    pub async fn stop(self) {
        self.stop_within(Duration::from_secs(10)).await;
    }

    /// As [`Agent::stop`], with another grace period.
    pub async fn stop_within(self, grace: Duration) {
        self.0.stop.cancel();
        let deliveries = async {
            if let Some(deliveries) = &self.0.deliveries {
                deliveries.stop(grace).await;
            }
        };
        tokio::join!(self.0.executor.stop(grace), deliveries);
        // After the executor, so that others hear of the plans that it gave back.
        if let Some(bus) = &self.0.bus {
            bus.stop().await;
        }
        if let Err(error) = self.0.store.close().await {
            tracing::warn!(%error, "the database was not checkpointed; nothing is lost by that");
        }
    }
}
