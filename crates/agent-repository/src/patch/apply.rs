//! Writes a planned change: all of it, or nothing.

use super::overlay::{Snapshot, read, sha256};
use super::plan::{Change, ChangeSet};
use super::{Applied, LARGEST_FILE};
use crate::error::Error;
use crate::path_guard::{Identity, RelativePath, Root, Staged};

impl ChangeSet {
    /// Writes the change. Every file is checked to be as it was planned on; every new content is on the disk
    /// under another name before the first file changes; on an error everything is put back.
    ///
    /// Blocks; call it from a thread that may.
    ///
    /// # Errors
    /// [`Error::Conflict`] when a file changed since planning, [`Error::Busy`] when another change is being
    /// written, [`Error::File`] when the operating system refuses: nothing is changed then.
    /// [`Error::RestoreFailed`] when not everything could be put back.
    pub fn apply(&self, root: &Root) -> Result<Applied, Error> {
        self.apply_observed(root, |_| {})
    }

    /// As [`ChangeSet::apply`], telling before each step which one it is: where tests interfere.
    fn apply_observed(&self, root: &Root, mut before_step: impl FnMut(usize)) -> Result<Applied, Error> {
        let _lock = root.lock()?;
        let seen = self.verify(root)?;
        let mut writer = Writer { root, created: Vec::new(), done: Vec::new() };
        let outcome = self.steps(root, &mut writer, &seen).and_then(|steps| {
            steps.into_iter().enumerate().try_for_each(|(index, step)| {
                before_step(index);
                writer.perform(step)
            })
        });
        match outcome {
            Ok(()) => Ok(self.report.clone()),
            Err(error) => Err(writer.put_back(error)),
        }
    }

    /// Checks that every file is as it was when the change was planned.
    fn verify(&self, root: &Root) -> Result<Vec<Option<Identity>>, Error> {
        self.changes.iter().map(|change| verified(root, change)).collect()
    }

    fn steps<'c>(
        &'c self,
        root: &Root,
        writer: &mut Writer<'c, '_>,
        seen: &[Option<Identity>],
    ) -> Result<Vec<Step<'c>>, Error> {
        let mut renames = Vec::new();
        let mut puts = Vec::new();
        let mut removals = Vec::new();
        let mut moved: Vec<&RelativePath> = Vec::new();
        for change in self.changes.iter().filter(|change| change.after.is_some()) {
            writer.created.extend(root.create_parents(&change.path)?);
            if let Some(source) = change.pure_rename_from(&self.changes) {
                moved.push(&source.path);
                renames.push(Step::Rename { from: &source.path, to: &change.path });
            }
        }
        for (change, seen) in self.changes.iter().zip(seen) {
            match &change.after {
                None if moved.contains(&&change.path) => {}
                None => removals.push(Step::Remove { change, seen: *seen }),
                Some(_) if change.pure_rename_from(&self.changes).is_some() => {}
                Some(after) => {
                    let staged = root.stage(&change.path, &after.bytes, after.mode)?;
                    puts.push(Step::Put { change, staged, seen: *seen });
                }
            }
        }
        renames.extend(puts);
        renames.extend(removals);
        Ok(renames)
    }
}

fn verified(root: &Root, change: &Change) -> Result<Option<Identity>, Error> {
    let conflict = || Error::Conflict { path: change.path.clone() };
    if !root.replaceable(&change.path)? {
        return if change.before.is_none() { Ok(None) } else { Err(conflict()) };
    }
    let (content, identity) = root.read_identified(&change.path, LARGEST_FILE)?;
    let unchanged =
        change.before.as_ref().is_some_and(|before| sha256(&before.bytes) == sha256(&content.bytes));
    if unchanged { Ok(Some(identity)) } else { Err(conflict()) }
}

