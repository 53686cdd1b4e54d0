//! Where the logins are stored.

use super::Logins;
use crate::exit::Failure;
use agent_runtime::Settings;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

impl Logins {
    /// The logins of this machine's user; `None` where the environment names no folder for them.
    pub(crate) fn of_user() -> Option<Self> {
        folder(&Settings::embedded(Path::new("/")).environment).map(|folder| Self { folder })
    }

    /// The same, for those who need one.
    ///
    /// # Errors
    /// Wrong usage where the environment names no folder.
    pub(crate) fn required() -> Result<Self, Failure> {
        let none = || Failure::usage("neither XDG_CONFIG_HOME nor HOME names a folder to store a login in");
        Self::of_user().ok_or_else(none)
    }
}

/// The user's configuration folder, as the XDG base directory specification finds it.
fn folder(environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    let absolute = |name: &str| environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
    base.map(|base| base.join("agent"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_in_the_users_configuration_folder() {
        let found = |pairs: &[(&str, &str)]| {
            folder(&pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        let home = ("HOME", "/home/ada");
        assert_eq!(found(&[home]).as_deref(), Some(Path::new("/home/ada/.config/agent")));
        assert_eq!(
            found(&[home, ("XDG_CONFIG_HOME", "/etc/ada")]).as_deref(),
            Some(Path::new("/etc/ada/agent"))
        );
        // A relative path is to be ignored, says the specification.
        let relative = found(&[home, ("XDG_CONFIG_HOME", "relative")]);
        assert_eq!(relative.as_deref(), Some(Path::new("/home/ada/.config/agent")));
        assert_eq!(found(&[]), None);
    }
}
