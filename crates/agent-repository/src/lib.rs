//! Scans, searches and patches a repository.
//!
//! Knows files, directory handles, patches and git. Never knows plans, models, HTTP or databases.
//!
//! Every file is reached beneath a [`path_guard::Root`], and every change of a file, from a model's patch
//! to a whole-file write, is planned first, shown as a diff, applied as a whole and can be undone.
//!
//! ```
//! use agent_repository::patch::{self, PatchSet};
//! use agent_repository::path_guard::Root;
//!
//! # fn main() -> Result<(), agent_repository::Error> {
//! let folder = tempfile::tempdir().unwrap();
//! std::fs::write(folder.path().join("greeting.txt"), "hello\nworld\n").unwrap();
//!
//! let root = Root::open(folder.path())?;
//! let patch = PatchSet::parse("--- a/greeting.txt\n+++ b/greeting.txt\n@@ ... @@\n hello\n-world\n+reader\n")?;
//! let applied = patch::plan_changes(&root, &patch)?.apply(&root)?;
//!
//! assert_eq!(applied.files[0].lines_added, 1);
//! assert_eq!(std::fs::read_to_string(folder.path().join("greeting.txt")).unwrap(), "hello\nreader\n");
//! # Ok(())
//! # }
//! ```

pub mod error;
mod file_lock;
mod file_store;
pub mod git;
pub mod isolation;
pub mod map;
pub mod patch;
pub mod path_guard;
pub mod scan;
pub mod search;
pub mod symbols;
pub mod tools;

pub use error::Error;
