//! Starts git with nothing of the repository's configuration that could run a program.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use super::Error;

/// Bytes taken of an answer.
const MAX_ANSWER: usize = 32 << 20;
const MAX_MESSAGE: usize = 4 << 10;
/// Filter drivers that are overridden one by one; a repository with more is not asked.
const MAX_FILTERS: usize = 1_000;

/// Who makes the commits of plans.
const IDENTITY: (&str, &str) = ("agent", "agent@localhost");

/// Settings that win over those of the repository. Empty and `false` values switch a feature off.
const OVERRIDES: &[(&str, &str)] = &[
    ("commit.gpgSign", "false"),
    ("core.fsmonitor", "false"),
    // What a plan keeps is still there after a power cut.
    ("core.fsync", "committed"),
    ("core.hooksPath", "/dev/null"),
    ("core.pager", "cat"),
    ("core.editor", "false"),
    ("core.askPass", "false"),
    ("core.sshCommand", "false"),
    ("core.gitProxy", ""),
    ("core.attributesFile", "/dev/null"),
    ("core.excludesFile", "/dev/null"),
    ("core.alternateRefsCommand", "false"),
    ("core.untrackedCache", "false"),
    ("credential.helper", ""),
    ("diff.external", ""),
    ("gc.auto", "0"),
    ("gpg.program", "false"),
    ("gpg.ssh.program", "false"),
    ("log.showSignature", "false"),
    ("maintenance.auto", "false"),
    ("protocol.allow", "never"),
    ("safe.directory", "*"),
    ("status.submoduleSummary", "false"),
    ("submodule.recurse", "false"),
    ("uploadpack.packObjectsHook", ""),
];

const FILTER_SETTINGS: &[(&str, &str)] =
    &[("clean", ""), ("smudge", ""), ("process", ""), ("required", "false")];
const DIFF_SETTINGS: &[(&str, &str)] = &[("command", ""), ("textconv", "")];

const ENVIRONMENT: &[(&str, &str)] = &[
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_SYSTEM", "/dev/null"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ATTR_NOSYSTEM", "1"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_NO_REPLACE_OBJECTS", "1"),
    // No transport has this name, so that none may be used, whatever `protocol.<name>.allow` says.
    ("GIT_ALLOW_PROTOCOL", "none"),
    ("GIT_PROTOCOL_FROM_USER", "0"),
    ("GIT_SSH_COMMAND", "false"),
    ("GIT_PAGER", "cat"),
    ("LC_ALL", "C"),
    ("GIT_AUTHOR_NAME", IDENTITY.0),
    ("GIT_AUTHOR_EMAIL", IDENTITY.1),
    ("GIT_COMMITTER_NAME", IDENTITY.0),
    ("GIT_COMMITTER_EMAIL", IDENTITY.1),
];

/// What a finished command left.
struct Answer {
    success: bool,
    status: String,
    output: Vec<u8>,
    message: Vec<u8>,
}

/// A repository and the folder that is worked on, both named outright: neither is searched for, and what the
/// repository's own configuration says about them is not asked.
#[derive(Debug, Clone)]
pub(crate) struct Git {
    directory: PathBuf,
    work_tree: PathBuf,
    overrides: Vec<(OsString, &'static str)>,
    limit: Duration,
}

impl Git {
    /// The repository whose top folder this is; `None` for other folders, and where git is not installed.
    pub(crate) fn at(root: &Path, limit: Duration) -> Result<Option<Self>, Error> {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
        let directory = root.join(".git");
        // A link could lead anywhere; git itself makes only folders and files.
        let is_repository = directory.symlink_metadata().is_ok_and(|found| found.is_dir() || found.is_file());
        if is_repository { Self::open(directory, root, limit) } else { Ok(None) }
    }

    /// A repository with the folder that is worked on elsewhere; `None` if there is none, or no git.
    pub(crate) fn open(
        directory: PathBuf,
        work_tree: PathBuf,
        limit: Duration,
    ) -> Result<Option<Self>, Error> {
        let git = Self { directory, work_tree, overrides: Vec::new(), limit };
        let Some(names) = git.ask(&["config", "--list", "--name-only", "-z"])? else { return Ok(None) };
        Ok(Some(Self { overrides: filter_overrides(&names)?, ..git }))
    }

