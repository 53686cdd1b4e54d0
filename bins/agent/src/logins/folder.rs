//! Where the logins are stored.

use super::Logins;
use crate::exit::Failure;
use clap::Args;
use std::path::PathBuf;

/// The user's configuration folder, as the XDG base directory specification finds it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct LoginsFolder {
    #[arg(long, global = true, hide = true, env = "XDG_CONFIG_HOME")]
    config_home: Option<PathBuf>,
    #[arg(long, global = true, hide = true, env = "HOME")]
    home: Option<PathBuf>,
}

impl LoginsFolder {
    /// The logins there; `None` where the environment names no folder.
    pub(crate) fn logins(&self) -> Option<Logins> {
        let absolute = |path: &Option<PathBuf>| path.clone().filter(|path| path.is_absolute());
        let base = absolute(&self.config_home).or_else(|| Some(absolute(&self.home)?.join(".config")));
        base.map(|base| Logins::at(base.join("agent")))
    }

    /// The same, for those who need one.
    ///
    /// # Errors
    /// Wrong usage where the environment names no folder.
    pub(crate) fn required(&self) -> Result<Logins, Failure> {
        let none = || Failure::usage("neither XDG_CONFIG_HOME nor HOME names a folder to store a login in");
        self.logins().ok_or_else(none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn logins_are_in_the_users_configuration_folder() {
        let folder = |config: Option<&str>, home: Option<&str>| {
            let folder = LoginsFolder { config_home: config.map(Into::into), home: home.map(Into::into) };
            folder.logins().map(|logins| logins.folder)
        };
        let ada = Some("/home/ada");
        assert_eq!(folder(None, ada).as_deref(), Some(Path::new("/home/ada/.config/agent")));
        assert_eq!(folder(Some("/etc/ada"), ada).as_deref(), Some(Path::new("/etc/ada/agent")));
        assert_eq!(folder(Some("relative"), ada).as_deref(), Some(Path::new("/home/ada/.config/agent")));
        assert_eq!(folder(None, None), None);
    }
}
