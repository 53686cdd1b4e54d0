//! Runs commands with a policy that is enforced or refused, never weakened.
//!
//! Knows processes, namespaces, Landlock, seccomp, control groups, bubblewrap and which directories a toolchain
//! needs. Never knows plans, tasks, approvals or settings; it never reads the environment of the server: what a
//! command may inherit is handed over as a [`HostEnvironment`]. It is told to operators in `docs/sandbox.md`.
//!
//! # What each level guarantees
//!
//! | level | writes | reads | network |
//! | --- | --- | --- | --- |
//! | `read_only` | a private temporary directory | system directories, toolchains, the workspace | its own loopback, unless asked |
//! | `workspace_write` | the workspace except `.git`, and the temporary directory | the same | the same |
//! | `full_access` | whatever the user of the server may | likewise | none, unless asked |
//!
//! On Linux the two confined levels stand on several layers. The command runs in its own user, process,
//! mount, network, host name, control group and System V namespace, where every mount but the writable directories
//! is read-only and `/proc` shows only the command's own processes; then Landlock (version 3 or newer) limits what
//! can be opened; then all capabilities are dropped; then a seccomp filter refuses the system calls that lead out
//! of a sandbox, most sockets, and files with set-id bits. Where only bubblewrap may make namespaces, it does, with
//! the same filter and without Landlock. Where nobody may (many containers), Landlock version 6 or newer
//! is required, and the arrangement differs: see *without namespaces*. If the means are missing,
//! [`Sandbox::run`] answers [`Error::Unavailable`] and nothing runs.
//!
//! * **Network.** Without it there is a loopback interface that nobody else is on, for TCP and UDP; local sockets
//!   cannot be made (connected pairs can), since a path in the file system may lead to a container engine. With
//!   [`CommandRequest::domains`] a proxy on that interface leads to the named hosts. With network, the internet
//!   families, netlink routing queries and, except under bubblewrap, local sockets work.
//! * **`.git`** and [`CommandRequest::read_only`]. All of `.git` is read-only, not only `hooks` and `config`: a
//!   written `commondir`, a submodule's `config` or a worktree's hooks would run code in the next `git` outside
//!   just as well. Commits are made by the git tools of the server. A repository that the command itself creates
//!   (`git init`, or one nested below the top) is not guarded: git outside must be run with hooks and `fsmonitor`
//!   switched off.
//! * **[`CommandRequest::hidden`]** is covered by something empty. Folders above what is guarded cannot be moved.
//! * **Without namespaces** Landlock cannot take `.git` out of a writable directory. Then each existing
//!   top-level entry is made writable instead, and new names at the top of the workspace cannot be made; a
//!   workspace without `.git` is writable as a whole. `/proc` is the host's: names of other processes are
//!   visible, their memory and environment are not. Mode and times of files outside can be changed where the
//!   user of the server owns them. No socket can be made without network, nothing can be hidden
//!   ([`Isolation::hidden`] tells), and there is no `/dev/shm`, which named semaphores (Python's
//!   `multiprocessing`) need.
//! * **A server that runs as root.** If the workspace belongs to another user, the command becomes that user. If
//!   it is root's, the command becomes a user without rights, and mounts show it the workspace as its own; what it
//!   writes is root's on disk. Where the kernel or the file system cannot do that, it stays the owner of root's
//!   files, without any capability, and bubblewrap is refused.
//! * **Memory, processes and processor time** of all processes together are limited where the server may make
//!   control groups; otherwise processes are counted where namespaces are, and memory for each process alone.
//! * **Never guarded:** existence and size of a file whose path is known can be asked for, except under bubblewrap.
//!
//! A command and everything it started ends together: when it exits, on the time limit, when cancelled, when
//! the future is dropped, and when the server dies.
//!
//! # Example
//!
//! ```
//! use agent_sandbox::{CommandRequest, Exit, HostEnvironment, Sandbox, SandboxLevel, Silent};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let host = HostEnvironment::from_iter([("PATH", "/usr/local/bin:/usr/bin:/bin")]);
//! let sandbox = Sandbox::probe(host);
//! let here = std::env::current_dir()?;
//! let request = CommandRequest::new(&here, ["echo", "hello"]).level(SandboxLevel::FullAccess).network(true);
//! let outcome = sandbox.run(request, Default::default(), &mut Silent).await?;
//! assert_eq!(outcome.exit, Exit::Code(0));
//! assert_eq!(outcome.stdout.text, "hello\n");
//! # Ok(())
//! # }
//! ```

mod capture;
mod drive;
mod effective;
mod environment;
mod error;
mod guard;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
#[path = "portable.rs"]
mod linux;
mod outcome;
#[cfg(target_os = "linux")]
mod proxy;
mod readable;
mod request;
mod sandbox;
mod scratch;
mod start;
mod tool;
mod workspace;

/// Closes the memory and the environment of this process to other processes of the same user, and to their
/// debuggers. A server calls it at its start; commands at `full_access` run as its user. Root can look in all
/// the same. There are no core dumps afterwards.
///
/// # Errors
/// What the operating system answered; other systems than Linux do nothing.
pub fn protect_own_memory() -> std::io::Result<()> {
    linux::protect_own_memory()
}

pub use agent_core::policy::SandboxLevel;
pub use capture::{Captured, OutputSink, OutputStream, Silent};
pub use effective::{Backend, Confiner, ControlGroups, Effective, LevelSupport};
pub use environment::HostEnvironment;
pub use error::Error;
pub use outcome::{CommandOutcome, Exit, Isolation};
pub use request::{CommandRequest, Limits};
pub use sandbox::Sandbox;
pub use tool::RunCommand;
