//! A command that was started, as the server holds it.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;

use tempfile::TempDir;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

use super::cgroup::Group;
use super::report::Report;
use super::{bubblewrap, calls};
use crate::proxy::{Proxy, Rules};
use crate::{Error, Exit, Isolation, scratch};

/// Owns the supervisor of a command, the link that keeps it alive, and what is removed afterwards.
/// Dropping it ends the command and removes the directory.
#[derive(Debug)]
pub(crate) struct Running {
    parts: Option<Parts>,
    isolation: Isolation,
}

/// What a command that was started consists of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) child: Child,
    pub(crate) link: UnixStream,
    pub(crate) scratch: TempDir,
    pub(crate) group: Option<Group>,
    /// Lets it through to the hosts it may reach.
    pub(crate) proxy: Option<Proxy>,
    /// Where bubblewrap tells how it went.
    pub(crate) status: Option<File>,
}

impl Running {
    pub(crate) fn new(parts: Parts, isolation: Isolation) -> Self {
        Self { parts: Some(parts), isolation }
    }

    /// Makes sure that the restrictions were applied, and serves at the socket that the first process has made in
    /// its network namespace, if there are rules for it.
    pub(crate) fn confirm(&mut self, rules: Option<Rules>) -> io::Result<()> {
        let Some(parts) = &mut self.parts else { return Ok(()) };
        if let Some(rules) = rules {
            parts.proxy = Some(Proxy::serve(calls::network::receive_descriptor(&parts.link)?, rules)?);
        }
        let mut bytes = [0; Report::LENGTH];
        parts.link.set_nonblocking(true)?;
        // What was not sent before the program was loaded is not sent at all.
        match (&parts.link).read_exact(&mut bytes).map(|()| Report::decode(&bytes)) {
            Ok(Some(Report::Ready)) => Ok(()),
            _ => Err(io::Error::other("a process died before the program was loaded")),
        }
    }

    pub(crate) fn isolation(&self) -> Isolation {
        self.isolation.clone()
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
        if let Some(Parts { child, group, .. }) = &mut self.parts {
            if let Some(group) = group {
                group.kill();
            }
            // Fails only if it is gone.
            let _ = child.start_kill();
        }
    }

    /// How the command ended by itself; a supervisor that was killed could not tell and took it along.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Spawn`] if bubblewrap ended without having run it.
    pub(crate) fn exit(&mut self, said: &str) -> Result<Exit, Error> {
        let Some(parts) = &mut self.parts else { return Ok(Exit::Signal(libc::SIGKILL)) };
        let exit = match read_report(&parts.link) {
            Some(Report::Ended(code)) if code >= 0 => Exit::Code(code),
            Some(Report::Ended(signal)) => Exit::Signal(-signal),
            _ => Exit::Signal(libc::SIGKILL),
        };
        let out_of_memory = parts.group.as_ref().is_some_and(Group::ran_out_of_memory);
        if exit != Exit::Code(0) && out_of_memory {
            return Ok(Exit::OutOfMemory);
        }
        match &mut parts.status {
            Some(status) if exit != Exit::Signal(libc::SIGKILL) => {
                bubblewrap::exit(status, exit, self.isolation.level, said)
            }
            _ => Ok(exit),
        }
    }

    /// The hosts that were asked for in vain.
    pub(crate) fn refused_hosts(&self) -> Vec<String> {
        let proxy = self.parts.as_ref().and_then(|parts| parts.proxy.as_ref());
        proxy.map(Proxy::refused_hosts).unwrap_or_default()
    }

    pub(crate) async fn clean_up(mut self) {
        if let Some(parts) = self.parts.take() {
            // A panic in there leaves the directory behind, and nothing else.
            let _ = tokio::task::spawn_blocking(move || parts.remove()).await;
        }
    }
}

impl Parts {
    fn remove(self) {
        let Self { scratch, group, proxy, .. } = self;
        drop(proxy);
        drop(group);
        scratch::remove(scratch);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(mut parts) = self.parts.take() else { return };
        // Fails only if the supervisor is gone, and the command with it.
        let _ = parts.link.shutdown(std::net::Shutdown::Both);
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(async move {
                    // Whatever comes of it, the directory goes when the processes are gone.
                    let _ = parts.child.wait().await;
                    let _ = tokio::task::spawn_blocking(move || parts.remove()).await;
                });
            }
            Err(_outside) => parts.remove(),
        }
    }
}

/// What came through the link, if anything did.
pub(crate) fn read_report(mut link: &UnixStream) -> Option<Report> {
    let mut bytes = [0; 4 * Report::LENGTH];
    link.set_nonblocking(true).ok()?;
    let mut length = 0;
    while let Ok(more @ 1..) = link.read(&mut bytes[length..]) {
        length += more;
    }
    Report::decode(&bytes[..length])
}
