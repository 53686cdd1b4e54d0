//! One command, resolved and ready to be started.
#![cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux confines commands"))]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use tempfile::TempDir;

use crate::CommandRequest;
use crate::guard::Guard;
use crate::workspace::Workspace;

/// What a platform needs to know to start a command.
pub(crate) struct Start<'a> {
    pub(crate) request: &'a CommandRequest,
    pub(crate) with_stdin: bool,
    pub(crate) workspace: Workspace,
    pub(crate) scratch: TempDir,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) program: PathBuf,
    /// What it may read besides the workspace; empty at `full_access`.
    pub(crate) readable: BTreeSet<PathBuf>,
    /// What of the workspace is kept from it.
    pub(crate) guard: Guard,
}
