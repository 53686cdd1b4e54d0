//! The real server as a process of its own, which a test may kill, stop and start again.

use crate::client::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a start or an end is waited for before the test fails.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often is looked whether a process has ended.
const GLANCE: Duration = Duration::from_millis(2);

/// Which database a server keeps its data in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A file in the data folder.
    Sqlite,
    /// One that is there already, by its address.
    At(String),
}

impl Database {
    /// What is handed to `--database-url`.
    pub fn url(&self, data: &Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite://{}", data.join("agent.db").display()),
            Self::At(url) => url.clone(),
        }
    }
}

/// How a server is started; the same command may be started again and again.
#[derive(Debug, Clone)]
pub struct ServerCommand {
    program: PathBuf,
    wrapper: Vec<String>,
    data: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl ServerCommand {
    /// The program on a free loopback port, with demo accounts.
    pub fn new(program: impl Into<PathBuf>, data: &Path, repository: &Path, database: &Database) -> Self {
        let root = repository.display().to_string();
        let url = database.url(data);
        let arguments =
            ["--dev", "--bind", "127.0.0.1:0", "--repository-root", &root, "--database-url", &url];
        Self {
            program: program.into(),
            wrapper: Vec::new(),
            data: data.to_owned(),
            arguments: arguments.map(str::to_owned).to_vec(),
            environment: Vec::new(),
        }
    }

    /// On this address instead.
    #[must_use]
    pub fn bind(mut self, address: &str) -> Self {
        let flag = self.arguments.iter().position(|argument| argument == "--bind");
        if let Some(value) = flag.and_then(|flag| self.arguments.get_mut(flag + 1)) {
            address.clone_into(value);
        }
        self
    }

    /// With a variable of the environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// With a further argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Run by another program, which must become the server itself (as `strace -D` and `env` do).
    #[must_use]
    pub fn wrapped_in(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// Where it writes what it logs.
    pub fn log(&self) -> PathBuf {
        self.data.join("server.log")
    }

    /// Starts it, without waiting for anything.
    #[expect(clippy::disallowed_methods, reason = "the test starts the program as a user would")]
    pub fn spawn(&self) -> Starting {
        let log = OpenOptions::new().create(true).append(true).open(self.log()).expect("a log file");
        let mut words = self.wrapper.iter().cloned().chain([self.program.display().to_string()]);
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words).args(&self.arguments).current_dir(&self.data).stdin(Stdio::null());
        for variable in ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "AGENT_FAILPOINT"] {
            command.env_remove(variable);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let started = now();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("the server is started");
        let stdout = child.stdout.take().expect("its standard output");
        Starting { process: ServerProcess { child, url: String::new(), started, log: self.log() }, stdout }
    }

    /// Starts it and waits until it accepts connections.
    pub fn start(&self) -> ServerProcess {
        self.spawn().ready().unwrap_or_else(|ended| panic!("the server did not start: {}", ended.words()))
    }
}

/// A server that may not accept connections yet.
pub struct Starting {
    process: ServerProcess,
    stdout: ChildStdout,
}

impl Starting {
    /// Waits for the ready line.
    ///
    /// # Errors
    /// How it ended, when it ended before.
    pub fn ready(mut self) -> Result<ServerProcess, Ended> {
        let (say, hear) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let read = BufReader::new(self.stdout).read_line(&mut line);
            // Nobody listens any more where the test has failed.
            let _ = say.send(read.map(|_| line));
        });
        let line = hear.recv_timeout(PATIENCE).expect("a ready line in time").unwrap_or_default();
        let url = line.split_whitespace().last().unwrap_or_default().trim_end_matches('/');
        if url.starts_with("http://") {
            self.process.url = url.to_owned();
            return Ok(self.process);
        }
        Err(self.process.wait())
    }

    /// Kills it at whatever it is doing.
    pub fn kill(self) {
        self.process.kill();
    }
}

/// How a server ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Its exit code or signal.
    pub status: ExitStatus,
    /// The end of what it logged.
    pub log: String,
}

impl Ended {
    /// For a message.
    pub fn words(&self) -> String {
        format!("{}\n{}", self.status, self.log)
    }
}

/// A running server; killed and reaped when it goes out of scope.
pub struct ServerProcess {
    child: Child,
    url: String,
    started: Instant,
    log: PathBuf,
}

impl ServerProcess {
    /// Where it is, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How long ago it was started.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// A client that shows no credential.
    pub fn anonymous(&self) -> Client {
        Client::new(&self.url)
    }

    /// A client logged in as the demo user.
    pub async fn demo(&self) -> Client {
        let credentials = json!({"username": "demo", "password": "demo123"});
        let answer = self.anonymous().post("/auth/login", credentials).await.expect(200);
        self.anonymous().with_token(answer.json["access_token"].as_str().expect("an access token"))
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().expect("the server is killed");
        self.child.wait().expect("the server is reaped");
    }

    /// Stops it in its tracks.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Asks it to end in order, and waits for that.
    pub fn terminate(self) -> Ended {
        self.signal(Signal::TERM);
        self.wait()
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the server is there");
    }

    /// Waits until it ends by itself.
    pub fn wait(mut self) -> Ended {
        let begun = now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                return Ended { status, log: last_lines(&self.log) };
            }
            assert!(begun.elapsed() < PATIENCE, "the server does not end: {}", last_lines(&self.log));
            std::thread::sleep(GLANCE);
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It may have ended, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[expect(clippy::disallowed_methods, reason = "how old a process is, and a deadline of the test itself")]
fn now() -> Instant {
    Instant::now()
}

fn last_lines(log: &Path) -> String {
    const SHOWN: usize = 15;
    let Ok(file) = File::open(log) else { return String::new() };
    let lines: Vec<String> = BufReader::new(file).lines().map_while(Result::ok).collect();
    lines[lines.len().saturating_sub(SHOWN)..].join("\n")
}
