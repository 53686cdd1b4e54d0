use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use agent_repository::Error;
use agent_repository::patch::{PatchSet, write_file};
use agent_repository::path_guard::{EntryKind, PathRefusal, RelativePath, Root};

use crate::workspace::{Workspace, path};

fn refusal(given: &str) -> Option<PathRefusal> {
    match RelativePath::new(given) {
        Err(Error::PathRefused { reason, .. }) => Some(reason),
        Ok(_) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn paths_out_of_the_workspace_are_refused_and_others_normalised() {
    for upwards in ["../x", "a/../../x", "a/..", "..", "..\\x", "a\\..\\x"] {
        assert_eq!(refusal(upwards), Some(PathRefusal::Upwards), "{upwards}");
    }
    for absolute in ["/etc/passwd", "\\x", "\\\\server\\x", "C:\\x", "c:/x", "./C:\\x", ".//c:/x"] {
        assert_eq!(refusal(absolute), Some(PathRefusal::Absolute), "{absolute}");
    }
    assert_eq!(refusal("a\0b"), Some(PathRefusal::Nul));
    assert_eq!(refusal("./"), Some(PathRefusal::Empty));
    assert_eq!(refusal(&"a".repeat(256)), Some(PathRefusal::TooLong));
    assert_eq!(path("a/./b//c").as_str(), "a/b/c");
    assert_eq!(path("..a/b..").as_str(), "..a/b..");
    assert!(serde_json::from_str::<RelativePath>("\"../x\"").is_err());
}

#[test]
fn every_format_refuses_paths_out_of_the_workspace() {
    for patch in [
        "--- a/../x\n+++ b/../x\n@@ -1 +1 @@\n-a\n+b\n",
        "--- /etc/x\n+++ /etc/x\n@@ -1 +1 @@\n-a\n+b\n",
        "diff --git a/x b/x\nrename from x\nrename to ../x\n",
        "*** Begin Patch\n*** Add File: ../x\n+a\n*** End Patch\n",
        "*** Begin Patch\n*** Update File: x\n*** Move to: /tmp/x\n*** End Patch\n",
        "../x\n<<<<<<< SEARCH\n=======\na\n>>>>>>> REPLACE\n",
    ] {
        let refused = PatchSet::parse(patch);
        assert!(matches!(refused, Err(Error::PathRefused { .. })), "{patch}: {refused:?}");
    }
}

#[test]
fn git_files_are_not_written_under_any_of_their_names() {
    let workspace = Workspace::new(&[(".git/config", "[core]\n"), ("sub/.git", "gitdir: x\n")]);
    for name in [
        ".git/config",
        ".GIT/hooks/x",
        ".git",
        "sub/.git",
        "sub/.Git/x",
        "GIT~1/config",
        ".git./x",
        ".git /x",
        ".g\u{200c}it/x",
        ".git::$INDEX_ALLOCATION/x",
        ".gitmodules",
    ] {
        let rejected =
            workspace.refusal(&format!("*** Begin Patch\n*** Add File: {name}/new\n+a\n*** End Patch\n"));
        assert_eq!(rejected.files[0].problem, "path_refused", "{name}");
        assert!(write_file(&workspace.root, &path(name), "x").is_err(), "{name}");
        assert!(workspace.root.write(&path(name), b"x", None).is_err(), "{name}");
    }
    assert!(workspace.root.read(&path(".git/config"), 100).is_ok(), "reading is another matter");
    workspace.apply("*** Begin Patch\n*** Add File: .gitignore\n+target\n*** End Patch\n").unwrap();
}

#[test]
fn protected_paths_are_not_written() {
    let workspace = Workspace::new(&[("policy/rules.toml", "deny\n")]);
    let root = Root::open(workspace.path()).unwrap().protecting([path("policy")]);
    for name in ["policy/rules.toml", "Policy/new", "policy"] {
        assert!(write_file(&root, &path(name), "allow\n").is_err(), "{name}");
    }
    assert!(write_file(&root, &path("policy2"), "x\n").is_ok());
}

#[test]
fn a_link_to_a_directory_outside_leads_nowhere() {
    let outside = Workspace::new(&[("victim", "safe\n")]);
    let workspace = Workspace::new(&[]);
    symlink(outside.path(), workspace.path().join("link")).unwrap();
    let rejected = workspace.refusal("--- a/link/victim\n+++ b/link/victim\n@@ -1 +1 @@\n-safe\n+gone\n");
    assert_eq!(rejected.files[0].problem, "symbolic_link");
    workspace.refusal("*** Begin Patch\n*** Add File: link/new\n+x\n*** End Patch\n");
    workspace.refusal("*** Begin Patch\n*** Delete File: link/victim\n*** End Patch\n");
    assert!(matches!(workspace.root.read(&path("link/victim"), 100), Err(Error::Outside { .. })));
    assert!(workspace.root.create_parents(&path("link/a/b")).is_err());
    assert_eq!(outside.text("victim"), "safe\n");
    assert_eq!(outside.files().len(), 1);
}

#[test]
fn a_link_to_a_file_is_neither_changed_nor_deleted_nor_replaced() {
    let outside = Workspace::new(&[("victim", "safe\n")]);
    let workspace = Workspace::new(&[("real", "safe\n")]);
    symlink(outside.path().join("victim"), workspace.path().join("link")).unwrap();
    symlink("real", workspace.path().join("inner")).unwrap();
    for name in ["link", "inner"] {
        workspace.refusal(&format!("--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-safe\n+gone\n"));
        workspace.refusal(&format!("*** Begin Patch\n*** Delete File: {name}\n*** End Patch\n"));
        workspace.refusal(&format!(
            "*** Begin Patch\n*** Update File: real\n*** Move to: {name}\n*** End Patch\n"
        ));
        assert_eq!(workspace.root.kind(&path(name)).unwrap(), Some(EntryKind::SymbolicLink));
    }
    assert_eq!(workspace.root.read(&path("inner"), 100).unwrap().bytes, b"safe\n");
    assert_eq!(outside.text("victim"), "safe\n");
}

#[test]
fn a_link_that_appears_after_planning_is_not_followed() {
    let outside = Workspace::new(&[("f", "one\n")]);
    let workspace = Workspace::new(&[("dir/f", "one\n")]);
    let patch = PatchSet::parse("--- a/dir/f\n+++ b/dir/f\n@@ -1 +1 @@\n-one\n+two\n").unwrap();
    let change = agent_repository::patch::plan_changes(&workspace.root, &patch).unwrap();
    fs::rename(workspace.path().join("dir"), workspace.path().join("was")).unwrap();
    symlink(outside.path(), workspace.path().join("dir")).unwrap();
    assert!(change.apply(&workspace.root).is_err());
    assert_eq!(outside.text("f"), "one\n");
}

#[test]
fn directories_swapped_for_links_in_mid_flight_never_lead_a_write_outside() {
    let outside = Workspace::new(&[]);
    let workspace = Workspace::new(&[("dir/f", "x")]);
    symlink(outside.path(), workspace.path().join("link")).unwrap();
    let directory = fs::File::open(workspace.path()).unwrap();
    let exchange = rustix::fs::RenameFlags::EXCHANGE;
    let stop = std::sync::atomic::AtomicBool::new(false);
    let relaxed = std::sync::atomic::Ordering::Relaxed;
    let (mut written, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(relaxed) {
                rustix::fs::renameat_with(&directory, "dir", &directory, "link", exchange).unwrap();
            }
        });
        for _ in 0..2_000 {
            match workspace.root.write(&path("dir/f"), b"mine", None) {
                Ok(()) => written += 1,
                Err(_) => refused += 1,
            }
        }
        stop.store(true, relaxed);
    });
    assert_eq!(outside.files().len(), 0, "{written} written, {refused} refused");
    assert_eq!(written + refused, 2_000);
}