    /// Makes an empty repository; `None` where git is not installed.
    pub(crate) fn init(
        directory: PathBuf,
        work_tree: PathBuf,
        limit: Duration,
    ) -> Result<Option<Self>, Error> {
        let git = Self { directory, work_tree, overrides: Vec::new(), limit };
        // Nothing of what this machine puts into new repositories, hooks for example.
        let made = git.ask(&["init", "--quiet", "--template="])?;
        Ok(made.map(|_| git))
    }

    /// What git wrote; `None` if it says that there is no repository, or is not installed.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.run(arguments)?.map(output).transpose()?.flatten())
    }

    /// What git wrote.
    ///
    /// # Errors
    /// Also when the repository or git is gone.
    pub(crate) fn tell(&self, arguments: &[&str]) -> Result<Vec<u8>, Error> {
        self.ask(arguments)?.ok_or_else(|| Error::Failed {
            status: "no repository".to_owned(),
            message: format!("{} is no repository any more", self.directory.display()),
        })
    }

    /// What git wrote, where failing is how it says that there is nothing.
    pub(crate) fn answer_if_any(&self, arguments: &[&str]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.run(arguments)?.filter(|answer| answer.success).map(|answer| answer.output))
    }

    /// Whether git answers a question of yes or no with yes.
    pub(crate) fn says_yes(&self, arguments: &[&str]) -> Result<bool, Error> {
        Ok(self.answer_if_any(arguments)?.is_some())
    }

    fn run(&self, arguments: &[&str]) -> Result<Option<Answer>, Error> {
        run(command(self, arguments), self.limit)
    }
}

/// Runs `git status` in a machine-readable form; `None` if `root` is not the top folder of a
/// repository or git is not installed.
pub(crate) fn status(root: &Path, arguments: &[&str], limit: Duration) -> Result<Option<Vec<u8>>, Error> {
    let Some(git) = Git::at(root, limit)? else { return Ok(None) };
    let mut all =
        vec!["status", "--porcelain=v2", "-z", "--ignore-submodules=all", "--no-column", "--no-ahead-behind"];
    all.extend(arguments);
    git.ask(&all)
}

/// What git wrote; `None` if it says that there is no repository behind `.git`.
fn output(answer: Answer) -> Result<Option<Vec<u8>>, Error> {
    if answer.success {
        return Ok(Some(answer.output));
    }
    if answer.message.windows(20).any(|window| window == b"not a git repository") {
        return Ok(None);
    }
    let message = crate::scan::escaped(answer.message.trim_ascii());
    Err(Error::Failed { status: answer.status, message })
}

/// Switches off every filter and diff driver that the configuration names.
fn filter_overrides(names: &[u8]) -> Result<Vec<(OsString, &'static str)>, Error> {
    use std::os::unix::ffi::OsStringExt;
    let mut drivers: Vec<&[u8]> = names
        .split(|byte| *byte == 0)
        .filter(|name| name.starts_with(b"filter.") || name.starts_with(b"diff."))
        .filter_map(|name| name.iter().rposition(|byte| *byte == b'.').map(|dot| &name[..dot]))
        .filter(|driver| driver.contains(&b'.'))
        .collect();
    drivers.sort_unstable();
    drivers.dedup();
    if drivers.len() > MAX_FILTERS {
        let message = format!("its configuration names more than {MAX_FILTERS} filters; remove them");
        return Err(Error::Failed { status: "not asked".to_owned(), message });
    }
    let mut overrides = Vec::new();
    for driver in drivers {
        let settings = if driver.starts_with(b"filter.") { FILTER_SETTINGS } else { DIFF_SETTINGS };
        for (setting, value) in settings {
            let key = [driver, b".", setting.as_bytes()].concat();
            overrides.push((OsString::from_vec(key), *value));
        }
    }
    Ok(overrides)
}

/// What git says of itself; `None` where it is not installed.
pub(crate) fn version(limit: Duration) -> Result<Option<String>, Error> {
    // A folder in which nobody has put a program called git.
    let nowhere = PathBuf::from("/dev");
    let git = Git { directory: nowhere.join("null"), work_tree: nowhere, overrides: Vec::new(), limit };
    let answer = run(command(&git, &["version"]), limit)?;
    let answer = answer.map(output).transpose()?.flatten();
    Ok(answer.map(|text| String::from_utf8_lossy(&text).into_owned()))
}

