//! A workspace in a temporary directory.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use agent_repository::Error;
use agent_repository::patch::{Applied, PatchSet, Rejected, plan_changes};
use agent_repository::path_guard::{RelativePath, Root};

pub(crate) struct Workspace {
    folder: tempfile::TempDir,
    pub(crate) root: Root,
}

/// Every file with its bytes and whether it may be executed.
pub(crate) type Files = BTreeMap<String, (Vec<u8>, bool)>;

impl Workspace {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::open(folder.path()).unwrap();
        let workspace = Self { folder, root };
        for (name, content) in files {
            workspace.put(name, content);
        }
        workspace
    }

    pub(crate) fn copy_of(folder: &Path) -> Self {
        let workspace = Self::new(&[]);
        for (name, (bytes, executable)) in files_in(folder) {
            workspace.put(&name, "");
            fs::write(workspace.path().join(&name), bytes).unwrap();
            let mode = if executable { 0o755 } else { 0o644 };
            fs::set_permissions(workspace.path().join(&name), fs::Permissions::from_mode(mode)).unwrap();
        }
        workspace
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn put(&self, name: &str, content: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    pub(crate) fn files(&self) -> Files {
        files_in(self.path())
    }

    pub(crate) fn apply(&self, patch: &str) -> Result<Applied, Error> {
        plan_changes(&self.root, &PatchSet::parse(patch)?)?.apply(&self.root)
    }

    /// Applies a patch that must be refused, and makes sure that it left no trace.
    pub(crate) fn refusal(&self, patch: &str) -> Rejected {
        let before = self.files();
        match self.apply(patch) {
            Err(Error::Rejected(rejected)) => {
                assert_eq!(self.files(), before, "a refused patch changes nothing");
                rejected
            }
            other => panic!("expected a refusal, got {other:?}"),
        }
    }
}

pub(crate) fn path(path: &str) -> RelativePath {
    RelativePath::new(path).unwrap()
}

pub(crate) fn files_in(folder: &Path) -> Files {
    let mut files = Files::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                pending.push(entry.path());
            } else if kind.is_file() {
                let name = entry.path().strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                let executable = entry.metadata().unwrap().permissions().mode() & 0o100 != 0;
                files.insert(name, (fs::read(entry.path()).unwrap(), executable));
            }
        }
    }
    files
}
