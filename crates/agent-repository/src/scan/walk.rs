//! Walks a repository with several threads and hands each file to a visitor.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use rustix::fs::FileType;

use super::beneath::{self, Entry};
use super::content::Budget;
use super::display::escaped;
use super::error::Error;
use super::filter;
use super::ignore_rules::Rules;
use super::options::ScanOptions;
use super::report::{SkipReason, Skipped};
use super::stopwatch::Stopwatch;

/// Takes what one thread of the walk finds.
pub(crate) trait Visitor: Send {
    /// A folder that is entered. The root is not reported.
    fn folder(&mut self, _path: &[u8], _depth: usize) {}
    /// A regular file that is not left out.
    fn file(&mut self, file: &Found<'_>);
    /// Something that is left out.
    fn skipped(&mut self, _skipped: Skipped) {}
}

/// A regular file, not yet opened.
pub(crate) struct Found<'a> {
    /// Relative to the root, with `/`.
    pub(crate) path: &'a [u8],
    pub(crate) name: &'a [u8],
    /// 1 for a file in the root.
    pub(crate) depth: usize,
    pub(crate) folder: BorrowedFd<'a>,
    pub(crate) budget: &'a Budget,
    /// Asked during long work on the file; true when the walk is over.
    pub(crate) is_over: &'a dyn Fn() -> bool,
}

/// A folder that waits to be read.
struct Job {
    path: Vec<u8>,
    depth: usize,
    rules: Rules,
}

#[derive(Default)]
struct Queue {
    jobs: Vec<Job>,
    /// Threads that may still add jobs.
    working: usize,
    stopped: Option<String>,
}

struct Walk<'a> {
    root: OwnedFd,
    options: &'a ScanOptions<'a>,
    queue: Mutex<Queue>,
    wake: Condvar,
    files: AtomicU64,
    entries: AtomicU64,
    budget: Budget,
    watch: Stopwatch,
}

/// Walks `start` (relative; empty for the whole root) and returns one visitor per thread.
pub(crate) fn walk<V: Visitor>(
    root: &Path,
    start: &[u8],
    options: &ScanOptions<'_>,
    visitor: impl Fn() -> V,
) -> Result<Vec<V>, Error> {
    let root_fd = beneath::open_root(root)?;
    let rules = Rules::of_repository(root_fd.as_fd());
    let (rules, depth) = enter_parents(root_fd.as_fd(), start, rules);
    let walk = Walk {
        queue: Mutex::new(Queue {
            jobs: vec![Job { path: start.to_vec(), depth, rules }],
            ..Queue::default()
        }),
        wake: Condvar::new(),
        files: AtomicU64::new(0),
        entries: AtomicU64::new(0),
        budget: Budget::new(options.max_file_bytes, options.max_total_bytes),
        watch: Stopwatch::start(),
        root: root_fd,
        options,
    };
    let threads = options.threads.unwrap_or_else(default_threads).max(1);
    let mut visitors: Vec<V> = (0..threads).map(|_| visitor()).collect();
    std::thread::scope(|scope| {
        let (first, others) = visitors.split_at_mut(1);
        let walk = &walk;
        for visitor in others {
            scope.spawn(move || walk.run(visitor));
        }
        first.iter_mut().for_each(|visitor| walk.run(visitor));
    });
    let spent = walk.budget.is_spent();
    let stopped = walk.queue.into_inner().unwrap_or_else(PoisonError::into_inner).stopped;
    let unread = spent.then(|| format!("files past {} bytes in all were not read", options.max_total_bytes));
    for detail in stopped.into_iter().chain(unread) {
        visitors[0].skipped(Skipped::at(b"", SkipReason::Truncated, Some(detail)));
    }
    Ok(visitors)
}

fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(8)
}

/// The rules that the folders above `start` set.
fn enter_parents(root: BorrowedFd<'_>, start: &[u8], mut rules: Rules) -> (Rules, usize) {
    let mut path: Vec<u8> = Vec::new();
    let mut depth = 0;
    for name in start.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        if let Ok(folder) = beneath::open_folder(root, &path)
            && let Ok((entries, _)) = beneath::list(folder.as_fd(), usize::MAX)
        {
            rules = rules.enter(folder.as_fd(), &path, &entries).0;
        }
        path = joined(&path, name);
        depth += 1;
    }
    (rules, depth)
}

