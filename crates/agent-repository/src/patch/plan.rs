//! Works out what every file would become, and refuses the whole patch if one place is in doubt.

use super::diff::{FileDiff, Side, file_diff};
use super::file_change::{Origin, blocked_report};
use super::matching::Work;
use super::order;
use super::overlay::{Overlay, Snapshot, Source, sha256};
use super::{
    Applied, FileAction, FileChange, FilePatch, FileProblem, Hunk, HunkReport, LARGEST_FILE, LineKind,
    Operation, PatchFormat, PatchSet, Rejected,
};
use crate::error::Error;
use crate::path_guard::{FileMode, PathRefusal, RelativePath, Root};

/// A change of a workspace that is worked out and waits to be applied.
#[derive(Debug, Clone)]
pub struct ChangeSet {
    pub(super) changes: Vec<Change>,
    pub(super) report: Applied,
}

/// What one path was and is to be.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) path: RelativePath,
    pub(super) before: Option<Snapshot>,
    pub(super) after: Option<Snapshot>,
    /// The path that this file is renamed from; that path has a change of its own.
    pub(super) origin: Option<RelativePath>,
}

impl ChangeSet {
    /// What applying would do.
    #[must_use]
    pub fn report(&self) -> &Applied {
        &self.report
    }

    /// Whether the files are already as the patch wants them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Works out a patch against a workspace. Nothing is written.
///
/// Files are taken one after the other, each as the ones before left it, so a patch may add a file and then
/// update it.
///
/// # Errors
/// [`Rejected`] with the fate of every hunk, when one file or hunk does not fit.
pub fn plan_changes(root: &Root, patch: &PatchSet) -> Result<ChangeSet, Rejected> {
    let mut planner = Planner::new(Source::Disk(root), patch.format);
    for file in &patch.files {
        planner.file(file);
    }
    planner.finish()
}

/// Tells what a patch would do, without writing.
///
/// # Errors
/// As [`plan_changes`].
pub fn check(root: &Root, patch: &PatchSet) -> Result<Applied, Rejected> {
    plan_changes(root, patch).map(|changes| changes.report)
}

/// Works out writing a whole file, so that it is shown, applied and undone like any patch. An existing file
/// keeps its mode; missing directories are created.
///
/// # Errors
/// [`Rejected`] when the path may not be written, or holds something that is not a text file.
pub fn write_file(root: &Root, path: &RelativePath, content: &str) -> Result<ChangeSet, Rejected> {
    let mut planner = Planner::new(Source::Disk(root), PatchFormat::Envelope);
    planner.attempt(path, |planner| planner.write(path, content));
    planner.finish()
}

/// A change while it is being worked out, file by file.
pub(super) struct Planner<'r> {
    pub(super) overlay: Overlay<'r>,
    format: PatchFormat,
    work: Work,
    problems: Vec<FileProblem>,
    hunks: Vec<HunkReport>,
}

impl<'r> Planner<'r> {
    pub(super) fn new(source: Source<'r>, format: PatchFormat) -> Self {
        Self {
            overlay: Overlay::new(source),
            format,
            work: Work::new(),
            problems: Vec::new(),
            hunks: Vec::new(),
        }
    }

    pub(super) fn attempt(&mut self, path: &RelativePath, act: impl FnOnce(&mut Self) -> Result<(), Error>) {
        if let Err(error) = act(self) {
            self.problems.push(FileProblem::from_error(path, &error));
        }
    }

    pub(super) fn file(&mut self, file: &FilePatch) {
        let reported = self.hunks.len();
        self.attempt(&file.path, |planner| match &file.operation {
            Operation::Create { content, executable } => planner.create(&file.path, content, *executable),
            Operation::Modify { hunks, rename_to, executable } => {
                planner.modify(file, hunks, rename_to.as_ref(), *executable)
            }
            Operation::Delete { hunks } => planner.delete(file, hunks.as_deref()),
        });
        if self.hunks.len() == reported {
            let hunks = file.operation.hunks().iter().enumerate();
            let blocked = hunks.map(|(index, hunk)| blocked_report(&file.path, index, hunk));
            if self.problems.last().is_some_and(|problem| problem.path == file.path) {
                self.hunks.extend(blocked);
            }
        }
    }

    fn create(&mut self, path: &RelativePath, content: &str, executable: bool) -> Result<(), Error> {
        let existing = self.overlay.load(path)?.now.as_ref();
        if existing.is_some_and(|existing| existing.bytes == content.as_bytes()) {
            return Ok(());
        }
        self.overlay.check_vacant(path)?;
        let entry = self.overlay.load(path)?;
        // A file that the same patch deleted comes back with the mode it had.
        let mode = match &entry.before {
            Some(Snapshot { mode: FileMode::Exactly(mode), .. }) => FileMode::Exactly(*mode),
            _ => FileMode::Fresh { executable },
        };
        let mut created = Snapshot { bytes: content.as_bytes().to_vec(), mode };
        created.set_executable(executable);
        entry.now = Some(created);
        Ok(())
    }

