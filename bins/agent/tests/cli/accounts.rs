//! `agent keys` and `agent users`, at a real server.

use crate::server::AtServer;

#[test]
fn keys_are_made_listed_used_and_revoked() {
    let at = AtServer::logged_in("demo", "demo123");
    let made =
        ["keys", "create", "--name", "ci", "--scope", "plans:read", "--expires-at", "2099-01-01T00:00:00Z"];
    let made = at.agent(&[&made[..], &["--json"]].concat()).with_code(0).json();
    let (key, id) = (made["api_key"].as_str().unwrap(), made["key_id"].to_string());
    assert_eq!(
        (&made["scopes"][0], &made["expires_at"]),
        (&"plans:read".into(), &"2099-01-01T00:00:00.000Z".into())
    );
    let with_key =
        |arguments: &[&str]| at.agent(&[arguments, &["--server", &at.url, "--api-key", key]].concat());
    with_key(&["plans", "list"]).with_code(0);
    with_key(&["keys", "list"]).with_code(3);
    let listed = at.agent(&["keys", "list", "--json"]).with_code(0).json();
    assert_eq!((&listed["total"], &listed["keys"][0]["name"]), (&1.into(), &"ci".into()));
    assert!(listed["keys"][0].get("api_key").is_none());
    let shown = at.agent(&["keys", "list"]).with_code(0).stdout;
    assert!(shown.contains("ci") && shown.contains("until 2099"), "{shown}");
    at.agent(&["keys", "revoke", &id]).with_code(0);
    with_key(&["plans", "list"]).with_code(3);
    assert!(at.agent(&["keys", "list"]).with_code(0).stdout.contains("revoked"));
    at.agent(&["keys", "revoke", "4711"]).with_code(2);
    at.agent(&["keys", "create", "--scope", "weather:read"]).with_code(2);
    at.agent(&["keys", "create", "--expires-at", "tomorrow"]).with_code(2);
}

#[test]
fn accounts_are_made_given_roles_and_disabled() {
    let at = AtServer::logged_in("admin", "admin123");
    let password = "lilac anvil harbour seventeen";
    let create = ["users", "create", "ada", "--role", "viewer", "--password-stdin", "--json"];
    let made = at.place.agent_with_input(&create, password).with_code(0).json();
    assert_eq!((&made["username"], &made["role"]), (&"ada".into(), &"viewer".into()));
    at.place.agent_with_input(&create, password).with_code(2);
    let id = made["user_id"].to_string();
    assert_eq!(at.agent(&["users", "set-role", "ada", "user", "--json"]).with_code(0).json()["role"], "user");
    let shown = at.agent(&["users", "set-role", &id, "admin"]).with_code(0).stdout;
    assert!(shown.contains("(ada): admin, active"), "{shown}");
    let names = at.agent(&["users", "list", "--json"]).with_code(0).json();
    assert!(names["users"].as_array().unwrap().iter().any(|user| user["username"] == "ada"), "{names}");
    let log_in = || at.log_in("ada", password);
    log_in().with_code(0);
    at.log_in("admin", "admin123").with_code(0);
    at.agent(&["users", "disable", "ada"]).with_code(0);
    assert!(at.agent(&["users", "list"]).with_code(0).stdout.contains("disabled"));
    log_in().with_code(3);
    at.agent(&["users", "disable", "ada", "--undo"]).with_code(0);
    log_in().with_code(0);
    at.agent(&["users", "set-role", "nobody", "admin"]).with_code(2);
    at.agent(&["users", "set-role", "ada", "king"]).with_code(2);
}
