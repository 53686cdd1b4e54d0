//! A server of somebody else, as a process.

use serde_json::Value;
use std::net::TcpListener;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// The running program; ended when dropped.
pub(crate) struct Program {
    pub(crate) url: String,
    client: reqwest::Client,
    process: Child,
}

#[expect(clippy::disallowed_methods, reason = "where the programs are stands in the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Program {
    /// Starts the program that a variable names with these arguments and a free port behind them, and
    /// waits until `path` answers.
    pub(crate) async fn start(name: &str, arguments: &[&str], path: &str) -> Option<Self> {
        let Some(program) = variable(name) else {
            println!("nothing was tested: {name} is not set");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process =
            Command::new(program).args(arguments).arg(port.to_string()).kill_on_drop(true).spawn().unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut started = Self { url: format!("http://127.0.0.1:{port}"), client, process };
        started.wait_for(path).await;
        Some(started)
    }

    /// Whoever starts a program of others can only ask whether it is there yet.
    async fn wait_for(&mut self, path: &str) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.client.get(format!("{}{path}", self.url)).send().await.is_err() {
            assert!(self.process.try_wait().unwrap().is_none(), "it ended while starting");
            assert!(Instant::now() < deadline, "it is not ready after a minute");
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.client.get(format!("{}{path}", self.url)).send().await.unwrap().json().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) {
        let answer = self.client.post(format!("{}{path}", self.url)).json(body).send().await.unwrap();
        let status = answer.status();
        assert!(status.is_success(), "{status}: {}", answer.text().await.unwrap());
    }
}