#[expect(clippy::disallowed_methods, reason = "git is the one program that this crate starts")]
fn command(git: &Git, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.env_clear().envs(ENVIRONMENT.iter().copied()).env("PATH", trusted_path(&git.work_tree));
    // Named outright: no search upwards, and `core.worktree` of the repository has no say.
    command.env("GIT_DIR", &git.directory).env("GIT_WORK_TREE", &git.work_tree);
    // Through the environment, because a key on the command line ends at its first `=`.
    let count = OVERRIDES.len() + git.overrides.len();
    command.env("GIT_CONFIG_COUNT", count.to_string());
    let overrides = OVERRIDES.iter().map(|(key, value)| (OsString::from(key), *value));
    for (number, (key, value)) in overrides.chain(git.overrides.iter().cloned()).enumerate() {
        command.env(format!("GIT_CONFIG_KEY_{number}"), key).env(format!("GIT_CONFIG_VALUE_{number}"), value);
    }
    command.arg("--no-pager").args(arguments).current_dir(&git.work_tree);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    command
}

/// The search path without relative folders and without those in the repository, where anybody may
/// have put a program called git.
fn trusted_path(root: &Path) -> OsString {
    let inherited = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let trusted: Vec<PathBuf> = std::env::split_paths(&inherited)
        .filter(|folder| {
            folder.is_absolute() && !folder.canonicalize().is_ok_and(|real| real.starts_with(root))
        })
        .collect();
    std::env::join_paths(trusted).unwrap_or_default()
}

fn run(mut command: Command, limit: Duration) -> Result<Option<Answer>, Error> {
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::NotStarted(error)),
    };
    let output = read_in_background(child.stdout.take(), MAX_ANSWER);
    let message = read_in_background(child.stderr.take(), MAX_MESSAGE);
    let answer = await_answer(&mut child, &output, &message, limit);
    if answer.is_err() {
        kill(&mut child);
    }
    answer.map(Some)
}

fn await_answer(
    child: &mut Child,
    output: &Receiver<io::Result<Vec<u8>>>,
    message: &Receiver<io::Result<Vec<u8>>>,
    limit: Duration,
) -> Result<Answer, Error> {
    let take = |from: &Receiver<io::Result<Vec<u8>>>| match from.recv_timeout(limit) {
        Ok(read) => read.map_err(Error::Unreadable),
        Err(RecvTimeoutError::Timeout) => Err(Error::TimedOut(limit)),
        Err(RecvTimeoutError::Disconnected) => Ok(Vec::new()),
    };
    let output = take(output)?;
    if output.len() > MAX_ANSWER {
        return Err(Error::TooLong(MAX_ANSWER));
    }
    let message = take(message)?;
    // Both pipes are closed: git has ended or is about to.
    let status = child.wait().map_err(Error::Unreadable)?;
    Ok(Answer { success: status.success(), status: status.to_string(), output, message })
}

/// Reads up to one byte more than `limit`, so that the reader knows that there was more.
fn read_in_background(
    pipe: Option<impl Read + Send + 'static>,
    limit: usize,
) -> Receiver<io::Result<Vec<u8>>> {
    let (sender, receiver) = channel();
    if let Some(mut pipe) = pipe {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = pipe.by_ref().take(limit as u64 + 1).read_to_end(&mut bytes);
            // The asker may have given up.
            let _ = sender.send(read.map(|_| bytes));
            // The pipe stays open and is emptied, so that git does not die of writing to it.
            let _ = io::copy(&mut pipe, &mut io::sink());
        });
    }
    receiver
}

fn kill(child: &mut Child) {
    let group = rustix::process::Pid::from_child(child);
    // It may have ended by itself in the meantime.
    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_that_does_not_answer_in_time_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".git")).unwrap();
        let pipe = folder.path().join(".git/config");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        // Git waits for a writer of its configuration, which never comes.
        for name in ["objects", "refs"] {
            std::fs::create_dir(folder.path().join(".git").join(name)).unwrap();
        }
        std::fs::write(folder.path().join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
        let result = status(folder.path(), &[], Duration::from_millis(300));
        assert!(matches!(result, Err(Error::TimedOut(_))), "{result:?}");
    }

    #[test]
    fn every_filter_and_diff_driver_of_the_configuration_is_switched_off() {
        let names = b"core.bare\0filter.a=b.c.clean\0filter.a=b.c.required\0diff.x.textconv\0diff.renames\0";
        let overrides = filter_overrides(names).unwrap();
        let keys: Vec<&str> = overrides.iter().map(|(key, _)| key.to_str().unwrap()).collect();
        assert_eq!(
            keys,
            [
                "diff.x.command",
                "diff.x.textconv",
                "filter.a=b.c.clean",
                "filter.a=b.c.smudge",
                "filter.a=b.c.process",
                "filter.a=b.c.required",
            ]
        );
    }
}
