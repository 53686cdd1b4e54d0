//! A git repository in a temporary folder.

use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// The files of a repository to be made.
#[derive(Debug, Clone)]
pub struct RepositoryBuilder {
    files: Vec<(String, String)>,
}

impl Default for RepositoryBuilder {
    fn default() -> Self {
        Self::empty().file("README.md", "# Example\n")
    }
}

impl RepositoryBuilder {
    /// No files yet.
    pub fn empty() -> Self {
        Self { files: Vec::new() }
    }

    /// With this file; folders are made as needed.
    #[must_use]
    pub fn file(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.to_owned(), text.to_owned()));
        self
    }

    /// Makes the folder, the files, and one commit of them.
    pub fn build(&self) -> Repository {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository { folder };
        for (path, text) in &self.files {
            repository.write(path, text);
        }
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository.git(&["add", "--all"]);
        repository.git(&["commit", "--quiet", "--allow-empty", "--message", "Begin"]);
        repository
    }
}

/// A repository that vanishes with this value.
#[derive(Debug)]
pub struct Repository {
    folder: TempDir,
}

impl Repository {
    /// Where it is.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Reads a file.
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path().join(path)).expect("a readable file")
    }

    /// Writes a file; folders are made as needed.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        std::fs::write(path, text).expect("the file is written");
    }

    #[expect(clippy::disallowed_methods, reason = "a test makes its repository with the real git")]
    fn git(&self, arguments: &[&str]) {
        let identity =
            ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];
        let mut git = Command::new("git");
        git.current_dir(self.path()).args(identity).args(arguments);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        let output = git.output().expect("git runs");
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
