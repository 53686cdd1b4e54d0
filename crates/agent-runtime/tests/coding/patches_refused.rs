//! Wrong patches are refused with what is needed to correct them, and the model's next turn does.

use crate::fixture::{Fitting, Outcome, Repository, Workshop, call, calls, finish, patch};
use agent_llm::Turn;
use serde_json::json;

/// A module with two places that look alike.
const PRICES: &str = "def net(price):\n    if price < 0:\n        raise ValueError('price')\n    return price\n\n\ndef gross(price):\n    if price < 0:\n        raise ValueError('price')\n    return price * 1.2\n";

fn prices() -> Repository {
    Repository::of(&[("shop/prices.py", PRICES)])
}

/// A workshop in which these turns led to a finished task.
async fn mended(repository: Repository, turns: Vec<Turn>, verify: &str) -> (Workshop, Outcome) {
    let workshop = Workshop::open(repository, turns).await;
    let done = workshop.task("Raise the tax", verify).await;
    done.assert_completed();
    (workshop, done)
}

/// Raises the tax by a patch that fits.
fn right() -> Turn {
    patch(
        "--- a/shop/prices.py\n+++ b/shop/prices.py\n@@ -10 +10 @@\n-    return price * 1.2\n+    return price * 1.25\n",
    )
}

