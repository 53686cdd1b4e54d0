//! A plan's own folder: the user's files stay as they are until the user says so.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use agent_repository::Error;
use agent_repository::isolation::{Isolated, IsolatedWorkspaces};
use agent_repository::path_guard::Root;
use tempfile::TempDir;

#[path = "fixture/git.rs"]
mod fixture;

use fixture::git;

/// The user's folder and the one for plans.
struct Scene {
    user: TempDir,
    state: TempDir,
    workspaces: IsolatedWorkspaces,
}

impl Scene {
    fn plain() -> Self {
        let (user, state) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for (name, content) in [
            ("a.txt", "one\ntwo\nthree\nfour\nfive\n"),
            ("b.txt", "b\n"),
            ("c.txt", "c\n"),
            (".gitignore", "target\n"),
        ] {
            fs::write(user.path().join(name), content).unwrap();
        }
        fs::create_dir(user.path().join("target")).unwrap();
        fs::write(user.path().join("target/built"), "by the user\n").unwrap();
        let workspaces = IsolatedWorkspaces::new(state.path().join("workspaces"));
        Self { user, state, workspaces }
    }

    fn repository() -> Self {
        let scene = Self::plain();
        git(scene.user.path(), &["init", "-q"]);
        git(scene.user.path(), &["add", "."]);
        git(scene.user.path(), &["commit", "-q", "-m", "first"]);
        scene
    }

    fn user(&self) -> &Path {
        self.user.path()
    }

    fn open(&self) -> Isolated {
        self.workspaces.open(self.user(), 7).unwrap()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.user().join(name)).unwrap()
    }

    fn merge(&self, isolated: &Isolated) -> Result<(), Error> {
        let root = Root::open(self.user()).unwrap();
        isolated.plan_merge(&root)?.apply(&root).map(|_| ())
    }
}

