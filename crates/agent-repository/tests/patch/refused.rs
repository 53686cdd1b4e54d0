use agent_repository::Error;
use agent_repository::patch::{Fate, LARGEST_PATCH, PatchSet, plan_changes};

use crate::workspace::{Workspace, path};

fn unified(hunks: &str) -> String {
    format!("--- a/f\n+++ b/f\n{hunks}")
}

#[test]
fn a_hunk_that_fits_two_places_is_ambiguous_and_names_both() {
    let workspace = Workspace::new(&[("f", "x = 1\ny\nx = 1\nz\n")]);
    for patch in [
        unified("@@ ... @@\n-x = 1\n+x = 2\n"),
        unified("@@ -2 +2 @@\n-x = 1\n+x = 2\n"),
        "*** Begin Patch\n*** Update File: f\n@@\n-x = 1\n+x = 2\n*** End Patch\n".to_owned(),
        "f\n<<<<<<< SEARCH\nx = 1\n=======\nx = 2\n>>>>>>> REPLACE\n".to_owned(),
    ] {
        let rejected = workspace.refusal(&patch);
        assert_eq!(rejected.hunks[0].fate, Fate::Ambiguous);
        assert_eq!(rejected.hunks[0].candidates, [1, 3]);
        assert!(rejected.to_string().contains("lines 1, 3"), "{rejected}");
    }
}

#[test]
fn a_hunk_that_fits_nowhere_shows_the_nearest_text_and_how_alike_it_is() {
    let workspace = Workspace::new(&[("f", "first\nlet total = sum(items, tax);\nlast\n")]);
    let rejected =
        workspace.refusal(&unified("@@ -1,2 +1,2 @@\n-let total = sum(items);\n+let total = 0;\n last\n"));
    let report = &rejected.hunks[0];
    let nearest = report.nearest.as_ref().unwrap();
    assert_eq!((report.fate, nearest.line), (Fate::NotFound, 2));
    assert!(nearest.similarity > 0.7 && nearest.similarity < 1.0);
    assert_eq!(nearest.actual, "let total = sum(items, tax);\nlast\n");
    let text = rejected.to_string();
    assert!(text.contains("f, hunk 1") && text.contains("| let total = sum(items, tax);"), "{text}");
}

#[test]
fn when_the_third_hunk_fails_all_fates_are_told_and_no_file_changes() {
    let workspace = Workspace::new(&[("a", "one\n"), ("b", "two\n"), ("c", "three\n")]);
    let patch = "*** Begin Patch\n*** Update File: a\n@@\n-one\n+1\n*** Update File: b\n@@\n-two\n+2\n\
                 *** Update File: c\n@@\n-tree house\n+3\n*** Add File: d\n+4\n*** End Patch\n";
    let rejected = workspace.refusal(patch);
    let fates: Vec<Fate> = rejected.hunks.iter().map(|hunk| hunk.fate).collect();
    assert_eq!(fates, [Fate::Applied, Fate::Applied, Fate::NotFound]);
    let json = serde_json::to_value(&rejected).unwrap();
    assert_eq!(json["hunks"][2]["fate"], "not_found");
}

#[test]
fn an_exact_copy_elsewhere_does_not_win_over_a_looser_match_at_the_stated_line() {
    let workspace = Workspace::new(&[("f", "keep\nvalue = 10  \nkeep\n\nkeep\nvalue = 10\nkeep\n")]);
    let rejected = workspace.refusal(&unified("@@ -1,3 +1,3 @@\n keep\n-value = 10\n+value = 20\n keep\n"));
    assert_eq!(rejected.hunks[0].candidates, [1, 5]);
}

#[test]
fn hunks_against_the_order_of_the_file_are_refused_with_the_reason() {
    let workspace = Workspace::new(&[("f", "alpha\nbeta\ngamma\n")]);
    let rejected = workspace.refusal(&unified("@@ @@\n-gamma\n+G\n@@ @@\n-alpha\n+A\n"));
    assert_eq!(rejected.hunks[1].fate, Fate::NotFound);
    assert!(rejected.to_string().contains("order of the file"), "{rejected}");
}

