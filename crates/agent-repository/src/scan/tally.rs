//! Adds up what one thread of a scan meets.

use std::time::Duration;

use super::content::Content;
use super::count::Counts;
use super::examine::Examiner;
use super::facts::{Facts, Outlined, Wanted};
use super::language_table::LANGUAGES;
use super::languages::Languages;
use super::manifests::{self, Manifest};
use super::options::ScanOptions;
use super::outline::{Gathered, Outline};
use super::python::PythonTests;
use super::report::{Language, ScanReport, SkipReason, Skipped};
use super::tree::Tree;
use super::walk::{Found, Visitor};
use crate::git::GitState;

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    files: u64,
    counts: Counts,
}

/// The figures so far.
pub(crate) struct Tally<'a> {
    examiner: Examiner<'a>,
    sums: Vec<Sum>,
    files: u64,
    folders: u64,
    bytes: u64,
    tree: Tree,
    manifests: Vec<Vec<u8>>,
    python: PythonTests,
    skipped: Vec<Skipped>,
    /// `None` if nobody asked for outlines.
    outlines: Option<Gathered>,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(languages: &'a Languages, wanted: Wanted, options: &ScanOptions<'a>) -> Self {
        Self {
            examiner: Examiner::new(languages, wanted, options),
            sums: vec![Sum::default(); LANGUAGES.len()],
            files: 0,
            folders: 0,
            bytes: 0,
            tree: Tree::new(options.tree_depth),
            manifests: Vec::new(),
            python: PythonTests::default(),
            skipped: Vec::new(),
            outlines: (wanted > Wanted::Counts).then(|| Gathered::new(options.max_symbols)),
        }
    }

    pub(crate) fn merge(mut self, other: Self) -> Self {
        for (sum, more) in self.sums.iter_mut().zip(other.sums) {
            sum.files += more.files;
            sum.counts.code += more.counts.code;
            sum.counts.comments += more.counts.comments;
            sum.counts.blanks += more.counts.blanks;
        }
        self.files += other.files;
        self.folders += other.folders;
        self.bytes += other.bytes;
        self.tree.merge(other.tree);
        self.manifests.extend(other.manifests);
        self.python.merge(other.python);
        self.skipped.extend(other.skipped);
        if let (Some(outlines), Some(more)) = (&mut self.outlines, other.outlines) {
            outlines.merge(more);
        }
        self
    }

    /// No limit ended the walk, so what was not met is not there.
    pub(crate) fn is_whole(&self) -> bool {
        !self.skipped.iter().any(|entry| entry.path == "." && entry.reason == SkipReason::Truncated)
    }

    /// Takes the outlines out of the figures.
    pub(crate) fn take_outline(&mut self, max_symbols: usize) -> Option<Outline> {
        let (outline, lacking) = self.outlines.take()?.into_outline();
        if lacking > 0 {
            let detail = Some(format!("{lacking} symbols after the first {max_symbols} are not listed"));
            let path = ".".to_owned();
            self.skipped.push(Skipped { path, reason: SkipReason::Truncated, detail });
        }
        Some(outline)
    }

    pub(crate) fn manifest_paths(&self) -> &[Vec<u8>] {
        &self.manifests
    }

    pub(crate) fn python_tests(&self) -> &PythonTests {
        &self.python
    }

    pub(crate) fn into_report(
        self,
        options: &ScanOptions<'_>,
        manifests: Vec<Manifest>,
        git: Option<GitState>,
        duration: Duration,
    ) -> ScanReport {
        let mut languages: Vec<Language> = self.sums.iter().zip(LANGUAGES).filter_map(language).collect();
        languages.sort_by(|a, b| (b.code, b.lines).cmp(&(a.code, a.lines)).then_with(|| a.name.cmp(&b.name)));
        ScanReport {
            total_files: self.files,
            total_directories: self.folders,
            total_lines: languages.iter().map(|language| language.lines).sum(),
            total_code_lines: languages.iter().map(|language| language.code).sum(),
            total_bytes: self.bytes,
            directory_tree: self.tree.draw(options.tree_entries),
            languages,
            git,
            manifests,
            symbols: None,
            skipped: bounded(self.skipped, options.max_skipped),
            duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        }
    }

    fn add(&mut self, file: &Found<'_>, facts: &Facts, size: u64) -> Result<(), Skipped> {
        match facts.content {
            Content::Sensitive => return Err(file.skip(SkipReason::Sensitive, None)),
            Content::TooLarge => {
                self.skipped.push(file.skip(SkipReason::TooLarge, Some(format!("{size} bytes, not read"))));
            }
            // The walk itself reports a spent budget, once.
            Content::Text | Content::Binary | Content::OverBudget => {}
        }
        if let Some((number, counts)) = facts.counted {
            let sum = &mut self.sums[number];
            sum.files += 1;
            sum.counts.code += counts.code;
            sum.counts.comments += counts.comments;
            sum.counts.blanks += counts.blanks;
        }
        match (&facts.outline, &mut self.outlines) {
            (Outlined::Done(outline, _), Some(outlines)) => outlines.add(file.path, outline),
            (Outlined::LeftOut(why), Some(_)) => {
                self.skipped.push(file.skip(SkipReason::NotOutlined, Some(why.clone())));
            }
            _ => {}
        }
        Ok(())
    }
}

impl Visitor for Tally<'_> {
    fn folder(&mut self, path: &[u8], depth: usize) {
        self.folders += 1;
        self.tree.add(path, depth, true);
    }

    fn file(&mut self, file: &Found<'_>) {
        match self.examiner.examine(file) {
            Ok((facts, size)) => {
                if let Err(left_out) = self.add(file, &facts, size) {
                    self.skipped.push(left_out);
                    return;
                }
                self.bytes += size;
            }
            Err(error) => self.skipped.push(file.skip(SkipReason::Unreadable, Some(error.to_string()))),
        }
        self.files += 1;
        self.tree.add(file.path, file.depth, false);
        self.python.meet(file.path, file.name);
        if manifests::is_manifest(file.name) {
            self.manifests.push(file.path.to_vec());
        }
    }

    fn skipped(&mut self, skipped: Skipped) {
        self.skipped.push(skipped);
    }
}

fn language((sum, row): (&Sum, &super::language_table::LanguageRow)) -> Option<Language> {
    let Counts { code, comments, blanks } = sum.counts;
    (sum.files > 0).then(|| Language {
        name: row.name.to_owned(),
        files: sum.files,
        lines: code + comments + blanks,
        code,
        comments,
        blanks,
    })
}

/// In the order of paths, and what concerns the scan as a whole always kept.
fn bounded(mut skipped: Vec<Skipped>, limit: usize) -> Vec<Skipped> {
    skipped.sort_unstable();
    skipped.dedup();
    skipped.sort_by_key(|entry| entry.path != ".");
    let cut = skipped.len().saturating_sub(limit);
    if cut > 0 {
        skipped.truncate(limit);
        let detail = Some(format!("{cut} more left-out paths are not listed"));
        skipped.push(Skipped { path: ".".to_owned(), reason: SkipReason::Truncated, detail });
    }
    skipped
}
