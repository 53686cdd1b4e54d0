//! What of a workspace is kept from a command that works in it.
#![cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux can guard paths"))]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::readable::parts_without;
use crate::workspace::Workspace;
use crate::{CommandRequest, Error, SandboxLevel};

/// Guarded paths, all of them existing, without links, and below the root of the workspace.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    /// What can be read but not changed.
    pub(crate) read_only: BTreeSet<PathBuf>,
    /// What cannot be read, the server's own data included.
    pub(crate) hidden: BTreeSet<PathBuf>,
}

impl Guard {
    /// Finds out what a request asks to be guarded. Paths that lead out of the workspace are outside of the
    /// command's reach anyway, and what does not exist cannot be guarded.
    pub(crate) fn of_command(
        request: &CommandRequest,
        workspace: &Workspace,
        server_data: Vec<PathBuf>,
    ) -> Result<Self, Error> {
        let mut guard = Self::default();
        guard.hidden.extend(request.hidden.iter().filter_map(|path| within(&workspace.root, path)));
        guard.hidden.extend(server_data);
        if request.level == SandboxLevel::WorkspaceWrite {
            guard.read_only.extend(workspace.git(request.level)?);
            guard.read_only.extend(request.read_only.iter().filter_map(|path| within(&workspace.root, path)));
        }
        Ok(guard)
    }

    /// The folders between the root and what is guarded, outermost first. A folder that could be moved away
    /// would take what is guarded along to a place where nobody looks for it the next time.
    pub(crate) fn ways(&self, root: &Path) -> BTreeSet<PathBuf> {
        let guarded = self.read_only.iter().chain(&self.hidden);
        guarded
            .flat_map(|path| path.ancestors().skip(1).take_while(|folder| *folder != root))
            .filter(|folder| !self.read_only.iter().any(|guarded| folder.starts_with(guarded)))
            .map(Path::to_owned)
            .collect()
    }

    /// The largest parts of the workspace that hold nothing read-only, for rules that can only add up.
    pub(crate) fn writable_parts(&self, root: &Path) -> Vec<PathBuf> {
        let read_only: Vec<&Path> = self.read_only.iter().map(PathBuf::as_path).collect();
        let mut parts = Vec::new();
        parts_without(root, &read_only, &mut parts);
        parts
    }
}

/// The real place of a path, if it lies below `root`.
fn within(root: &Path, path: &Path) -> Option<PathBuf> {
    let place = root.join(path).canonicalize().ok()?;
    (place != root && place.starts_with(root)).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir_all(root.join("config/deep")).unwrap();
        for file in [".env", "config/deep/key", "config/plain"] {
            std::fs::write(root.join(file), "text").unwrap();
        }
        (folder, root)
    }

    #[test]
    fn a_link_is_followed_within_the_workspace_and_ignored_when_it_leads_out() {
        let (_folder, root) = workspace();
        std::os::unix::fs::symlink("config/deep/key", root.join("inside")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", root.join("outside")).unwrap();
        assert_eq!(within(&root, Path::new("inside")), Some(root.join("config/deep/key")));
        for elsewhere in ["outside", "../..", "/etc/passwd", "missing", "."] {
            assert_eq!(within(&root, Path::new(elsewhere)), None, "{elsewhere}");
        }
    }

    #[test]
    fn the_folders_above_a_guarded_file_are_kept_in_their_place() {
        let (_folder, root) = workspace();
        let hidden = [root.join(".env"), root.join("config/deep/key")].into();
        let guard = Guard { hidden, ..Guard::default() };
        let ways: Vec<_> = guard.ways(&root).into_iter().collect();
        assert_eq!(ways, [root.join("config"), root.join("config/deep")]);
    }

    #[test]
    fn around_a_read_only_file_everything_else_stays_writable() {
        let (_folder, root) = workspace();
        let guard = Guard { read_only: [root.join("config/plain")].into(), ..Guard::default() };
        let mut parts = guard.writable_parts(&root);
        parts.sort();
        assert_eq!(parts, [root.join(".env"), root.join("config/deep")]);
        assert_eq!(Guard::default().writable_parts(&root), [root]);
    }
}
