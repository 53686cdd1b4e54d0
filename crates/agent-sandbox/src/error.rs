//! What can keep a command from running at all. A command that ran and failed is an outcome, not an error.

use std::path::PathBuf;

use crate::SandboxLevel;

/// Why a command was not started. Nothing of it has run when one of these is returned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// This machine cannot enforce the level that was asked for, so the command was refused.
    #[error("the sandbox level {asked} cannot be enforced here: {reason}. {advice}")]
    Unavailable {
        /// The level that was asked for.
        asked: SandboxLevel,
        /// What is missing or what failed.
        reason: String,
        /// What the operator can do about it.
        advice: String,
    },
    /// The list of program and arguments is empty.
    #[error("the command is empty; name a program")]
    EmptyCommand,
    /// The program is neither an executable file nor found on the `PATH` of the command.
    #[error("the program {0:?} was not found; install it or correct its name or the PATH")]
    NotFound(String),
    /// The directory to run in is missing, no directory, or not inside the workspace.
    #[error("cannot run in {path:?}: {reason}")]
    WorkingDirectory {
        /// The directory as it was asked for.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The private temporary directory of the command could not be made.
    #[error(
        "cannot make a temporary directory for the command; check space and permissions of the directory for temporary files"
    )]
    Scratch(#[source] std::io::Error),
    /// The operating system refused to start the program.
    #[error(
        "the program {program:?} could not be started; check its permissions, its interpreter and the limits"
    )]
    Spawn {
        /// The program that was to be started.
        program: String,
        /// The answer of the operating system.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// The refusal of a level for this reason, with the usual advice.
    pub(crate) fn unavailable(asked: SandboxLevel, reason: String) -> Self {
        Self::Unavailable { asked, reason, advice: crate::effective::ADVICE.into() }
    }
}
