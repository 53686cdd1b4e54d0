use crate::fixture::Workplace;

const GOOD: &str = "--- a/greeting.txt\n+++ b/greeting.txt\n@@ -1,2 +1,2 @@\n hello\n-world\n+reader\n";
const HALF_GOOD: &str = "\
--- a/greeting.txt
+++ b/greeting.txt
@@ -1,2 +1,2 @@
 hello
-world
+reader
--- a/other.txt
+++ b/other.txt
@@ -1 +1 @@
-nothing of the kind
+anything
";

#[test]
fn checking_says_that_a_patch_fits_and_changes_nothing() {
    let place = Workplace::with_repository();
    let patch = place.beside("fix.patch", GOOD);
    let ended = place.agent(&["patch", "check", &patch]).with_code(0);
    assert!(
        ended.stdout.contains("fits at line 1") && ended.stdout.contains("would change"),
        "{}",
        ended.stdout
    );
    assert_eq!(place.read("greeting.txt"), "hello\nworld\n");
}

#[test]
fn applying_changes_every_file_and_reports_each_hunk() {
    let place = Workplace::with_repository();
    let patch = place.beside("fix.patch", GOOD);
    let report = place.agent(&["patch", "apply", &patch, "--json"]).with_code(0).json();
    assert_eq!(place.read("greeting.txt"), "hello\nreader\n");
    assert_eq!((&report["ok"], &report["changed"]), (&true.into(), &true.into()));
    assert_eq!(report["hunks"][0]["fate"], "applied");
    assert_eq!(report["files"][0]["path"], "greeting.txt");
}

#[test]
fn a_patch_comes_from_standard_input_and_goes_to_another_repository() {
    let place = Workplace::with_repository();
    let repository = place.repository().display().to_string();
    place.agent_with_input(&["patch", "apply", "-", "--repo", &repository], GOOD).with_code(0);
    assert_eq!(place.read("greeting.txt"), "hello\nreader\n");
}

#[test]
fn a_patch_that_fits_in_part_changes_nothing_at_all() {
    let place = Workplace::with_repository();
    place.write("other.txt", "something else\n");
    let patch = place.beside("fix.patch", HALF_GOOD);
    for action in ["check", "apply"] {
        let report = place.agent(&["patch", action, &patch, "--json"]).with_code(1).json();
        assert_eq!((&report["ok"], &report["changed"]), (&false.into(), &false.into()));
        let fates: Vec<&str> =
            report["hunks"].as_array().unwrap().iter().map(|hunk| hunk["fate"].as_str().unwrap()).collect();
        assert_eq!(fates, ["applied", "not_found"], "each hunk's own fate");
        assert_eq!(place.read("greeting.txt"), "hello\nworld\n");
    }
    let told = place.agent(&["patch", "apply", &patch]).with_code(1);
    assert!(told.stdout.contains("no file was changed"), "{}", told.stdout);
}

#[test]
fn what_is_no_patch_is_refused_with_advice() {
    let place = Workplace::with_repository();
    let ended = place.agent_with_input(&["patch", "apply", "-"], "please mend it\n").with_code(1);
    assert!(ended.stdout.contains("no patch found"), "{}", ended.stdout);
    let outside = "--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n";
    let report = place.agent_with_input(&["patch", "apply", "-", "--json"], outside).with_code(1).json();
    assert_eq!(report["error"], "path_refused");
    let missing = place.agent(&["patch", "apply", "nowhere.patch"]).with_code(2);
    assert!(missing.stderr.contains("nowhere.patch"), "{}", missing.stderr);
}