    fn write(&mut self, path: &RelativePath, content: &str) -> Result<(), Error> {
        let bytes = content.len() as u64;
        if bytes > LARGEST_FILE {
            return Err(Error::FileTooLarge { path: path.clone(), bytes, limit: LARGEST_FILE });
        }
        let entry = self.overlay.load(path)?;
        if let Some(existing) = &mut entry.now {
            existing.text(path)?;
            existing.bytes = content.as_bytes().to_vec();
            return Ok(());
        }
        self.create(path, content, false)
    }

    fn modify(
        &mut self,
        file: &FilePatch,
        hunks: &[Hunk],
        rename_to: Option<&RelativePath>,
        executable: Option<bool>,
    ) -> Result<(), Error> {
        let entry = self.overlay.load(&file.path)?.clone();
        let Some(mut now) = entry.now else {
            return match self.creating_content(hunks) {
                Some(content) if rename_to.is_none() => {
                    self.create(&file.path, &content, executable.unwrap_or(false))
                }
                _ => Err(Error::NotFound { path: file.path.clone() }),
            };
        };
        if let Some(target) = rename_to.filter(|target| **target != file.path) {
            self.overlay.check_vacant(target)?;
        }
        if !hunks.is_empty() {
            match self.patched(file, hunks, now.text(&file.path)?) {
                Some(content) => now.bytes = content.into_bytes(),
                None => return Ok(()),
            }
        }
        if let Some(wanted) = executable {
            now.set_executable(wanted);
        }
        self.put(&file.path, rename_to, now)
    }

    pub(super) fn put(
        &mut self,
        path: &RelativePath,
        rename_to: Option<&RelativePath>,
        now: Snapshot,
    ) -> Result<(), Error> {
        let bytes = now.bytes.len() as u64;
        if bytes > LARGEST_FILE {
            return Err(Error::FileTooLarge { path: path.clone(), bytes, limit: LARGEST_FILE });
        }
        match rename_to.filter(|target| *target != path) {
            None => self.overlay.load(path)?.now = Some(now),
            Some(target) => {
                let source = self.overlay.load(path)?;
                source.now = None;
                let origin = source.origin.take().or_else(|| source.before.is_some().then(|| path.clone()));
                let entry = self.overlay.load(target)?;
                entry.now = Some(now);
                entry.origin = origin.filter(|origin| origin != target);
            }
        }
        Ok(())
    }

    /// The new text, or `None` after the reports that say why there is none.
    fn patched(&mut self, file: &FilePatch, hunks: &[Hunk], text: &str) -> Option<String> {
        let states_line_endings = file.states_line_endings;
        let origin =
            Origin { path: &file.path, format: self.format, states_line_endings, hunks, explains: true };
        let (content, reports) = order::patch_text(text, &origin, &self.work);
        self.hunks.extend(reports);
        content
    }

    /// The content of a file that is missing, if the hunks are those of a new file.
    fn creating_content(&self, hunks: &[Hunk]) -> Option<String> {
        let [hunk] = hunks else { return None };
        let only_adds = hunk.lines.iter().all(|line| line.kind == LineKind::Add);
        let meant = match self.format {
            PatchFormat::Unified => hunk.old_start == Some(0),
            PatchFormat::SearchReplace => true,
            PatchFormat::Envelope => false,
        };
        (only_adds && meant).then(|| {
            let mut content: String = hunk.lines.iter().flat_map(|line| [line.text.as_str(), "\n"]).collect();
            if hunk.new_lacks_newline {
                content.pop();
            }
            content
        })
    }

    fn delete(&mut self, file: &FilePatch, hunks: Option<&[Hunk]>) -> Result<(), Error> {
        let entry = self.overlay.load(&file.path)?.clone();
        let Some(now) = entry.now else { return Err(Error::NotFound { path: file.path.clone() }) };
        let text = now.text(&file.path)?;
        if let Some(hunks) = hunks {
            let left = self.patched(file, hunks, text);
            if left.as_ref().is_some_and(|left| !left.is_empty()) {
                self.problems.push(FileProblem::new(
                    &file.path,
                    "stale_deletion",
                    "the patch deletes this file, but does not show all of its lines as removed; \
                     show them as they are now, or write `*** Delete File:` in an envelope",
                ));
            }
            if left.is_none_or(|left| !left.is_empty()) {
                return Ok(());
            }
        }
        self.overlay.load(&file.path)?.now = None;
        Ok(())
    }

    pub(super) fn finish(self) -> Result<ChangeSet, Rejected> {
        let (changes, hunks) = self.changes()?;
        Ok(ChangeSet { report: report(&changes, hunks), changes })
    }

