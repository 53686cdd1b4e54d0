//! Confining a command by bubblewrap, which some distributions let make namespaces and nobody else.
//!
//! What the command sees is the argument list: an empty root with what it may read mounted into it. Bubblewrap
//! adds no Landlock, so a command with network gets no local sockets, whose abstract names no mount hides.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Reach, SharedFilters, calls, filter, identity};
use crate::readable::SYSTEM;
use crate::start::Start;
use crate::{Error, Exit, HostEnvironment, SandboxLevel};

/// Where it is looked for before the path of the server.
const PLACES: [&str; 3] = ["/usr/bin", "/usr/local/bin", "/bin"];

/// A bubblewrap that was found to work.
#[derive(Debug)]
pub(crate) struct Bubblewrap {
    program: PathBuf,
    version: String,
}

/// What a command needs to be run by it.
pub(crate) struct Wrapping {
    pub(crate) arguments: Vec<OsString>,
    pub(crate) inherited: Vec<OwnedFd>,
    pub(crate) status: File,
}

impl Bubblewrap {
    /// Finds one that nobody but root and the server itself could have put there, and tries it.
    pub(crate) fn probe(host: &HostEnvironment) -> Option<Self> {
        let places = PLACES.iter().map(PathBuf::from).chain(host.search_path());
        let program = places.map(|place| place.join("bwrap")).find(|program| is_trusted(program))?;
        let version = run(&program, &["--version"])?;
        let version = version.split_whitespace().last()?.to_owned();
        let layout = ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--remount-ro", "/"];
        let arguments = [&SEPARATE[..], &["--unshare-net"], &layout, &["--", "true"]].concat();
        run(&program, &arguments)?;
        Some(Self { program, version })
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Lays out the arguments up to the program, its own arguments excepted.
    pub(crate) fn wrap(
        &self,
        start: &Start<'_>,
        reach: Reach,
        filters: &SharedFilters,
    ) -> io::Result<Wrapping> {
        let (reader, writer) = io::pipe()?;
        let mut inherited = vec![OwnedFd::from(writer)];
        let mut arguments = Arguments::default();
        arguments.words(&SEPARATE);
        if reach == Reach::Itself {
            arguments.words(&["--unshare-net"]);
        }
        arguments.words(&["--json-status-fd", &inherited[0].as_raw_fd().to_string()]);
        for program in filters.iter() {
            let mut file = File::from(calls::anonymous_file(c"filter")?);
            file.write_all(&filter::as_bytes(program))?;
            file.rewind()?;
            arguments.words(&["--add-seccomp-fd", &file.as_raw_fd().to_string()]);
            inherited.push(file.into());
        }
        arguments.show(start);
        arguments.words(&["--chdir"]);
        arguments.path(&start.workspace.working_directory);
        arguments.words(&["--"]);
        arguments.path(&start.program);
        Ok(Wrapping { arguments: arguments.0, inherited, status: OwnedFd::from(reader).into() })
    }
}

/// What every command is separated by.
const SEPARATE: [&str; 9] = [
    "--unshare-user",
    "--unshare-ipc",
    "--unshare-pid",
    "--unshare-uts",
    "--unshare-cgroup-try",
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
];

#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn words(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(OsString::from));
    }

    fn path(&mut self, path: &Path) {
        self.0.push(path.into());
    }

    /// Mounts one path of the host at the same place.
    fn bind(&mut self, how: &str, path: &Path) {
        self.words(&[how]);
        self.path(path);
        self.path(path);
    }

    /// Everything that can be seen. Later mounts lie over earlier ones, so the workspace comes last, and what is
    /// guarded in it after it.
    fn show(&mut self, start: &Start<'_>) {
        for path in SYSTEM.iter().map(Path::new) {
            if let Ok(target) = path.read_link() {
                self.words(&["--symlink"]);
                self.path(&target);
                self.path(path);
            }
        }
        for path in &start.readable {
            self.bind("--ro-bind-try", path);
        }
        self.words(&["--proc", "/proc", "--dev", "/dev"]);
        let root = &start.workspace.root;
        let writable = start.request.level == SandboxLevel::WorkspaceWrite;
        self.bind(if writable { "--bind" } else { "--ro-bind" }, root);
        self.bind("--bind", start.scratch.path());
        if writable {
            start.guard.ways(root).iter().for_each(|path| self.bind("--bind", path));
        }
        start.guard.read_only.iter().for_each(|path| self.bind("--ro-bind", path));
        for path in &start.guard.hidden {
            if path.is_dir() {
                self.words(&["--tmpfs"]);
                self.path(path);
                self.words(&["--remount-ro"]);
            } else {
                self.words(&["--ro-bind", "/dev/null"]);
            }
            self.path(path);
        }
        self.words(&["--remount-ro", "/"]);
    }
}

fn is_trusted(program: &Path) -> bool {
    const OTHERS_WRITE: u32 = 0o022;
    let (server, _) = calls::user_and_group();
    let by_others = |path: &Path| {
        path.metadata().is_ok_and(|found| {
            (found.uid() == 0 || found.uid() == server) && found.mode() & OTHERS_WRITE == 0
        })
    };
    program.is_file() && by_others(program) && program.parent().is_some_and(by_others)
}

/// Runs it for a moment, as nobody if the server is root; its output if it succeeded.
fn run(program: &Path, arguments: &[&str]) -> Option<String> {
    match identity::run_as_nobody(program, arguments) {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).ok(),
        other => {
            tracing::info!(?other, program = %program.display(), "bubblewrap does not work here");
            None
        }
    }
}

/// How a command ended that bubblewrap was to run. It tells the exit code only after the command had been
/// started, so without one nothing of it has run.
pub(crate) fn exit(status: &mut File, exit: Exit, level: SandboxLevel, said: &str) -> Result<Exit, Error> {
    let mut told = String::new();
    // All who could write are gone, so this ends; what cannot be read counts as not told.
    let _ = status.read_to_string(&mut told);
    if told.contains("\"exit-code\"") {
        return Ok(exit);
    }
    let said = said.trim();
    if said.starts_with("bwrap: execvp") {
        let program = said.split_whitespace().nth(2).unwrap_or_default().trim_end_matches(':').to_owned();
        return Err(Error::Spawn { program, source: io::Error::other(said.to_owned()) });
    }
    Err(Error::unavailable(level, format!("bubblewrap could not confine the command ({said})")))
}