#[test]
fn a_hard_link_to_a_file_outside_keeps_that_file_as_it_was() {
    let outside = Workspace::new(&[("victim", "one\n")]);
    let workspace = Workspace::new(&[]);
    fs::hard_link(outside.path().join("victim"), workspace.path().join("f")).unwrap();
    workspace.apply("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-one\n+two\n").unwrap();
    assert_eq!((workspace.text("f"), outside.text("victim")), ("two\n".to_owned(), "one\n".to_owned()));
}

#[test]
fn a_pipe_does_not_hold_the_reader_and_a_directory_is_no_file() {
    let workspace = Workspace::new(&[("dir/f", "x")]);
    let directory = fs::File::open(workspace.path()).unwrap();
    rustix::fs::mknodat(
        &directory,
        "pipe",
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    for name in ["pipe", "dir"] {
        assert!(matches!(workspace.root.read(&path(name), 10), Err(Error::NotAFile { .. })), "{name}");
        assert!(
            matches!(workspace.root.write(&path(name), b"", None), Err(Error::NotAFile { .. })),
            "{name}"
        );
    }
}

#[test]
fn the_mode_and_owner_of_a_replaced_file_stay() {
    let workspace = Workspace::new(&[("f", "one\n")]);
    fs::set_permissions(workspace.path().join("f"), fs::Permissions::from_mode(0o640)).unwrap();
    let before = fs::metadata(workspace.path().join("f")).unwrap();
    workspace.apply("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-one\n+two\n").unwrap();
    let after = fs::metadata(workspace.path().join("f")).unwrap();
    assert_eq!((before.mode(), before.uid(), before.gid()), (after.mode(), after.uid(), after.gid()));
    workspace.root.write(&path("f"), b"three\n", Some(0o600)).unwrap();
    assert_eq!(fs::metadata(workspace.path().join("f")).unwrap().mode() & 0o7777, 0o600);
}

#[test]
fn reading_stops_at_the_limit() {
    let workspace = Workspace::new(&[("f", "12345")]);
    assert!(workspace.root.read(&path("f"), 5).is_ok());
    let refused = workspace.root.read(&path("f"), 4);
    assert!(matches!(refused, Err(Error::FileTooLarge { bytes: 5, limit: 4, .. })), "{refused:?}");
}

#[test]
fn removing_takes_files_only() {
    let workspace = Workspace::new(&[("dir/f", "x")]);
    assert!(workspace.root.remove(&path("dir")).is_err());
    workspace.root.remove(&path("dir/f")).unwrap();
    assert!(matches!(workspace.root.remove(&path("dir/f")), Err(Error::NotFound { .. })));
}

#[test]
fn names_are_shown_so_that_they_cannot_forge_lines() {
    let hostile = path("a\n\u{1b}[2Jb\u{202e}c");
    assert_eq!(hostile.to_string(), "a\\n\\u{1b}[2Jb\\u{202e}c");
}
