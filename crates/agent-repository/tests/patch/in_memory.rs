use agent_repository::Error;
use agent_repository::patch::apply_to_text;

use crate::workspace::{Workspace, path};

const CHANGE: &str = "--- a/f\n+++ b/f\n@@ -1,2 +1,2 @@\n one\n-two\n+second\n";

#[test]
fn a_text_in_memory_becomes_what_the_file_on_the_disk_becomes() {
    let cases = [
        (Some("one\ntwo\n"), CHANGE),
        (Some("one\r\ntwo\r\n"), CHANGE),
        (Some("one\nsecond\n"), CHANGE),
        (None, "*** Begin Patch\n*** Add File: f\n+a\n*** Update File: f\n@@\n-a\n+b\n*** End Patch\n"),
        (Some("one\n"), "*** Begin Patch\n*** Delete File: f\n*** End Patch\n"),
        (Some("one\n"), "f\n<<<<<<< SEARCH\none\n=======\ntwo\n>>>>>>> REPLACE\n"),
        (Some(""), "diff --git a/f b/f\nold mode 100644\nnew mode 100755\n"),
    ];
    for (before, patch) in cases {
        let files: Vec<_> = before.map(|content| ("f", content)).into_iter().collect();
        let workspace = Workspace::new(&files);
        workspace.apply(patch).unwrap();
        let on_disk = workspace.files().remove("f").map(|(bytes, _)| String::from_utf8(bytes).unwrap());
        assert_eq!(apply_to_text(&path("f"), before, patch).unwrap(), on_disk, "{patch}");
    }
}

#[test]
fn a_renamed_text_is_answered_under_its_new_name() {
    let patch = "*** Begin Patch\n*** Update File: f\n*** Move to: g\n@@\n-one\n+two\n*** End Patch\n";
    assert_eq!(apply_to_text(&path("f"), Some("one\n"), patch).unwrap().as_deref(), Some("two\n"));
}

#[test]
fn what_does_not_fit_a_text_is_refused_as_on_the_disk() {
    let refused = |before, patch: &str| apply_to_text(&path("f"), before, patch).unwrap_err();
    assert!(matches!(refused(Some("other\n"), CHANGE), Error::Rejected(_)));
    assert!(matches!(refused(None, CHANGE), Error::Rejected(_)));
    assert!(matches!(refused(Some("one\n"), "prose"), Error::Parse(_)));
    assert!(matches!(refused(Some("one\ntwo\n"), &CHANGE.replace("/f", "/g")), Error::Request { .. }));
    let git = "--- a/.git/config\n+++ b/.git/config\n@@ -1 +1 @@\n-a\n+b\n";
    let refused = apply_to_text(&path(".git/config"), Some("a\n"), git).unwrap_err();
    assert!(matches!(refused, Error::Rejected(_)), "{refused}");
}
