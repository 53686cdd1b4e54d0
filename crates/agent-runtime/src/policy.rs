//! The rules by which calls are allowed, asked about or denied here.

use crate::error::{Error, Result};
use crate::settings::Settings;
use agent_policy::{PolicyJudge, RuleSet};
use std::io;
use std::path::{Path, PathBuf};

/// The largest file of rules that is read, in bytes.
const LARGEST: u64 = 1 << 20;

/// The judge with the rules of the settings; `private` are files that no call may write.
pub(crate) fn judge(settings: &Settings, private: Vec<PathBuf>) -> Result<PolicyJudge> {
    let Some(path) = &settings.policy_file else { return Ok(PolicyJudge::new(RuleSet::default(), private)) };
    let refused = |error| Error::Settings(format!("policy_file: {}: {error}", path.display()));
    let rules = read_rules(path).map_err(refused)?;
    let real = path.canonicalize().unwrap_or_else(|_| path.clone());
    Ok(PolicyJudge::new(rules, private.into_iter().chain([real])))
}

/// The rules in a file of TOML, checked.
///
/// # Errors
/// When the file cannot be read, has more than a MiB, or holds rules that cannot be used.
pub fn read_rules(path: &Path) -> io::Result<RuleSet> {
    if path.metadata()?.len() > LARGEST {
        let reason = format!("it has more than {LARGEST} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, reason));
    }
    let text = std::fs::read_to_string(path)?;
    RuleSet::parse(&text).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_core::policy::{Demand, Judge, Judged, Permission, Policy};

    fn judged(judge: &PolicyJudge, demand: &Demand) -> Permission {
        judge.judge(Judged { tool: "any", demand, policy: &Policy::default() }).permission
    }

    #[test]
    fn the_rules_of_the_file_hold_and_the_file_itself_is_not_to_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("rules.toml");
        std::fs::write(&path, "[[rules]]\ncommand = [\"git\", \"push\"]\npermission = \"deny\"\n").unwrap();
        let settings = Settings { policy_file: Some(path.clone()), ..Settings::embedded(folder.path()) };
        let judge = judge(&settings, Vec::new()).unwrap();
        assert_eq!(judged(&judge, &Demand::Command(vec!["git".into(), "push".into()])), Permission::Deny);
        assert_eq!(judged(&judge, &Demand::Write(vec![path.display().to_string()])), Permission::Deny);
        assert_eq!(judged(&judge, &Demand::Write(vec!["rules.txt".into()])), Permission::Allow);
    }

    #[test]
    fn a_file_that_cannot_be_understood_keeps_the_program_from_starting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rules.toml");
        std::fs::write(&path, "[[rules]]\ncomand = [\"git\"]\npermission = \"deny\"\n").unwrap();
        for path in [path, folder.path().join("missing.toml")] {
            let settings = Settings { policy_file: Some(path), ..Settings::embedded(folder.path()) };
            let error = judge(&settings, Vec::new()).err().unwrap().to_string();
            assert!(error.starts_with("policy_file: "), "{error}");
        }
    }
}
