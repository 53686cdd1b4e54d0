//! What git says of a repository, and that a hostile repository runs nothing.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![expect(clippy::disallowed_methods, reason = "the tests make repositories with git itself")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use agent_repository::git::{ChangeKind, GitState, state, tracked, tracked_changes};
use agent_repository::scan::{ScanOptions, scan};
use tempfile::TempDir;

#[path = "fixture/git.rs"]
mod fixture;

use fixture::git;

fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q"]);
    for name in ["a.txt", "b.txt", "c.txt"] {
        fs::write(folder.path().join(name), format!("{name}\nsame\nsame\nsame\n")).unwrap();
    }
    git(folder.path(), &["add", "."]);
    git(folder.path(), &["commit", "-q", "-m", "first"]);
    folder
}

fn state_of(folder: &TempDir) -> GitState {
    state(folder.path()).unwrap().unwrap()
}

#[test]
fn the_state_is_branch_commit_and_whether_there_are_changes() {
    let folder = repository();
    let head = git(folder.path(), &["rev-parse", "HEAD"]);
    let clean = GitState { branch: Some("main".to_owned()), head: Some(head), dirty: false };
    assert_eq!(state_of(&folder), clean);

    fs::write(folder.path().join("new.txt"), "new\n").unwrap();
    assert_eq!(state_of(&folder), GitState { dirty: true, ..clean.clone() });
    fs::remove_file(folder.path().join("new.txt")).unwrap();

    fs::write(folder.path().join("a.txt"), "other\n").unwrap();
    assert_eq!(state_of(&folder), GitState { dirty: true, ..clean.clone() });
    git(folder.path(), &["checkout", "-q", "a.txt"]);

    git(folder.path(), &["checkout", "-q", "--detach"]);
    assert_eq!(state_of(&folder), GitState { branch: None, ..clean });
}

#[test]
fn a_repository_without_commits_has_a_branch_and_no_head() {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "-q"]);
    let expected = GitState { branch: Some("main".to_owned()), head: None, dirty: false };
    assert_eq!(state_of(&folder), expected);
}

#[test]
fn a_folder_that_is_not_the_top_of_a_repository_has_no_state() {
    let folder = repository();
    fs::create_dir_all(folder.path().join("sub/.git")).unwrap();
    fs::create_dir_all(folder.path().join("plain")).unwrap();
    assert_eq!(state(&folder.path().join("sub")).unwrap(), None);
    assert_eq!(state(&folder.path().join("plain")).unwrap(), None);
    assert_eq!(tracked_changes(&folder.path().join("plain")).unwrap(), None);
}

#[test]
fn a_repository_of_another_user_has_a_state() {
    if !rustix::process::geteuid().is_root() {
        // Only root may give files away; the state of the own repository is tested above.
        return;
    }
    let folder = repository();
    assert!(Command::new("chown").args(["-R", "12345"]).arg(folder.path()).status().unwrap().success());
    assert!(!state_of(&folder).dirty);
}

#[test]
fn a_linked_work_tree_has_its_own_branch() {
    let folder = repository();
    let linked = tempfile::tempdir().unwrap();
    let path = linked.path().join("tree");
    git(folder.path(), &["worktree", "add", "-q", "-b", "side", path.to_str().unwrap()]);
    assert_eq!(state(&path).unwrap().unwrap().branch.as_deref(), Some("side"));
}

#[test]
fn tracked_changes_name_what_happened_to_each_file() {
    let folder = repository();
    let root = folder.path();
    fs::write(root.join("a.txt"), "other\n").unwrap();
    git(root, &["mv", "b.txt", "moved to.txt"]);
    fs::remove_file(root.join("c.txt")).unwrap();
    fs::write(root.join("d\nd.txt"), "new\n").unwrap();
    git(root, &["add", "d\nd.txt"]);
    fs::write(root.join("untracked.txt"), "new\n").unwrap();

    let changes = tracked_changes(root).unwrap().unwrap();
    let mut found: Vec<(&str, ChangeKind, Option<&str>)> =
        changes.iter().map(|change| (change.path.as_str(), change.kind, change.from.as_deref())).collect();
    found.sort_by_key(|(path, _, _)| *path);
    assert_eq!(
        found,
        [
            ("a.txt", ChangeKind::Modified, None),
            ("c.txt", ChangeKind::Deleted, None),
            ("d\\nd.txt", ChangeKind::Added, None),
            ("moved to.txt", ChangeKind::Renamed, Some("b.txt")),
        ]
    );
}

/// A program that leaves a file behind when anything runs it.
struct Canary {
    folder: TempDir,
}

impl Canary {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        fs::write(&program, format!("#!/bin/sh\ntouch '{}/sang'\ncat\n", folder.path().display())).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join("program")
    }

    fn sang(&self) -> bool {
        self.folder.path().join("sang").exists()
    }
}

