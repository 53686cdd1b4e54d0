//! Programs that run other programs.

use crate::word::Word;

/// A program that runs the one named behind its own options.
pub(super) struct Wrapper {
    names: &'static [&'static str],
    /// Options that take the next word.
    valued: &'static [&'static str],
    /// Words between the options and the program.
    operands: usize,
    /// Whether assignments may stand in front of the program.
    pub(super) assigns: bool,
    /// Whether more words follow from somewhere else.
    pub(super) appends: bool,
    /// Whether it is harmless: whoever may run the program may run it so.
    pub(super) is_harmless: bool,
}

const fn harmless(
    names: &'static [&'static str],
    valued: &'static [&'static str],
    operands: usize,
) -> Wrapper {
    Wrapper { names, valued, operands, assigns: false, appends: false, is_harmless: true }
}

const fn harmful(
    names: &'static [&'static str],
    valued: &'static [&'static str],
    operands: usize,
) -> Wrapper {
    Wrapper { names, valued, operands, assigns: false, appends: false, is_harmless: false }
}

const WRAPPERS: &[Wrapper] = &[
    Wrapper { assigns: true, ..harmless(&["env"], &["-u", "--unset", "-C", "--chdir", "-a", "--argv0"], 0) },
    Wrapper {
        assigns: true,
        ..harmful(
            &["sudo"],
            &[
                "-u",
                "--user",
                "-g",
                "--group",
                "-h",
                "--host",
                "-p",
                "--prompt",
                "-C",
                "--close-from",
                "-r",
                "--role",
                "-t",
                "--type",
                "-T",
                "--command-timeout",
                "-U",
                "--other-user",
                "-D",
                "--chdir",
                "-R",
                "--chroot",
            ],
            0,
        )
    },
    Wrapper { assigns: true, ..harmful(&["doas"], &["-u", "-C"], 0) },
    Wrapper {
        appends: true,
        ..harmless(
            &["xargs"],
            &[
                "-I",
                "-n",
                "--max-args",
                "-P",
                "--max-procs",
                "-d",
                "--delimiter",
                "-a",
                "--arg-file",
                "-L",
                "-s",
                "-E",
                "--max-lines",
            ],
            0,
        )
    },
    Wrapper {
        appends: true,
        ..harmless(
            &["parallel"],
            &["-j", "--jobs", "-I", "-a", "--arg-file", "-N", "-n", "--joblog", "--delay", "--timeout"],
            0,
        )
    },
    harmless(&["nice"], &["-n", "--adjustment"], 0),
    harmless(&["ionice"], &["-c", "--class", "-n", "--classdata", "-p"], 0),
    harmless(
        &[
            "nohup",
            "setsid",
            "builtin",
            "coproc",
            "unbuffer",
            "noglob",
            "nocorrect",
            "faketime",
            "!",
            "{",
            "torsocks",
            "arch",
            "dbus-run-session",
            "linux32",
            "linux64",
            "proxychains",
            "proxychains4",
            "ld.so",
            "ld-linux-x86-64.so.2",
            "ld-linux-aarch64.so.1",
        ],
        &["-f"],
        0,
    ),
    harmless(&["command", "exec"], &["-a"], 0),
    harmless(&["time"], &["-f", "--format", "-o", "--output"], 0),
    harmless(&["timeout"], &["-k", "--kill-after", "-s", "--signal"], 1),
    harmless(&["stdbuf"], &["-i", "--input", "-o", "--output", "-e", "--error"], 0),
    harmless(&["busybox", "toybox"], &[], 0),
    harmless(&["taskset", "chrt", "perf"], &["-e", "-o"], 1),
    harmless(&["setarch"], &[], 0),
    harmless(&["numactl"], &["-N", "-m", "-C", "-i", "-p"], 0),
    harmless(&["xvfb-run"], &["-n", "-s", "-e", "-f", "-p", "-w"], 0),
    harmless(&["caffeinate"], &["-t", "-w"], 0),
    harmless(&["direnv"], &[], 2),
    harmful(&["sshpass"], &["-p", "-f", "-d"], 0),
    harmful(&["gdb", "lldb", "pkexec"], &["-ex", "-x", "--user"], 0),
    harmless(&["prlimit"], &[], 0),
    harmless(&["watch"], &["-n", "--interval"], 0),
    harmless(&["strace", "ltrace"], &["-e", "-o", "-p", "-s", "-u", "-E", "-P", "-O", "-S"], 0),
    harmless(&["valgrind", "heaptrack", "catchsegv"], &[], 0),
    harmless(
        &["bundle", "pipenv", "poetry", "uv", "pdm", "hatch", "rye", "mise", "asdf"],
        &[
            "-C",
            "--directory",
            "--project",
            "--with",
            "--extra",
            "--group",
            "--python",
            "--package",
            "--env-file",
            "--index",
            "-p",
        ],
        1,
    ),
    harmful(
        &[
            "chroot",
            "unshare",
            "nsenter",
            "firejail",
            "bwrap",
            "fakeroot",
            "runuser",
            "setpriv",
            "systemd-run",
        ],
        &["-u", "--user", "-g", "-t"],
        0,
    ),
    harmful(&["flock"], &["-w", "--timeout", "-E"], 1),
    harmful(&["chronic", "entr", "ts", "sem"], &[], 0),
];

