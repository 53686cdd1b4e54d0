//! How a command ended and what it said.

use std::time::Duration;

use serde::Serialize;

use crate::{Captured, Confiner, ControlGroups, SandboxLevel};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It ended by itself with this code.
    Code(i32),
    /// It was ended by this signal, its own limits included.
    Signal(i32),
    /// It failed after the kernel had ended processes of it, since they used more memory than permitted.
    #[serde(rename = "oom_killed")]
    OutOfMemory,
    /// It was ended because its time was over.
    TimedOut,
    /// It was ended because the caller asked for it.
    Cancelled,
}

/// What was in force while the command ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Isolation {
    /// The level that was enforced: always the one asked for.
    pub level: SandboxLevel,
    /// What confined it; means nothing at `full_access`.
    pub backend: Confiner,
    /// Whether the network was open to it.
    pub network: bool,
    /// Whether it had a loopback interface of its own, and no other.
    pub own_network: bool,
    /// Whether it had namespaces of its own.
    pub namespaces: bool,
    /// Version of Landlock that was applied; 0 if none.
    pub landlock_abi: u32,
    /// Whether its system calls were filtered.
    pub seccomp: bool,
    /// Whether it was root in the eyes of the host, capabilities aside.
    pub as_root: bool,
    /// Whether the paths that were to be hidden from it were out of its reach.
    pub hidden: bool,
    /// Whether the number of processes was limited.
    pub process_limit: bool,
    /// The control groups it was in.
    pub cgroup: ControlGroups,
    /// Whether the memory of all its processes together was limited.
    pub memory_limit: bool,
    /// Whether it was kept to a number of processors.
    pub cpu_limit: bool,
}

impl Isolation {
    /// The layers that held, in words such as `namespaces+landlock+seccomp`.
    #[must_use]
    pub fn layers(&self) -> String {
        let own = self.backend == Confiner::Own;
        let layers = [
            ("bubblewrap", !own && self.level.is_confined()),
            ("namespaces", own && self.namespaces),
            ("landlock", self.landlock_abi > 0),
            ("seccomp", self.seccomp),
            ("cgroup", self.cgroup != ControlGroups::None),
        ];
        let held: Vec<_> = layers.iter().filter(|(_, holds)| *holds).map(|(name, _)| *name).collect();
        if held.is_empty() { "no layers".to_owned() } else { held.join("+") }
    }
}

/// A command that was started, and its end. When this is returned, nothing that it started still runs.
#[derive(Debug, Clone, Serialize)]
pub struct CommandOutcome {
    /// How it ended.
    pub exit: Exit,
    /// Its standard output.
    pub stdout: Captured,
    /// Its standard error.
    pub stderr: Captured,
    /// From start to end.
    pub duration: Duration,
    /// What was in force.
    pub effective: Isolation,
    /// The first hosts that the command asked for and `CommandRequest::domains` does not name.
    pub refused_hosts: Vec<String>,
}

impl CommandOutcome {
    /// Whether the command ended by itself with code 0.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.exit == Exit::Code(0)
    }
}
