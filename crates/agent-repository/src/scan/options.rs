//! How far a scan may go.

use std::fmt;
use std::time::Duration;

use super::cache::Cache;

/// Limits and choices of a scan, a listing or a search. A limit that is hit does not fail the scan:
/// the report says `truncated` in its `skipped` list.
#[derive(Clone, Copy)]
pub struct ScanOptions<'a> {
    /// Stop after this many files.
    pub max_files: u64,
    /// Stop after this many names in folders, the left-out ones included.
    pub max_entries: u64,
    /// Larger files, in bytes, are counted but not read.
    pub max_file_bytes: u64,
    /// Once this many bytes were read, further files are counted but not read.
    pub max_total_bytes: u64,
    /// Folders deeper than this are not entered; the root has depth 0.
    pub max_depth: usize,
    /// Stop after this long.
    pub max_duration: Duration,
    /// At most this many entries in `skipped`; one more says how many were cut.
    pub max_skipped: usize,
    /// Depth of the drawn folder tree.
    pub tree_depth: usize,
    /// Lines of the drawn folder tree.
    pub tree_entries: usize,
    /// Also read names that begin with a dot (`.git` and sensitive files stay left out).
    pub include_hidden: bool,
    /// Also read folders of vendored code and build results.
    pub include_vendored: bool,
    /// Also outline the files: see [`ScanReport::symbols`](super::ScanReport::symbols).
    pub symbols: bool,
    /// At most this many symbols, the first in the order of files and lines; `skipped` says how many
    /// were cut.
    pub max_symbols: usize,
    /// Larger files, in bytes, are counted but not outlined.
    pub max_symbol_file_bytes: u64,
    /// A file that takes longer to parse is counted but not outlined.
    pub max_symbol_file_duration: Duration,
    /// What earlier scans of the same folder learnt; only files that have changed are read. Each
    /// folder has its own: a whole scan makes a cache forget files that it has not met.
    pub cache: Option<&'a Cache>,
    /// Threads; `None` takes one per core, eight at most.
    pub threads: Option<usize>,
    /// Asked often; `true` ends the scan soon with what it has.
    pub cancelled: Option<&'a (dyn Fn() -> bool + Sync)>,
}

impl Default for ScanOptions<'_> {
    fn default() -> Self {
        Self {
            max_files: 500_000,
            max_entries: 2_000_000,
            max_file_bytes: 8 << 20,
            max_total_bytes: 4 << 30,
            max_depth: 128,
            max_duration: Duration::from_secs(60),
            max_skipped: 1_000,
            tree_depth: 4,
            tree_entries: 400,
            include_hidden: false,
            include_vendored: false,
            symbols: false,
            max_symbols: 200_000,
            max_symbol_file_bytes: 2 << 20,
            max_symbol_file_duration: Duration::from_millis(500),
            cache: None,
            threads: None,
            cancelled: None,
        }
    }
}

impl fmt::Debug for ScanOptions<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ScanOptions")
            .field("max_files", &self.max_files)
            .field("max_entries", &self.max_entries)
            .field("max_file_bytes", &self.max_file_bytes)
            .field("max_total_bytes", &self.max_total_bytes)
            .field("max_depth", &self.max_depth)
            .field("max_duration", &self.max_duration)
            .field("max_skipped", &self.max_skipped)
            .field("tree_depth", &self.tree_depth)
            .field("tree_entries", &self.tree_entries)
            .field("include_hidden", &self.include_hidden)
            .field("include_vendored", &self.include_vendored)
            .field("symbols", &self.symbols)
            .field("max_symbols", &self.max_symbols)
            .field("max_symbol_file_bytes", &self.max_symbol_file_bytes)
            .field("max_symbol_file_duration", &self.max_symbol_file_duration)
            .field("cache", &self.cache)
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}
