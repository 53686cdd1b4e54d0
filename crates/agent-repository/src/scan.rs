//! Counts and outlines a repository.
//!
//! Knows: files, folders, ignore rules, languages, build manifests.
//! Never knows: plans, models, HTTP; and it never follows a link, opens a device or runs a program
//! other than git (see [`crate::git`]).
//!
//! All calls block; asynchronous callers put them on a thread for blocking work.
//!
//! ```
//! use agent_repository::scan::{ScanOptions, scan};
//!
//! let folder = tempfile::tempdir()?;
//! std::fs::write(folder.path().join("main.py"), "# Greets.\nprint('hello')\n")?;
//! let report = scan(folder.path(), &ScanOptions::default())?;
//! assert_eq!(report.languages[0].name, "Python");
//! assert_eq!((report.total_lines, report.total_code_lines), (2, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod beneath;
mod cache;
mod content;
mod count;
mod display;
mod error;
mod examine;
mod facts;
mod filter;
mod identity;
mod ignore_rules;
mod language_table;
mod languages;
mod list;
mod manifests;
pub(crate) mod marks;
mod options;
mod outline;
mod python;
mod report;
mod sensitive;
mod stopwatch;
mod syntax;
mod tally;
mod tree;
mod walk;

use std::os::fd::AsFd;
use std::path::Path;

pub use cache::Cache;
pub use error::Error;
pub use filter::is_sensitive;
pub(crate) use languages::Languages;
pub use list::{FileList, list_files};
pub use manifests::Manifest;
pub use options::ScanOptions;
pub use outline::{Outline, OutlinedFile};
pub use report::{Language, ScanReport, SkipReason, Skipped};
pub use sensitive::{SensitiveFiles, sensitive_files};

pub(crate) use content::Content;
pub(crate) use display::escaped;
pub(crate) use walk::{Found, Visitor, walk};

use facts::Wanted;
use stopwatch::Stopwatch;
use tally::Tally;

/// Scans the repository below `root`.
///
/// Files that cannot be read, are left out or exceed a limit are listed in the report; they do not
/// fail the scan. The state of git is left `None` when git is missing or does not answer in time.
///
/// # Errors
///
/// [`Error::RootUnreadable`] or [`Error::NotAFolder`] when `root` cannot be entered.
pub fn scan(root: &Path, options: &ScanOptions<'_>) -> Result<ScanReport, Error> {
    let wanted = if options.symbols { Wanted::Symbols } else { Wanted::Counts };
    let (mut report, outline) = run(root, wanted, options)?;
    report.symbols = outline.map(|outline| outline.symbols(options.max_symbols));
    Ok(report)
}

/// Scans the repository below `root` and outlines it with references, as a
/// [`RepositoryMap`](crate::map::RepositoryMap) needs them. The report has its `symbols` only if they are
/// asked for.
///
/// # Errors
///
/// Those of [`scan`].
pub fn survey(root: &Path, options: &ScanOptions<'_>) -> Result<(ScanReport, Outline), Error> {
    let (mut report, outline) = run(root, Wanted::References, options)?;
    let outline = outline.unwrap_or_default();
    report.symbols = options.symbols.then(|| outline.symbols(options.max_symbols));
    Ok((report, outline))
}

fn run(
    root: &Path,
    wanted: Wanted,
    options: &ScanOptions<'_>,
) -> Result<(ScanReport, Option<Outline>), Error> {
    let watch = Stopwatch::start();
    let languages = Languages::new();
    if let Some(cache) = options.cache {
        cache.begin();
    }
    let new = || Tally::new(&languages, wanted, options);
    let tallies = walk(root, b"", options, new)?;
    let mut tally = tallies.into_iter().reduce(Tally::merge).unwrap_or_else(new);
    if let Some(cache) = options.cache {
        cache.end(tally.is_whole());
    }
    let outline = tally.take_outline(options.max_symbols);
    let root_fd = beneath::open_root(root)?;
    let manifests = manifests::read_all(root_fd.as_fd(), tally.manifest_paths(), tally.python_tests());
    let git = match crate::git::state(root) {
        Ok(git) => git,
        Err(error) => {
            tracing::warn!(%error, root = %root.display(), "the state of git is unknown");
            None
        }
    };
    Ok((tally.into_report(options, manifests, git, watch.elapsed()), outline))
}
