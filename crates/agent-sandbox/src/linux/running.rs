//! A command that was started, as the server holds it.

use std::io::Read;
use std::os::unix::net::UnixStream;

use tempfile::TempDir;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use super::child::Report;
use crate::{Exit, scratch};

/// Owns the supervisor of a command, the link that keeps it alive, and the temporary directory.
/// Dropping it ends the command and removes the directory.
#[derive(Debug)]
pub(crate) struct Running {
    parts: Option<Parts>,
}

#[derive(Debug)]
struct Parts {
    child: Child,
    link: UnixStream,
    scratch: TempDir,
}

impl Running {
    pub(crate) fn new(child: Child, link: UnixStream, scratch: TempDir) -> Self {
        Self { parts: Some(Parts { child, link, scratch }) }
    }

    pub(crate) fn take_streams(&mut self) -> (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>) {
        match &mut self.parts {
            Some(Parts { child, .. }) => (child.stdin.take(), child.stdout.take(), child.stderr.take()),
            None => (None, None, None),
        }
    }

    /// Waits until the command and all it started are gone.
    pub(crate) async fn ended(&mut self) {
        if let Some(Parts { child, .. }) = &mut self.parts
            && let Err(error) = child.wait().await
        {
            tracing::warn!(%error, "the end of a command could not be observed");
        }
    }

    /// Has the supervisor end the command; its end of the link stays readable.
    pub(crate) fn stop(&mut self) {
        if let Some(Parts { link, .. }) = &self.parts {
            // Fails only if the supervisor is gone, and the command with it.
            let _ = link.shutdown(std::net::Shutdown::Write);
        }
    }

    /// Ends the supervisor itself, for the case that it does not answer.
    pub(crate) fn force(&mut self) {
        if let Some(Parts { child, .. }) = &mut self.parts {
            // Fails only if it is gone.
            let _ = child.start_kill();
        }
    }

    /// How the command ended; a supervisor that was killed could not tell and took it along.
    pub(crate) fn exit(&self) -> Exit {
        match self.parts.as_ref().and_then(|Parts { link, .. }| read_report(link)) {
            Some(Report::Ended(code)) if code >= 0 => Exit::Code(code),
            Some(Report::Ended(signal)) => Exit::Signal(-signal),
            _ => Exit::Signal(libc::SIGKILL),
        }
    }

    pub(crate) async fn clean_up(mut self) {
        if let Some(Parts { scratch, .. }) = self.parts.take() {
            // A panic in there leaves the directory behind, and nothing else.
            let _ = tokio::task::spawn_blocking(move || scratch::remove(scratch)).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(Parts { mut child, link, scratch }) = self.parts.take() else { return };
        drop(link);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(async move {
                    // Whatever comes of it, the directory goes when the processes are gone.
                    let _ = child.wait().await;
                    let _ = tokio::task::spawn_blocking(move || scratch::remove(scratch)).await;
                });
            }
            Err(_outside) => scratch::remove(scratch),
        }
    }
}

/// What came through the link, if anything did.
pub(crate) fn read_report(mut link: &UnixStream) -> Option<Report> {
    let mut bytes = [0; Report::LENGTH];
    link.set_nonblocking(true).ok()?;
    link.read_exact(&mut bytes).ok()?;
    Report::decode(bytes)
}
