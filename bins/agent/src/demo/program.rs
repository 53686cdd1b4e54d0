//! The program that is mended: a small Python library with two bugs, and tests that show them.

use super::suite::Workshop;
use crate::exit::Failure;
use std::collections::BTreeMap;
use std::path::Path;

/// How many files the program has.
pub(super) const FILE_COUNT: usize = 9;

const FILES: [(&str, &str); FILE_COUNT] = [
    ("README.md", include_str!("repository/README.md")),
    ("pyproject.toml", include_str!("repository/pyproject.toml")),
    (".gitignore", include_str!("repository/gitignore")),
    ("roombook/__init__.py", include_str!("repository/roombook/__init__.py")),
    ("roombook/intervals.py", include_str!("repository/roombook/intervals.py")),
    ("roombook/pricing.py", include_str!("repository/roombook/pricing.py")),
    // Empty: it makes the tests a package, so that each module can be run by name.
    ("tests/__init__.py", include_str!("repository/tests/__init__.py")),
    ("tests/test_intervals.py", include_str!("repository/tests/test_intervals.py")),
    ("tests/test_pricing.py", include_str!("repository/tests/test_pricing.py")),
];

/// Writes the program into a folder.
pub(super) fn write(folder: &Path) -> Result<(), Failure> {
    for (path, content) in FILES {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, content)?;
    }
    Ok(())
}

/// Commits the program as it is; the commit, or `None` where git is not installed.
pub(super) async fn commit(workshop: &Workshop, folder: &Path) -> Result<Option<String>, Failure> {
    // Nothing of this machine's or this person's git settings shall matter here.
    let environment = BTreeMap::from(
        [
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_AUTHOR_NAME", "agent demo"),
            ("GIT_AUTHOR_EMAIL", "demo@localhost"),
            ("GIT_COMMITTER_NAME", "agent demo"),
            ("GIT_COMMITTER_EMAIL", "demo@localhost"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let steps: [&[&str]; 3] = [
        &["git", "-c", "init.defaultBranch=main", "init", "--quiet"],
        &["git", "add", "--all"],
        &["git", "commit", "--quiet", "--message", "roombook 0.3.0"],
    ];
    for step in steps {
        if !workshop.own(folder, step, &environment).await? {
            return Ok(None);
        }
    }
    let state = agent_repository::git::state(folder)
        .map_err(|error| Failure::work(format!("the commit was not found again: {error}")))?;
    Ok(state.and_then(|state| state.head))
}