impl Walk<'_> {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A thread that panicked ends the scope with a panic; the queue itself is never half changed.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, visitor: &mut impl Visitor) {
        while let Some(job) = self.next() {
            let _finished = Finished(self);
            self.read_folder(&job, visitor);
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if queue.stopped.is_some() {
                return None;
            }
            if let Some(job) = queue.jobs.pop() {
                queue.working += 1;
                return Some(job);
            }
            if queue.working == 0 {
                return None;
            }
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn stop(&self, detail: String) {
        self.lock().stopped.get_or_insert(detail);
        self.wake.notify_all();
    }

    /// Looks at the limits; false when the walk is over.
    fn may_continue(&self) -> bool {
        if self.options.cancelled.is_some_and(|cancelled| cancelled()) {
            self.stop("the scan was cancelled; the figures cover what was read until then".to_owned());
            return false;
        }
        if self.watch.elapsed() > self.options.max_duration {
            self.stop(format!("stopped after {} ms", self.options.max_duration.as_millis()));
            return false;
        }
        self.lock().stopped.is_none()
    }

    fn read_folder(&self, job: &Job, visitor: &mut impl Visitor) {
        if !self.may_continue() {
            return;
        }
        let seen = self.entries.load(Ordering::Relaxed);
        let room = usize::try_from(self.options.max_entries.saturating_sub(seen)).unwrap_or(usize::MAX);
        let opened = beneath::open_folder(self.root.as_fd(), &job.path).and_then(|folder| {
            beneath::list(folder.as_fd(), room).map(|(entries, cut)| (folder, entries, cut))
        });
        let (folder, entries, cut) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                let detail = Some(error.to_string());
                visitor.skipped(Skipped::at(&job.path, SkipReason::Unreadable, detail));
                return;
            }
        };
        self.entries.fetch_add(entries.len() as u64, Ordering::Relaxed);
        let (rules, unusable) = job.rules.enter(folder.as_fd(), &job.path, &entries);
        if let Some((name, detail)) = unusable {
            visitor.skipped(Skipped::at(&joined(&job.path, name), SkipReason::Unreadable, Some(detail)));
        }
        for (number, entry) in entries.iter().enumerate() {
            if number % 64 == 63 && !self.may_continue() {
                return;
            }
            self.meet(job, &rules, folder.as_fd(), entry, visitor);
        }
        if cut {
            self.stop(format!("stopped after {} folder entries", self.options.max_entries));
        }
    }

    fn meet(
        &self,
        job: &Job,
        rules: &Rules,
        folder: BorrowedFd<'_>,
        entry: &Entry,
        visitor: &mut impl Visitor,
    ) {
        let path = joined(&job.path, &entry.name);
        let depth = job.depth + 1;
        let is_folder = entry.file_type == FileType::Directory;
        if let Some(reason) = self.reason_by_name(&entry.name, is_folder) {
            if entry.name != b".git" {
                visitor.skipped(Skipped::at(&path, reason, None));
            }
        } else if rules.ignores(&path, is_folder) {
            // Ignored files are not listed one by one: there may be any number of build results.
            if is_folder {
                visitor.skipped(Skipped::at(&path, SkipReason::Ignored, None));
            }
        } else if is_folder {
            visitor.folder(&path, depth);
            if depth >= self.options.max_depth {
                let detail = Some(format!("folders below depth {} are not read", self.options.max_depth));
                visitor.skipped(Skipped::at(&path, SkipReason::Truncated, detail));
            } else {
                self.lock().jobs.push(Job { path, depth, rules: rules.clone() });
                self.wake.notify_one();
            }
        } else if entry.file_type == FileType::RegularFile {
            if self.files.fetch_add(1, Ordering::Relaxed) >= self.options.max_files {
                self.stop(format!("stopped after {} files", self.options.max_files));
                return;
            }
            let budget = &self.budget;
            let is_over = &|| !self.may_continue();
            visitor.file(&Found { path: &path, name: &entry.name, depth, folder, budget, is_over });
        } else {
            visitor.skipped(not_a_file(&path, entry.file_type));
        }
    }

    fn reason_by_name(&self, name: &[u8], is_folder: bool) -> Option<SkipReason> {
        if name == b".git" {
            return Some(SkipReason::Hidden);
        }
        let sensitive =
            if is_folder { filter::is_sensitive_folder(name) } else { filter::is_sensitive_file(name) };
        if sensitive {
            return Some(SkipReason::Sensitive);
        }
        if name.starts_with(b".") && !self.options.include_hidden {
            return Some(SkipReason::Hidden);
        }
        (is_folder && !self.options.include_vendored && filter::is_vendored_folder(name))
            .then_some(SkipReason::Vendored)
    }
}

/// Says that a thread is done with its folder, also when the visitor panics: otherwise the other
/// threads would wait for ever.
struct Finished<'a, 'b>(&'a Walk<'b>);

impl Drop for Finished<'_, '_> {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.working -= 1;
        if queue.working == 0 && queue.jobs.is_empty() {
            self.0.wake.notify_all();
        }
    }
}

fn not_a_file(path: &[u8], file_type: FileType) -> Skipped {
    let (reason, detail) = match file_type {
        FileType::Symlink => (SkipReason::Symlink, None),
        FileType::Fifo => (SkipReason::SpecialFile, Some("named pipe")),
        FileType::Socket => (SkipReason::SpecialFile, Some("socket")),
        FileType::CharacterDevice | FileType::BlockDevice => (SkipReason::SpecialFile, Some("device")),
        _ => (SkipReason::Unreadable, Some("its type cannot be determined")),
    };
    Skipped::at(path, reason, detail.map(str::to_owned))
}

pub(crate) fn joined(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() { name.to_vec() } else { [folder, b"/", name].concat() }
}

impl Skipped {
    fn at(path: &[u8], reason: SkipReason, detail: Option<String>) -> Self {
        let path = if path.is_empty() { ".".to_owned() } else { escaped(path) };
        Self { path, reason, detail }
    }
}

impl Found<'_> {
    /// The report's line when this file is left out.
    pub(crate) fn skip(&self, reason: SkipReason, detail: Option<String>) -> Skipped {
        Skipped::at(self.path, reason, detail)
    }
}
