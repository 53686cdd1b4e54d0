//! What holds everywhere: files that nobody but git and the server itself may write.

use crate::pattern::Pattern;
use crate::shell::{Part, Reading, Write, normal};
use crate::word::UNKNOWN;
use agent_core::policy::{Permission, Risk, SandboxLevel};
use std::path::PathBuf;

/// A pattern of protected files, and why they are.
struct Protection {
    patterns: Vec<Pattern>,
    reason: String,
}

/// The protected files.
pub(crate) struct Protected(Vec<Protection>);

const OF_GIT: &str = "git alone writes its own files, since hooks and settings in them run programs";
const OF_SERVER: &str = "the server alone writes its own files";

impl Protected {
    /// What is protected everywhere, and these paths with all that is beneath them.
    pub(crate) fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let folding = |texts: &[&str]| texts.iter().map(|text| Pattern::folding_case(text)).collect();
        let mut all = vec![
            Protection {
                patterns: folding(&["**/.git", "**/.git/**", "**/.gitmodules"]),
                reason: OF_GIT.to_owned(),
            },
            Protection {
                patterns: folding(&[
                    "**/*.jwt-secret",
                    "**/.agent-history/**",
                    "**/.agent-history",
                    "**/.agent-workspaces/**",
                    "**/.agent-workspaces",
                    "agent.toml",
                    "agent-policy.toml",
                    ".agent",
                    ".agent/**",
                ]),
                reason: OF_SERVER.to_owned(),
            },
        ];
        all.extend(paths.into_iter().map(|path| {
            let path = normal(&path.to_string_lossy());
            let reason = format!("{path} is protected by whoever runs the server");
            Protection { patterns: vec![Pattern::literal(&path), Pattern::beneath(&path)], reason }
        }));
        Self(all)
    }

    /// What holds of writing this file, and why, unless it may be written.
    pub(crate) fn of_write(&self, write: &Write) -> Option<(Permission, String)> {
        let path = write.path.text();
        let certain = settled(path, false);
        let hit = |may: &str, protection: &&Protection| {
            protection.patterns.iter().any(|pattern| pattern.may_match(may))
        };
        let beneath = |protection: &&Protection| {
            write.with_all_beneath && protection.patterns.iter().any(|pattern| pattern.is_beneath(path))
        };
        let shown = || path.replace(UNKNOWN, "…");
        if let Some(found) = self.0.iter().find(|protection| hit(&certain, protection) || beneath(protection))
        {
            return Some((Permission::Deny, format!("{} is not to be written: {}", shown(), found.reason)));
        }
        if !path.contains(UNKNOWN) {
            return None;
        }
        let possible = settled(path, true);
        let found = self.0.iter().find(|protection| hit(&possible, protection))?;
        let reason = format!("{} may be a file that is not to be written: {}", shown(), found.reason);
        Some((Permission::Ask, reason))
    }

    /// What holds of one part of a command, and why, unless nothing speaks against it.
    pub(crate) fn of_part(&self, part: &Part, level: SandboxLevel) -> Option<(Permission, String)> {
        match part {
            Part::Write(write) => self.of_write(write),
            Part::Unreadable(text, why) if !level.is_confined() => {
                Some((Permission::Ask, format!("`{text}` cannot be read: {why}, and nothing confines it")))
            }
            Part::Run(_) | Part::Unreadable(..) => None,
        }
    }
}

/// What holds of the danger of a whole command where nothing confines it.
pub(crate) fn of_danger(risk: Risk, reading: &Reading, level: SandboxLevel) -> Option<(Permission, String)> {
    if level.is_confined() || risk < Risk::Critical {
        return None;
    }
    let what = reading.dangers.first().copied().unwrap_or("it could destroy more than the workspace");
    Some((Permission::Ask, format!("{what}, and nothing confines it")))
}

/// The path with a name in place of what is unknown, as far as it is no name of a protected file: a shell's pattern
/// matches no name that begins with a dot unless it begins with one itself.
fn settled(path: &str, keeps_beginnings: bool) -> String {
    if !path.contains(UNKNOWN) {
        return path.to_owned();
    }
    let settle = |name: &str| match name.find(UNKNOWN) {
        None => name.to_owned(),
        Some(at) if at > 0 && (name.starts_with('.') || keeps_beginnings) => name.to_owned(),
        Some(_) => "x".to_owned(),
    };
    path.split('/').map(settle).collect::<Vec<_>>().join("/")
}
