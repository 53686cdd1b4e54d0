//! A browser without a window, steered by the DevTools protocol of Chromium.

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// How long an answer of the browser is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a page may take until it shows something, in milliseconds.
const PAGE_PATIENCE_MS: u32 = 30_000;

/// One browser with one page; both end when dropped.
pub(crate) struct Browser {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    session: Option<String>,
    calls: u64,
    /// Every address that the page asked for.
    pub(crate) asked: Vec<String>,
    /// What the page complained of: broken rules for content, missing files, errors of scripts.
    pub(crate) complaints: Vec<String>,
    _process: Child,
    _profile: TempDir,
}

/// Without a screen and alone: no name is found and no other machine reached.
const ALONE: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
];

impl Browser {
    /// Starts the browser that the environment names. `None`, and a line that says so, where it names none.
    #[expect(clippy::disallowed_methods, reason = "where the browser is stands in the environment")]
    #[expect(clippy::print_stderr, reason = "a test that does nothing says so")]
    pub(crate) async fn start() -> Option<Self> {
        let Some(program) = std::env::var("AGENT_TEST_CHROMIUM").ok().filter(|program| !program.is_empty())
        else {
            eprintln!("AGENT_TEST_CHROMIUM is not set: this test does nothing");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let mut process = Command::new(program)
            .args(ALONE)
            .args(["--window-size=1280,1400", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let address = tokio::time::timeout(PATIENCE, async {
            loop {
                let line = lines.next_line().await.unwrap().unwrap();
                if let Some(address) = line.strip_prefix("DevTools listening on ") {
                    return address.to_owned();
                }
            }
        });
        let address = address.await.unwrap();
        // What it goes on saying is read, so that it never waits for a reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let limits = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let (socket, _) = connect_async_with_config(address, Some(limits), false).await.unwrap();
        let mut browser = Self {
            socket,
            session: None,
            calls: 0,
            asked: Vec::new(),
            complaints: Vec::new(),
            _process: process,
            _profile: profile,
        };
        browser.attach().await;
        Some(browser)
    }

    async fn attach(&mut self) {
        let page = self.call("Target.createTarget", json!({"url": "about:blank"})).await;
        let target = json!({"targetId": page["targetId"], "flatten": true});
        let attached = self.call("Target.attachToTarget", target).await;
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Network", "Log"] {
            self.call(&format!("{domain}.enable"), json!({})).await;
        }
    }

    /// Asks the browser for something; what it tells meanwhile is noted.
    async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.calls += 1;
        let mut message = json!({"id": self.calls, "method": method, "params": parameters});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.socket.send(Message::text(message.to_string())).await.unwrap();
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.socket.next()).await.unwrap().unwrap().unwrap();
            let Message::Text(text) = frame else { continue };
            let told: Value = serde_json::from_str(&text).unwrap();
            if told["id"] == self.calls {
                assert!(told["error"].is_null(), "{method}: {}", told["error"]);
                return told["result"].clone();
            }
            self.note(&told);
        }
    }

    fn note(&mut self, told: &Value) {
        let parameters = &told["params"];
        match told["method"].as_str().unwrap_or_default() {
            "Network.requestWillBeSent" => {
                self.asked.push(parameters["request"]["url"].as_str().unwrap_or_default().to_owned());
            }
            "Log.entryAdded" if parameters["entry"]["level"] == "error" => {
                self.complaints.push(parameters["entry"].to_string());
            }
            "Runtime.exceptionThrown" => self.complaints.push(parameters.to_string()),
            _ => {}
        }
    }

    /// Opens a page.
    pub(crate) async fn open(&mut self, address: &str) {
        let opened = self.call("Page.navigate", json!({"url": address})).await;
        assert!(opened["errorText"].is_null(), "{address}: {opened}");
    }

    /// The value of an expression on the page.
    async fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let answer = self.call("Runtime.evaluate", asked).await;
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Waits until something holds on the page.
    pub(crate) async fn wait_until(&mut self, condition: &str) {
        let never = json!(format!("never: {condition}"));
        self.evaluate(&format!(
            "new Promise((done, fail) => {{
                 const look = () => {{ if ({condition}) done(true); else setTimeout(look, 20); }};
                 setTimeout(() => fail(new Error({never})), {PAGE_PATIENCE_MS});
                 look();
             }})"
        ))
        .await;
    }

    /// Waits until an element is there.
    pub(crate) async fn wait_for(&mut self, selector: &str) {
        self.wait_until(&format!("document.querySelector({})", json!(selector))).await;
    }

    /// Whether an element is there.
    pub(crate) async fn has(&mut self, selector: &str) -> bool {
        self.evaluate(&format!("!!document.querySelector({})", json!(selector))).await == json!(true)
    }

    /// Clicks the first element of a kind.
    pub(crate) async fn click(&mut self, selector: &str) {
        self.wait_for(selector).await;
        self.evaluate(&format!("document.querySelector({}).click()", json!(selector))).await;
    }

    /// Clicks each element of a kind.
    pub(crate) async fn click_all(&mut self, selector: &str) {
        let each = format!("document.querySelectorAll({}).forEach(found => found.click())", json!(selector));
        self.evaluate(&each).await;
    }

    /// What an element shows.
    pub(crate) async fn text(&mut self, selector: &str) -> String {
        let shown = self.evaluate(&format!("document.querySelector({}).innerText", json!(selector))).await;
        shown.as_str().unwrap().to_owned()
    }

    /// Types into a field, as fingers would.
    pub(crate) async fn type_into(&mut self, selector: &str, text: &str) {
        self.wait_for(selector).await;
        self.evaluate(&format!("document.querySelector({}).focus()", json!(selector))).await;
        self.call("Input.insertText", json!({"text": text})).await;
    }

    /// Brings an element into sight.
    pub(crate) async fn show(&mut self, selector: &str) {
        self.evaluate(&format!(
            "document.querySelector({}).scrollIntoView({{block: 'center'}})",
            json!(selector)
        ))
        .await;
    }

    /// Keeps a picture of the page, where somebody wants to look at it.
    #[expect(clippy::disallowed_methods, reason = "whether somebody does stands in the environment")]
    pub(crate) async fn picture(&mut self, name: &str) {
        let Ok(folder) = std::env::var("AGENT_TEST_SCREENSHOTS") else { return };
        let taken = self.call("Page.captureScreenshot", json!({"format": "png"})).await;
        let path = Path::new(&folder).join(format!("{name}.png.base64"));
        std::fs::write(path, taken["data"].as_str().unwrap()).unwrap();
    }
}
