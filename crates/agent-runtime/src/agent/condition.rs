//! How the agent is: alive, and able to work.

use agent_events::Bus;
use agent_sandbox::{Confiner, Sandbox};
use std::time::Duration;

/// How the process is, without asking the database.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// Version of this program.
    pub version: &'static str,
    /// `none` where no language model is configured.
    pub llm_provider: String,
    /// Time since the start.
    pub uptime: Duration,
}

/// How one part is.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// `database`, `events`, `workers` or `sandbox`.
    pub name: &'static str,
    /// Whether it can do its work.
    pub ready: bool,
    /// What is known about it.
    pub detail: String,
}

/// Whether the process can take requests.
#[derive(Debug, Clone, PartialEq)]
pub struct Readiness {
    /// Each part.
    pub parts: Vec<Part>,
}

impl Readiness {
    /// Whether every part is ready.
    pub fn is_ready(&self) -> bool {
        self.parts.iter().all(|part| part.ready)
    }
}

/// How listeners hear of events. Without NATS they are ready all the same: they look by themselves.
pub(super) fn describe_events(bus: Option<&Bus>) -> String {
    let words = match bus.map(Bus::is_joined) {
        None => "read from the database, woken by commits",
        Some(true) => "read from the database, woken by commits here and, through NATS, at other servers",
        Some(false) => {
            "read from the database, woken by commits here; NATS cannot be reached, so what other servers commit is \
             found within a second"
        }
    };
    words.to_owned()
}

/// What is enforced here. A machine without the means is still ready: it refuses what it cannot confine.
pub(super) fn describe_sandbox(sandbox: &Sandbox) -> (bool, String) {
    let levels = sandbox.effective().levels.iter();
    let words = levels.map(|support| match &support.reason {
        None => format!("{}: enforced", support.level),
        Some(reason) => format!("{}: refused, {reason}", support.level),
    });
    let effective = sandbox.effective();
    let backend = match effective.backend {
        Confiner::Own => "own".to_owned(),
        Confiner::Bubblewrap => {
            format!("bubblewrap {}", effective.bubblewrap.as_deref().unwrap_or_default())
        }
    };
    let words: Vec<String> = std::iter::once(format!("backend: {backend}")).chain(words).collect();
    (true, words.join("; "))
}
