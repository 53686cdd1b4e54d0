//! Where PostgreSQL is installed, and who may run it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The folder with `initdb` and `postgres`: the newest of Debian's, or the first on the path.
pub(crate) fn programs() -> Option<PathBuf> {
    let complete = |folder: &PathBuf| folder.join("initdb").is_file() && folder.join("postgres").is_file();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    versions.sort_by_key(|folder| {
        let version = folder.parent().and_then(Path::file_name).and_then(|name| name.to_str());
        version.and_then(|version| version.parse::<u32>().ok())
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    versions.into_iter().rev().chain(std::env::split_paths(&path)).find(complete)
}

/// User and group that the server must run as: nobody else's when this is an ordinary account, and an
/// unprivileged one when this is root, whom PostgreSQL refuses.
pub(crate) fn account() -> Option<(u32, u32)> {
    let own = std::fs::metadata("/proc/self").expect("/proc says who this is").uid();
    if own != 0 {
        return None;
    }
    let accounts = std::fs::read_to_string("/etc/passwd").expect("/etc/passwd");
    let find = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut numbers = line.split(':').skip(2).map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("an account `postgres` or `nobody`"))
}
