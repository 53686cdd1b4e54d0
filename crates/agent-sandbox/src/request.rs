//! What to run, where, and within which bounds.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use agent_core::policy::SandboxLevel;
use serde::{Deserialize, Serialize};

/// Bounds on what a command may use up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
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
    /// Bytes of memory for the command and all it started together, file cache that cannot be given back
    /// included; enforced where `Effective::memory_limit` says so.
    pub memory_bytes: Option<u64>,
    /// Processors' worth of time at one time, such as 1.5; enforced where `Effective::cpu_limit` says so.
    pub cpu_cores: Option<f64>,
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
            // Linking a large Rust or C++ program takes 2 to 3 GiB, a Node.js build up to 4.
            memory_bytes: Some(6 << 30),
            cpu_cores: None,
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
    /// Whether it may use the network. Without it a command of a confined level has a loopback interface of
    /// its own, where `Effective::own_network` says so, and no socket at all elsewhere.
    pub network: bool,
    /// Names it may reach by HTTP and HTTPS through a proxy of ours, and nothing else: `crates.io`,
    /// `*.npmjs.org`, `registry.local:8080`. Not empty, it holds instead of `network`.
    pub domains: Vec<String>,
    /// Files and folders of the workspace that it must not read, such as `.env`; relative ones are taken from
    /// the root of the workspace. Links are followed, and what does not exist or lies outside is ignored.
    /// Whether they were covered is told in `Isolation::hidden`.
    pub hidden: Vec<PathBuf>,
    /// Files and folders of the workspace that stay read-only besides `.git`, named likewise. A link among
    /// them guards what it leads to.
    pub read_only: Vec<PathBuf>,
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
            domains: Vec::new(),
            hidden: Vec::new(),
            read_only: Vec::new(),
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

    /// The same command with these names to be reached by HTTP and HTTPS.
    #[must_use]
    pub fn domains<S: Into<String>>(mut self, domains: impl IntoIterator<Item = S>) -> Self {
        self.domains = domains.into_iter().map(Into::into).collect();
        self
    }

    /// The same command with these paths of the workspace unreadable.
    #[must_use]
    pub fn hidden<P: Into<PathBuf>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.hidden = paths.into_iter().map(Into::into).collect();
        self
    }

    /// The same command with these paths of the workspace read-only.
    #[must_use]
    pub fn read_only<P: Into<PathBuf>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.read_only = paths.into_iter().map(Into::into).collect();
        self
    }

    /// The same command within other bounds.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}
