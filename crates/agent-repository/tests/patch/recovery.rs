use std::fs;

use agent_repository::Error;
use agent_repository::patch::{ChangeRecord, DiskState, PatchSet, plan_changes};

use crate::workspace::{Files, Workspace};

const PATCH: &str = "*** Begin Patch\n*** Update File: a\n@@\n-one\n+1\n*** Add File: new/b\n+fresh\n\
                     *** Delete File: d\n*** Update File: m\n*** Move to: moved/m\n\
                     *** Update File: r\n*** Move to: renamed\n@@\n-old\n+new\n*** End Patch\n";

fn workspace() -> Workspace {
    Workspace::new(&[("a", "one\n"), ("d", "four\n"), ("m", "same\n"), ("r", "old\nrest\n")])
}

/// Puts single paths of one state over another, as a process killed between two steps leaves them.
fn put(workspace: &Workspace, name: &str, files: &Files) {
    let target = workspace.path().join(name);
    match files.get(name) {
        None => {
            let _ = fs::remove_file(target);
        }
        Some((bytes, _)) => {
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(target, bytes).unwrap();
        }
    }
}

#[test]
fn a_record_tells_how_far_a_change_got_and_takes_it_back_from_there() {
    let done = workspace();
    let before = done.files();
    let change = plan_changes(&done.root, &PatchSet::parse(PATCH).unwrap()).unwrap();
    let record = serde_json::to_string(&change.record()).unwrap();
    let record: ChangeRecord = serde_json::from_str(&record).unwrap();
    assert_eq!(record.state_on_disk(&done.root).unwrap(), DiskState::AllBefore);
    change.apply(&done.root).unwrap();
    assert_eq!(record.state_on_disk(&done.root).unwrap(), DiskState::AllAfter);
    let after = done.files();

    // The steps in the order in which they are taken: moves, contents, removals.
    let steps: [&[&str]; 5] = [&["m", "moved/m"], &["a"], &["new/b"], &["renamed"], &["d", "r"]];
    for killed_after in 0..=steps.len() {
        let workspace = workspace();
        for name in steps[..killed_after].iter().copied().flatten() {
            put(&workspace, name, &after);
        }
        fs::write(workspace.path().join(".agent-staged-1-0"), "half").unwrap();
        let expected = match killed_after {
            0 => DiskState::AllBefore,
            5 => DiskState::AllAfter,
            _ => DiskState::Mixed,
        };
        assert_eq!(record.state_on_disk(&workspace.root).unwrap(), expected, "after step {killed_after}");
        record.roll_back(&workspace.root).unwrap();
        assert_eq!(workspace.files(), before, "after step {killed_after}");
    }
}

#[test]
fn a_file_that_somebody_else_changed_is_not_rolled_over() {
    let workspace = workspace();
    let change = plan_changes(&workspace.root, &PatchSet::parse(PATCH).unwrap()).unwrap();
    let record = change.record();
    change.apply(&workspace.root).unwrap();
    workspace.put("renamed", "theirs\n");
    let files = workspace.files();
    assert_eq!(record.state_on_disk(&workspace.root).unwrap(), DiskState::Mixed);
    assert!(matches!(record.roll_back(&workspace.root), Err(Error::UnknownState { .. })));
    assert_eq!(workspace.files(), files);
}