/// Changes a file, makes one, deletes one and renames one.
fn work(isolated: &Isolated) {
    let path = isolated.path();
    fs::write(path.join("a.txt"), "ONE\ntwo\nthree\nfour\nfive\n").unwrap();
    fs::create_dir(path.join("new")).unwrap();
    fs::write(path.join("new/d.sh"), "echo\n").unwrap();
    fs::set_permissions(path.join("new/d.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(path.join("b.txt")).unwrap();
    fs::rename(path.join("c.txt"), path.join("renamed.txt")).unwrap();
}

#[test]
fn a_plan_of_a_repository_works_on_a_branch_of_its_own_with_a_commit_for_each_task() {
    let scene = Scene::repository();
    let head = git(scene.user(), &["rev-parse", "HEAD"]);
    let isolated = scene.open();
    assert_eq!(isolated.branch(), "agent/plan-7");
    assert_eq!(fs::read_to_string(isolated.path().join("a.txt")).unwrap(), scene.read("a.txt"));
    work(&isolated);
    let commit = isolated.commit("plan 7, task 1: change files\n\nAgent-Plan: 7\nAgent-Task: 12\n").unwrap();
    assert_eq!(isolated.commit("nothing is new").unwrap(), None);
    fs::write(isolated.path().join("e.txt"), "e\n").unwrap();
    isolated.commit("plan 7, task 2: add e.txt").unwrap();

    let log = git(scene.user(), &["log", "--format=%s|%an|%P", "agent/plan-7"]);
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines[0], format!("plan 7, task 2: add e.txt|agent|{}", commit.unwrap()));
    assert_eq!(lines[1], format!("plan 7, task 1: change files|agent|{head}"));
    let diff = isolated.diff().unwrap();
    assert!(diff.contains("-one\n+ONE") && diff.contains("rename to renamed.txt"), "{diff}");
}

#[test]
fn the_users_files_index_stash_and_branch_are_never_touched() {
    let scene = Scene::repository();
    fs::write(scene.user().join("b.txt"), "stashed\n").unwrap();
    git(scene.user(), &["stash", "-q"]);
    fs::write(scene.user().join("a.txt"), "uncommitted\n").unwrap();
    fs::write(scene.user().join("c.txt"), "staged\n").unwrap();
    git(scene.user(), &["add", "c.txt"]);
    fs::write(scene.user().join("untracked"), "mine\n").unwrap();
    let look = || {
        let status = git(scene.user(), &["status", "--porcelain", "--branch"]);
        let index = fs::read(scene.user().join(".git/index")).unwrap();
        (status, git(scene.user(), &["stash", "list"]), git(scene.user(), &["diff"]), index)
    };
    // The first look refreshes the index, which is git's own doing.
    look();
    let before = look();
    let isolated = scene.open();
    assert_eq!(fs::read_to_string(isolated.path().join("c.txt")).unwrap(), "c\n", "it begins at the commit");
    work(&isolated);
    isolated.commit("plan 7, task 1").unwrap();
    isolated.diff().unwrap();
    assert_eq!(look(), before);
    scene.workspaces.discard(7).unwrap();
    assert_eq!(look(), before);
    assert!(git(scene.user(), &["branch", "--list", "agent/*"]).is_empty());
    assert_eq!(git(scene.user(), &["worktree", "list"]).lines().count(), 1);
    assert_eq!(fs::read_dir(scene.state.path().join("workspaces")).unwrap().count(), 0);
}

#[test]
fn a_merge_brings_the_work_and_keeps_what_the_user_did_meanwhile() {
    for scene in [Scene::repository(), Scene::plain()] {
        let isolated = scene.open();
        work(&isolated);
        isolated.commit("plan 7, task 1").unwrap();
        fs::write(scene.user().join("a.txt"), "one\ntwo\nthree\nfour\nFIVE\n").unwrap();
        let staged = scene.user().join(".git").exists().then(|| git(scene.user(), &["diff", "--cached"]));
        scene.merge(&isolated).unwrap();
        assert_eq!(scene.read("a.txt"), "ONE\ntwo\nthree\nfour\nFIVE\n");
        assert_eq!(scene.read("new/d.sh"), "echo\n");
        assert_ne!(fs::metadata(scene.user().join("new/d.sh")).unwrap().permissions().mode() & 0o100, 0);
        assert!(!scene.user().join("b.txt").exists() && !scene.user().join("c.txt").exists());
        assert_eq!(
            (scene.read("renamed.txt"), scene.read("target/built")),
            ("c\n".into(), "by the user\n".into())
        );
        if let Some(staged) = staged {
            assert_eq!(git(scene.user(), &["diff", "--cached"]), staged, "the index is the user's");
        }
        scene.merge(&isolated).unwrap();
        assert_eq!(scene.read("a.txt"), "ONE\ntwo\nthree\nfour\nFIVE\n", "a second time changes nothing");
    }
}

#[test]
fn a_merge_that_would_lose_the_users_lines_changes_nothing_and_names_them() {
    let scene = Scene::repository();
    let isolated = scene.open();
    work(&isolated);
    isolated.commit("plan 7, task 1").unwrap();
    fs::write(scene.user().join("a.txt"), "eins\ntwo\nthree\nfour\nfive\n").unwrap();
    let Err(Error::Rejected(rejected)) = scene.merge(&isolated) else { panic!("it was overwritten") };
    assert_eq!(rejected.files[0].regions[0].ours, "eins\n");
    assert_eq!((scene.read("a.txt").lines().next(), scene.read("b.txt").as_str()), (Some("eins"), "b\n"));
}

#[test]
fn a_folder_without_commits_is_copied_without_what_it_ignores() {
    let empty = Scene::plain();
    git(empty.user(), &["init", "-q"]);
    for scene in [Scene::plain(), empty] {
        let isolated = scene.open();
        assert_eq!(fs::read_to_string(isolated.path().join("b.txt")).unwrap(), "b\n");
        assert!(!isolated.path().join("target").exists());
        assert!(!isolated.path().join(".git").exists());
        work(&isolated);
        assert!(isolated.commit("plan 7, task 1").unwrap().is_some());
        assert!(isolated.diff().unwrap().contains("+ONE"));
        assert_eq!(scene.read("a.txt").lines().next(), Some("one"));
        scene.workspaces.discard(7).unwrap();
        assert_eq!(fs::read_dir(scene.state.path().join("workspaces")).unwrap().count(), 0);
    }
}

#[test]
fn opening_again_finds_the_same_folder_and_what_was_lost_of_it_comes_back() {
    for scene in [Scene::repository(), Scene::plain()] {
        let isolated = scene.open();
        work(&isolated);
        assert_eq!(scene.open().path(), isolated.path());
        isolated.commit("plan 7, task 1").unwrap();
        fs::remove_dir_all(isolated.path()).unwrap();
        let again = scene.open();
        assert_eq!(fs::read_to_string(again.path().join("new/d.sh")).unwrap(), "echo\n");
        assert!(again.diff().unwrap().contains("+ONE"));
    }
}

#[test]
fn what_a_killed_process_left_half_made_is_made_anew() {
    let scene = Scene::repository();
    let isolated = scene.open();
    let record = scene.state.path().join("workspaces/plan-7.json");
    let half = fs::read_to_string(&record).unwrap();
    let base = git(scene.user(), &["rev-parse", "HEAD"]);
    fs::write(&record, half.replace(&format!("\"{base}\""), "null")).unwrap();
    assert!(scene.workspaces.find(7).unwrap().is_none());
    let again = scene.open();
    assert_eq!((again.path(), again.branch()), (isolated.path(), "agent/plan-7"));
    fs::write(again.path().join("x"), "x\n").unwrap();
    // Git was killed while it wrote its index.
    let locks = scene.user().join(".git/worktrees/plan-7/index.lock");
    fs::write(locks, "").unwrap();
    assert!(again.commit("plan 7, task 1").unwrap().is_some());
}

#[test]
fn a_branch_of_that_name_that_is_somebody_elses_stays() {
    let scene = Scene::repository();
    git(scene.user(), &["branch", "agent/plan-7"]);
    assert_eq!(scene.open().branch(), "agent/plan-7.2");
    scene.workspaces.discard(7).unwrap();
    assert!(!git(scene.user(), &["branch", "--list", "agent/plan-7"]).is_empty());
}

#[test]
fn data_inside_the_repository_is_refused_as_a_place_for_workspaces() {
    let scene = Scene::repository();
    let inside = IsolatedWorkspaces::new(scene.user().join("state"));
    let refused = inside.open(scene.user(), 7).unwrap_err();
    assert!(refused.to_string().contains("outside"), "{refused}");
}

/// Everything in a repository's configuration that could run a program, each leaving a mark.
fn make_hostile(repository: &Path, mark: &Path) {
    let script = repository.join(".git/run.sh");
    fs::write(&script, format!("#!/bin/sh\necho \"$0 $*\" >> {}\ncat\n", mark.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let run = script.display().to_string();
    fs::create_dir_all(repository.join(".git/hooks")).unwrap();
    for hook in [
        "post-checkout",
        "pre-commit",
        "commit-msg",
        "post-commit",
        "prepare-commit-msg",
        "reference-transaction",
        "post-index-change",
        "fsmonitor-watchman",
    ] {
        fs::copy(&script, repository.join(".git/hooks").join(hook)).unwrap();
    }
    for (key, value) in [
        ("core.fsmonitor", run.as_str()),
        ("core.editor", &run),
        ("core.pager", &run),
        ("core.hooksPath", &repository.join(".git/hooks").display().to_string()),
        ("commit.gpgSign", "true"),
        ("gpg.program", &run),
        ("diff.external", &run),
        ("filter.evil.clean", &run),
        ("filter.evil.smudge", &run),
        ("filter.evil.process", &run),
        ("filter.evil.required", "true"),
        ("diff.evil.textconv", &run),
        ("diff.evil.command", &run),
        ("merge.evil.driver", &run),
    ] {
        git(repository, &["config", key, value]);
    }
    fs::create_dir_all(repository.join(".git/info")).unwrap();
    fs::write(repository.join(".git/info/attributes"), "* filter=evil diff=evil merge=evil\n").unwrap();
}

#[test]
fn a_hostile_repository_runs_nothing_and_its_files_come_through_unfiltered() {
    let scene = Scene::repository();
    let mark: PathBuf = scene.state.path().join("mark");
    fs::write(scene.user().join(".gitattributes"), "* filter=evil diff=evil merge=evil\n").unwrap();
    git(scene.user(), &["add", "."]);
    git(scene.user(), &["commit", "-q", "-m", "attributes"]);
    make_hostile(scene.user(), &mark);
    let isolated = scene.open();
    work(&isolated);
    assert!(isolated.commit("plan 7, task 1").unwrap().is_some());
    assert!(isolated.diff().unwrap().contains("+ONE"));
    scene.merge(&isolated).unwrap();
    scene.workspaces.discard(7).unwrap();
    assert!(!mark.exists(), "ran: {}", fs::read_to_string(&mark).unwrap());
    assert_eq!(scene.read("a.txt").lines().next(), Some("ONE"));
}

#[test]
fn a_work_tree_that_points_elsewhere_is_not_believed() {
    let (scene, other) = (Scene::repository(), Scene::repository());
    let mark = scene.state.path().join("mark");
    make_hostile(other.user(), &mark);
    let isolated = scene.open();
    work(&isolated);
    // A command of the plan that got out of its sandbox leads git to a repository of its own making.
    fs::write(isolated.path().join(".git"), format!("gitdir: {}/.git\n", other.user().display())).unwrap();
    assert!(isolated.commit("plan 7, task 1").unwrap().is_some());
    assert!(git(scene.user(), &["log", "-1", "--format=%s", "agent/plan-7"]).contains("plan 7"));
    assert!(!mark.exists());
}
