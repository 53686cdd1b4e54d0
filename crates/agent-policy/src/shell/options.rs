//! Options that stand between a program and its subcommand, and must not hide the subcommand.

use crate::word::Word;

/// A program with subcommands: the options before them that take the next word, and those that change what it runs.
struct Tool {
    names: &'static [&'static str],
    valued: &'static [&'static str],
    /// Options that make the program run other code, or speak to somebody else, than its subcommand says.
    telling: &'static [&'static str],
}

const TOOLS: &[Tool] = &[
    Tool {
        names: &["git"],
        valued: &[
            "-C",
            "-c",
            "--git-dir",
            "--work-tree",
            "--namespace",
            "--super-prefix",
            "--config-env",
            "--attr-source",
        ],
        telling: &["-c", "--config-env", "--exec-path", "--git-dir", "--work-tree"],
    },
    Tool {
        names: &["docker", "podman", "nerdctl"],
        valued: &[
            "-H",
            "--host",
            "-c",
            "--context",
            "--config",
            "-l",
            "--log-level",
            "--tlscacert",
            "--tlscert",
            "--tlskey",
            "--connection",
            "--url",
            "--identity",
            "--root",
            "--runroot",
            "--namespace",
            "-n",
            "--address",
            "-a",
        ],
        telling: &["-H", "--host", "-c", "--context", "--config", "--connection", "--url"],
    },
    Tool {
        names: &["kubectl", "oc", "helm"],
        valued: &[
            "-n",
            "--namespace",
            "--context",
            "--kubeconfig",
            "--cluster",
            "--user",
            "-s",
            "--server",
            "--token",
            "--as",
            "--as-group",
            "--kube-context",
            "--certificate-authority",
            "--request-timeout",
            "-v",
            "--cache-dir",
        ],
        telling: &["--context", "--kubeconfig", "--cluster", "-s", "--server", "--kube-context"],
    },
    Tool {
        names: &["npm", "pnpm", "yarn", "bun", "cnpm"],
        valued: &[
            "--prefix",
            "-C",
            "--dir",
            "--cwd",
            "-w",
            "--workspace",
            "--registry",
            "--userconfig",
            "-F",
            "--filter",
        ],
        telling: &["--registry", "--userconfig", "--prefix", "--script-shell"],
    },
    Tool {
        names: &["cargo"],
        valued: &["-C", "-Z", "--config", "--color", "--manifest-path", "--target-dir"],
        telling: &["--config", "-C"],
    },
    Tool { names: &["go"], valued: &["-C"], telling: &[] },
    Tool { names: &["gh", "glab"], valued: &["-R", "--repo", "--hostname"], telling: &["--hostname"] },
    Tool {
        names: &["aws"],
        valued: &[
            "--profile",
            "--region",
            "--output",
            "--endpoint-url",
            "--query",
            "--color",
            "--ca-bundle",
            "--cli-read-timeout",
            "--cli-connect-timeout",
        ],
        telling: &["--profile", "--endpoint-url"],
    },
    Tool {
        names: &["gcloud", "az", "gsutil"],
        valued: &[
            "--project",
            "--account",
            "--configuration",
            "--format",
            "--verbosity",
            "--subscription",
            "-o",
            "-h",
        ],
        telling: &["--project", "--account", "--configuration", "--subscription"],
    },
    Tool { names: &["terraform", "tofu"], valued: &[], telling: &["-chdir"] },
    Tool {
        names: &["systemctl", "service"],
        valued: &["-H", "--host", "-M", "--machine", "-t", "--type", "-n", "--lines", "-o", "--output"],
        telling: &["-H", "--host", "-M", "--machine", "--root"],
    },
    Tool {
        names: &["pip", "pip3", "uv", "poetry"],
        valued: &["--python", "--log", "--proxy", "--cache-dir", "--directory", "--project", "-C"],
        telling: &["--python"],
    },
    Tool {
        names: &["apt", "apt-get", "dnf", "yum", "zypper", "brew", "pacman"],
        valued: &["-o", "-c", "--option", "--config-file", "-t"],
        telling: &["-o", "-c"],
    },
    Tool {
        names: &["svn", "hg", "jj"],
        valued: &["-R", "--repository", "--cwd", "--config", "--config-dir", "--username", "--password"],
        telling: &["--config", "--config-dir"],
    },
    Tool {
        names: &["make", "gmake", "just"],
        valued: &["-C", "--directory", "-f", "--file", "--makefile", "-j", "-I", "--justfile", "-d"],
        telling: &["-f", "--file", "--makefile", "--justfile", "--eval"],
    },
];

/// Shells whose scripts are read.
const SHELLS: &[&str] = &["sh", "bash", "dash", "zsh", "ksh", "ash", "mksh", "rbash", "fish"];

/// Whether the program is a shell.
pub(crate) fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name)
}

/// The words without the options that stand before a subcommand, and whether these options are harmless; `None` where
/// there are none. `git-push` is read as `git push` too.
pub(crate) fn without_global_options(words: &[Word]) -> Option<(Vec<Word>, bool)> {
    let name = words.first()?.program()?;
    if let Some(subcommand) = name.strip_prefix("git-").filter(|rest| !rest.is_empty()) {
        let mut bare = vec![Word::new("git"), Word::new(subcommand)];
        bare.extend_from_slice(&words[1..]);
        return Some((bare, true));
    }
    let tool = TOOLS.iter().find(|tool| tool.names.contains(&name))?;
    let (mut at, mut is_harmless) = (1, true);
    while let Some(word) = words.get(at).filter(|word| word.is_option()) {
        let option = word.text().split('=').next().unwrap_or_default();
        is_harmless &= word.known().is_some() && !tool.tells(option);
        at += 1 + usize::from(tool.valued.contains(&word.text()));
    }
    // `cargo +nightly publish` chooses a toolchain first.
    if name == "cargo" && words.get(at).is_some_and(|word| word.text().starts_with('+')) {
        at += 1;
    }
    let rest = words.get(at..).unwrap_or_default();
    (at > 1).then(|| (words[..1].iter().chain(rest).cloned().collect(), is_harmless))
}

impl Tool {
    fn tells(&self, option: &str) -> bool {
        let short = |name: &str| name.len() == 2 && !option.starts_with("--") && option.starts_with(name);
        self.telling.iter().any(|name| *name == option || short(name))
    }
}
