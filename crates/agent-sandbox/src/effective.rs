//! What this machine can enforce, for operators to read before they rely on it.

use serde::Serialize;

use crate::SandboxLevel;

/// The means found at the start; stays the same while the server runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Effective {
    /// Operating system.
    pub platform: &'static str,
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
    /// Whether the number of processes can be limited.
    pub process_limit: bool,
    /// Whether the server runs as root, which is best avoided.
    pub running_as_root: bool,
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
    namespaces, or a kernel 6.12 or newer; or run the server in a container made for this purpose and choose full_access";

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
        match (self.landlock_abi, self.namespaces) {
            (0, _) => Some("the kernel has no Landlock, or it is switched off".into()),
            (abi @ 1..=2, _) => Some(format!("Landlock has version {abi}, and at least 3 is needed")),
            (abi @ 3..=5, false) => Some(format!(
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
                    guarantees: self.guarantees(level),
                }
            })
            .collect();
        self
    }

    fn guarantees(&self, level: SandboxLevel) -> Vec<String> {
        let mut lines = vec![
            "the environment is an allow-list and the whole process tree ends with the command".to_owned(),
            "time, processor, file size and open files are limited".to_owned(),
        ];
        if self.network_isolation {
            lines.push("without network no socket can be made".to_owned());
        }
        if !level.is_confined() {
            lines.push("files are not protected".to_owned());
            return lines;
        }
        lines.push(match (level, self.namespaces) {
            (SandboxLevel::ReadOnly, _) => "only a private temporary directory is writable".to_owned(),
            (_, true) => {
                "the workspace except .git and a private temporary directory are writable".to_owned()
            }
            (_, false) => "existing top-level entries of the workspace except .git are writable; \
                new top-level entries only where there is no .git"
                .to_owned(),
        });
        lines.push("system directories, toolchains and the workspace are readable, nothing else".to_owned());
        lines.push(if self.own_proc {
            "other processes are invisible".to_owned()
        } else {
            "other processes are visible by name, not their memory or environment".to_owned()
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
            running_as_root: false,
            levels: Vec::new(),
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
    fn full_access_without_network_is_refused_where_sockets_cannot_be_denied() {
        assert!(machine(0, false, false).obstacle(SandboxLevel::FullAccess, false).is_some());
        assert!(machine(0, false, false).obstacle(SandboxLevel::FullAccess, true).is_none());
    }
}
