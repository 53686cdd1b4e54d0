//! What all files of a repository define and use.

use std::sync::Arc;

use super::display::escaped;
use crate::symbols::{FileOutline, Symbol};

/// Identifiers kept of all files together: 16 bytes each.
const MAX_REFERENCES: usize = 8_000_000;

/// The outlines of the files of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// In the order of paths.
    pub files: Vec<OutlinedFile>,
}

/// One file and its outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutlinedFile {
    /// Relative to the root; odd bytes are escaped.
    pub path: Arc<str>,
    /// What it defines and uses.
    pub outline: Arc<FileOutline>,
}

impl Outline {
    /// The first `max` definitions as symbols, in the order of files and lines.
    pub fn symbols(&self, max: usize) -> Vec<Symbol> {
        let mut symbols = Vec::with_capacity(self.n_definitions().min(max));
        let all = self.files.iter().flat_map(|file| {
            file.outline.definitions.iter().map(|definition| Symbol::new(&file.path, definition))
        });
        symbols.extend(all.take(max));
        symbols
    }

    /// All definitions.
    pub fn n_definitions(&self) -> usize {
        self.files.iter().map(|file| file.outline.definitions.len()).sum()
    }
}

/// The outlines that one thread has met, at most a few times as many as are asked for.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    files: Vec<(Vec<u8>, Arc<FileOutline>)>,
    max: usize,
    definitions: usize,
    references: usize,
    /// Definitions met, the dropped ones included.
    met: usize,
}

impl Gathered {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, ..Self::default() }
    }

    pub(crate) fn add(&mut self, path: &[u8], outline: &Arc<FileOutline>) {
        self.met += outline.definitions.len();
        self.push(path.to_vec(), Arc::clone(outline));
        if self.definitions > self.max.saturating_mul(2) || self.references > 2 * MAX_REFERENCES {
            self.keep_first();
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.met += other.met;
        for (path, outline) in other.files {
            self.push(path, outline);
        }
    }

    fn push(&mut self, path: Vec<u8>, outline: Arc<FileOutline>) {
        self.definitions += outline.definitions.len();
        self.references += outline.references.len();
        self.files.push((path, outline));
    }

    /// Drops the files behind those that hold the first `max` definitions. Which files are kept does not
    /// depend on the order in which they were met.
    fn keep_first(&mut self) {
        self.files.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        let (mut definitions, mut references, mut kept) = (0, 0, 0);
        for (_, outline) in &self.files {
            if definitions >= self.max || references >= MAX_REFERENCES {
                break;
            }
            definitions += outline.definitions.len();
            references += outline.references.len();
            kept += 1;
        }
        self.files.truncate(kept);
        (self.definitions, self.references) = (definitions, references);
    }

    /// The outline in order, and how many definitions of how many it lacks.
    pub(crate) fn into_outline(mut self) -> (Outline, usize) {
        self.keep_first();
        let files = self.files.into_iter();
        let files = files.map(|(path, outline)| OutlinedFile { path: escaped(&path).into(), outline });
        let outline = Outline { files: files.collect() };
        let lacking = self.met - self.definitions.min(self.max).min(self.met);
        (outline, lacking)
    }
}
