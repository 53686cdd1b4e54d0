//! The subscribers: many connections in a process of their own, which count what they are sent.

use crate::wire::{self, Line};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinSet;

const VARIABLE: &str = "AGENT_BENCH_SUBSCRIBERS";
/// Connections that are opened at once.
const AT_ONCE: usize = 64;

/// What subscribers there are to be.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Spec {
    /// Where to.
    pub(crate) address: String,
    /// Which protocol.
    pub(crate) kind: Kind,
    /// How many.
    pub(crate) subscribers: usize,
    /// How many events each waits for; with none, they take nothing and stay until they are dropped.
    pub(crate) events: usize,
}

/// The protocols.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// The server's.
    WebSocket {
        /// Who listens.
        token: String,
        /// To what.
        topic: String,
    },
    /// The peer's.
    Nats,
}

/// What they were sent.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Events, each counted for each who got it.
    pub(crate) deliveries: usize,
    /// When the last came.
    pub(crate) last: u64,
    /// When each event came, subscriber by subscriber.
    pub(crate) arrivals: Vec<u64>,
}

impl Report {
    /// How late each event came, when these are the times from which that counts, one for each event.
    pub(crate) fn lags(&self, since: &[u64]) -> Lags {
        let late = |(index, arrival): (usize, &u64)| arrival.saturating_sub(since[index % since.len()]);
        let mut lags: Vec<u64> = self.arrivals.iter().enumerate().map(late).collect();
        lags.sort_unstable();
        Lags(lags)
    }
}

/// Nanoseconds, the shortest first.
pub(crate) struct Lags(Vec<u64>);

impl fmt::Display for Lags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rank = |percent| Duration::from_nanos(self.0[(self.0.len() - 1) * percent / 100]);
        write!(f, "p50 {:?}, p99 {:?}", rank(50), rank(99))
    }
}

/// Subscribers that are there.
pub(crate) struct Subscribers {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Subscribers {
    /// Starts them; all are subscribed when this returns.
    pub(crate) async fn start(spec: &Spec) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(VARIABLE, serde_json::to_string(spec).unwrap());
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(said.next_line().await.unwrap().as_deref(), Some("ready"));
        Self { child, said }
    }

    /// Waits until each has got its events.
    pub(crate) async fn end(mut self) -> Report {
        let report = self.said.next_line().await.unwrap().unwrap();
        self.child.wait().await.unwrap();
        serde_json::from_str(&report).unwrap()
    }
}

/// Whether this process is to be the subscribers.
pub(crate) fn is_wanted() -> bool {
    std::env::var_os(VARIABLE).is_some()
}

/// Is the subscribers.
pub(crate) fn run() {
    let spec: Spec = serde_json::from_str(&std::env::var(VARIABLE).unwrap()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut lines = Vec::new();
        while lines.len() < spec.subscribers {
            let mut opening = JoinSet::new();
            for _ in 0..AT_ONCE.min(spec.subscribers - lines.len()) {
                opening.spawn(wire::open(spec.clone()));
            }
            lines.extend(opening.join_all().await);
        }
        println!("ready");
        if spec.events == 0 {
            return std::future::pending().await;
        }
        let mut reading = JoinSet::new();
        for line in lines {
            reading.spawn(listen(line, spec.events));
        }
        let mut report = Report::default();
        while let Some(arrivals) = reading.join_next().await {
            let arrivals = arrivals.unwrap();
            report.deliveries += arrivals.len();
            report.last = report.last.max(arrivals.last().copied().unwrap_or_default());
            report.arrivals.extend(arrivals);
        }
        println!("{}", serde_json::to_string(&report).unwrap());
    });
}

/// When each event came.
async fn listen(mut line: Line, events: usize) -> Vec<u64> {
    let mut arrivals = Vec::with_capacity(events);
    while arrivals.len() < events && line.read(|at| arrivals.push(at)).await {}
    arrivals
}
