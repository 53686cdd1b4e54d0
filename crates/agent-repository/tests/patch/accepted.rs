use std::fs;
use std::path::Path;

use agent_repository::patch::{Fate, FileAction, MatchQuality, PatchSet, check, plan_changes, write_file};

use crate::workspace::{Workspace, files_in, path};

#[test]
fn every_fixture_becomes_what_its_after_folder_shows_and_its_inverse_takes_it_back() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/patch/fixtures");
    let mut cases = 0;
    for entry in fs::read_dir(fixtures).unwrap().map(Result::unwrap) {
        if !entry.path().is_dir() {
            continue;
        }
        cases += 1;
        let case = entry.file_name();
        let workspace = Workspace::copy_of(&entry.path().join("before"));
        let before = workspace.files();
        let patch = fs::read_to_string(entry.path().join("change.patch")).unwrap();
        let patch = PatchSet::parse(&patch).unwrap_or_else(|error| panic!("{case:?}: {error}"));
        let planned = check(&workspace.root, &patch).unwrap_or_else(|error| panic!("{case:?}: {error}"));
        assert_eq!(workspace.files(), before, "{case:?}: checking changes nothing");

        let applied = plan_changes(&workspace.root, &patch).unwrap().apply(&workspace.root).unwrap();
        assert_eq!(applied, planned, "{case:?}: what was announced is what was done");
        let after = files_in(&entry.path().join("after"));
        assert_eq!(shown(&workspace.files()), shown(&after), "{case:?}");

        workspace.apply(&applied.inverse).unwrap_or_else(|error| panic!("{case:?}: {error}"));
        assert_eq!(shown(&workspace.files()), shown(&before), "{case:?}: the inverse");
        workspace.apply(&applied.diff).unwrap_or_else(|error| panic!("{case:?}: {error}"));
        assert_eq!(shown(&workspace.files()), shown(&after), "{case:?}: the diff");
    }
    assert!(cases >= 20, "only {cases} fixtures were found");
}

fn shown(files: &crate::workspace::Files) -> Vec<String> {
    files
        .iter()
        .map(|(name, (bytes, executable))| {
            format!("{name} {executable} {:?}", String::from_utf8_lossy(bytes))
        })
        .collect()
}

/// The rung on which the only hunk of a patch was found.
fn rung(content: &str, hunk: &str) -> Option<MatchQuality> {
    let workspace = Workspace::new(&[("f", content)]);
    let applied = workspace.apply(&format!("--- a/f\n+++ b/f\n{hunk}")).unwrap();
    applied.hunks[0].rung
}

#[test]
fn the_report_says_how_exactly_each_hunk_was_found() {
    let file = "alpha\nbeta value\ngamma\ndelta\n";
    assert_eq!(rung(file, "@@ -1,2 +1,2 @@\n alpha\n-beta value\n+b\n"), Some(MatchQuality::Exact));
    assert_eq!(rung(file, "@@ ... @@\n alpha\n-beta value\n+b\n"), Some(MatchQuality::Exact));
    assert_eq!(rung(file, "@@ -3,2 +3,2 @@\n alpha\n-beta value\n+b\n"), Some(MatchQuality::Offset));
    assert_eq!(
        rung(file, "@@ -1,2 +1,2 @@\n alpha \n-beta value\t\n+b\n"),
        Some(MatchQuality::TrailingWhitespace)
    );
    assert_eq!(rung("don’t\nalpha\n", "@@ -1,2 +1,2 @@\n don't\n-alpha\n+b\n"), Some(MatchQuality::Unicode));
    assert_eq!(
        rung("  if alpha:\n    beta value\n", "@@ @@\n if alpha:\n-  beta value\n+  b\n"),
        Some(MatchQuality::Indentation)
    );
    assert_eq!(
        rung(file, "@@ @@\n other\n-beta value\n+b\n gamma\n delta\n"),
        Some(MatchQuality::StaleContext)
    );
}

#[test]
fn the_report_counts_lines_and_names_actions_and_hashes() {
    let workspace = Workspace::new(&[("a", "one\ntwo\n"), ("b", "x\n")]);
    let applied = workspace
        .apply("*** Begin Patch\n*** Update File: a\n*** Move to: c\n@@\n one\n-two\n+2\n+3\n*** Delete File: b\n*** Add File: n\n+n\n*** End Patch\n")
        .unwrap();
    let summary: Vec<_> = applied
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.action, file.lines_added, file.lines_removed))
        .collect();
    assert_eq!(
        summary,
        [
            ("b", FileAction::Deleted, 0, 1),
            ("c", FileAction::Renamed, 2, 1),
            ("n", FileAction::Created, 1, 0),
        ]
    );
    assert_eq!(applied.files[1].previous_path, Some(path("a")));
    assert_eq!(
        applied.files[0].before_sha256.as_deref(),
        Some("73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac")
    );
    assert_eq!(applied.files[0].after_sha256, None);
    let json = serde_json::to_value(&applied).unwrap();
    assert_eq!(json["files"][1]["action"], "renamed");
    assert_eq!(json["hunks"][0]["fate"], "applied");
}

#[test]
fn the_same_patch_a_second_time_is_already_applied_and_changes_no_byte() {
    let patch = "--- a/f\n+++ b/f\n@@ -1,3 +1,4 @@\n first line\n-second line\n+changed line\n+and another\n third line\n";
    let workspace = Workspace::new(&[("f", "first line\nsecond line\nthird line\n")]);
    workspace.apply(patch).unwrap();
    let files = workspace.files();
    let again = workspace.apply(patch).unwrap();
    assert_eq!(again.hunks[0].fate, Fate::AlreadyApplied);
    assert_eq!((again.files.len(), again.diff.as_str()), (0, ""));
    assert_eq!(workspace.files(), files);
}

