//! Paths, resolved by their text alone.

use crate::word::UNKNOWN;

/// The path without `.`, `..`, repeated and trailing slashes, where its text alone can tell. A path within the
/// workspace is relative; the workspace itself is empty.
pub(crate) fn normal(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => match names.last() {
                Some(&last) if last != ".." => {
                    names.pop();
                }
                _ if is_absolute => {}
                _ => names.push(".."),
            },
            other => names.push(other),
        }
    }
    let joined = names.join("/");
    if is_absolute { format!("/{joined}") } else { joined }
}

/// The path as seen from where the script began, when it is given as seen from this folder.
pub(super) fn resolve(folder: &str, path: &str) -> String {
    if folder.is_empty() || path.starts_with(['/', '~']) {
        return normal(path);
    }
    normal(&format!("{folder}/{path}"))
}

/// The last name of a path; empty for a folder that is named by dots.
pub(super) fn last_name(path: &str) -> &str {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if matches!(name, "." | "..") { "" } else { name }
}

/// Whether writing there writes no file.
pub(super) fn is_no_file(path: &str) -> bool {
    matches!(path, "/dev/null" | "/dev/stdout" | "/dev/stderr" | "/dev/tty" | "/dev/zero" | "/dev/full" | "-")
        || path.starts_with("/dev/fd/")
        || path.starts_with("/dev/pts/")
}

/// Whether the path is a pattern or an expansion and nothing else.
pub(crate) fn is_open(path: &str) -> bool {
    path.starts_with(UNKNOWN)
}