/// Configuration that has git run the canary in every way we know of.
fn make_hostile(root: &Path, canary: &Canary) {
    let program = canary.program();
    let hooks = root.join(".git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    for hook in ["post-index-change", "fsmonitor-watchman", "post-checkout", "reference-transaction"] {
        let _ = fs::remove_file(hooks.join(hook));
        std::os::unix::fs::symlink(&program, hooks.join(hook)).unwrap();
    }
    let config = format!(
        "[core]\n\tfsmonitor = {0}\n\thooksPath = {1}\n\tsshCommand = {0}\n\tpager = {0}\n\teditor = {0}\n\
         \tgitProxy = {0}\n\taskPass = {0}\n\
         [diff]\n\texternal = {0}\n[diff \"evil\"]\n\tcommand = {0}\n\ttextconv = {0}\n\
         [filter \"evil\"]\n\tclean = {0}\n\tsmudge = {0}\n\trequired = true\n\
         [filter \"e=v.i l\"]\n\tclean = {0}\n\tprocess = {0}\n\trequired = true\n\
         [alias]\n\tstatus = !{0}\n\tconfig = !{0}\n[pager]\n\tstatus = {0}\n\tconfig = {0}\n\
         [protocol]\n\tallow = always\n[protocol \"ext\"]\n\tallow = always\n\
         [remote \"origin\"]\n\turl = ext::{0}\n\tpromisor = true\n\tpartialclonefilter = blob:none\n\
         [include]\n\tpath = more\n",
        program.display(),
        hooks.display(),
    );
    let path = root.join(".git/config");
    let own = fs::read_to_string(&path).unwrap();
    fs::write(&path, own + &config).unwrap();
    let included = format!("[filter \"included\"]\n\tclean = {0}\n\trequired = true\n", program.display());
    fs::write(root.join(".git/more"), included).unwrap();
    let attributes = "a.txt filter=evil diff=evil\nb.txt filter=included\nc.txt filter=evil\n";
    fs::write(root.join(".gitattributes"), attributes).unwrap();
    fs::write(root.join(".git/info/attributes"), attributes).unwrap();
    // The same size and another time, so that git must read the content, and hence filter it.
    for name in ["a.txt", "b.txt", "c.txt"] {
        fs::write(root.join(name), format!("{name}\nsame\nsame\nsamE\n")).unwrap();
    }
}

#[test]
fn a_hostile_configuration_runs_nothing() {
    let folder = repository();
    let canary = Canary::new();
    make_hostile(folder.path(), &canary);

    let state = state_of(&folder);
    assert_eq!((state.branch.as_deref(), state.dirty), (Some("main"), true));
    assert_eq!(tracked_changes(folder.path()).unwrap().unwrap().len(), 3);
    assert!(scan(folder.path(), &ScanOptions::default()).unwrap().git.is_some());
    assert!(!canary.sang(), "a program named in the repository's configuration was run");

    // The trap is real: git without protection runs the program.
    let _ = Command::new("git").args(["status", "--porcelain"]).current_dir(folder.path()).output().unwrap();
    assert!(canary.sang(), "the hostile repository does not even trap an unprotected git");
}

#[test]
fn each_trap_alone_catches_an_unprotected_git_and_not_us() {
    let traps = [
        "[core]\n\tfsmonitor = PROGRAM\n",
        "[filter \"evil\"]\n\tclean = PROGRAM\n",
        "[filter \"evil\"]\n\tprocess = PROGRAM\n\trequired = true\n",
        "[include]\n\tpath = more\n",
    ];
    for trap in traps {
        let folder = repository();
        let canary = Canary::new();
        let root = folder.path();
        let program = canary.program().display().to_string();
        let path = root.join(".git/config");
        fs::write(&path, fs::read_to_string(&path).unwrap() + &trap.replace("PROGRAM", &program)).unwrap();
        fs::write(root.join(".git/more"), format!("[filter \"evil\"]\n\tclean = {program}\n")).unwrap();
        fs::write(root.join(".git/info/attributes"), "* filter=evil\n").unwrap();
        fs::write(root.join("a.txt"), "a.txt\nsame\nsame\nsamE\n").unwrap();

        assert!(state_of(&folder).dirty);
        assert!(!canary.sang(), "run by {trap}");
        let _ = Command::new("git").args(["status", "--porcelain"]).current_dir(root).output().unwrap();
        assert!(canary.sang(), "no trap: {trap}");
    }
}

#[test]
fn a_work_tree_set_by_the_repository_is_not_believed() {
    let folder = repository();
    let elsewhere = tempfile::tempdir().unwrap();
    git(folder.path(), &["config", "core.worktree", elsewhere.path().to_str().unwrap()]);
    assert!(!state_of(&folder).dirty);
}

#[test]
fn a_git_program_in_the_repository_is_not_started() {
    let folder = repository();
    let canary = Canary::new();
    fs::copy(canary.program(), folder.path().join("git")).unwrap();
    assert!(state_of(&folder).dirty);
    assert!(!canary.sang());
}

#[test]
fn a_broken_repository_is_an_error_that_quotes_git() {
    let folder = repository();
    fs::write(folder.path().join(".git/config"), "[core\n").unwrap();
    let error = state(folder.path()).unwrap_err().to_string();
    assert!(error.contains("config"), "{error}");
    assert!(!error.contains('\n'), "{error}");
    // A scan goes on without it.
    assert_eq!(scan(folder.path(), &ScanOptions::default()).unwrap().git, None);
}

#[test]
fn of_some_paths_those_are_told_that_git_keeps_track_of() {
    let folder = repository();
    fs::create_dir_all(folder.path().join("keys")).unwrap();
    fs::write(folder.path().join("keys/test.pem"), "x").unwrap();
    git(folder.path(), &["add", "keys"]);
    fs::write(folder.path().join(".env"), "x").unwrap();
    fs::write(folder.path().join("a*"), "x").unwrap();
    let found = tracked(folder.path(), &["keys", "keys/test.pem", "a.txt", "a*", ".env", "missing"]).unwrap();
    assert_eq!(found.unwrap(), ["keys", "keys/test.pem", "a.txt"]);
    assert_eq!(tracked(tempfile::tempdir().unwrap().path(), &["a"]).unwrap(), None);
}
