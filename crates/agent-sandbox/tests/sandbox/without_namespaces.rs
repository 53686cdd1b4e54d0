//! The same promises on a machine that permits no namespaces, as most containers do not.

use crate::Inside;

#[test]
fn everything_holds_where_namespaces_are_not_permitted() {
    if Inside::current().is_some() {
        return;
    }
    // In a namespace of its own the number of further ones can be set to none.
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$0\"";
    let mut command = Inside::NoNamespaces.rerun("unshare");
    let ran =
        command.args(["--user", "--map-root-user", "sh", "-c", script]).arg(std::env::current_exe().unwrap());
    let outcome = match ran.output() {
        Ok(outcome) if !outcome.stdout.is_empty() => outcome,
        other => return println!("namespaces cannot be switched off here: {other:?}"),
    };
    let text = String::from_utf8_lossy(&outcome.stdout);
    assert!(outcome.status.success(), "{text}");
    assert!(text.contains("test result: ok"), "{text}");
}

#[test]
fn the_probe_notices_that_namespaces_are_not_permitted() {
    if let Some(Inside::NoNamespaces) = Inside::current() {
        let sandbox = agent_sandbox::Sandbox::probe(crate::host());
        let effective = sandbox.effective();
        assert!(!effective.namespaces && !effective.own_network && !effective.hidden_paths, "{effective:?}");
    }
}
