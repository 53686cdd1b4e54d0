//! How a command ended and what it said.

use std::time::Duration;

use serde::Serialize;

use crate::{Captured, SandboxLevel};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// It ended by itself with this code.
    Code(i32),
    /// It was ended by this signal, its own limits included.
    Signal(i32),
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
    /// Whether the network was open to it.
    pub network: bool,
    /// Whether it had namespaces of its own.
    pub namespaces: bool,
    /// Version of Landlock that was applied; 0 if none.
    pub landlock_abi: u32,
    /// Whether the number of processes was limited.
    pub process_limit: bool,
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
}

impl CommandOutcome {
    /// Whether the command ended by itself with code 0.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.exit == Exit::Code(0)
    }
}
