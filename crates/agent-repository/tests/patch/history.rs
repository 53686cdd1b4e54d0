//! The history of a workspace: what was applied, shown and taken back.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use agent_core::time::Timestamp;
use agent_repository::Error;
use agent_repository::patch::{History, Origin, PatchSet, Recorded, plan_changes};
use tempfile::TempDir;

use crate::workspace::Workspace;

/// A workspace with a history.
pub(crate) struct Kept {
    pub(crate) workspace: Workspace,
    pub(crate) history: History,
    state: TempDir,
}

pub(crate) fn at() -> (Origin, Timestamp) {
    (Origin::person(), Timestamp::from_micros(1_700_000_000_123_000))
}

impl Kept {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let workspace = Workspace::new(files);
        let state = tempfile::tempdir().unwrap();
        let history = History::of_workspace(state.path(), &workspace.root).unwrap();
        Self { workspace, history, state }
    }

    /// Applies a patch and answers its number.
    pub(crate) fn apply(&self, patch: &str) -> u64 {
        let root = &self.workspace.root;
        let change = plan_changes(root, &PatchSet::parse(patch).unwrap()).unwrap();
        self.history.apply(root, &change, &at().0, at().1).unwrap().id.unwrap()
    }

    pub(crate) fn undo(&self, id: u64) -> Result<Recorded, Error> {
        self.history.undo(&self.workspace.root, id, &at().0, at().1)
    }

    /// The folder of the records.
    fn folder(&self) -> std::path::PathBuf {
        fs::read_dir(self.state.path()).unwrap().next().unwrap().unwrap().path()
    }
}

/// One of each: a change, a creation, a deletion, a rename with a change, a rename as it is.
const PATCH: &str = "*** Begin Patch\n*** Update File: a\n@@\n-one\n+1\n*** Add File: new/b\n+fresh\n\
                     *** Delete File: d\n*** Update File: m\n*** Move to: moved/m\n\
                     *** Update File: r\n*** Move to: renamed\n@@\n-old\n+new\n*** End Patch\n";

fn everything() -> Kept {
    Kept::new(&[("a", "one\n"), ("d", "four\n"), ("m", "same\n"), ("r", "old\nmiddle\nrest\n")])
}

#[test]
fn every_kind_of_change_is_listed_shown_and_taken_back() {
    let kept = everything();
    let before = kept.workspace.files();
    let id = kept.apply(PATCH);
    let after = kept.workspace.files();
    let application = kept.history.find(id).unwrap();
    let names: Vec<String> = application.files.iter().map(|file| file.path.to_string()).collect();
    assert_eq!(names, ["a", "d", "moved/m", "new/b", "renamed"]);
    assert_eq!((application.at, application.interrupted), (at().1, false));
    let diff = kept.history.diff(id).unwrap();
    assert!(diff.contains("rename from m\nrename to moved/m\n") && diff.contains("-old\n+new\n"), "{diff}");

    let undone = kept.undo(id).unwrap().id.unwrap();
    assert_eq!(kept.workspace.files(), before);
    assert_eq!(kept.history.find(id).unwrap().undone_by, Some(undone));
    assert_eq!(kept.history.find(undone).unwrap().undoes, Some(id));

    kept.undo(undone).unwrap();
    assert_eq!(kept.workspace.files(), after);
    assert_eq!(kept.history.find(id).unwrap().undone_by, None, "it holds again");
    assert_eq!(kept.history.list().unwrap().len(), 3);
}

#[test]
fn what_is_undone_already_is_left_alone() {
    let kept = everything();
    let before = kept.workspace.files();
    let id = kept.apply(PATCH);
    kept.undo(id).unwrap();
    assert_eq!(kept.undo(id).unwrap().id, None);
    assert_eq!(kept.workspace.files(), before);
}

#[test]
fn a_later_edit_of_a_renamed_file_goes_back_with_it() {
    let kept = everything();
    let id = kept.apply(PATCH);
    kept.workspace.put("renamed", "new\nmiddle\nrest, longer\n");
    kept.undo(id).unwrap();
    assert_eq!(kept.workspace.text("r"), "old\nmiddle\nrest, longer\n");
    assert!(!kept.workspace.path().join("renamed").exists());
}