const TAX: &str = "grep -q '1.25' shop/prices.py";

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_against_an_older_text_is_refused_with_the_text_that_is_there() {
    let stale = "--- a/shop/prices.py\n+++ b/shop/prices.py\n@@ -9,2 +9,2 @@\n         raise ValueError('price')\n-    return round(price * 1.2, 1)\n+    return round(price * 1.25, 1)\n";
    let turns = vec![patch(stale), right().seeing("  |     return price * 1.2\n"), finish()];
    let (workshop, done) = mended(prices(), turns, TAX).await;
    let answer = &workshop.model.answers()[0];
    assert!(answer.starts_with("error: The patch was refused and no file was changed"), "{answer}");
    assert!(answer.contains("Nearest is line") && answer.contains("exactly as they stand"), "{answer}");
    assert_eq!(workshop.repository.read("shop/prices.py"), PRICES.replace("1.2", "1.25"));
    let statuses: Vec<_> = workshop
        .steps(&done, 1)
        .await
        .iter()
        .filter(|step| step.intent.name == "apply_patch")
        .map(|step| step.result.as_ref().unwrap().status.as_str())
        .collect();
    assert_eq!(statuses, ["error", "ok"], "both tries are on record");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_of_a_file_that_is_not_there_is_refused_and_the_file_is_found() {
    let elsewhere = "*** Begin Patch\n*** Update File: prices.py\n@@\n-    return price * 1.2\n+    return price * 1.25\n*** End Patch\n";
    let turns = vec![
        patch(elsewhere),
        call("list_files", json!({})).seeing("prices.py does not exist"),
        right().seeing("shop/prices.py"),
        finish(),
    ];
    let (workshop, _) = mended(prices(), turns, TAX).await;
    assert!(!workshop.repository.has("prices.py"));
    assert_eq!(workshop.repository.changes(), [" M shop/prices.py"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_that_fits_two_places_is_refused_until_it_says_which() {
    let ambiguous = "*** Begin Patch\n*** Update File: shop/prices.py\n@@\n     if price < 0:\n-        raise ValueError('price')\n+        raise ValueError('negative price')\n*** End Patch\n";
    let scoped = ambiguous.replace("@@\n", "@@ def gross(price):\n");
    let turns = vec![patch(ambiguous), patch(&scoped).seeing("fits equally well at lines 2, 8"), finish()];
    let check = "test \"$(grep -n negative shop/prices.py | cut -d: -f1)\" = 9";
    let (workshop, _) = mended(prices(), turns, check).await;
    assert!(workshop.model.answers()[0].contains("Add context lines around it"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_hunk_that_does_not_fit_keeps_the_others_from_landing() {
    let half = "--- a/shop/prices.py\n+++ b/shop/prices.py\n@@ -10 +10 @@\n-    return price * 1.2\n+    return price * 1.25\n--- a/shop/rates.py\n+++ b/shop/rates.py\n@@ -1 +1 @@\n-REDUCED = 7\n+REDUCED = 5\n";
    let repository = Repository::of(&[("shop/prices.py", PRICES), ("shop/rates.py", "FULL = 20\n")]);
    let looks = call("run_command", json!({"command": ["git", "status", "--porcelain"]}));
    let turns = vec![patch(half), looks.seeing("1 of 2 hunks"), right().seeing("\"stdout\":\"\""), finish()];
    let (workshop, _) = mended(repository, turns, TAX).await;
    assert_eq!(workshop.repository.changes(), [" M shop/prices.py"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_text_is_neither_shown_nor_patched() {
    let picture: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xfe";
    let repository = Repository::of(&[("shop/prices.py", PRICES.as_bytes()), ("logo.png", picture)]);
    let scribble = "--- a/logo.png\n+++ b/logo.png\n@@ -1 +1 @@\n-PNG\n+GNP\n";
    let turns = vec![
        call("read_file", json!({"path": "logo.png"})),
        patch(scribble).seeing("logo.png is not a text file"),
        call("write_file", json!({"path": "logo.png", "content": "PNG"}))
            .seeing("logo.png is not UTF-8 text"),
        right().seeing("logo.png"),
        finish(),
    ];
    let (workshop, _) = mended(repository, turns, TAX).await;
    assert_eq!(std::fs::read(workshop.repository.path().join("logo.png")).unwrap(), picture);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_outside_of_the_repository_is_written_or_read() {
    let repository = prices();
    std::fs::write(repository.outside().join("diary.txt"), "private\n").unwrap();
    std::os::unix::fs::symlink("..", repository.path().join("up")).unwrap();
    repository.commit();
    let absolute = repository.outside().join("diary.txt").display().to_string();
    let scribble = |path: &str| patch(&format!("--- {path}\n+++ {path}\n@@ -1 +1 @@\n-private\n+public\n"));
    let turns = vec![
        calls([
            ("read_file", json!({"path": "../diary.txt"})),
            ("read_file", json!({"path": absolute})),
            ("read_file", json!({"path": "up/diary.txt"})),
        ]),
        scribble("../diary.txt"),
        scribble("up/diary.txt").seeing("`..` part"),
        calls([
            ("write_file", json!({"path": "../new.txt", "content": "x"})),
            ("write_file", json!({"path": absolute, "content": "x"})),
            ("write_file", json!({"path": "up/new.txt", "content": "x"})),
        ]),
        right(),
        finish(),
    ];
    let (workshop, _) = mended(repository, turns, TAX).await;
    let answers = workshop.model.answers();
    for refused in &answers[..8] {
        assert!(refused.starts_with("error: ") && !refused.contains("private"), "{refused}");
    }
    let outside = workshop.repository.outside();
    assert_eq!(std::fs::read_to_string(outside.join("diary.txt")).unwrap(), "private\n");
    assert!(!outside.join("new.txt").exists());
    assert_eq!(workshop.repository.changes(), [" M shop/prices.py"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_git_is_written_by_no_tool() {
    let repository = prices();
    let config = repository.read(".git/config");
    let hook = "*** Begin Patch\n*** Add File: .git/hooks/post-commit\n+#!/bin/sh\n+echo taken over\n*** End Patch\n";
    let turns = vec![
        patch(hook),
        call("write_file", json!({"path": ".git/config", "content": "[core]\n\tpager = sh\n"}))
            .seeing("it belongs to git itself"),
        call("write_file", json!({"path": ".GIT/config", "content": "x"})).seeing("it belongs to git itself"),
        call("write_file", json!({"path": ".gitattributes", "content": "*.py filter=run\n"}))
            .seeing("it belongs to git itself"),
        call("run_command", json!({"command": ["sh", "-c", "echo '[alias]' >> .git/config"]}))
            .seeing("it would attach filter"),
        right().seeing("policy_denied: .git/config is not to be written"),
        finish(),
    ];
    let (workshop, _) = mended(repository, turns, TAX).await;
    assert_eq!(workshop.repository.read(".git/config"), config);
    assert!(!workshop.repository.has(".git/hooks/post-commit"));
    assert_eq!(workshop.repository.changes(), [" M shop/prices.py"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_that_was_cut_off_or_names_no_file_is_answered_with_what_to_write() {
    let turns = vec![
        patch("*** Begin Patch\n*** Update File: shop/prices.py\n@@\n-    return price * 1.2\n+    return"),
        patch("@@ -10 +10 @@\n-    return price * 1.2\n+    return price * 1.25\n")
            .seeing("may have been cut off"),
        patch("Please set the tax to 25 %.").seeing("this hunk names no file"),
        right().seeing("no patch found; write a unified diff"),
        finish(),
    ];
    let (workshop, _) = mended(prices(), turns, TAX).await;
    assert_eq!(workshop.repository.read("shop/prices.py"), PRICES.replace("1.2", "1.25"));
}
