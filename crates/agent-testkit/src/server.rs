//! The real server, with everything of its own.

use crate::client::Client;
use crate::repository::{Repository, RepositoryBuilder};
use crate::script::write_script;
use agent_runtime::{Agent, Settings};
use agent_server::{Running, ServeOptions};
use serde_json::{Value, json};
use std::net::TcpListener;
use tempfile::TempDir;

/// Changes settings before a server starts.
type Adjustment = Box<dyn FnOnce(&mut Settings) + Send>;

/// What is to be different about a test server.
#[derive(Default)]
pub struct TestServerBuilder {
    repository: RepositoryBuilder,
    script: Option<Value>,
    adjust: Option<Adjustment>,
    database_url: Option<String>,
    options: ServeOptions,
}

impl TestServerBuilder {
    /// The repository it works on; one with a readme unless said otherwise.
    #[must_use]
    pub fn repository(mut self, repository: RepositoryBuilder) -> Self {
        self.repository = repository;
        self
    }

    /// Turns of the scripted language model; none is configured unless said otherwise.
    #[must_use]
    pub fn script(mut self, turns: Value) -> Self {
        self.script = Some(turns);
        self
    }

    /// Further settings, changed after all others.
    #[must_use]
    pub fn adjust(mut self, adjust: impl FnOnce(&mut Settings) + Send + 'static) -> Self {
        self.adjust = Some(Box::new(adjust));
        self
    }

    /// The database to keep its data in; a file of its own unless said otherwise.
    #[must_use]
    pub fn database_url(mut self, url: &str) -> Self {
        self.database_url = Some(url.to_owned());
        self
    }

    /// How requests are served, such as with shorter intervals on WebSocket connections.
    #[must_use]
    pub fn options(mut self, options: ServeOptions) -> Self {
        self.options = options;
        self
    }

    /// Starts the server.
    pub async fn start(self) -> TestServer {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = self.repository.build();
        let mut settings = Settings::embedded(folder.path());
        settings.environment.retain(|name, _| !name.ends_with("_API_KEY") && !name.starts_with("AGENT_"));
        settings.dev = true;
        if let Some(url) = self.database_url {
            settings.database_url = url;
        }
        settings.recover = true;
        settings.repository_roots = vec![repository.path().to_path_buf()];
        if let Some(turns) = self.script {
            settings.llm_script = Some(write_script(folder.path(), &turns));
            settings.llm_provider = Some("scripted".parse().expect("the scripted provider"));
        }
        if let Some(adjust) = self.adjust {
            adjust(&mut settings);
        }
        let agent = Agent::start(settings).await.expect("the agent starts");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let running =
            agent_server::serve(agent.clone(), listener, self.options).await.expect("the server starts");
        TestServer { url: running.url(), agent, running, repository, _folder: folder }
    }
}

/// The real server on a free loopback port: own database, own repository, demo accounts.
pub struct TestServer {
    url: String,
    agent: Agent,
    running: Running,
    repository: Repository,
    _folder: TempDir,
}

impl TestServer {
    /// Starts one with nothing special about it.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Starts one that differs in something.
    pub fn builder() -> TestServerBuilder {
        TestServerBuilder::default()
    }

    /// Where it is, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where metrics can be scraped without a token, where the settings name an address for that.
    pub fn metrics_url(&self) -> Option<String> {
        self.running.metrics_url()
    }

    /// The agent behind it.
    pub fn agent(&self) -> &Agent {
        &self.agent
    }

    /// The repository it works on.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// A client that shows no credential.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.url)
    }

    /// A client logged in as this user.
    pub async fn log_in(&self, username: &str, password: &str) -> Client {
        let credentials = json!({"username": username, "password": password});
        let answer = self.anonymous().post("/auth/login", credentials).await;
        assert_eq!(answer.status, 200, "login of {username}: {}", answer.json);
        let token = answer.json["access_token"].as_str().expect("an access token");
        self.anonymous().with_token(token)
    }

    /// A client logged in as the demo user.
    pub async fn demo(&self) -> Client {
        self.log_in("demo", "demo123").await
    }

    /// A client logged in as the administrator.
    pub async fn admin(&self) -> Client {
        self.log_in("admin", "admin123").await
    }

    /// Stops the server and then the agent.
    pub async fn stop(self) {
        self.running.stop().await;
        self.agent.stop().await;
    }
}