#[test]
fn what_would_lose_somebodys_lines_is_refused_as_a_whole_and_named() {
    // What stands in the way of undoing, and which file is named for it.
    type Interference = fn(&Workspace);
    let cases: [(&str, Interference); 5] = [
        ("a", |workspace| workspace.put("a", "eins\n")),
        ("a", |workspace| fs::remove_file(workspace.path().join("a")).unwrap()),
        ("new/b", |workspace| workspace.put("new/b", "fresh\nand more\n")),
        ("d", |workspace| workspace.put("d", "theirs\n")),
        ("m", |workspace| workspace.put("m", "theirs\n")),
    ];
    for (name, interfere) in cases {
        let kept = everything();
        let id = kept.apply(PATCH);
        interfere(&kept.workspace);
        let files = kept.workspace.files();
        let Err(Error::Rejected(rejected)) = kept.undo(id) else { panic!("{name} was overwritten") };
        let named: Vec<String> = rejected.files.iter().map(|problem| problem.path.to_string()).collect();
        assert_eq!(named, [name]);
        assert_eq!(kept.workspace.files(), files);
        assert_eq!(kept.history.list().unwrap().len(), 1, "nothing is recorded that did not happen");
    }
}

#[test]
fn the_mode_goes_back_unless_somebody_set_it_since() {
    let patch = "diff --git a/f b/f\nold mode 100644\nnew mode 100755\n";
    let mode =
        |kept: &Kept| fs::metadata(kept.workspace.path().join("f")).unwrap().permissions().mode() & 0o111;
    let kept = Kept::new(&[("f", "one\n")]);
    let id = kept.apply(patch);
    assert_ne!(mode(&kept), 0);
    kept.undo(id).unwrap();
    assert_eq!(mode(&kept), 0);
}

#[test]
fn an_application_that_a_crash_cut_off_is_taken_back_and_one_that_was_finished_kept() {
    let cut_off = everything();
    let before = cut_off.workspace.files();
    let id = cut_off.apply(PATCH);
    let after = cut_off.workspace.files();
    let begun = |kept: &Kept| {
        let folder = kept.folder();
        fs::rename(folder.join(format!("{id}.applied")), folder.join(format!("{id}.begun"))).unwrap();
    };
    begun(&cut_off);
    assert_eq!(cut_off.history.recover(&cut_off.workspace.root).unwrap(), Vec::<u64>::new());
    assert_eq!(cut_off.workspace.files(), after);
    assert!(!cut_off.history.find(id).unwrap().interrupted);

    begun(&cut_off);
    cut_off.workspace.put("a", "one\n");
    assert!(cut_off.history.find(id).unwrap().interrupted);
    assert_eq!(cut_off.history.recover(&cut_off.workspace.root).unwrap(), [id]);
    assert_eq!(cut_off.workspace.files(), before);
    assert_eq!(cut_off.history.list().unwrap(), []);
}

#[test]
fn workspaces_do_not_see_each_other_and_records_are_private() {
    let (one, other) = (everything(), everything());
    let shared = History::of_workspace(one.state.path(), &other.workspace.root).unwrap();
    one.apply(PATCH);
    assert_eq!(shared.list().unwrap(), []);
    assert!(matches!(shared.find(1), Err(Error::NoSuchApplication { id: 1 })));
    let record = one.folder().join("1.applied");
    if record.exists() {
        assert_eq!(fs::metadata(record).unwrap().permissions().mode() & 0o077, 0);
    }
}

#[test]
fn a_history_that_cannot_be_written_lets_nothing_be_changed() {
    let kept = everything();
    let before = kept.workspace.files();
    fs::create_dir(kept.folder().join("next")).unwrap();
    let change = plan_changes(&kept.workspace.root, &PatchSet::parse(PATCH).unwrap()).unwrap();
    let outcome = kept.history.apply(&kept.workspace.root, &change, &at().0, at().1);
    assert!(matches!(outcome, Err(Error::History { .. })), "{outcome:?}");
    assert_eq!(kept.workspace.files(), before);
}
