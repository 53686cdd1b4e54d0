//! What this machine can enforce, for operators to read before they rely on it.

use serde::{Deserialize, Serialize};

use crate::SandboxLevel;

/// Which way of confining commands to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// Our own where user namespaces and Landlock work, since it has one layer more and starts faster; bubblewrap
    /// where only that program may make namespaces, as some distributions arrange it; our own without namespaces
    /// last.
    #[default]
    Auto,
    /// Our own, with namespaces or without.
    Own,
    /// Bubblewrap, or nothing.
    Bubblewrap,
}

impl Backend {
    /// The word used in settings.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Own => "own",
            Self::Bubblewrap => "bubblewrap",
        }
    }
}

/// The way of confining commands that is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Confiner {
    /// Namespaces, Landlock and seccomp, put together here.
    #[default]
    Own,
    /// The program `bwrap`, with our system call filter.
    Bubblewrap,
}

/// The control groups that are in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlGroups {
    /// None that the server may write.
    #[default]
    None,
    /// Version 1, a hierarchy for each controller.
    V1,
    /// Version 2.
    V2,
}

/// The means found at the start; stays the same while the server runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Effective {
    /// Operating system.
    pub platform: &'static str,
    /// What confines commands.
    pub backend: Confiner,
    /// Version of a bubblewrap that works here, if there is one and it was looked for.
    pub bubblewrap: Option<String>,
    /// Version of Landlock; 0 if the kernel has none.
    pub landlock_abi: u32,
    /// Whether system calls can be filtered.
    pub seccomp: bool,
    /// Whether commands get namespaces of their own, with all else mounted read-only.
    pub namespaces: bool,
    /// Whether `/proc` shows a command only its own processes.
    pub own_proc: bool,
    /// Whether a command can be kept off the network.
    pub network_isolation: bool,
    /// Whether a command without network has a loopback interface of its own.
    pub own_network: bool,
    /// Whether a command can be let through to named hosts only.
    pub domains: bool,
    /// Whether paths of the workspace can be hidden from a command.
    pub hidden_paths: bool,
    /// Whether the number of processes can be limited.
    pub process_limit: bool,
    /// The control groups that commands are put into.
    pub cgroup: ControlGroups,
    /// Whether the memory of all processes of a command together can be limited.
    pub memory_limit: bool,
    /// Whether a command can be kept to a number of processors.
    pub cpu_limit: bool,
    /// Whether the server runs as root, which is best avoided.
    pub running_as_root: bool,
    /// Whether commands of a root server in a workspace of root become a user without rights; where a folder
    /// above the workspace is closed to others, they stay root's, without any capability.
    pub drops_root: bool,
    /// What holds for each level.
    pub levels: Vec<LevelSupport>,
}

/// Whether a level can be enforced here, and what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LevelSupport {
    /// The level.
    pub level: SandboxLevel,
    /// Whether commands at this level run; they are refused otherwise.
    pub available: bool,
    /// Why not, and what to do.
    pub reason: Option<String>,
    /// What holds for a command at this level on this machine.
    pub guarantees: Vec<String>,
}

/// What to tell the operator of a machine without the means.
pub(crate) const ADVICE: &str = "Use a Linux kernel 6.2 or newer with Landlock and permit unprivileged user \
    namespaces, or a kernel 6.12 or newer, or install bubblewrap; or run the server in a container made for this \
    purpose and choose full_access";

/// The oldest Landlock that is enough beside namespaces: it controls truncating, too.
pub(crate) const LANDLOCK_WITH_NAMESPACES: u32 = 3;

impl Effective {
    /// Why the level cannot be enforced, or `None` if it can.
    pub(crate) fn obstacle(&self, level: SandboxLevel, network: bool) -> Option<String> {
        if !network && !self.network_isolation {
            return Some("nothing here can keep a command off the network".into());
        }
        if !level.is_confined() {
            return None;
        }
        if !self.seccomp {
            return Some("system calls cannot be filtered (no seccomp)".into());
        }
        if self.backend == Confiner::Bubblewrap {
            let missing =
                "bubblewrap was chosen, and it is not installed, not on a trusted path, or fails here";
            return self.bubblewrap.is_none().then(|| missing.to_owned());
        }
        match (self.landlock_abi, self.namespaces) {
            (0, _) => Some("the kernel has no Landlock, or it is switched off".into()),
            (abi, _) if abi < LANDLOCK_WITH_NAMESPACES => {
                Some(format!("Landlock has version {abi}, and at least {LANDLOCK_WITH_NAMESPACES} is needed"))
            }
            (abi @ ..=5, false) => Some(format!(
                "Landlock has version {abi}, which without user namespaces is too little: at least 6 is needed"
            )),
            _ => None,
        }
    }