    /// Every file that becomes another, and what became of the hunks.
    pub(super) fn changes(mut self) -> Result<(Vec<Change>, Vec<HunkReport>), Rejected> {
        let entries = std::mem::take(&mut self.overlay.entries);
        let changes: Vec<Change> = entries
            .into_iter()
            .filter(|(_, entry)| entry.before != entry.now)
            .map(|(path, entry)| Change {
                path,
                before: entry.before,
                after: entry.now,
                origin: entry.origin,
            })
            .collect();
        for change in changes.iter().filter(|change| change.adds_git_program()) {
            let error = change.path.refused(PathRefusal::GitProgram);
            self.problems.push(FileProblem::from_error(&change.path, &error));
        }
        if !self.problems.is_empty() || self.hunks.iter().any(|hunk| hunk.fate.is_failure()) {
            return Err(Rejected { files: self.problems, hunks: self.hunks });
        }
        Ok((changes, self.hunks))
    }
}

impl Change {
    /// Whether a rename moves the file as it is, which one step of the file system does.
    pub(super) fn pure_rename_from<'c>(&self, changes: &'c [Self]) -> Option<&'c Self> {
        let source = self.renamed_from(changes)?;
        (source.before == self.after).then_some(source)
    }

    fn renamed_from<'c>(&self, changes: &'c [Self]) -> Option<&'c Self> {
        let origin = self.origin.as_ref().filter(|_| self.before.is_none() && self.after.is_some())?;
        changes
            .iter()
            .find(|source| source.path == *origin && source.after.is_none() && source.before.is_some())
    }

    pub(super) fn side<'c>(path: &'c RelativePath, snapshot: Option<&'c Snapshot>) -> Option<Side<'c>> {
        let snapshot = snapshot?;
        // Text was required wherever content changes; a binary file can only be renamed as it is.
        let content = std::str::from_utf8(&snapshot.bytes).unwrap_or_default();
        Some(Side { path, content, executable: snapshot.is_executable() })
    }

    fn adds_git_program(&self) -> bool {
        if !self.path.file_name().eq_ignore_ascii_case(".gitattributes") {
            return false;
        }
        let programs = |snapshot: &Option<Snapshot>| {
            let text =
                snapshot.as_ref().map_or(String::new(), |s| String::from_utf8_lossy(&s.bytes).into_owned());
            let names = ["filter=", "diff=", "merge="];
            text.split_whitespace().filter(|word| names.iter().any(|name| word.starts_with(name))).count()
        };
        programs(&self.after) > programs(&self.before)
    }
}

/// What became of one file, whatever its name.
#[derive(Clone, Copy)]
pub(super) struct FileFate<'c> {
    /// The file under its new name.
    pub(super) change: &'c Change,
    /// The change that took its old name away, when it was renamed.
    pub(super) source: Option<&'c Change>,
    /// Its content before.
    pub(super) before: Option<&'c Snapshot>,
}

/// One entry for each file: a rename, which changes two paths, is one.
pub(super) fn file_fates(changes: &[Change]) -> impl Iterator<Item = FileFate<'_>> {
    let moved_on = |change: &Change| {
        changes
            .iter()
            .any(|other| other.renamed_from(changes).is_some_and(|source| source.path == change.path))
    };
    changes.iter().filter(move |change| !moved_on(change)).map(|change| {
        let source = change.renamed_from(changes);
        let before = source.map_or(change.before.as_ref(), |source| source.before.as_ref());
        FileFate { change, source, before }
    })
}

fn report(changes: &[Change], hunks: Vec<HunkReport>) -> Applied {
    let mut applied = Applied { files: Vec::new(), hunks, diff: String::new(), inverse: String::new() };
    for FileFate { change, source, before } in file_fates(changes) {
        let before_path = source.map_or(&change.path, |source| &source.path);
        let old = Change::side(before_path, before);
        let new = Change::side(&change.path, change.after.as_ref());
        let FileDiff { text, lines_added, lines_removed } = file_diff(old, new);
        applied.diff.push_str(&text);
        applied.inverse.push_str(&file_diff(new, old).text);
        let hash = |snapshot: Option<&Snapshot>| snapshot.map(|snapshot| sha256(&snapshot.bytes));
        applied.files.push(FileChange {
            path: change.path.clone(),
            previous_path: source.map(|source| source.path.clone()),
            action: match (source, before, &change.after) {
                (Some(_), ..) => FileAction::Renamed,
                (None, None, _) => FileAction::Created,
                (None, Some(_), None) => FileAction::Deleted,
                (None, Some(_), Some(_)) => FileAction::Modified,
            },
            before_sha256: hash(before),
            after_sha256: hash(change.after.as_ref()),
            lines_added,
            lines_removed,
        });
    }
    applied
}
