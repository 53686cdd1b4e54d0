//! `run_command` as a tool: what `command` tasks, verifications and models run commands with.

use crate::{CommandOutcome, CommandRequest, Error, Exit, Limits, OutputSink, OutputStream, Sandbox};
use agent_core::policy::Demand;
use agent_core::tool::{
    CommandInput, CommandReport, EffectClass, ProgressSink, Tool, ToolContext, ToolError,
};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is kept of each stream: results travel in events, and a frame of more than a mebibyte is refused by
/// common WebSocket clients.
const KEPT_OUTPUT: usize = 128 * 1024;

/// Files of a workspace in which our own settings and rules may lie: no command changes what it is held by.
const OWN_FILES: [&str; 3] = ["agent.toml", "agent-policy.toml", ".agent"];

/// Runs a command in the sandbox.
pub struct RunCommand {
    sandbox: Sandbox,
}

impl RunCommand {
    /// The tool, on this sandbox.
    #[must_use]
    pub fn new(sandbox: Sandbox) -> Self {
        Self { sandbox }
    }
}

impl Tool for RunCommand {
    type Input = CommandInput;
    type Output = CommandReport;
    const NAME: &'static str = agent_core::tool::name::RUN_COMMAND;
    const DESCRIPTION: &'static str = "Runs a program with arguments in the repository, in a sandbox without network: \
         only servers that the same command starts on 127.0.0.1 are reachable. Use it to build and to run tests. \
         No shell is involved; for one, run [\"sh\", \"-c\", \"…\"].";
    const EFFECT: EffectClass = EffectClass::Opaque;

    fn summary(input: &CommandInput) -> String {
        input.command.join(" ")
    }

    fn demand(input: &CommandInput, _prepared: &Value) -> Demand {
        Demand::Command(input.command.clone())
    }

    async fn call(&self, input: CommandInput, context: &ToolContext) -> Result<CommandReport, ToolError> {
        let request = request(input, context);
        let secrets_named = !request.hidden.is_empty() && request.level.is_confined();
        let missing =
            if request.level.is_confined() { missing_files(&context.workspace) } else { Vec::new() };
        let mut lines = Lines { progress: Arc::clone(&context.progress), partial: Vec::new() };
        let outcome = self.sandbox.run(request, context.cancel.clone(), &mut lines).await;
        let removed = remove_again(missing);
        let mut report = report(outcome.map_err(refusal)?, secrets_named)?;
        if !removed.is_empty() {
            let names = removed.join(", ");
            report.stderr.push_str(&format!(
                "\n[{names}: removed again, since settings and rules are not for commands to make]\n"
            ));
        }
        Ok(report)
    }
}

/// Our own files that are not there, and so could not be mounted read-only.
fn missing_files(workspace: &Path) -> Vec<PathBuf> {
    let paths = OWN_FILES.iter().map(|name| workspace.join(name));
    paths.filter(|path| path.symlink_metadata().is_err()).collect()
}

/// Takes away what a command has made of our own files: the next start of a server in this folder would read them.
fn remove_again(paths: Vec<PathBuf>) -> Vec<String> {
    let made = paths.into_iter().filter(|path| path.symlink_metadata().is_ok());
    let removed = made.filter(|path| {
        let removed = std::fs::remove_file(path).or_else(|_no_file| std::fs::remove_dir_all(path));
        if let Err(error) = &removed {
            tracing::error!(path = %path.display(), %error, "a command made a file of settings that cannot be removed");
        }
        removed.is_ok()
    });
    removed.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect()
}

fn request(input: CommandInput, context: &ToolContext) -> CommandRequest {
    let mut request = CommandRequest::new(&context.workspace, input.command)
        .level(context.sandbox)
        .network(context.network)
        .domains(context.domains.iter().cloned())
        .hidden(context.hidden.iter().cloned())
        .read_only(OWN_FILES)
        .limits(Limits { wall: context.timeout, output_bytes: KEPT_OUTPUT, ..Limits::default() });
    if let Some(folder) = input.working_directory {
        request.working_directory = context.workspace.join(folder);
    }
    request.environment = input.env;
    request.environment.insert("AGENT_IDEMPOTENCY_KEY".to_owned(), context.idempotency_key.clone());
    request
}

fn refusal(error: Error) -> ToolError {
    match error {
        Error::EmptyCommand | Error::NotFound(_) | Error::WorkingDirectory { .. } => {
            ToolError::Report(error.to_string())
        }
        Error::Unavailable { .. } => ToolError::fatal(format!("sandbox_unavailable: {error}")),
        Error::Scratch(_) | Error::Spawn { .. } => {
            ToolError::Fatal { message: error.to_string(), retryable: true, source: Some(Box::new(error)) }
        }
    }
}

fn report(outcome: CommandOutcome, secrets_named: bool) -> Result<CommandReport, ToolError> {
    let (exit_code, ended_by) = match outcome.exit {
        Exit::Code(code) => (Some(code), None),
        Exit::Signal(signal) => (None, Some(format!("signal {signal}"))),
        Exit::OutOfMemory => (None, Some("oom_killed: it used more memory than it may".to_owned())),
        Exit::TimedOut => (None, Some(format!("timed out after {} ms", outcome.duration.as_millis()))),
        Exit::Cancelled => return Err(ToolError::Cancelled),
    };
    let isolation = &outcome.effective;
    let network = if isolation.network { "with network" } else { "no network" };
    let secrets = if secrets_named && !isolation.hidden { ", secret files within reach" } else { "" };
    Ok(CommandReport {
        exit_code,
        ended_by,
        truncated: outcome.stdout.truncated || outcome.stderr.truncated,
        stdout: outcome.stdout.text,
        stderr: outcome.stderr.text,
        duration_ms: u64::try_from(outcome.duration.as_millis()).unwrap_or(u64::MAX),
        sandbox: format!("{}, {network}, {}{secrets}", isolation.level, isolation.layers()),
        refused_hosts: outcome.refused_hosts,
    })
}

/// Cuts what a command prints into lines for whoever watches.
struct Lines {
    progress: Arc<dyn ProgressSink>,
    partial: Vec<u8>,
}

/// The longest line that is kept waiting for its end.
const LONGEST_LINE: usize = 4 * 1024;

impl OutputSink for Lines {
    fn on_output(&mut self, _stream: OutputStream, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.partial.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.partial.len() >= LONGEST_LINE {
                self.progress.line(String::from_utf8_lossy(&self.partial).trim_end());
                self.partial.clear();
            }
        }
    }
}