enum Step<'c> {
    Rename { from: &'c RelativePath, to: &'c RelativePath },
    Put { change: &'c Change, staged: Staged, seen: Option<Identity> },
    Remove { change: &'c Change, seen: Option<Identity> },
}

/// A step that is done and may have to be undone.
enum Done<'c> {
    Renamed { from: &'c RelativePath, to: &'c RelativePath },
    Changed(&'c Change),
}

struct Writer<'c, 'r> {
    root: &'r Root,
    created: Vec<RelativePath>,
    done: Vec<Done<'c>>,
}

impl<'c> Writer<'c, '_> {
    fn perform(&mut self, step: Step<'c>) -> Result<(), Error> {
        match step {
            Step::Rename { from, to } => {
                // Recorded first: an error of the final sync comes after the name has changed.
                self.done.push(Done::Renamed { from, to });
                self.root.rename_file(from, to)
            }
            Step::Put { change, staged, seen } => {
                self.check_unchanged(change, seen)?;
                self.done.push(Done::Changed(change));
                staged.commit(&change.path, seen.is_some())
            }
            Step::Remove { change, seen } => {
                self.check_unchanged(change, seen)?;
                self.done.push(Done::Changed(change));
                self.root.remove(&change.path)
            }
        }
    }

    fn check_unchanged(&self, change: &Change, seen: Option<Identity>) -> Result<(), Error> {
        if self.root.identity(&change.path)? == seen {
            return Ok(());
        }
        Err(Error::Conflict { path: change.path.clone() })
    }

    /// Undoes what was done, last first, and gives back the error that made it necessary.
    fn put_back(self, cause: Error) -> Error {
        let mut lost = Vec::new();
        for done in self.done.iter().rev() {
            match done {
                Done::Renamed { from, to } => {
                    if let Err(path) = self.put_name_back(from, to) {
                        lost.push(path.clone());
                    }
                }
                Done::Changed(change) => {
                    if self.put_content_back(change).is_err() {
                        lost.push(change.path.clone());
                    }
                }
            }
        }
        for directory in self.created.iter().rev() {
            self.root.remove_empty_directory(directory);
        }
        if lost.is_empty() { cause } else { Error::RestoreFailed { paths: lost, source: Box::new(cause) } }
    }

    fn put_name_back<'p>(&self, from: &'p RelativePath, to: &RelativePath) -> Result<(), &'p RelativePath> {
        let never_moved = matches!(self.root.identity(from), Ok(Some(_)));
        if never_moved || self.root.rename_file(to, from).is_ok() { Ok(()) } else { Err(from) }
    }

    fn put_content_back(&self, change: &Change) -> Result<(), Error> {
        let present = read(self.root, &change.path)?;
        let same = |left: Option<&Snapshot>, right: Option<&Snapshot>| match (left, right) {
            (Some(left), Some(right)) => {
                left.bytes == right.bytes && left.is_executable() == right.is_executable()
            }
            (None, None) => true,
            _ => false,
        };
        if same(present.as_ref(), change.before.as_ref()) {
            return Ok(());
        }
        if !same(present.as_ref(), change.after.as_ref()) {
            // Somebody else wrote there meanwhile; their content is not ours to destroy.
            return Err(Error::Conflict { path: change.path.clone() });
        }
        match &change.before {
            None => self.root.remove(&change.path),
            Some(before) => {
                let staged = self.root.stage(&change.path, &before.bytes, before.mode)?;
                staged.commit(&change.path, present.is_some())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::{PatchSet, plan_changes};
    use super::*;

    const PATCH: &str = "*** Begin Patch\n*** Update File: a.txt\n@@\n-one\n+ONE\n*** Add File: new/b.txt\n+fresh\n\
                         *** Update File: c.txt\n@@\n-three\n+THREE\n*** Delete File: d.txt\n*** End Patch\n";

    fn workspace() -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [("a.txt", "one\n"), ("c.txt", "three\n"), ("d.txt", "four\n")] {
            fs::write(folder.path().join(name), content).unwrap();
        }
        let root = Root::open(folder.path()).unwrap();
        (folder, root)
    }

    #[test]
    fn a_file_changed_by_another_writer_midway_puts_everything_else_back() {
        for step in 0..4 {
            let (folder, root) = workspace();
            let changes = plan_changes(&root, &PatchSet::parse(PATCH).unwrap()).unwrap();
            let victim = ["a.txt", "c.txt", "new/b.txt", "d.txt"][step];
            let outcome = changes.apply_observed(&root, |index| {
                if index == step {
                    fs::write(folder.path().join(victim), "theirs\n").unwrap();
                }
            });
            assert!(matches!(outcome, Err(Error::Conflict { .. })), "step {step}: {outcome:?}");
            for (name, content) in [("a.txt", "one\n"), ("c.txt", "three\n"), ("d.txt", "four\n")] {
                let expected = if name == victim { "theirs\n" } else { content };
                assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), expected, "step {step}");
            }
            assert_eq!(folder.path().join("new").exists(), victim == "new/b.txt", "step {step}");
            let left: Vec<_> = fs::read_dir(folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| name.starts_with('.'))
                .collect();
            assert_eq!(left, Vec::<String>::new(), "no temporary file stays behind");
        }
    }

    #[test]
    fn what_another_writer_put_over_a_finished_step_is_kept_and_named() {
        let (folder, root) = workspace();
        let changes = plan_changes(&root, &PatchSet::parse(PATCH).unwrap()).unwrap();
        let outcome = changes.apply_observed(&root, |index| {
            if index == 1 {
                fs::write(folder.path().join("a.txt"), "theirs\n").unwrap();
                fs::write(folder.path().join("c.txt"), "theirs too\n").unwrap();
            }
        });
        let Err(Error::RestoreFailed { paths, .. }) = outcome else { panic!("{outcome:?}") };
        assert_eq!(paths, [RelativePath::new("a.txt").unwrap()]);
        assert_eq!(fs::read_to_string(folder.path().join("a.txt")).unwrap(), "theirs\n");
        assert_eq!(fs::read_to_string(folder.path().join("c.txt")).unwrap(), "theirs too\n");
    }
}