#[test]
fn lines_that_are_only_added_need_something_to_hold_on_to() {
    let workspace = Workspace::new(&[("f", "a\nb\n")]);
    workspace.refusal(&unified("@@ -1,0 +2 @@\n+new\n"));
    workspace.refusal("*** Begin Patch\n*** Update File: f\n@@\n+new\n*** End Patch\n");
    workspace.refusal("*** Begin Patch\n*** Update File: f\n@@ class Absent\n+new\n*** End Patch\n");
    workspace.refusal("f\n<<<<<<< SEARCH\n=======\nnew\n>>>>>>> REPLACE\n");
}

#[test]
fn a_deletion_that_removes_nothing_but_a_neighbour_is_not_taken_for_done() {
    let workspace = Workspace::new(&[("f", "fn setup() {\n    other();\n}\n")]);
    let rejected = workspace.refusal(&unified("@@ -1,2 +1 @@\n fn setup() {\n-    prepare_everything();\n"));
    assert_eq!(rejected.hunks[0].fate, Fate::NotFound);
}

#[test]
fn an_indentation_that_differs_unevenly_is_refused() {
    let workspace = Workspace::new(&[("f", "  if ready:\n      start_now()\n")]);
    workspace.refusal(&unified("@@ @@\n if ready:\n-  start_now()\n+    if slow:\n+        start_now()\n"));
}

#[test]
fn lines_indented_already_are_not_indented_again() {
    let workspace = Workspace::new(&[("f", "    start_the_engine()\n")]);
    let applied = workspace.apply(&unified("@@ @@\n-start_the_engine()\n+    start_the_engine()\n"));
    assert!(applied.is_err() || workspace.text("f") == "    start_the_engine()\n");
}

#[test]
fn context_may_not_be_stale_in_the_greater_part_nor_a_removed_line_at_all() {
    let file = "a one\nb two\nc three\nd four\ne five\n";
    let workspace = Workspace::new(&[("f", file)]);
    workspace.refusal(&unified("@@ @@\n x\n y\n-c three\n+C\n z\n e five\n"));
    workspace.refusal(&unified("@@ @@\n a one\n b two\n-c thre\n+C\n d four\n e five\n"));
}

#[test]
fn an_insertion_with_stale_context_that_is_there_already_is_not_doubled() {
    let workspace = Workspace::new(&[("f", "use alpha;\nuse beta;\nuse gamma;\nuse omega;\n")]);
    workspace.refusal(&unified("@@ @@\n use alpha;\n+use beta;\n use gamma;\n use delta;\n"));
    workspace.refusal(&unified("@@ @@\n use other;\n+use beta;\n use gamma;\n use omega;\n"));
}

#[test]
fn creating_over_a_file_and_moving_onto_one_are_refused() {
    let workspace = Workspace::new(&[("a", "a\n"), ("b", "b\n")]);
    let rejected = workspace.refusal("*** Begin Patch\n*** Add File: a\n+other\n*** End Patch\n");
    assert_eq!(rejected.files[0].problem, "already_exists");
    let rejected = workspace.refusal("*** Begin Patch\n*** Update File: a\n*** Move to: b\n*** End Patch\n");
    assert_eq!(rejected.files[0].problem, "already_exists");
    let rejected = workspace.refusal("*** Begin Patch\n*** Add File: a/b\n+other\n*** End Patch\n");
    assert_eq!(rejected.files[0].problem, "not_a_file");
    let rejected =
        workspace.refusal("*** Begin Patch\n*** Add File: n\n+x\n*** Add File: n/m\n+x\n*** End Patch\n");
    assert_eq!(rejected.files[0].problem, "not_a_file");
}

