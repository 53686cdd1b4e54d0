//! Who may do what: every operation of our own document, asked by everybody, against a committed table.

use crate::openapi::operations;
use crate::organisations::{Organisations, looking};
use agent_testkit::Client;
use serde_json::json;
use std::fmt::Write;
use std::path::Path;

const TABLE: &str = "../docs/access-matrix.md";
const HEAD: &str = "\
# Access matrix

Which status each operation answers to whom, when it is asked about things of alice, who works in the first tenant: to nobody,
to vera (viewer), alice (user) and adam (administrator) of the same tenant, to bob, who works in another, and to the operator of
the server. Bodies are empty, so that 422 means: may ask, and has to say more. Written and compared by
`tests/api/access_matrix.rs` (`UPDATE_DOCS=1 cargo test -p agent-tests --test api z01`).

| operation | nobody | vera | alice | adam | bob | operator |
| --- | --- | --- | --- | --- | --- | --- |
";

/// The status that an operation answers, asked about a plan of alice's that nobody has touched.
async fn status(client: &Client, world: &Organisations, method: &str, path: &str) -> u16 {
    let (mut plan, mut task) = (json!(0), json!(0));
    if path.contains("plan") || path.contains("/analytics/") {
        let made = world.alice.post("/plans", looking("Look")).await.expect(201).json;
        plan = made["plan_id"].clone();
        let tasks = world.alice.get(&format!("/plans/{plan}/tasks")).await.expect(200).json;
        task = tasks["tasks"][0]["id"].clone();
    }
    let id = match path {
        "/analytics/plans/{id}" => plan.to_string(),
        "/analytics/tasks/{id}" => task.to_string(),
        path if path.starts_with("/templates/{id}") => own_template(world).await,
        _ => "999".to_owned(),
    };
    let path = path
        .replace("{plan_id}", &plan.to_string())
        .replace("{task_id}", &task.to_string())
        .replace("{version}", "1")
        .replace("{query}", "test")
        .replace("{dimension}", "users")
        .replace("{client_id}", "me")
        .replace("{tenant_id}", &world.second.to_string())
        .replace("{user_id}", "999")
        .replace("{key_id}", "999")
        .replace("{webhook_id}", "999")
        .replace("{id}", &id);
    let request = client.request(method, &path).header("If-Match", "*");
    let request = if method == "GET" { request } else { request.json(&json!({})) };
    // The body is not read: a stream of events has no end.
    request.send().await.unwrap().status().as_u16()
}

/// A template of alice's; there is one already unless the last caller has deleted it.
async fn own_template(world: &Organisations) -> String {
    let made = world.alice.post("/templates", crate::templates::tidying("matrix")).await;
    assert!([201, 409].contains(&made.status), "{}", made.text);
    "matrix".to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn z01_every_operation_answers_everybody_as_the_committed_table_says() {
    let world = Organisations::start().await;
    let nobody = world.server.anonymous();
    let document = nobody.get("/openapi.json").await.expect(200).json;
    let mut rows = operations(&document);
    rows.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
    let callers = [&nobody, &world.vera, &world.alice, &world.adam, &world.bob, &world.operator];
    let mut table = String::from(HEAD);
    for (path, method, _) in rows {
        // Ends the sessions of whoever asks; the operator here is a session.
        if path == "/auth/logout" {
            continue;
        }
        write!(table, "| `{method} {path}` |").unwrap();
        for caller in callers {
            write!(table, " {} |", status(caller, &world, &method, &path).await).unwrap();
        }
        table.push('\n');
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(TABLE);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&file, &table).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(table, committed, "docs/access-matrix.md: who may do what has changed");
}
