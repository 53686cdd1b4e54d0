//! A place of its own for each test: home, data, temporary folder and a repository.

use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// What a command came to.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Waits for a program to end.
    pub(crate) fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or(-1);
        Self { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The JSON document on standard output.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The same, once the exit code is the expected one.
    #[track_caller]
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }
}

/// Reads lines until one contains a text, and gives that line.
pub(crate) fn line_with(source: &mut impl Read, text: &str) -> String {
    let mut lines = BufReader::with_capacity(1, source).lines().map(Result::unwrap);
    lines.find(|line| line.contains(text)).unwrap_or_else(|| panic!("{text:?} was never said"))
}

pub(crate) struct Workplace {
    folder: TempDir,
}

impl Workplace {
    pub(crate) fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["home", "tmp", "repository"] {
            std::fs::create_dir(place.path(name)).unwrap();
        }
        place
    }

    /// With a git repository that holds one committed file.
    pub(crate) fn with_repository() -> Self {
        let place = Self::new();
        place.write("greeting.txt", "hello\nworld\n");
        place.git(&["init", "--quiet"]);
        place.git(&["add", "--all"]);
        place.git(&["-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "-m", "first"]);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.path("repository")
    }

    /// Writes a file of the repository.
    pub(crate) fn write(&self, path: &str, content: &str) {
        let path = self.repository().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Reads a file of the repository.
    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.repository().join(path)).unwrap()
    }

    /// Writes a file beside the repository and gives its path.
    pub(crate) fn beside(&self, name: &str, content: &str) -> String {
        std::fs::write(self.path(name), content).unwrap();
        self.path(name).display().to_string()
    }

    /// What lies in the temporary folder.
    pub(crate) fn left_behind(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path("tmp")).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// Runs `agent` in the repository.
    pub(crate) fn agent<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ended {
        self.agent_with_input(arguments, "")
    }

    pub(crate) fn agent_with_input<S: AsRef<OsStr>>(&self, arguments: &[S], input: &str) -> Ended {
        let mut child = self.start(arguments);
        // A command that refuses its arguments does not read its input.
        let _unread = child.stdin.take().unwrap().write_all(input.as_bytes());
        Ended::of(child)
    }

    /// Runs `agent` in the repository, with more environment.
    pub(crate) fn agent_in(&self, environment: &[(&str, &str)], arguments: &[&str]) -> Ended {
        self.program(env!("CARGO_BIN_EXE_agent"), environment, arguments)
    }

    /// Runs `agent` without a terminal that it could ask on.
    pub(crate) fn without_terminal(&self, arguments: &[&str]) -> Ended {
        self.program("setsid", &[], &[&["--wait", env!("CARGO_BIN_EXE_agent")], arguments].concat())
    }

    /// Runs a program in the repository, with more environment and nothing on its standard input.
    pub(crate) fn program(&self, program: &str, environment: &[(&str, &str)], arguments: &[&str]) -> Ended {
        let mut command = self.command(Path::new(program));
        command.args(arguments).envs(environment.iter().copied()).stdin(Stdio::null());
        Ended::of(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Starts `agent` in the repository, and does not wait.
    pub(crate) fn start<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Child {
        let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_agent")));
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Sends a signal, such as `INT`, to a process that was started here.
    pub(crate) fn signal(&self, name: &str, child: &Child) {
        let line = format!("kill -{name} {}", child.id());
        assert!(self.command(Path::new("sh")).args(["-c", &line]).status().unwrap().success());
    }

    fn git(&self, arguments: &[&str]) {
        let status = self.command(Path::new("git")).args(arguments).status().unwrap();
        assert!(status.success());
    }

    /// A program that sees nothing of this machine's settings.
    #[expect(clippy::disallowed_methods, reason = "the program under test is started as a person starts it")]
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.repository());
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
        command.env("HOME", self.path("home")).env("XDG_DATA_HOME", self.path("data"));
        command.env("TMPDIR", self.path("tmp"));
        command
    }
}
