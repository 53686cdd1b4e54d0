//! Right patches land, in every format and in several languages, and the repository's own tests prove it.

use crate::fixture::{Fitting, Repository, Workshop, call, calls, finish, patch};
use agent_llm::Turn;
use serde_json::json;

/// Reads nothing, applies a patch and says that it is done.
fn at_once(text: &str) -> Vec<Turn> {
    vec![patch(text), finish()]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unified_diff_mends_a_python_module_and_its_unittests_pass() {
    let repository = Repository::of(&[
        ("intervals.py", "def overlap(a, b):\n    return a[0] < b[1] or b[0] < a[1]\n"),
        (
            "tests/test_intervals.py",
            "import unittest\nfrom intervals import overlap\n\n\nclass Overlap(unittest.TestCase):\n    def test_apart(self):\n        self.assertFalse(overlap((1, 2), (3, 4)))\n\n    def test_within(self):\n        self.assertTrue(overlap((1, 9), (3, 4)))\n",
        ),
    ]);
    let turns = vec![
        calls([
            ("list_files", json!({})),
            ("search", json!({"pattern": "def overlap", "glob": "*.py"})),
            ("outline", json!({"path": "intervals.py"})),
            ("read_file", json!({"path": "intervals.py"})),
        ]),
        patch(
            "--- a/intervals.py\n+++ b/intervals.py\n@@ -1,2 +1,2 @@\n def overlap(a, b):\n-    return a[0] < b[1] or b[0] < a[1]\n+    return a[0] < b[1] and b[0] < a[1]\n",
        ),
        finish(),
    ];
    let workshop = Workshop::open(repository, turns).await;
    let done = workshop.task("Mend overlap", "python3 -m unittest tests/test_intervals.py").await;
    assert_eq!(done.result(1)["verified"]["exit_code"], 0);
    assert_eq!(
        workshop.repository.read("intervals.py"),
        "def overlap(a, b):\n    return a[0] < b[1] and b[0] < a[1]\n"
    );
    assert_eq!(workshop.repository.changes(), [" M intervals.py"]);
    let answers = workshop.model.answers();
    for (answer, what) in
        answers.iter().zip(["tests/test_intervals.py", "\"line\":1", "1-2: def overlap(a, b)", " or "])
    {
        assert!(answer.contains(what), "{what}: {answer}");
    }
    let diff = workshop.agent.plans().diff(&workshop.me, done.id()).await.unwrap();
    assert!(diff.contains("+    return a[0] < b[1] and b[0] < a[1]"), "{diff}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_mends_a_node_module_and_its_own_tests_pass() {
    let repository = Repository::of(&[
        ("package.json", "{\"name\": \"slug\", \"type\": \"module\"}\n"),
        ("slug.js", "export function slug(title) {\n  return title.toLowerCase().replace(' ', '-');\n}\n"),
        (
            "slug.test.js",
            "import test from 'node:test';\nimport assert from 'node:assert';\nimport { slug } from './slug.js';\n\ntest('every blank becomes a dash', () => {\n  assert.equal(slug('A Tale of Two'), 'a-tale-of-two');\n});\n",
        ),
    ]);
    let turns = at_once(
        "*** Begin Patch\n*** Update File: slug.js\n@@ export function slug(title) {\n-  return title.toLowerCase().replace(' ', '-');\n+  return title.toLowerCase().replaceAll(' ', '-');\n*** End Patch\n",
    );
    let workshop = Workshop::open(repository, turns).await;
    let done = workshop.task("Replace every blank", "node --test").await;
    assert_eq!(done.result(1)["verified"]["command"], "node --test");
    assert!(workshop.repository.read("slug.js").contains("replaceAll"));
    assert_eq!(workshop.repository.changes(), [" M slug.js"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn search_and_replace_blocks_mend_a_c_program_and_make_check_passes() {
    let makefile = "build/check: check.c clamp.c clamp.h\n\tmkdir -p build\n\tgcc -Wall -Werror -o $@ check.c clamp.c\n\ncheck: build/check\n\t./build/check\n\n.PHONY: check\n";
    let repository = Repository::of(&[
        ("Makefile", makefile),
        ("clamp.h", "int clamp(int value, int low, int high);\n"),
        (
            "clamp.c",
            "#include \"clamp.h\"\n\nint clamp(int value, int low, int high) {\n    if (value < low) return low;\n    if (value < high) return high;\n    return value;\n}\n",
        ),
        (
            "check.c",
            "#include <assert.h>\n#include \"clamp.h\"\n\nint main(void) {\n    assert(clamp(5, 0, 10) == 5);\n    assert(clamp(-1, 0, 10) == 0);\n    assert(clamp(11, 0, 10) == 10);\n    return 0;\n}\n",
        ),
    ]);
    let turns = at_once(
        "clamp.c\n```c\n<<<<<<< SEARCH\n    if (value < high) return high;\n=======\n    if (value > high) return high;\n>>>>>>> REPLACE\n```\n",
    );
    let workshop = Workshop::open(repository, turns).await;
    workshop.task("Mend clamp", "make check").await.assert_completed();
    assert!(workshop.repository.read("clamp.c").contains("    if (value > high) return high;\n"));
    assert_eq!(workshop.repository.changes(), [" M clamp.c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rust_crate_is_mended_and_cargo_test_passes_without_network() {
    let repository = Repository::of(&[
        (
            "Cargo.toml",
            "[package]\nname = \"leap\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n",
        ),
        ("Cargo.lock", "version = 4\n\n[[package]]\nname = \"leap\"\nversion = \"0.1.0\"\n"),
        (
            "src/lib.rs",
            "pub fn is_leap(year: u32) -> bool {\n    year % 4 == 0\n}\n\n#[test]\nfn centuries_leap_only_every_fourth_time() {\n    assert!(is_leap(2000) && is_leap(2024));\n    assert!(!is_leap(1900) && !is_leap(2023));\n}\n",
        ),
    ]);
    let turns = at_once(
        "--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -1,3 +1,3 @@\n pub fn is_leap(year: u32) -> bool {\n-    year % 4 == 0\n+    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)\n }\n",
    );
    let workshop = Workshop::open(repository, turns).await;
    workshop.task("Mend is_leap", "cargo test --offline --locked --lib").await.assert_completed();
    assert_eq!(workshop.repository.changes(), [" M src/lib.rs"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_patch_makes_changes_renames_and_deletes_files() {
    let repository = Repository::of(&[
        ("greet.sh", "#!/bin/sh\n. ./words.sh\necho \"$GREETING\"\n"),
        ("words.sh", "GREETING=Hello\n"),
        ("unused.sh", "echo never\n"),
        ("README.md", "# Greeter\n\nRun `greet.sh`.\n"),
    ]);
    let turns = at_once(concat!(
        "*** Begin Patch\n",
        "*** Add File: lib/names.sh\n+NAME=World\n",
        "*** Update File: words.sh\n*** Move to: lib/words.sh\n@@\n-GREETING=Hello\n+GREETING=Welcome\n",
        "*** Update File: greet.sh\n@@\n-. ./words.sh\n-echo \"$GREETING\"\n+. ./lib/words.sh\n+. ./lib/names.sh\n+echo \"$GREETING, $NAME\"\n",
        "*** Delete File: unused.sh\n",
        "*** End Patch\n"
    ));
    let workshop = Workshop::open(repository, turns).await;
    let check = "test \"$(sh greet.sh)\" = 'Welcome, World'";
    workshop.task("Move the words to lib", check).await.assert_completed();
    let expected = [" M greet.sh", " D unused.sh", " D words.sh", "?? lib/names.sh", "?? lib/words.sh"];
    assert_eq!(workshop.repository.changes(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_diff_with_wrong_line_numbers_and_blanks_lands_where_its_lines_stand() {
    let list = "import json\n\n\ndef load(path):\n    with open(path) as file:\n        return json.load(file)\n\n\ndef names(path):  \n    return [entry['name'] for entry in load(path)]\n";
    let repository = Repository::of(&[
        ("people.py", list),
        ("people.json", "[{\"name\": \"Grace\"}, {\"name\": \"Ada\"}]\n"),
    ]);
    // The model counted wrong (40), stated wrong lengths, and left out the blanks at the end of a line.
    let turns = at_once(
        "```diff\n--- a/people.py\n+++ b/people.py\n@@ -40,7 +40,9 @@\n def names(path):\n-    return [entry['name'] for entry in load(path)]\n+    return sorted(entry['name'] for entry in load(path))\n```\n",
    );
    let workshop = Workshop::open(repository, turns).await;
    let check = "python3 -c \"import people; assert people.names('people.json') == ['Ada', 'Grace']\"";
    workshop.task("Sort the names", check).await.assert_completed();
    let expected = list
        .replace("[entry['name'] for entry in load(path)]", "sorted(entry['name'] for entry in load(path))");
    assert_eq!(workshop.repository.read("people.py"), expected, "the file's own blanks stay");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_with_line_ends_of_windows_keeps_them() {
    let repository = Repository::of(&[("settings.yaml", "name: shop\r\nport: 80\r\ndebug: true\r\n")]);
    let turns =
        at_once("settings.yaml\n<<<<<<< SEARCH\ndebug: true\n=======\ndebug: false\n>>>>>>> REPLACE\n");
    let workshop = Workshop::open(repository, turns).await;
    workshop.task("Turn debugging off", "grep -q 'debug: false' settings.yaml").await.assert_completed();
    assert_eq!(workshop.repository.read("settings.yaml"), "name: shop\r\nport: 80\r\ndebug: false\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_files_are_written_whole_and_read_by_the_programs_they_are_for() {
    let repository = Repository::of(&[("README.md", "# Menu\n")]);
    let turns = vec![
        call(
            "write_file",
            json!({"path": "data/menu.json", "content": "{\"soup\": 4.5, \"crème brûlée\": 6}\n"}),
        ),
        calls([
            (
                "write_file",
                json!({"path": "README.md", "content": "# Menu\n\nPrices are in `data/menu.json`.\n"}),
            ),
            ("finish", json!({"summary": "The menu is there."})),
        ]),
    ];
    let workshop = Workshop::open(repository, turns).await;
    let done = workshop.task("Write the menu", "python3 -m json.tool data/menu.json").await;
    assert_eq!(done.result(1)["summary"], "The menu is there.");
    assert_eq!(workshop.repository.changes(), [" M README.md", "?? data/menu.json"]);
    assert!(workshop.repository.read("data/menu.json").contains("crème brûlée"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_already_is_no_reason_to_refuse_a_patch() {
    let repository = Repository::of(&[("limits.py", "SMALLEST = 1\nLARGEST = 10\n")]);
    let both =
        "--- a/limits.py\n+++ b/limits.py\n@@ -1,2 +1,2 @@\n-SMALLEST = 0\n+SMALLEST = 1\n LARGEST = 10\n";
    let turns = vec![patch(both), finish().seeing("\"fate\":\"already_applied\"")];
    let workshop = Workshop::open(repository, turns).await;
    workshop.task("Let the smallest be 1", "grep -qx 'SMALLEST = 1' limits.py").await.assert_completed();
    assert!(workshop.repository.changes().is_empty());
}
