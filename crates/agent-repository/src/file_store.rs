//! Files of our own, outside of any workspace.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes a file as a whole: it is on the disk under its name when this returns, or as it was before, also after a
/// power cut. It is written under the name `aside` in the same folder first. Nobody else may read it.
pub(crate) fn replace_file(
    path: &Path,
    aside: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(aside)?;
    write(&mut file)?;
    file.sync_all()?;
    fs::rename(aside, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
