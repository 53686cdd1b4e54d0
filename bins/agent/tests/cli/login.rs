//! Logging in and out, and the login that is stored.

use crate::fixture::{Ended, Workplace};
use crate::server::AtServer;
use std::os::unix::fs::PermissionsExt;

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_login_is_stored_for_nobody_else_to_read_and_commands_ask_that_server() {
    let at = AtServer::start();
    let told = at.log_in("demo", "demo123").with_code(0).stdout;
    assert!(told.contains(&format!("logged in to {} as demo", at.url)), "{told}");
    assert_eq!((mode(&at.logins()), mode(at.logins().parent().unwrap())), (0o600, 0o700));
    assert!(!std::fs::read_to_string(at.logins()).unwrap().contains("demo123"), "the password is not stored");

    let who = at.agent(&["whoami", "--json"]).with_code(0).json();
    assert_eq!((&who["username"], &who["server"]), (&"demo".into(), &at.url.as_str().into()));
    assert_eq!((&who["roles"][0], who["expires_at"].is_string()), (&"user".into(), true));
    let told = at.agent(&["whoami"]).with_code(0).stdout;
    assert!(told.contains("demo at http://") && told.contains("roles: user"), "{told}");
    let here = at.agent(&["whoami", "--local", "--json"]).with_code(0).json();
    assert_eq!((&here["username"], here["server"].is_null()), (&"local".into(), true));
}

#[test]
fn logging_out_ends_the_session_at_the_server_and_forgets_it() {
    let at = AtServer::logged_in("demo", "demo123");
    let token = at.stored()["access_token"].as_str().unwrap().to_owned();
    at.agent(&["logout"]).with_code(0);
    assert!(at.stored().is_null());
    let refused = at.agent(&["whoami", "--server", &at.url, "--token", &token]).with_code(3);
    assert!(refused.stderr.contains("agent login"), "{}", refused.stderr);
    assert_eq!(at.agent(&["whoami", "--json"]).with_code(0).json()["username"], "local");
    at.agent(&["logout"]).with_code(2);
}

#[test]
fn a_server_that_is_gone_is_forgotten_all_the_same_and_said_to_be_unreachable() {
    let mut at = AtServer::logged_in("demo", "demo123");
    at.stop();
    at.agent(&["whoami"]).with_code(4);
    at.agent(&["plans", "list"]).with_code(4);
    at.log_in("demo", "demo123").with_code(4);
    let told = at.agent(&["logout"]).with_code(4).stderr;
    assert!(told.contains("forgotten here"), "{told}");
    assert!(at.stored().is_null());
}

#[test]
fn who_is_not_accepted_needs_a_login() {
    let at = AtServer::start();
    let refused = at.log_in("demo", "wrong").with_code(3);
    assert!(!at.logins().exists(), "{}", refused.stderr);
    at.agent(&["plans", "list", "--server", &at.url]).with_code(3);
    // An account without the role for it is refused likewise.
    at.log_in("demo", "demo123").with_code(0);
    at.agent(&["users", "list"]).with_code(3);
    at.agent(&["analytics"]).with_code(3);
}

#[test]
fn an_api_key_logs_in_too_and_is_only_forgotten() {
    let at = AtServer::logged_in("demo", "demo123");
    let key = at.agent(&["keys", "create", "--name", "ci"]).with_code(0).stdout;
    at.place.agent_with_input(&["login", &at.url, "--key-stdin"], &key).with_code(0);
    assert_eq!(at.stored()["api_key"], key.trim());
    let who = at.agent(&["whoami", "--json"]).with_code(0).json();
    assert_eq!((&who["username"], who["expires_at"].is_null()), (&"demo".into(), true));
    at.agent(&["logout"]).with_code(0);
    at.agent(&["whoami", "--server", &at.url, "--api-key", key.trim()]).with_code(0);
    at.place.agent_with_input(&["login", &at.url, "--key-stdin"], "ak_wrong").with_code(3);
    at.place.agent_with_input(&["login", &at.url, "--key-stdin"], "").with_code(2);
}

#[test]
fn without_a_terminal_a_password_is_never_asked() {
    let at = AtServer::start();
    // A session of its own has no terminal to ask on, wherever the tests run.
    let refused = at.place.without_terminal(&["login", &at.url, "--username", "demo"]).with_code(2);
    assert!(refused.stderr.contains("--password-stdin"), "{}", refused.stderr);
}

#[test]
fn a_session_whose_token_ended_is_renewed_and_stored_again() {
    let at = AtServer::logged_in("demo", "demo123");
    let first = at.stored();
    at.let_token_end();
    at.agent(&["whoami"]).with_code(0);
    let renewed = at.stored();
    assert_ne!(first["refresh_token"], renewed["refresh_token"], "a refresh token is good once");
    assert_ne!(renewed["access_token"], "an.old.token");
    assert_eq!(mode(&at.logins()), 0o600);
    at.let_token_end();
    at.agent(&["plans", "list"]).with_code(0);
}

#[test]
fn commands_that_renew_at_once_do_not_use_a_refresh_token_twice() {
    let at = AtServer::logged_in("demo", "demo123");
    for _ in 0..3 {
        at.let_token_end();
        let started: Vec<_> = (0..6).map(|_| at.place.start(&["whoami", "--json"])).collect();
        for child in started {
            assert_eq!(Ended::of(child).with_code(0).json()["username"], "demo");
        }
    }
    // A second use would have ended the session everywhere.
    at.let_token_end();
    at.agent(&["whoami"]).with_code(0);
}

#[test]
fn a_session_that_cannot_be_renewed_asks_for_a_login() {
    let at = AtServer::logged_in("demo", "demo123");
    // Logging out elsewhere ends the sessions of this account everywhere.
    at.ask(async |client| client.log_out().await.unwrap());
    let refused = at.agent(&["plans", "list"]).with_code(3);
    assert!(refused.stderr.contains("agent login"), "{}", refused.stderr);
    at.agent(&["logout"]).with_code(0);
}

#[test]
fn stored_logins_that_others_may_read_are_refused() {
    let at = AtServer::logged_in("demo", "demo123");
    std::fs::set_permissions(at.logins(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = at.agent(&["plans", "list"]).with_code(3);
    assert!(refused.stderr.contains("chmod 600"), "{}", refused.stderr);
    at.agent(&["plans", "list", "--local"]).with_code(0);
    std::fs::set_permissions(at.logins(), std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(at.logins(), "{").unwrap();
    assert!(at.agent(&["plans", "list"]).with_code(3).stderr.contains("make no sense"));
}

#[test]
fn what_belongs_to_servers_says_so_without_one() {
    let place = Workplace::new();
    for arguments in [&["keys", "list"][..], &["users", "list"], &["keys", "revoke", "1"]] {
        let refused = place.agent(arguments).with_code(2);
        assert!(refused.stderr.contains("belong to a server"), "{}", refused.stderr);
    }
    let who = place.agent(&["whoami"]).with_code(0).stdout;
    assert!(who.contains("local on this machine"), "{who}");
}
