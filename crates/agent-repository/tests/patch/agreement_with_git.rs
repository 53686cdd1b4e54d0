//! Real git makes patches that are applied here, and applies the diffs that are made here.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::workspace::{Workspace, files_in};

#[expect(clippy::disallowed_methods, reason = "git is the reference that this test compares with")]
fn git(folder: &Path, arguments: &[&str], input: &str) -> String {
    let mut child = std::process::Command::new("git")
        .current_dir(folder)
        .args(["-c", "core.autocrlf=false", "-c", "user.name=t", "-c", "user.email=t@localhost"])
        .args(arguments)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn git_and_the_patcher_understand_each_other_on_every_fixture() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/patch/fixtures");
    for entry in fs::read_dir(fixtures).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_dir()) {
        let case = entry.file_name();
        let after = files_in(&entry.path().join("after"));
        // git compares the two folders of the fixture …
        let both = Workspace::copy_of(&entry.path().join("before"));
        git(both.path(), &["init", "-q"], "");
        git(both.path(), &["add", "-A"], "");
        for name in both.files().keys().filter(|name| !name.starts_with(".git/")) {
            fs::remove_file(both.path().join(name)).unwrap();
        }
        let target = Workspace::copy_of(&entry.path().join("after"));
        for name in after.keys() {
            let to = both.path().join(name);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(target.path().join(name), to).unwrap();
        }
        git(both.path(), &["add", "-N", "--ignore-removal", "."], "");
        let theirs = git(both.path(), &["diff", "-M"], "");
        // … its patch is applied here …
        let ours = Workspace::copy_of(&entry.path().join("before"));
        let applied = ours.apply(&theirs).unwrap_or_else(|error| panic!("{case:?}: {error}\n{theirs}"));
        assert_eq!(ours.files(), after, "{case:?}");
        // … and the diff that is made here is applied by git.
        let by_git = Workspace::copy_of(&entry.path().join("before"));
        git(by_git.path(), &["apply", "-"], &applied.diff);
        assert_eq!(by_git.files(), after, "{case:?}: {}", applied.diff);
        git(by_git.path(), &["apply", "-"], &applied.inverse);
        assert_eq!(by_git.files(), files_in(&entry.path().join("before")), "{case:?}");
    }
}
