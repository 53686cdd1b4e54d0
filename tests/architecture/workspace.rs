//! The workspace as cargo and the file system show it.

use cargo_metadata::{Metadata, MetadataCommand, Package};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The platform whose dependencies are looked at.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

static MEMBERS: LazyLock<Metadata> = LazyLock::new(|| {
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).no_deps();
    command.other_options(["--offline".to_owned()]).exec().expect("cargo metadata reads the workspace")
});

static EVERYTHING: LazyLock<Metadata> = LazyLock::new(|| {
    let options = ["--offline", "--locked", "--filter-platform", PLATFORM].map(str::to_owned);
    let mut command = MetadataCommand::new();
    command.manifest_path(root().join("Cargo.toml")).other_options(options);
    command.exec().expect("cargo metadata reads all packages: run `cargo fetch` and commit Cargo.lock")
});

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

/// The crates of the workspace.
pub(crate) fn members() -> Vec<&'static Package> {
    MEMBERS.workspace_packages()
}

/// Every package that is built, with the graph between them.
pub(crate) fn everything() -> &'static Metadata {
    &EVERYTHING
}

/// The text of a file of the workspace.
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path} must be there: {error}"))
}

/// A file of the workspace as TOML.
pub(crate) fn toml(path: &str) -> toml::Table {
    read(path).parse().unwrap_or_else(|error| panic!("{path} must be TOML: {error}"))
}

/// A path as seen from the root, with slashes.
pub(crate) fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}

/// All files below a folder that end in a suffix, sorted.
pub(crate) fn files(folder: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(suffix) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Fails with every complaint at once.
pub(crate) fn no_complaints(complaints: &[String]) {
    assert!(complaints.is_empty(), "{} to mend:\n- {}", complaints.len(), complaints.join("\n- "));
}
