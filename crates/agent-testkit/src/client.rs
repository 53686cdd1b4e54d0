//! A client of the API, as a program would be one.

use crate::socket::Socket;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a test waits for a state before it gives up.
const PATIENCE: Duration = Duration::from_secs(20);

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body as text.
    pub text: String,
    /// The body as JSON; null where it is none.
    pub json: Value,
}

impl Answer {
    async fn read(response: Response) -> Result<Self, reqwest::Error> {
        let status = response.status().as_u16();
        let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned())
        };
        let headers = response.headers().iter().map(header).collect();
        let text = response.text().await?;
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Self { status, headers, text, json })
    }

    /// A header, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The word of the problem, empty where it is none.
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// This answer, having checked that it has that status.
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// This answer, having checked that it is a problem of that kind in the promised form.
    pub fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        for field in ["type", "title", "detail", "request_id"] {
            assert!(self.json[field].is_string(), "{field} is missing: {}", self.text);
        }
        assert_eq!(self.json["status"], status);
        assert_eq!(self.json["request_id"], self.header("x-request-id"));
        self
    }

    /// The places named in `errors`.
    pub fn pointers(&self) -> Vec<&str> {
        let errors = self.json["errors"].as_array().map_or(&[][..], Vec::as_slice);
        errors.iter().filter_map(|error| error["pointer"].as_str()).collect()
    }
}

/// A client with or without a credential.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    headers: Vec<(&'static str, String)>,
}

impl Client {
    /// A client of that server without a credential.
    pub fn new(url: &str) -> Self {
        let http = reqwest::Client::builder().timeout(PATIENCE).build().expect("an HTTP client");
        Self { http, url: url.to_owned(), headers: Vec::new() }
    }

    /// The same client of another server, or of the same one at a new address.
    #[must_use]
    pub fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    /// The same client with a bearer token, in place of any other credential.
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        self.without_credential().with_header("Authorization", &format!("Bearer {token}"))
    }

    /// The same client with an API key, in place of any other credential.
    #[must_use]
    pub fn with_api_key(&self, key: &str) -> Self {
        self.without_credential().with_header("X-API-Key", key)
    }

    /// The same client without a credential.
    #[must_use]
    pub fn without_credential(&self) -> Self {
        let headers = self.headers.iter().filter(|(name, _)| !["Authorization", "X-API-Key"].contains(name));
        Self { headers: headers.cloned().collect(), ..self.clone() }
    }

    /// The same client that sends one more header.
    #[must_use]
    pub fn with_header(&self, name: &'static str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name, value.to_owned()));
        client
    }

    /// The token it shows, if it shows one.
    pub fn token(&self) -> Option<&str> {
        let shown = self.headers.iter().find(|(name, _)| *name == "Authorization")?;
        shown.1.strip_prefix("Bearer ")
    }

    /// Where a path of the server is.
    pub fn address(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// A request to be finished by the test.
    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self.http.request(method, self.address(path));
        self.headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }

    /// Sends a request that a test has finished.
    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.expect("an answer")
    }

    /// Sends a request to a server that may be killed meanwhile.
    ///
    /// # Errors
    /// When no whole answer came.
    pub async fn try_send(&self, request: RequestBuilder) -> Result<Answer, reqwest::Error> {
        Answer::read(request.send().await?).await
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path)).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request("DELETE", path)).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(self.request("POST", path).json(&body)).await
    }

    /// POST without a body.
    pub async fn post_nothing(&self, path: &str) -> Answer {
        self.send(self.request("POST", path)).await
    }

    /// PUT of JSON.
    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(self.request("PUT", path).json(&body)).await
    }

    /// PATCH of JSON.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(self.request("PATCH", path).json(&body)).await
    }

    /// Creates a plan and returns its id.
    pub async fn create_plan(&self, plan: Value) -> i64 {
        let answer = self.post("/plans", plan).await.expect(201);
        answer.json["plan_id"].as_i64().expect("a plan id")
    }

    /// Creates a plan whose tasks are these shell lines, one after the other, and returns its id.
    pub async fn create_shell_plan(&self, goal: &str, lines: &[&str]) -> i64 {
        let task = |(index, line): (usize, &&str)| {
            let after: Vec<usize> = if index == 0 { Vec::new() } else { vec![index] };
            json!({"description": line, "kind": "command", "command": line, "depends_on": after})
        };
        let tasks: Vec<Value> = lines.iter().enumerate().map(task).collect();
        self.create_plan(json!({"goal": goal, "tasks": tasks})).await
    }

    /// All events of a plan, as the list has them.
    pub async fn events_of(&self, plan: i64) -> Vec<Value> {
        let (mut events, mut after) = (Vec::new(), 0);
        loop {
            let path = format!("/plans/{plan}/events?limit=200&after={after}");
            let mut page = self.get(&path).await.expect(200).json;
            let found = page["events"].as_array_mut().expect("a list of events");
            if found.is_empty() {
                return events;
            }
            events.append(found);
            after = page["next_after"].as_i64().expect("a position");
        }
    }

    /// Waits until a plan stands in one of these places, by following its events, and returns it.
    pub async fn wait_for_plan(&self, plan: i64, statuses: &[&str]) -> Value {
        let mut socket = self.connect("waiting").await;
        socket.subscribe(&format!("plan_{plan}"), None).await;
        loop {
            let found = self.get(&format!("/plans/{plan}")).await.expect(200).json;
            let status = found["plan"]["status"].as_str().expect("a status");
            if statuses.contains(&status) {
                return found;
            }
            socket.next_event().await;
        }
    }

    /// Opens a WebSocket with the same credential.
    pub async fn connect(&self, client_id: &str) -> Socket {
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Socket::open(&self.url, client_id, &headers).await.expect("a WebSocket connection")
    }
}
