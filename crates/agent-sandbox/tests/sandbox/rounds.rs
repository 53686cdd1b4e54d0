//! The same promises once more: as a user without rights, and with bubblewrap, as either.

use std::path::Path;

use crate::{BACKEND_VARIABLE, Inside};

const BUBBLEWRAP: Option<&str> = Some("bubblewrap");

#[test]
fn everything_holds_with_bubblewrap() {
    if Inside::current().is_none() && is_installed("bwrap") {
        let program = std::env::current_exe().unwrap();
        passes(Inside::Round.rerun(program), BUBBLEWRAP);
    }
}

#[test]
fn everything_holds_for_an_unprivileged_server() {
    as_nobody(None);
}

#[test]
fn everything_holds_for_an_unprivileged_server_with_bubblewrap() {
    if is_installed("bwrap") {
        as_nobody(BUBBLEWRAP);
    }
}

/// Runs a copy of this program as a user that owns nothing but a folder for temporary files.
fn as_nobody(backend: Option<&str>) {
    const NOBODY: u32 = 65_534;
    if Inside::current().is_some() || !is_installed("setpriv") {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let program = place.path().join("tests");
    // A process of another test would inherit the descriptor it is written through, and keep it from being run.
    let mut copy = Inside::Round.rerun("cp");
    assert!(copy.arg(std::env::current_exe().unwrap()).arg(&program).status().unwrap().success());
    std::fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let home = place.path().join("home");
    std::fs::create_dir(&home).unwrap();
    if std::os::unix::fs::chown(&home, Some(NOBODY), Some(NOBODY)).is_err() {
        return println!("only root can try this as another user");
    }
    let mut command = Inside::Round.rerun("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program).current_dir("/");
    command.env("HOME", &home).env("TMPDIR", &home).env("PATH", "/usr/local/bin:/usr/bin:/bin");
    for toolchain in ["CARGO_HOME", "RUSTUP_HOME", "PYENV_ROOT", "CARGO", "CARGO_MANIFEST_DIR"] {
        command.env_remove(toolchain);
    }
    passes(command, backend);
}

fn passes(mut command: std::process::Command, backend: Option<&str>) {
    if let Some(backend) = backend {
        command.env(BACKEND_VARIABLE, backend);
    }
    let outcome = command.output().unwrap();
    let text = String::from_utf8_lossy(&outcome.stdout);
    let complaint = String::from_utf8_lossy(&outcome.stderr);
    assert!(outcome.status.success() && text.contains("test result: ok"), "{text}{complaint}");
}

fn is_installed(program: &str) -> bool {
    let found =
        ["/usr/bin", "/bin", "/usr/local/bin"].iter().any(|folder| Path::new(folder).join(program).exists());
    if !found {
        println!("{program} is not installed here");
    }
    found
}
