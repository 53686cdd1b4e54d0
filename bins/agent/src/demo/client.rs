//! A client of the server's REST API, as any other program would write one.

use crate::exit::{Failure, chain};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A person logged in at a server.
pub(super) struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Client {
    /// Logs in.
    pub(super) async fn log_in(base: &str, username: &str, password: &str) -> Result<Self, Failure> {
        // The server is on this machine: neither proxies nor certificates have a part in reaching it.
        let http = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only(std::iter::empty())
            .timeout(PATIENCE)
            .build()
            .map_err(|error| Failure::work(format!("no HTTP client can be made: {}", chain(&error))))?;
        let mut client = Self { http, base: base.trim_end_matches('/').to_owned(), token: String::new() };
        let answer = client.post("/auth/login", json!({"username": username, "password": password})).await?;
        client.token = answer["access_token"].as_str().unwrap_or_default().to_owned();
        Ok(client)
    }

    /// The access token.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// What stands at a path.
    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.send(Method::GET, path, |request| request).await
    }

    /// Hands something in.
    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Value, Failure> {
        self.send(Method::POST, path, |request| request.json(&body)).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        finish: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Value, Failure> {
        let what = format!("{method} {path}");
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        let answer = finish(request).send().await.map_err(|error| {
            Failure::unreachable(format!("{what}: the server does not answer: {}", chain(&error)))
        })?;
        let status = answer.status();
        let body: Value = answer.json().await.map_err(|error| {
            Failure::work(format!(
                "{what} answered {status} with something that is not JSON: {}",
                chain(&error)
            ))
        })?;
        if status.is_success() {
            return Ok(body);
        }
        let said = body["detail"].as_str().or(body["title"].as_str()).unwrap_or("no reason given");
        Err(Failure::work(format!("{what} answered {status}: {said}")))
    }
}
