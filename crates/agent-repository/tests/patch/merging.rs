//! Three-way merges as properties, and undo over what people wrote since.

use agent_repository::Error;
use agent_repository::patch::{merge_texts, unified_diff, write_file};
use proptest::prelude::*;

use crate::history::{Kept, at};
use crate::workspace::path;

/// Lines that all differ, as most lines of a program do where it matters.
fn distinct(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("line {number}\n")).collect()
}

/// Some of the lines replaced, removed or followed by others. Every new line bears the mark of who wrote it.
#[derive(Debug, Clone)]
struct Edit {
    line: usize,
    removes: bool,
    adds: usize,
}

fn edits(lines: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Edit>> {
    let edit = (lines, any::<bool>(), 0_usize..3)
        .prop_map(|(line, removes, adds)| Edit { line, removes, adds })
        .prop_filter("an edit changes something", |edit| edit.removes || edit.adds > 0);
    prop::collection::vec(edit, 0..5)
}

fn edited(lines: &[String], edits: &[Edit], who: &str) -> String {
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let here: Vec<&Edit> = edits.iter().filter(|edit| edit.line == index).collect();
        if !here.iter().any(|edit| edit.removes) {
            text.push_str(line);
        }
        let adds = here.iter().map(|edit| edit.adds).max().unwrap_or(0);
        (0..adds).for_each(|number| text.push_str(&format!("{who} {index}.{number}\n")));
    }
    text
}

fn lines_of<'t>(text: &'t str, who: &str) -> Vec<&'t str> {
    text.lines().filter(|line| line.starts_with(who)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_merge_is_the_same_from_both_sides_and_keeps_every_new_line(
        ours in edits(0..30), theirs in edits(0..30),
    ) {
        let base = distinct(30);
        let (left, right) = (edited(&base, &ours, "ours"), edited(&base, &theirs, "theirs"));
        let base = base.concat();
        let merged = merge_texts(&base, &left, &right);
        match (&merged, merge_texts(&base, &right, &left)) {
            (Ok(merged), Ok(mirrored)) => {
                prop_assert_eq!(merged, &mirrored);
                prop_assert_eq!(lines_of(merged, "ours"), lines_of(&left, "ours"));
                prop_assert_eq!(lines_of(merged, "theirs"), lines_of(&right, "theirs"));
                let stands = |text: &str, line: &str| text.lines().any(|other| other == line);
                let kept = |line: &&str| stands(&left, line) && stands(&right, line);
                let expected: Vec<&str> = base.lines().filter(kept).collect();
                prop_assert_eq!(lines_of(merged, "line"), expected);
            }
            (Err(one), Err(other)) => prop_assert_eq!(one.regions.len(), other.regions.len()),
            (one, other) => prop_assert!(false, "{:?} but {:?}", one, other),
        }
    }

    #[test]
    fn edits_that_lie_apart_always_merge(ours in edits(0..14), theirs in edits(16..30)) {
        let base = distinct(30);
        let (left, right) = (edited(&base, &ours, "ours"), edited(&base, &theirs, "theirs"));
        prop_assert!(merge_texts(&base.concat(), &left, &right).is_ok());
    }

}

proptest! {
    // Each case syncs files.
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn undoing_gives_back_the_text_before(patch in edits(0..20)) {
        let before = distinct(20);
        let after = edited(&before, &patch, "patch");
        let before = before.concat();
        prop_assume!(before != after && !after.is_empty());
        let kept = Kept::new(&[("f", &before)]);
        let id = kept.apply(&unified_diff(&path("f"), Some(&before), Some(&after)));
        prop_assert_eq!(kept.workspace.text("f"), after.clone());
        let undone = kept.undo(id).unwrap().id.unwrap();
        prop_assert_eq!(kept.workspace.text("f"), before);
        kept.undo(undone).unwrap();
        prop_assert_eq!(kept.workspace.text("f"), after, "an undo can be undone");
    }

    #[test]
    fn undoing_never_loses_what_a_person_wrote_in_between(patch in edits(0..30), person in edits(0..60)) {
        let before = distinct(30);
        let after = edited(&before, &patch, "patch");
        let before = before.concat();
        prop_assume!(before != after && !after.is_empty());
        let kept = Kept::new(&[("f", &before)]);
        let id = kept.apply(&unified_diff(&path("f"), Some(&before), Some(&after)));
        let present: Vec<String> = after.split_inclusive('\n').map(str::to_owned).collect();
        let present = edited(&present, &person, "person");
        kept.workspace.put("f", &present);
        match kept.undo(id) {
            Ok(_) => {
                let left = kept.workspace.text("f");
                prop_assert_eq!(lines_of(&left, "person"), lines_of(&present, "person"));
                prop_assert_eq!(lines_of(&left, "patch"), Vec::<&str>::new());
            }
            Err(Error::Rejected(rejected)) => {
                prop_assert_eq!(kept.workspace.text("f"), present);
                prop_assert!(!rejected.files[0].regions.is_empty());
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }
}

#[test]
fn a_plan_of_an_undo_writes_nothing() {
    let kept = Kept::new(&[("f", "one\ntwo\n")]);
    let id = kept.apply("--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n-one\n+1\n two\n");
    let planned = kept.history.plan_undo(&kept.workspace.root, id).unwrap();
    assert!(planned.report().diff.contains("+one"));
    assert_eq!(kept.workspace.text("f"), "1\ntwo\n");
}

#[test]
fn what_is_there_already_is_no_application() {
    let kept = Kept::new(&[("f", "one\ntwo\n")]);
    let root = &kept.workspace.root;
    let change = write_file(root, &path("f"), "one\ntwo\n").unwrap();
    let recorded = kept.history.apply(root, &change, &at().0, at().1).unwrap();
    assert_eq!(recorded.id, None);
    assert_eq!(kept.history.list().unwrap(), []);
}