#[test]
fn files_that_are_missing_are_named() {
    let workspace = Workspace::new(&[]);
    let rejected = workspace.refusal(&unified("@@ -1 +1 @@\n-a\n+b\n"));
    assert_eq!((rejected.files[0].path.as_str(), rejected.files[0].problem.as_str()), ("f", "not_found"));
    assert_eq!(rejected.hunks[0].fate, Fate::Blocked);
}

#[test]
fn a_deletion_must_show_the_file_as_it_is() {
    let workspace = Workspace::new(&[("f", "one\ntwo\n")]);
    workspace.refusal(
        "diff --git a/f b/f\ndeleted file mode 100644\n--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n",
    );
    workspace.refusal("diff --git a/f b/f\ndeleted file mode 100644\n");
}

#[test]
fn content_that_is_not_text_cannot_be_changed_or_deleted_but_renamed() {
    let workspace = Workspace::new(&[]);
    let bytes = [0_u8, 159, 146, 150];
    std::fs::write(workspace.path().join("f"), bytes).unwrap();
    assert_eq!(workspace.refusal(&unified("@@ -1 +1 @@\n-a\n+b\n")).files[0].problem, "not_text");
    workspace.refusal("*** Begin Patch\n*** Delete File: f\n*** End Patch\n");
    workspace.apply("*** Begin Patch\n*** Update File: f\n*** Move to: g\n*** End Patch\n").unwrap();
    assert_eq!(std::fs::read(workspace.path().join("g")).unwrap(), bytes);
}

#[test]
fn a_file_that_changed_after_planning_is_a_conflict() {
    let workspace = Workspace::new(&[("f", "one\n"), ("g", "two\n")]);
    let patch = "*** Begin Patch\n*** Update File: f\n@@\n-one\n+1\n*** Update File: g\n@@\n-two\n+2\n*** End Patch\n";
    let first = plan_changes(&workspace.root, &PatchSet::parse(patch).unwrap()).unwrap();
    let second = plan_changes(&workspace.root, &PatchSet::parse(patch).unwrap()).unwrap();
    first.apply(&workspace.root).unwrap();
    let lost = second.apply(&workspace.root);
    assert!(matches!(lost, Err(Error::Conflict { .. })), "{lost:?}");
    assert_eq!((workspace.text("f"), workspace.text("g")), ("1\n".to_owned(), "2\n".to_owned()));
}

