//! A real server in a process of its own, and what is asked of it with the command line.

use crate::fixture::{Ended, Workplace, line_with};
use agent_client::{Client, CreatePlan, PlanId};
use secrecy::ExposeSecret;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

/// A workplace with a server beside it.
pub(crate) struct AtServer {
    pub(crate) place: Workplace,
    pub(crate) url: String,
    server: Option<Child>,
}

impl AtServer {
    /// With the demo accounts, and a repository that holds one committed file.
    pub(crate) fn start() -> Self {
        let place = Workplace::with_repository();
        std::fs::create_dir(place.path("server")).unwrap();
        let root = place.repository().display().to_string();
        let database = format!("sqlite://{}", place.path("server/agent.db").display());
        let mut server = place.start(&[
            "serve",
            "--dev",
            "--bind",
            "127.0.0.1:0",
            "--log",
            "warn",
            "--repository-root",
            &root,
            "--database-url",
            &database,
        ]);
        let ready = line_with(server.stdout.as_mut().unwrap(), "ready on http://");
        let url = format!("http://{}", ready.rsplit("http://").next().unwrap().trim());
        Self { place, url, server: Some(server) }
    }

    /// With a stored login.
    pub(crate) fn logged_in(username: &str, password: &str) -> Self {
        let at = Self::start();
        at.log_in(username, password).with_code(0);
        at
    }

    pub(crate) fn log_in(&self, username: &str, password: &str) -> Ended {
        let arguments = ["login", &self.url, "--username", username, "--password-stdin"];
        self.place.agent_with_input(&arguments, password)
    }

    /// Runs `agent`.
    pub(crate) fn agent(&self, arguments: &[&str]) -> Ended {
        self.place.agent(arguments)
    }

    /// Makes a plan as the demo user, waits until it needs nobody any more, or somebody, and gives its number.
    pub(crate) fn plan(&self, plan: &CreatePlan) -> String {
        let id = self.ask(async |client| client.plans().create(plan).await.unwrap().plan_id);
        self.wait(id);
        id.to_string()
    }

    fn wait(&self, id: PlanId) {
        self.ask(async |client| {
            loop {
                let status = client.plans().get(id).await.unwrap().plan.status;
                if !matches!(status.as_str(), "planning" | "running") {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
    }

    /// Asks the server as the demo user.
    pub(crate) fn ask<T>(&self, work: impl AsyncFnOnce(&Client) -> T) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = Client::builder(&self.url).build().unwrap();
            client.log_in("demo", "demo123").await.unwrap();
            work(&client).await
        })
    }

    /// An access token of the demo user.
    pub(crate) fn token(&self) -> String {
        self.ask(async |client| client.session().unwrap().access_token.expose_secret().to_owned())
    }

    /// The file of stored logins.
    pub(crate) fn logins(&self) -> PathBuf {
        self.place.path("home/.config/agent/logins.json")
    }

    /// What is stored of the login at this server.
    pub(crate) fn stored(&self) -> Value {
        let stored: Value = serde_json::from_str(&std::fs::read_to_string(self.logins()).unwrap()).unwrap();
        stored["logins"][&self.url].clone()
    }

    /// Makes the stored access token one that the server does not accept, as after an hour.
    pub(crate) fn let_token_end(&self) {
        let text = std::fs::read_to_string(self.logins()).unwrap();
        let token = self.stored()["access_token"].as_str().unwrap().to_owned();
        std::fs::write(self.logins(), text.replace(&token, "an.old.token")).unwrap();
    }

    /// Ends the server.
    pub(crate) fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            self.place.signal("TERM", &server);
            Ended::of(server).with_code(0);
        }
    }
}

impl Drop for AtServer {
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }
}