/// Words after which wrappers of projects run another program; their other subcommands do not.
const RUNNING: &[&str] = &["run", "exec", "x"];

/// What a wrapper runs.
pub(super) struct Wrapped {
    /// The assignments in front of it.
    pub(super) assignments: Vec<Word>,
    /// Its words; empty where it runs nothing.
    pub(super) words: Vec<Word>,
}

/// The wrapper of this name.
pub(super) fn find(name: &str) -> Option<&'static Wrapper> {
    WRAPPERS.iter().find(|wrapper| wrapper.names.contains(&name))
}

impl Wrapper {
    /// What these words, wrapper first, run.
    pub(super) fn open(&self, words: &[Word]) -> Wrapped {
        let nothing = || Wrapped { assignments: Vec::new(), words: Vec::new() };
        let mut at = self.after_options(words, 1);
        if words.get(2).is_some_and(|word| word.is("{")) {
            // `coproc NAME { …; }`
            at = 2;
        }
        let is_project = self.names.contains(&"bundle");
        if is_project && !words.get(at).and_then(Word::known).is_some_and(|word| RUNNING.contains(&word)) {
            return nothing();
        }
        at += self.operands;
        if self.operands > 0 {
            at = self.after_options(words, at);
        }
        let mut assignments = Vec::new();
        while let Some(word) = words.get(at).filter(|word| self.assigns && is_assignment(word)) {
            assignments.push(word.clone());
            at += 1;
        }
        let mut rest = words.get(at..).unwrap_or_default().to_vec();
        if self.appends && !rest.is_empty() {
            let token =
                words[..at].iter().position(|word| word.is("-I")).and_then(|option| words.get(option + 1));
            let token = token.and_then(Word::known).filter(|token| !token.is_empty()).unwrap_or("{}");
            rest = rest.iter().map(|word| word.without(token).without("{}")).collect();
            rest.push(Word::open());
        }
        Wrapped { assignments, words: rest }
    }

    fn after_options(&self, words: &[Word], mut at: usize) -> usize {
        while let Some(word) = words.get(at) {
            if word.is("--") {
                return at + 1;
            }
            // A dash alone is what `env` and `su` take for an option too.
            if !word.text().starts_with('-') {
                break;
            }
            at += 1 + usize::from(self.valued.contains(&word.text()));
        }
        at
    }
}

/// Whether a word assigns a variable.
pub(super) fn is_assignment(word: &Word) -> bool {
    let Some((name, _)) = word.text().split_once('=') else { return false };
    !name.is_empty()
        && !name.starts_with(|letter: char| letter.is_ascii_digit())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// Whether a variable of this name decides which code a program runs.
pub(super) fn alters(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "PATH",
        "IFS",
        "ENV",
        "SHELL",
        "EDITOR",
        "VISUAL",
        "PAGER",
        "BROWSER",
        "PROMPT_COMMAND",
        "SHELLOPTS",
        "BASHOPTS",
        "PS4",
        "RUSTC",
        "RUSTDOC",
        "CC",
        "CXX",
        "MAKEFLAGS",
        "JAVA_TOOL_OPTIONS",
        "CLASSPATH",
        "NODE_OPTIONS",
        "NODE_PATH",
    ];
    const BEGINNINGS: &[&str] = &[
        "LD_",
        "DYLD_",
        "GIT_",
        "BASH_",
        "PYTHON",
        "PERL",
        "RUBY",
        "CARGO_",
        "RUSTC_",
        "GO",
        "NPM_CONFIG_",
        "npm_config_",
        "DOCKER_",
    ];
    NAMES.contains(&name) || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
}
