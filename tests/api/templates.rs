//! Templates, built in and of the tenant, and plans made from them.

use crate::organisations::Organisations;
use agent_testkit::{Answer, Client, TestServer};
use serde_json::{Value, json};

/// A sound template under this id.
pub(crate) fn tidying(id: &str) -> Value {
    json!({
        "id": id,
        "name": "Tidy up",
        "description": "Removes what nobody uses.",
        "tags": ["order"],
        "goal": "Tidy {{folder}} up",
        "parameters": [
            {"name": "folder", "kind": "string", "description": "Where", "default": "src"}
        ],
        "tasks": [
            {"phase": "Looking", "description": "Find dead code in {{folder}}.", "kind": "scan", "priority": "high"},
            {"phase": "Tidying", "description": "Remove it.", "depends_on": [1], "writes": ["{{folder}}"],
             "verify": ["true"]}
        ]
    })
}

/// The same with another description.
fn described(id: &str, description: &str) -> Value {
    let mut template = tidying(id);
    template["description"] = json!(description);
    template
}

async fn replace(client: &Client, version: &str, template: Value) -> Answer {
    let path = format!("/templates/{}", template["id"].as_str().unwrap());
    client.with_header("If-Match", version).put(&path, template).await
}

fn ids(answer: &Answer) -> Vec<&str> {
    let list = answer.json.as_array().or_else(|| answer.json["results"].as_array()).unwrap();
    list.iter().map(|template| template["id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn templates_are_listed_filtered_found_and_searched() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let all = demo.get("/templates").await.expect(200).json;
    let all = all.as_array().unwrap();
    assert!(all.len() >= 8);
    for field in ["id", "name", "description", "difficulty", "tags", "task_count"] {
        assert!(all.iter().all(|template| !template[field].is_null()), "{field}");
    }
    let difficulty = all[0]["difficulty"].as_str().unwrap();
    let some = demo.get(&format!("/templates?difficulty={difficulty}")).await.expect(200).json;
    assert!(some.as_array().unwrap().iter().all(|template| template["difficulty"] == difficulty));
    let tag = all[0]["tags"][0].as_str().unwrap();
    let tagged = demo.get(&format!("/templates?tag={tag}")).await.expect(200).json;
    assert!(tagged.as_array().unwrap().iter().any(|template| template["id"] == all[0]["id"]));
    let one = demo.get(&format!("/templates/{}", all[0]["id"].as_str().unwrap())).await.expect(200).json;
    assert_eq!(json!(one["tasks"].as_array().unwrap().len()), one["task_count"]);
    assert!(one["parameters"].is_array());
    let found = demo.get("/templates/search/failing%20test").await.expect(200).json;
    assert_eq!(found["query"], "failing test");
    assert_eq!(found["results"][0]["id"], "fix_failing_test");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_gives_a_plan_its_tasks() {
    let server = TestServer::builder().script(json!([{"text": "unused"}])).start().await;
    let demo = server.demo().await;
    let template = demo.get("/templates/fix_failing_test").await.expect(200).json;
    let body = json!({
        "goal": "Mend it", "template_id": "fix_failing_test", "parameters": {"test_command": "cargo test"}
    });
    let created = demo.post("/plans", body).await.expect(201).json;
    assert_eq!(created["tasks"], template["task_count"]);
    let wrong =
        json!({"goal": "Mend it", "template_id": "fix_failing_test", "parameters": {"colour": "red"}});
    let refused = demo.post("/plans", wrong).await.expect_problem(422, "invalid_parameters");
    assert!(refused.pointers().contains(&"/parameters/colour"), "{}", refused.text);
    let unknown = json!({"goal": "Mend it", "template_id": "nothing"});
    demo.post("/plans", unknown).await.expect_problem(404, "template_not_found");
    let plans: Value = demo.get("/plans").await.json;
    assert_eq!(plans["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_built_in_templates_are_there_in_every_difficulty() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let all = demo.get("/templates").await.expect(200);
    let large = [
        "rest_api",
        "web_scraper",
        "machine_learning",
        "react_app",
        "ci_cd_pipeline",
        "mobile_app",
        "database_design",
        "documentation",
    ];
    assert_eq!(ids(&all)[..8], large);
    for template in &all.json.as_array().unwrap()[..8] {
        assert_eq!((&template["task_count"], &template["difficulty"]), (&json!(10), &json!("hard")));
        assert_eq!((&template["builtin"], &template["version"]), (&json!(true), &json!(1)));
    }
    for difficulty in ["easy", "medium"] {
        let some = demo.get(&format!("/templates?difficulty={difficulty}")).await.expect(200);
        assert!(ids(&some).len() >= 2, "{difficulty}");
    }
    let found = demo.get("/templates/search/web").await.expect(200);
    assert_eq!(ids(&found), ["web_scraper"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_made_listed_found_and_gives_a_plan_its_tasks() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let made = demo.post("/templates", tidying("tidy_up")).await.expect(201);
    assert_eq!(made.header("location"), "/templates/tidy_up");
    assert!(made.header("etag").starts_with("\"1-"), "{}", made.header("etag"));
    assert_eq!((&made.json["version"], &made.json["builtin"]), (&json!(1), &json!(false)));
    assert_eq!((&made.json["author"], &made.json["difficulty"]), (&json!("demo"), &json!("easy")));
    assert_eq!(made.json["created_at"], made.json["updated_at"]);
    let found = demo.get("/templates/tidy_up").await.expect(200);
    assert_eq!((&found.json, found.header("etag")), (&made.json, made.header("etag")));
    assert_eq!(found.json["tasks"][1]["writes"], json!(["{{folder}}"]));

    assert_eq!(ids(&demo.get("/templates").await).last(), Some(&"tidy_up"));
    assert!(ids(&demo.get("/templates?difficulty=easy").await).contains(&"tidy_up"));
    assert!(!ids(&demo.get("/templates?difficulty=hard").await).contains(&"tidy_up"));
    assert_eq!(ids(&demo.get("/templates?tag=ORDER").await), ["tidy_up"]);
    assert_eq!(ids(&demo.get("/templates/search/dead%20code").await)[0], "tidy_up");

    let plan = json!({"goal": "Order", "template_id": "tidy_up", "parameters": {"folder": "lib"}});
    let plan = demo.create_plan(plan).await;
    let plan = demo.get(&format!("/plans/{plan}")).await.expect(200).json;
    assert_eq!(plan["plan"]["template_id"], "tidy_up");
    assert_eq!(plan["tasks"][0]["description"], "Looking: Find dead code in lib.");
    assert_eq!(plan["tasks"][1]["depends_on"], json!([1]));
    let plan = demo.create_plan(json!({"goal": "", "template_id": "tidy_up"})).await;
    assert_eq!(demo.get(&format!("/plans/{plan}")).await.json["plan"]["goal"], "Tidy src up");
    let wrong = json!({"goal": "Order", "template_id": "tidy_up", "parameters": {"colour": 1}});
    let refused = demo.post("/plans", wrong).await.expect_problem(422, "invalid_parameters");
    assert_eq!(refused.pointers(), ["/parameters/colour"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_defect_of_a_template_is_told_with_its_place() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let mut template = tidying("Tidy!");
    template["name"] = json!(" ");
    template["parameters"][0]["default"] = json!(7);
    template["tasks"][0]["description"] = json!("Find {{what}} in {{folder}}.");
    let refused = demo.post("/templates", template).await.expect_problem(422, "invalid_template");
    assert_eq!(refused.pointers(), ["/id", "/name", "/parameters/0/default", "/tasks/0/description"]);

    let mut circle = tidying("circle");
    circle["tasks"][0]["depends_on"] = json!([2]);
    let refused = demo.post("/templates", circle).await.expect_problem(422, "invalid_template");
    assert!(refused.pointers()[0].starts_with("/tasks/"), "{}", refused.text);
    let mut unknown = tidying("unknown");
    unknown["tasks"][1]["colour"] = json!("red");
    let refused = demo.post("/templates", unknown).await.expect_problem(422, "invalid_request");
    assert_eq!(refused.pointers(), ["/tasks/1/colour"]);
    let mut large = tidying("large");
    large["tasks"][0]["description"] = json!("x".repeat(70_000));
    demo.post("/templates", large).await.expect_problem(422, "invalid_template");
    demo.post("/templates", tidying("search")).await.expect_problem(422, "invalid_template");
    assert_eq!(ids(&demo.get("/templates").await).len(), 12, "nothing of it is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_cannot_be_seen_is_refused_wherever_it_is() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    demo.post("/templates", tidying("tidy_up")).await.expect(201);
    let places = [
        "/name",
        "/description",
        "/tags/0",
        "/goal",
        "/parameters/0/description",
        "/parameters/0/default",
        "/tasks/0/phase",
        "/tasks/0/description",
        "/tasks/1/writes/0",
        "/tasks/1/verify/0",
    ];
    for place in places {
        for hidden in ["\u{202e}", "\u{200b}", "\u{2066}", "\u{e0041}"] {
            let mut template = tidying("tidy_up");
            let text = template.pointer_mut(place).unwrap();
            *text = json!(format!("{}{hidden}", text.as_str().unwrap()));
            let refused =
                demo.post("/templates", template.clone()).await.expect_problem(422, "invalid_template");
            assert!(refused.text.contains("invisible character U+"), "{place}: {}", refused.text);
            replace(&demo, "*", template).await.expect_problem(422, "invalid_template");
        }
    }
    assert_eq!(demo.get("/templates/tidy_up").await.json["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_replaced_by_who_has_seen_its_present_version() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    demo.post("/templates", tidying("tidy_up")).await.expect(201);
    let second = replace(&demo, "\"1\"", described("tidy_up", "Better.")).await.expect(200);
    assert_eq!(second.json["version"], 2);
    assert!(second.header("etag").starts_with("\"2-"), "{}", second.header("etag"));
    replace(&demo, "\"1\"", described("tidy_up", "Worse.")).await.expect_problem(412, "version_mismatch");
    demo.put("/templates/tidy_up", tidying("tidy_up")).await.expect_problem(428, "version_required");
    let same = replace(&demo, "2", described("tidy_up", "Better.")).await.expect(200);
    assert_eq!(same.json, second.json, "what says the same makes no version");
    assert_eq!(replace(&demo, "*", described("tidy_up", "Best.")).await.expect(200).json["version"], 3);
    let moved = demo.with_header("If-Match", "*").put("/templates/tidy_up", tidying("other")).await;
    assert_eq!(moved.expect_problem(422, "invalid_template").pointers(), ["/id"]);

    let versions = demo.get("/templates/tidy_up/versions").await.expect(200).json;
    let told: Vec<_> =
        versions["versions"].as_array().unwrap().iter().map(|v| v["version"].clone()).collect();
    assert_eq!(told, [1, 2, 3]);
    assert_eq!(versions["versions"][0]["author"], "demo");
    let first = demo.get("/templates/tidy_up/versions/1").await.expect(200).json;
    assert_eq!((&first["description"], &first["version"]), (&json!("Removes what nobody uses."), &json!(1)));
    assert_eq!(first["tasks"].as_array().unwrap().len(), 2);
    demo.get("/templates/tidy_up/versions/4").await.expect_problem(404, "version_not_found");
    demo.get("/templates/nothing/versions").await.expect_problem(404, "template_not_found");
    assert_eq!(demo.get("/templates/rest_api/versions").await.expect(200).json["versions"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tag_of_a_template_is_not_that_of_another_made_under_its_id() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let old = demo.post("/templates", tidying("tidy_up")).await.expect(201);
    let old = old.header("etag").to_owned();
    demo.with_header("If-None-Match", &old).get("/templates/tidy_up").await.expect(304);
    demo.delete("/templates/tidy_up").await.expect(204);
    let new = demo.post("/templates", described("tidy_up", "Another.")).await.expect(201);
    let found = demo.with_header("If-None-Match", &old).get("/templates/tidy_up").await.expect(200);
    assert_eq!(found.json["description"], "Another.");
    replace(&demo, &old, tidying("tidy_up")).await.expect_problem(412, "version_mismatch");
    let tag = new.header("etag").to_owned();
    let compressed = format!("{}-gzip\"", tag.trim_end_matches('"'));
    assert_eq!(
        replace(&demo, &compressed, described("tidy_up", "Mine.")).await.expect(200).json["version"],
        2
    );
    replace(&demo, &tag, tidying("tidy_up")).await.expect_problem(412, "version_mismatch");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_built_in_is_neither_made_again_nor_changed_nor_deleted() {
    let server = TestServer::start().await;
    let admin = server.admin().await;
    admin.post("/templates", tidying("rest_api")).await.expect_problem(409, "template_built_in");
    replace(&admin, "*", tidying("rest_api")).await.expect_problem(409, "template_built_in");
    admin.delete("/templates/rest_api").await.expect_problem(409, "template_built_in");
    assert_eq!(admin.get("/templates/rest_api").await.expect(200).json["task_count"], 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_is_taken_until_its_template_is_deleted() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    let keyed = demo.with_header("Idempotency-Key", "k1");
    let made = keyed.post("/templates", tidying("tidy_up")).await.expect(201).json;
    assert_eq!(keyed.post("/templates", tidying("tidy_up")).await.expect(201).json, made);
    keyed.post("/templates", tidying("other")).await.expect_problem(409, "idempotency_mismatch");
    demo.post("/templates", tidying("tidy_up")).await.expect_problem(409, "template_id_taken");
    let plan = demo.create_plan(json!({"goal": "Order", "template_id": "tidy_up"})).await;
    demo.delete("/templates/tidy_up").await.expect(204);
    demo.delete("/templates/tidy_up").await.expect_problem(404, "template_not_found");
    demo.get("/templates/tidy_up").await.expect_problem(404, "template_not_found");
    demo.get("/templates/tidy_up/export").await.expect_problem(404, "template_not_found");
    let gone = json!({"goal": "Order", "template_id": "tidy_up"});
    demo.post("/plans", gone).await.expect_problem(404, "template_not_found");
    assert_eq!(
        demo.get(&format!("/plans/{plan}")).await.expect(200).json["tasks"].as_array().unwrap().len(),
        2
    );
    assert_eq!(demo.post("/templates", tidying("tidy_up")).await.expect(201).json["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_template_is_read_by_the_tenant_and_changed_by_its_author_and_administrators() {
    let world = Organisations::start().await;
    world.alice.post("/templates", tidying("tidy_up")).await.expect(201);
    world.adam.post("/templates", tidying("of_adam")).await.expect(201);
    assert_eq!(world.vera.get("/templates/tidy_up").await.expect(200).json["author"], "alice");
    world.vera.get("/templates/tidy_up/export").await.expect(200);
    assert!(ids(&world.vera.get("/templates").await).contains(&"of_adam"));

    world.vera.post("/templates", tidying("of_vera")).await.expect_problem(403, "forbidden");
    replace(&world.vera, "*", described("tidy_up", "Mine.")).await.expect_problem(403, "forbidden");
    world.vera.delete("/templates/tidy_up").await.expect_problem(403, "forbidden");
    replace(&world.alice, "*", described("of_adam", "Mine.")).await.expect_problem(403, "not_the_author");
    world.alice.delete("/templates/of_adam").await.expect_problem(403, "not_the_author");

    let changed = replace(&world.adam, "\"1\"", described("tidy_up", "Ours.")).await.expect(200).json;
    assert_eq!((&changed["version"], &changed["author"]), (&json!(2), &json!("alice")));
    let versions = world.alice.get("/templates/tidy_up/versions").await.expect(200).json;
    assert_eq!(versions["versions"][1]["author"], "adam");
    replace(&world.alice, "\"2\"", described("tidy_up", "Mine.")).await.expect(200);
    world.adam.delete("/templates/tidy_up").await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn z14_a_template_of_another_tenant_does_not_exist() {
    let world = Organisations::start().await;
    world.alice.post("/templates", described("ours", "A zebra's secret.")).await.expect(201);
    for stranger in [&world.bob, &world.boss] {
        for path in [
            "/templates/ours",
            "/templates/ours/export",
            "/templates/ours/versions",
            "/templates/ours/versions/1",
        ] {
            stranger.get(path).await.expect_problem(404, "template_not_found");
        }
        replace(stranger, "*", tidying("ours")).await.expect_problem(404, "template_not_found");
        stranger.delete("/templates/ours").await.expect_problem(404, "template_not_found");
        let plan = json!({"goal": "Order", "template_id": "ours"});
        stranger.post("/plans", plan).await.expect_problem(404, "template_not_found");
        assert!(!ids(&stranger.get("/templates").await).contains(&"ours"));
        assert!(ids(&stranger.get("/templates/search/zebra").await).is_empty());
    }
    world.bob.post("/templates", described("ours", "Theirs.")).await.expect(201);
    let mine = world.alice.get("/templates/ours").await.expect(200).json;
    assert_eq!((&mine["description"], &mine["version"]), (&json!("A zebra's secret."), &json!(1)));
    assert_eq!(ids(&world.alice.get("/templates/search/zebra").await), ["ours"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn i08_a_search_means_its_characters_also_among_own_templates() {
    let server = TestServer::start().await;
    let demo = server.demo().await;
    demo.post("/templates", described("percent", "Pays 100% of it's \\share, (a+)+$ 🙂")).await.expect(201);
    demo.post("/templates", described("plain", "Nothing of the kind.")).await.expect(201);
    for query in ["100%25", "it's", "%5Cshare", "(a%2B)%2B$", "%F0%9F%99%82"] {
        assert_eq!(
            ids(&demo.get(&format!("/templates/search/{query}")).await.expect(200)),
            ["percent"],
            "{query}"
        );
    }
    for query in ["%25%25", "_____", "%00", "1%2500"] {
        assert!(
            ids(&demo.get(&format!("/templates/search/{query}")).await.expect(200)).is_empty(),
            "{query}"
        );
    }
    let long = "x".repeat(10 * 1024);
    assert!(ids(&demo.get(&format!("/templates/search/{long}")).await.expect(200)).is_empty());
    demo.get("/templates/%00").await.expect_problem(404, "template_not_found");
}
