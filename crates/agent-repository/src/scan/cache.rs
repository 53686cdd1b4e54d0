//! Remembers from scan to scan what files tell, so that only changed files are read again.
//!
//! A file is known by its path and by what the operating system says of it: device, inode, mode, size and
//! the times of its last changes. The time of the last change of any kind cannot be set by programs, so an
//! edit that keeps size and modification time is noticed. A file that was changed within two seconds
//! before the scan that read it is read again, as a further change might not show in its times.
//!
//! A change through a memory mapping of a file shows only when the system writes it back.

mod store;

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::facts::{Facts, Outlined, Wanted};
use super::identity::Identity;

/// What scans of one repository have learnt. Give it to each of them in
/// [`ScanOptions::cache`](super::ScanOptions::cache); a scan tells the same with it and without it.
///
/// ```
/// use agent_repository::scan::{Cache, ScanOptions, scan};
///
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("a.rs"), "fn a() {}\n")?;
/// let cache = Cache::new(64 << 20);
/// let options = ScanOptions { cache: Some(&cache), symbols: true, ..ScanOptions::default() };
/// let first = scan(folder.path(), &options)?;
/// assert_eq!(scan(folder.path(), &options)?.symbols, first.symbols);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Cache {
    max_bytes: usize,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    files: HashMap<Vec<u8>, Entry>,
    contents: HashMap<Key, Arc<Facts>>,
    /// Roughly what both maps hold.
    bytes: usize,
    /// The number of the scan that runs or ran last.
    scan: u64,
    /// Files that this scan has not read.
    reused: u64,
}

#[derive(Debug, Clone)]
struct Entry {
    identity: Identity,
    /// The file stood still when it was read; see [`Identity::is_settled`].
    settled: bool,
    key: Key,
    facts: Arc<Facts>,
    seen_in: u64,
}

/// What decides the facts of a file: its content, and the language its name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// SHA-256 of the content; zeros for files that are not read as a whole.
    pub(crate) digest: [u8; 32],
    pub(crate) language: Option<usize>,
}

impl Key {
    fn is_of_content(&self) -> bool {
        self.digest != [0; 32]
    }
}

impl Cache {
    /// An empty cache that holds about `max_bytes` at most. Beyond that, files are read anew in each scan.
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, memory: Mutex::default() }
    }

    /// Files that are known.
    pub fn len(&self) -> usize {
        self.lock().files.len()
    }

    /// No file is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Files that the last scan knew from before and did not open.
    pub fn reused(&self) -> u64 {
        self.lock().reused
    }

    /// Reads what [`Cache::save`] wrote. A file that is missing, damaged, larger than `max_bytes` or of
    /// another version gives an empty cache: a cache is never worth an error.
    pub fn load(path: &Path, max_bytes: usize) -> Self {
        let cache = Self::new(max_bytes);
        if let Some(files) = store::read(path, max_bytes) {
            let mut memory = cache.lock();
            for (path, entry) in files {
                memory.insert(path, entry, max_bytes);
            }
        }
        cache
    }

    /// Writes the cache to a file, as a whole or not at all. It holds names and first lines of
    /// definitions, so it is readable by its owner only; keep it out of the repository.
    ///
    /// # Errors
    ///
    /// What the operating system says when the file cannot be written.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        let memory = self.lock();
        store::write(path, memory.files.iter())
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        // Each change is made by one call on a map: no panic leaves half of one.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A scan begins.
    pub(crate) fn begin(&self) {
        let mut memory = self.lock();
        memory.scan += 1;
        memory.reused = 0;
    }

    /// A scan has ended. After a whole one, what it has not met is gone.
    pub(crate) fn end(&self, whole: bool) {
        if whole {
            self.lock().forget_unseen();
        }
    }

    /// What is known of the file that `path` is now.
    pub(crate) fn known(&self, path: &[u8], identity: &Identity, wanted: Wanted) -> Option<Arc<Facts>> {
        let mut memory = self.lock();
        let scan = memory.scan;
        let entry = memory.files.get_mut(path)?;
        entry.seen_in = scan;
        let same = entry.settled && entry.identity == *identity && entry.facts.suffice(wanted);
        let facts = same.then(|| Arc::clone(&entry.facts));
        memory.reused += u64::from(facts.is_some());
        facts
    }

    /// What is known of a content, under whatever name it was met.
    pub(crate) fn known_content(&self, key: &Key, wanted: Wanted) -> Option<Arc<Facts>> {
        let memory = self.lock();
        memory.contents.get(key).filter(|facts| facts.suffice(wanted)).map(Arc::clone)
    }

    pub(crate) fn keep(&self, path: &[u8], identity: Identity, settled: bool, key: Key, facts: &Arc<Facts>) {
        let mut memory = self.lock();
        let entry = Entry { identity, settled, key, facts: Arc::clone(facts), seen_in: memory.scan };
        memory.insert(path.to_vec(), entry, self.max_bytes);
    }
}

impl Memory {
    fn insert(&mut self, path: Vec<u8>, entry: Entry, max_bytes: usize) {
        self.remove(&path);
        let size = weight(&path, &entry.facts);
        if self.bytes + size > max_bytes {
            return;
        }
        self.bytes += size;
        if entry.key.is_of_content() {
            self.contents.insert(entry.key, Arc::clone(&entry.facts));
        }
        self.files.insert(path, entry);
    }

    /// The content stays known until the end of the scan, in which the file may turn up elsewhere.
    fn remove(&mut self, path: &[u8]) {
        if let Some(old) = self.files.remove(path) {
            self.bytes = self.bytes.saturating_sub(weight(path, &old.facts));
        }
    }

    fn forget_unseen(&mut self) {
        let scan = self.scan;
        self.files.retain(|_, entry| entry.seen_in == scan);
        let kept = self.files.values().filter(|entry| entry.key.is_of_content());
        self.contents = kept.map(|entry| (entry.key, Arc::clone(&entry.facts))).collect();
        self.bytes = self.files.iter().map(|(path, entry)| weight(path, &entry.facts)).sum();
    }
}

/// Roughly the memory that a file's entry takes.
fn weight(path: &[u8], facts: &Facts) -> usize {
    const ENTRY: usize = 320;
    const DEFINITION: usize = 128;
    let outline = match &facts.outline {
        Outlined::Done(outline, _) => {
            let text = |text: &str| text.len();
            let names: usize = outline.definitions.iter().map(|d| text(&d.name) + text(&d.signature)).sum();
            names + outline.definitions.len() * DEFINITION + outline.references.len() * 16
        }
        _ => 0,
    };
    ENTRY + path.len() + outline
}

impl fmt::Debug for Cache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let memory = self.lock();
        formatter
            .debug_struct("Cache")
            .field("files", &memory.files.len())
            .field("bytes", &memory.bytes)
            .field("max_bytes", &self.max_bytes)
            .finish_non_exhaustive()
    }
}
