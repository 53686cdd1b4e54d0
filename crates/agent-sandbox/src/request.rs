//! What to run, where, and within which bounds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use agent_core::policy::SandboxLevel;
use serde::{Deserialize, Serialize};

/// Bounds on what a command may use up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Time from start to forced end.
    pub wall: Duration,
    /// Seconds of processor time for each process.
    pub cpu_seconds: u64,
    /// Bytes of address space for each process; virtual machines such as Node.js reserve far more than they use.
    pub address_space_bytes: Option<u64>,
    /// Bytes that any one file may grow to.
    pub file_size_bytes: u64,
    /// File descriptors for each process.
    pub open_files: u64,
    /// Processes and threads at one time; enforced where `Effective::process_limit` says so.
    pub processes: Option<u64>,
    /// Bytes kept of each output stream: the first and the last half of this number.
    pub output_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wall: Duration::from_secs(600),
            cpu_seconds: 1_800,
            address_space_bytes: None,
            file_size_bytes: 4 << 30,
            open_files: 4_096,
            processes: Some(1_024),
            output_bytes: 1 << 20,
        }
    }
}

/// One command to run.
#[derive(Debug, Clone)]
pub struct CommandRequest {
    /// The program, then its arguments; no shell is involved unless it is named here.
    pub program_and_args: Vec<String>,
    /// Where the command starts: the workspace or a directory inside it.
    pub working_directory: PathBuf,
    /// The directory that `WorkspaceWrite` makes writable.
    pub workspace_root: PathBuf,
    /// Variables for this command, on top of what is inherited; these win.
    pub environment: BTreeMap<String, String>,
    /// How much of the machine the command may touch.
    pub level: SandboxLevel,
    /// Whether it may use the network.
    pub network: bool,
    /// What it may use up.
    pub limits: Limits,
    /// What it reads from its standard input, which is closed otherwise.
    pub stdin: Option<Vec<u8>>,
}

impl CommandRequest {
    /// A command in the workspace at level `WorkspaceWrite`, without network, with the default limits.
    pub fn new<I, S>(workspace_root: impl Into<PathBuf>, program_and_args: I) -> Self
    where
        I: IntoIterator<Item = S>,
        S: Into<String>,
    {
        let workspace_root = workspace_root.into();
        Self {
            program_and_args: program_and_args.into_iter().map(Into::into).collect(),
            working_directory: workspace_root.clone(),
            workspace_root,
            environment: BTreeMap::new(),
            level: SandboxLevel::WorkspaceWrite,
            network: false,
            limits: Limits::default(),
            stdin: None,
        }
    }

    /// The same command at another level.
    #[must_use]
    pub fn level(mut self, level: SandboxLevel) -> Self {
        self.level = level;
        self
    }

    /// The same command with or without network.
    #[must_use]
    pub fn network(mut self, network: bool) -> Self {
        self.network = network;
        self
    }

    /// The same command within other bounds.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}
