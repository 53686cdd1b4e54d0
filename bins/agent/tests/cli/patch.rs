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

/// The answers of the filter to some lines.
fn filtered(input: &str) -> Vec<serde_json::Value> {
    let ended = Workplace::new().agent_with_input(&["patch", "filter"], input).with_code(0);
    ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_filter_patches_each_text_in_memory_and_answers_in_order() {
    let request = |id: &str, before: serde_json::Value, diff: &str| {
        serde_json::json!({"id": id, "path": "greeting.txt", "before": before, "diff": diff}).to_string()
    };
    let created = "--- /dev/null\n+++ b/greeting.txt\n@@ -0,0 +1 @@\n+new\n";
    let deleted = "*** Begin Patch\n*** Delete File: greeting.txt\n*** End Patch\n";
    let lines = [
        request("changed", "hello\nworld\n".into(), GOOD),
        request("refused", "something else\n".into(), GOOD),
        request("created", serde_json::Value::Null, created),
        request("deleted", "hello\n".into(), deleted),
        request("other", "hello\n".into(), HALF_GOOD),
    ];
    let answers = filtered(&lines.join("\n"));
    let ids: Vec<&str> = answers.iter().map(|answer| answer["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["changed", "refused", "created", "deleted", "other"]);
    assert_eq!(answers[0]["after"], "hello\nreader\n");
    assert_eq!((&answers[1]["ok"], answers[1].get("after")), (&false.into(), None));
    assert!(answers[1]["error"].as_str().unwrap().contains("not in the file"), "{}", answers[1]);
    assert_eq!(answers[2]["after"], "new\n");
    assert_eq!((&answers[3]["ok"], answers[3].get("after")), (&true.into(), Some(&serde_json::Value::Null)));
    assert!(answers[4]["error"].as_str().unwrap().contains("other.txt"), "{}", answers[4]);
    assert!(
        answers.iter().all(|answer| answer["ms"].is_f64() && answer.get("error").is_some() != answer["ok"])
    );
}

#[test]
fn the_filter_answers_lines_it_cannot_understand_and_goes_on() {
    let good = serde_json::json!({"id": 7, "path": "greeting.txt", "before": "hello\nworld\n", "diff": GOOD});
    let forgotten = serde_json::json!({"id": 8, "path": "greeting.txt", "diff": GOOD});
    let outside = serde_json::json!({"id": 9, "path": "../x", "before": "", "diff": GOOD});
    let answers = filtered(&format!("no json\n\n{forgotten}\n{outside}\n[1]\n{good}\n"));
    let ids: Vec<String> = answers.iter().map(|answer| answer["id"].to_string()).collect();
    assert_eq!(ids, ["null", "8", "9", "null", "7"]);
    assert!(answers[..4].iter().all(|answer| answer["ok"] == false && answer["error"].is_string()));
    assert!(answers[1]["error"].as_str().unwrap().contains("before"), "{}", answers[1]);
    assert_eq!(answers[4]["after"], "hello\nreader\n");
}

#[test]
fn what_was_applied_is_listed_shown_and_taken_back_with_later_edits_kept() {
    let place = Workplace::with_repository();
    place.write("greeting.txt", "hello\nworld\nthe\nlast\nline\n");
    let patch = place.beside("fix.patch", GOOD);
    assert_eq!(place.agent(&["patch", "apply", &patch, "--json"]).with_code(0).json()["id"], 1);
    place.write("greeting.txt", "hello\nreader\nthe\nlast\nline, edited since\n");

    let log = place.agent(&["patch", "log", "--json"]).with_code(0).json();
    assert_eq!(
        (&log["total"], &log["applications"][0]["files"][0]["path"]),
        (&1.into(), &"greeting.txt".into())
    );
    let shown = place.agent(&["patch", "show", "1"]).with_code(0).stdout;
    assert!(shown.contains("-world") && shown.contains("+reader"), "{shown}");

    let planned = place.agent(&["patch", "undo", "--dry-run"]).with_code(0).stdout;
    assert!(planned.contains("+world"), "{planned}");
    assert_eq!(place.read("greeting.txt"), "hello\nreader\nthe\nlast\nline, edited since\n");
    place.agent(&["patch", "undo"]).with_code(0);
    assert_eq!(place.read("greeting.txt"), "hello\nworld\nthe\nlast\nline, edited since\n");
    let log = place.agent(&["patch", "log"]).with_code(0).stdout;
    assert!(log.contains("undone by 2") && log.contains("undoes 1"), "{log}");
    let refused = place.agent(&["patch", "undo"]).with_code(2).stderr;
    assert!(refused.contains("still holds"), "{refused}");
}

#[test]
fn an_undo_that_would_lose_a_later_edit_changes_nothing_and_shows_it() {
    let place = Workplace::with_repository();
    let patch = place.beside("fix.patch", GOOD);
    place.agent(&["patch", "apply", &patch]).with_code(0);
    place.write("greeting.txt", "hello\nwriter\n");
    let report = place.agent(&["patch", "undo", "1", "--json"]).with_code(1).json();
    assert_eq!((&report["ok"], &report["changed"]), (&false.into(), &false.into()));
    assert_eq!(report["files"][0]["regions"][0]["ours"], "writer\n");
    assert_eq!(place.read("greeting.txt"), "hello\nwriter\n");
    let missing = place.agent(&["patch", "undo", "7"]).with_code(2).stderr;
    assert!(missing.contains("no application 7"), "{missing}");
}