#[test]
fn of_two_writers_at_once_exactly_one_wins() {
    let workspace = Workspace::new(&[("f", "one\n")]);
    let outcomes: Vec<bool> = std::thread::scope(|scope| {
        let plans: Vec<_> = (0..8)
            .map(|n| {
                let patch = unified(&format!("@@ -1 +1 @@\n-one\n+writer {n}\n"));
                plan_changes(&workspace.root, &PatchSet::parse(&patch).unwrap()).unwrap()
            })
            .collect();
        let root = &workspace.root;
        let threads: Vec<_> =
            plans.into_iter().map(|plan| scope.spawn(move || plan.apply(root).is_ok())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|won| **won).count(), 1, "{outcomes:?}");
    let winner = outcomes.iter().position(|won| *won).unwrap();
    assert_eq!(workspace.text("f"), format!("writer {winner}\n"));
}

#[test]
fn what_cannot_be_understood_is_refused_with_line_and_advice() {
    let cases = [
        ("just prose", "no patch found"),
        ("@@ -1 +1 @@\n-a\n+b\n", "names no file"),
        ("*** Begin Patch\n*** Update File: f\n@@\n-a\n+b\n", "cut off"),
        ("*** Begin Patch\n*** Update File: f\n@@\n-a\nb\n*** End Patch\n", "must start with"),
        ("*** Begin Patch\n*** Rename File: f\n*** End Patch\n", "not understood"),
        ("f\n<<<<<<< SEARCH\na\n=======\nb\n", "cut off"),
        ("f\n<<<<<<< SEARCH\na\n=======\nb\n=======\nc\n>>>>>>> REPLACE\n", "second `=======`"),
        ("<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n", "names no file"),
        ("diff --git a/f b/f\nindex 1..2 100644\nGIT binary patch\nliteral 3\n", "binary"),
        ("diff --git a/f b/f\nBinary files a/f and b/f differ\n", "binary"),
        ("diff --git a/f b/g\ncopy from f\ncopy to g\n", "copies"),
        (
            "diff --git a/f b/f\nnew file mode 120000\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+/etc/passwd\n",
            "120000",
        ),
        ("diff --git a/f b/f\nnew file mode 160000\n--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+x\n", "160000"),
        ("diff --git a/f b/f\nold mode 100644\nnew mode 010644\n", "not that of a regular file"),
        ("diff --git a/f b/f\nindex 1..2 120000\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n", "120000"),
        ("--- a/f\n+++ b/g\n@@ -1 +1 @@\n-a\n+b\n", "two files"),
    ];
    for (patch, advice) in cases {
        match PatchSet::parse(patch) {
            Err(Error::Parse(error)) => assert!(error.to_string().contains(advice), "{patch:?}: {error}"),
            other => panic!("{patch:?}: {other:?}"),
        }
    }
}

#[test]
fn patches_beyond_the_limits_are_refused_at_once() {
    let large = "x".repeat(LARGEST_PATCH + 1);
    assert!(matches!(PatchSet::parse(&large), Err(Error::PatchTooLarge { .. })));
    let many = unified(&"@@ -1 +1 @@\n-a\n+b\n".repeat(10_001));
    assert!(matches!(PatchSet::parse(&many), Err(Error::TooManyHunks { .. })));
}

#[test]
fn a_patch_made_to_cost_time_ends_with_a_refusal() {
    let line = "        let repeated = value;\n";
    let workspace = Workspace::new(&[("f", &line.repeat(100_000))]);
    let hunk = format!("@@ @@\n{}-    let repeated = valu;\n+x\n", " let repeated = value;\n".repeat(50));
    let rejected = workspace.refusal(&unified(&hunk.repeat(200)));
    assert_eq!(rejected.hunks.len(), 200);
}

#[test]
fn git_attributes_may_change_but_attach_no_programs() {
    let workspace = Workspace::new(&[(".gitattributes", "*.png binary\n")]);
    workspace.apply("*** Begin Patch\n*** Update File: .gitattributes\n@@\n *.png binary\n+*.jpg binary\n*** End Patch\n").unwrap();
    let rejected = workspace.refusal(
        "*** Begin Patch\n*** Update File: .gitattributes\n@@\n *.png binary\n+*.c filter=evil\n*** End Patch\n",
    );
    assert_eq!(rejected.files[0].path, path(".gitattributes"));
}

#[test]
fn with_stale_context_another_place_that_agrees_almost_as_well_casts_doubt() {
    let block =
        |name: &str| format!("fn {name}() {{\n    prepare();\n    work_on_it();\n    finish();\n}}\n");
    let workspace = Workspace::new(&[("f", &(block("one") + &block("two")))]);
    let hunk = " fn three() {\n     prepare();\n-    work_on_it();\n+    rest();\n     finish();\n }\n";
    let rejected = workspace.refusal(&unified(&format!("@@ ... @@\n{hunk}")));
    assert_eq!(
        (rejected.hunks[0].fate, rejected.hunks[0].candidates.as_slice()),
        (Fate::Ambiguous, [1, 6].as_slice())
    );
}

#[test]
fn lines_added_at_the_end_do_not_go_elsewhere_because_the_end_is_stale() {
    let workspace = Workspace::new(&[(
        "f",
        "    check(a);\n    done();\n}\nother\n    check(b);\n    done();\n} // end\n",
    )]);
    workspace.refusal(&unified("@@ -5,3 +5,4 @@\n     check(a);\n     done();\n }\n+fn more() {}\n"));
}