#[test]
fn an_equal_copy_at_the_stated_line_is_the_one_that_is_meant() {
    let copy = "fn f() {\n    work();\n}\n";
    let workspace = Workspace::new(&[("f", &copy.repeat(3))]);
    workspace
        .apply("--- a/f\n+++ b/f\n@@ -4,3 +4,3 @@\n fn f() {\n-    work();\n+    rest();\n }\n")
        .unwrap();
    assert_eq!(workspace.text("f"), format!("{copy}{}{copy}", copy.replace("work", "rest")));
}

#[test]
fn the_enclosing_line_after_the_numbers_chooses_between_equal_places() {
    let file = "fn a() {\n    start();\n    work();\n}\n\nfn b() {\n    start();\n    work();\n}\n";
    let workspace = Workspace::new(&[("f", file)]);
    workspace
        .apply("--- a/f\n+++ b/f\n@@ -90,2 +90,2 @@ fn b() {\n     start();\n-    work();\n+    rest();\n")
        .unwrap();
    assert_eq!(workspace.text("f").matches("rest").count(), 1);
    assert!(workspace.text("f").ends_with("fn b() {\n    start();\n    rest();\n}\n"));
}

#[test]
fn names_with_quotes_tabs_and_blanks_survive_patch_and_diff() {
    let name = "t\tab \"q\" ü.txt";
    let workspace = Workspace::new(&[(name, "a\n")]);
    let quoted = r#"t\tab \"q\" \303\274.txt"#;
    let patch = format!(
        "diff --git \"a/{quoted}\" \"b/{quoted}\"\n--- \"a/{quoted}\"\n+++ \"b/{quoted}\"\n@@ -1 +1 @@\n-a\n+b\n"
    );
    let applied = workspace.apply(&patch).unwrap();
    assert_eq!(workspace.text(name), "b\n");
    workspace.apply(&applied.inverse).unwrap();
    assert_eq!(workspace.text(name), "a\n");
}

#[test]
fn writing_a_whole_file_is_a_change_with_diff_and_inverse() {
    let workspace = Workspace::new(&[("a.txt", "one\ntwo\n")]);
    let change = write_file(&workspace.root, &path("a.txt"), "one\n2\n").unwrap();
    let applied = change.apply(&workspace.root).unwrap();
    assert_eq!(workspace.text("a.txt"), "one\n2\n");
    assert!(applied.diff.contains("-two\n+2\n"));
    workspace.apply(&applied.inverse).unwrap();
    assert_eq!(workspace.text("a.txt"), "one\ntwo\n");

    let created =
        write_file(&workspace.root, &path("deep/er/b.txt"), "new").unwrap().apply(&workspace.root).unwrap();
    assert_eq!(workspace.text("deep/er/b.txt"), "new");
    workspace.apply(&created.inverse).unwrap();
    assert!(!workspace.path().join("deep/er/b.txt").exists());
}

#[test]
fn a_second_hunk_may_share_context_with_the_first() {
    let workspace = Workspace::new(&[("f", "a1\nb1\nc1\nd1\ne1\n")]);
    workspace.apply("--- a/f\n+++ b/f\n@@ @@\n a1\n-b1\n+B\n c1\n@@ @@\n c1\n-d1\n+D\n e1\n").unwrap();
    assert_eq!(workspace.text("f"), "a1\nB\nc1\nD\ne1\n");
}

#[test]
fn added_lines_after_which_the_old_context_still_stands_whole_are_not_added_twice() {
    // The added function ends as the context before it does, so the hunk's old lines are there again.
    let before = "fn one() {\n    first();\n}\n\nfn last() {}\n";
    let patch = "--- a/f\n+++ b/f\n@@ -2,4 +2,8 @@\n     first();\n }\n \n+fn two() {\n+    first();\n+}\n+\n fn last() {}\n";
    let at_end = "--- a/f\n+++ b/f\n@@ -5 +5,2 @@\n fn last() {}\n+fn after_the_last() {}\n";
    let at_start = "--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@\n+use something::new;\n fn one() {\n     first();\n";
    for patch in [patch, at_end, at_start] {
        for numbers in [true, false] {
            let header = patch.lines().find(|line| line.starts_with("@@")).unwrap();
            let patch = if numbers { patch.to_owned() } else { patch.replace(header, "@@ ... @@") };
            let workspace = Workspace::new(&[("f", before)]);
            workspace.apply(&patch).unwrap();
            let files = workspace.files();
            let again = workspace.apply(&patch).unwrap();
            assert_eq!(again.hunks[0].fate, Fate::AlreadyApplied, "{patch}");
            assert_eq!(workspace.files(), files, "{patch}");
        }
    }
}

#[test]
fn lines_to_delete_that_are_still_there_are_not_taken_for_deleted() {
    // What surrounds the deleted function stands together also while the function is there: at its end.
    let file = "mod a {\n    // changed meanwhile\n}\n\nfn gone() {\n    remove_me();\n}\n\nmod telling_name {\n    b();\n}\n";
    let workspace = Workspace::new(&[("f", file)]);
    workspace
        .apply("--- a/f\n+++ b/f\n@@ -2,9 +2,5 @@\n     // as it was\n }\n \n-fn gone() {\n-    remove_me();\n-}\n-\n mod telling_name {\n     b();\n")
        .unwrap();
    assert_eq!(workspace.text("f"), file.replace("fn gone() {\n    remove_me();\n}\n\n", ""));
}