    pub(crate) fn with_levels(mut self) -> Self {
        use SandboxLevel::{FullAccess, ReadOnly, WorkspaceWrite};
        self.levels = [ReadOnly, WorkspaceWrite, FullAccess]
            .into_iter()
            .map(|level| {
                let obstacle = self.obstacle(level, level == FullAccess);
                LevelSupport {
                    level,
                    available: obstacle.is_none(),
                    reason: obstacle.map(|reason| format!("{reason}. {ADVICE}.")),
                    guarantees: self.guarantees(level).into_iter().map(str::to_owned).collect(),
                }
            })
            .collect();
        self
    }

    fn guarantees(&self, level: SandboxLevel) -> Vec<&'static str> {
        let mut lines = vec![
            "the environment is an allow-list and the whole process tree ends with the command",
            "time, processor, file size and open files are limited",
        ];
        lines.extend(self.memory_limit.then_some("the memory of all processes together is limited"));
        if !level.is_confined() {
            lines.extend(self.network_isolation.then_some("without network no socket can be made"));
            lines.push("files are not protected");
            return lines;
        }
        lines.push(if self.own_network {
            "without network there is a loopback interface of its own and nothing else"
        } else {
            "without network no socket can be made"
        });
        lines.push(match (level, self.namespaces) {
            (SandboxLevel::ReadOnly, _) => "only a private temporary directory is writable",
            (_, true) => "the workspace except .git and a private temporary directory are writable",
            (_, false) => {
                "existing top-level entries of the workspace except .git are writable; new top-level entries only \
                 where there is no .git"
            }
        });
        lines.push("system directories, toolchains and the workspace are readable, nothing else");
        lines.push(if self.hidden_paths {
            "paths of the workspace that are named as hidden are unreadable"
        } else {
            "paths of the workspace that are named as hidden stay readable"
        });
        lines.push(if self.own_proc {
            "other processes are invisible"
        } else {
            "other processes are visible by name, not their memory or environment"
        });
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(landlock_abi: u32, namespaces: bool, seccomp: bool) -> Effective {
        Effective {
            platform: "linux",
            landlock_abi,
            seccomp,
            namespaces,
            own_proc: namespaces,
            network_isolation: seccomp,
            process_limit: namespaces,
            hidden_paths: namespaces,
            ..Effective::default()
        }
        .with_levels()
    }

    fn available(effective: &Effective) -> Vec<bool> {
        effective.levels.iter().map(|support| support.available).collect()
    }

    #[test]
    fn confined_levels_are_refused_where_a_layer_is_missing() {
        assert_eq!(available(&machine(7, true, true)), [true, true, true]);
        assert_eq!(available(&machine(6, false, true)), [true, true, true]);
        for weak in
            [machine(0, true, true), machine(2, true, true), machine(5, false, true), machine(7, true, false)]
        {
            assert_eq!(available(&weak), [false, false, true], "{weak:?}");
            assert!(weak.levels[0].reason.as_deref().is_some_and(|reason| reason.contains("Landlock")));
        }
    }

    #[test]
    fn bubblewrap_needs_no_landlock_but_a_filter_and_itself() {
        let with = |version: Option<&str>, seccomp| Effective {
            backend: Confiner::Bubblewrap,
            bubblewrap: version.map(str::to_owned),
            ..machine(0, true, seccomp)
        };
        assert_eq!(available(&with(Some("0.8.0"), true).with_levels()), [true, true, true]);
        assert_eq!(available(&with(None, true).with_levels()), [false, false, true]);
        assert_eq!(available(&with(Some("0.8.0"), false).with_levels()), [false, false, true]);
    }

    #[test]
    fn what_cannot_be_hidden_is_told() {
        let told = |namespaces| machine(7, namespaces, true).levels[1].guarantees.join("\n");
        assert!(told(true).contains("hidden are unreadable"), "{}", told(true));
        assert!(told(false).contains("hidden stay readable"), "{}", told(false));
    }

    #[test]
    fn full_access_without_network_is_refused_where_sockets_cannot_be_denied() {
        assert!(machine(0, false, false).obstacle(SandboxLevel::FullAccess, false).is_some());
        assert!(machine(0, false, false).obstacle(SandboxLevel::FullAccess, true).is_none());
    }
}
