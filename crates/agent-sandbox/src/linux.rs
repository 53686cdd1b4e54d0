//! Linux: namespaces, Landlock, capabilities and seccomp, put together for one command.

mod bubblewrap;
mod calls;
mod cgroup;
mod child;
mod filter;
mod identity;
mod launch;
mod namespaces;
mod probe;
mod report;
mod ruleset;
mod running;
mod supervise;

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::sync::Arc;

use tokio::process::Command;

use crate::proxy::Rules;
use crate::start::Start;
use crate::{CommandRequest, Confiner, ControlGroups, Effective, Error, Isolation, SandboxLevel};
use bubblewrap::Bubblewrap;
use cgroup::{Group, Groups};
use child::Launch;
use filter::{Filters, Sockets};
use identity::{IdMap, Identity};
use report::Report;
pub(crate) use running::Running;
use running::{Parts, read_report};

/// What was found out and built at the start.
#[derive(Debug)]
pub(crate) struct Platform {
    effective: Effective,
    filters: Filters,
    /// The namespaces that our own way makes, as far as they work.
    flags: i32,
    bubblewrap: Option<Bubblewrap>,
    groups: Option<Groups>,
    id_map: Option<IdMap>,
}

/// How far a command's connections reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// No socket can be made.
    Nowhere,
    /// A loopback interface of its own.
    Itself,
    /// The same, with a proxy to named hosts on it.
    NamedHosts,
    /// Whatever the host reaches.
    Anywhere,
}

impl Platform {
    /// Starts a command. Returns when it runs under all its restrictions, or has been refused.
    pub(crate) fn start(&self, start: Start<'_>) -> Result<Running, Error> {
        let level = start.request.level;
        let unprepared = |error: io::Error| {
            Error::unavailable(level, format!("the restrictions could not be prepared ({error})"))
        };
        let reach = self.reach(start.request)?;
        let rules =
            Rules::parse(&start.request.domains).map_err(|reason| Error::unavailable(level, reason))?;
        let identity = match level.is_confined() {
            true => Identity::of_command(&start, self.id_map.as_ref()).map_err(unprepared)?,
            false => Identity::Server,
        };
        let isolation = self.isolation(&start, reach, &identity);
        let groups = self.groups.as_ref().filter(|_| isolation.cgroup != ControlGroups::None);
        let group =
            groups.map(|groups| groups.create(&start.request.limits)).transpose().map_err(unprepared)?;
        let (ours, theirs) = UnixStream::pair().map_err(unprepared)?;
        let theirs = OwnedFd::from(theirs);
        let (mut command, launch, status) =
            if level.is_confined() && self.effective.backend == Confiner::Bubblewrap {
                self.wrapped(&start, reach, identity, &theirs)?
            } else {
                let launch = self.direct(&start, reach, identity, &theirs).map_err(unprepared)?;
                (Command::new(&start.program), launch, None)
            };
        if status.is_none() {
            command.arg0(&start.request.program_and_args[0]);
        }
        let launch = with_group(launch, group.as_ref()).map_err(unprepared)?;
        command
            .args(&start.request.program_and_args[1..])
            .env_clear()
            .envs(&start.variables)
            .stdin(if start.with_stdin { Stdio::piped() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        calls::before_exec(command.as_std_mut(), move || child::enter(&launch));
        let spawned = command.spawn();
        drop(command);
        drop(theirs);
        let child = spawned.map_err(|source| spawn_failure(&start, read_report(&ours), source))?;
        let parts = Parts { child, link: ours, scratch: start.scratch, group, proxy: None, status };
        let mut running = Running::new(parts, isolation);
        running.confirm((reach == Reach::NamedHosts).then_some(rules)).map_err(unprepared)?;
        Ok(running)
    }

    fn reach(&self, request: &CommandRequest) -> Result<Reach, Error> {
        let refused = |reason: &str| Err(Error::unavailable(request.level, reason.to_owned()));
        match (request.domains.is_empty(), request.network) {
            (false, _) if !request.level.is_confined() => {
                refused("at full_access a command cannot be kept to named hosts")
            }
            (false, _) if !self.effective.domains => refused(
                "a command can be kept to named hosts only in a network namespace of its own, which cannot be had",
            ),
            (false, _) => Ok(Reach::NamedHosts),
            (true, true) => Ok(Reach::Anywhere),
            (true, false) if request.level.is_confined() && self.effective.own_network => Ok(Reach::Itself),
            (true, false) => Ok(Reach::Nowhere),
        }
    }

    fn sockets(&self, level: SandboxLevel, reach: Reach) -> Sockets {
        match reach {
            Reach::Anywhere if !level.is_confined() => Sockets::Unfiltered,
            Reach::Anywhere if self.effective.backend == Confiner::Bubblewrap => Sockets::Internet,
            Reach::Anywhere => Sockets::InternetAndLocal,
            Reach::Itself | Reach::NamedHosts => Sockets::Loopback,
            Reach::Nowhere => Sockets::None,
        }
    }

    fn isolation(&self, start: &Start<'_>, reach: Reach, identity: &Identity) -> Isolation {
        let effective = &self.effective;
        let level = start.request.level;
        let confined = level.is_confined();
        let own = effective.backend == Confiner::Own;
        let limits = &start.request.limits;
        let counted_by_user = confined && own && effective.namespaces && !identity.is_root();
        let groups = self.groups.as_ref().filter(|groups| groups.are_needed(limits, counted_by_user));
        Isolation {
            level,
            backend: effective.backend,
            network: reach == Reach::Anywhere,
            own_network: matches!(reach, Reach::Itself | Reach::NamedHosts),
            namespaces: confined && effective.namespaces,
            landlock_abi: if confined && own { effective.landlock_abi } else { 0 },
            seccomp: self.sockets(level, reach) != Sockets::Unfiltered,
            as_root: identity.is_root(),
            hidden: confined && effective.hidden_paths,
            process_limit: limits.processes.is_some()
                && (counted_by_user || groups.is_some_and(Groups::limit_processes)),
            cgroup: groups.map_or(ControlGroups::None, Groups::version),
            memory_limit: effective.memory_limit && limits.memory_bytes.is_some(),
            cpu_limit: effective.cpu_limit && limits.cpu_cores.is_some(),
        }
    }
}

/// Has the program's process enter the group before it loads the program.
fn with_group(mut launch: Launch, group: Option<&Group>) -> io::Result<Launch> {
    launch.groups = group.map(Group::entrances).transpose()?.unwrap_or_default();
    Ok(launch)
}

fn spawn_failure(start: &Start<'_>, report: Option<Report>, source: io::Error) -> Error {
    match report {
        Some(Report::Failed { stage, errno }) => {
            let cause = io::Error::from_raw_os_error(errno);
            Error::unavailable(start.request.level, format!("{} failed ({cause})", stage.name()))
        }
        _ => Error::Spawn { program: start.program.display().to_string(), source },
    }
}

/// The filters of a command, shared with all other commands of its kind.
type SharedFilters = Arc<[seccompiler::BpfProgram]>;

pub(crate) fn protect_own_memory() -> io::Result<()> {
    calls::prctl(libc::PR_SET_DUMPABLE, 0)
}
