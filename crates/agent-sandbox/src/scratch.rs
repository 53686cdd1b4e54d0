//! The private temporary directory of a command.

use std::io;
use std::path::Path;

use tempfile::TempDir;

/// Makes a directory that only its owner can enter.
pub(crate) fn create(below: &Path) -> io::Result<TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("agent-run-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o700));
    }
    builder.tempdir_in(below.canonicalize()?)
}

/// Removes it with all that was left inside, directories without write permission included.
pub(crate) fn remove(scratch: TempDir) {
    let path = scratch.keep();
    let removed = std::fs::remove_dir_all(&path).or_else(|_first| {
        open_up(&path);
        std::fs::remove_dir_all(&path)
    });
    if let Err(error) = removed {
        tracing::warn!(path = %path.display(), %error, "a temporary directory could not be removed");
    }
}

/// Module caches are written without write permission, which keeps their owner from deleting them.
fn open_up(directory: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // A failure shows in the removal that follows.
        let _ = std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700));
    }
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}
