//! I20: nonsense in every place of every operation of our own document: never a fault, and nothing undocumented.

use crate::openapi::operations;
use agent_testkit::{Answer, Client, TestServer};
use serde_json::{Value, json};

/// What stands in the place of ids.
const IDS: [&str; 6] = ["1", "999", "0", "x", "9223372036854775808", "%F0%9F%99%82"];

/// What stands in the place of parameters of the query.
const WORDS: [&str; 9] =
    ["", "0", "-1", "true", "9223372036854775808", "1e999", "%00", "%F0%9F%99%82'--", "%ff"];

/// What stands in the place of values of bodies.
fn junk() -> Vec<Value> {
    let long = "x".repeat(40_000);
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(9_223_372_036_854_775_808_u64),
        json!(1e308),
        json!(""),
        json!("a\u{0}b"),
        json!("🙂' OR 1=1 --"),
        json!(long),
        json!([]),
        json!([[], {}]),
        json!({}),
        json!({"a": {"b": null}}),
    ]
}

/// Pointers of all values in a document, itself included.
fn places(value: &Value, place: &str, found: &mut Vec<String>) {
    found.push(place.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                places(field, &format!("{place}/{}", name.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                places(item, &format!("{place}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// The bodies to try where the document shows one: its example with each value in turn replaced, and what is required
/// with each other field.
fn bodies(document: &Value, operation: &Value) -> Vec<Value> {
    let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
    let reference = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    let Some(schema) = reference.and_then(|pointer| document.pointer(pointer)) else { return Vec::new() };
    let mut example = schema["example"].clone();
    if example["auto_execute"] == true {
        example["auto_execute"] = json!(false);
    }
    let mut least = example.clone();
    if let Some(fields) = least.as_object_mut() {
        fields.retain(|name, _| schema["required"].as_array().is_some_and(|all| all.contains(&json!(name))));
    }
    let mut found = vec![example.clone(), least.clone(), json!({"unknown": 1})];
    let mut known = Vec::new();
    places(&example, "", &mut known);
    for value in junk() {
        for place in &known {
            let mut body = example.clone();
            *body.pointer_mut(place).unwrap() = value.clone();
            found.push(body);
        }
        for name in schema["properties"].as_object().into_iter().flat_map(|fields| fields.keys()) {
            let mut body = least.clone();
            body[name] = value.clone();
            found.push(body);
        }
    }
    found
}

/// The paths to try: each id in the place of all parameters.
fn paths(path: &str) -> Vec<String> {
    let parts: Vec<&str> = path.split('/').collect();
    let with = |id: &str| {
        let part = |part: &&str| if part.starts_with('{') { id.to_owned() } else { (*part).to_owned() };
        parts.iter().map(part).collect::<Vec<_>>().join("/")
    };
    // What exists is streamed for ever.
    let endless = path.ends_with("/stream");
    if !path.contains('{') {
        return if endless { Vec::new() } else { vec![path.to_owned()] };
    }
    IDS.iter().filter(|id| !(endless && **id == "1")).map(|id| with(id)).collect()
}

/// The queries to try: each parameter with each word, an unknown one, and none.
fn queries(operation: &Value) -> Vec<String> {
    let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    let names =
        parameters.iter().filter(|known| known["in"] == "query").filter_map(|known| known["name"].as_str());
    let mut found = vec![String::new(), "?unknown=1".to_owned()];
    for name in names {
        found.extend(WORDS.iter().map(|word| format!("?{name}={word}")));
    }
    found
}

/// What is wrong with an answer.
fn complaint(operation: &Value, answer: &Answer) -> Option<String> {
    let status = answer.status.to_string();
    if answer.status >= 500 {
        return Some(format!("a fault: {}", answer.text));
    }
    if operation["responses"].get(&status).is_none() {
        return Some(format!("{status} is not documented: {}", answer.text));
    }
    let is_problem = answer.header("content-type") == "application/problem+json"
        && answer.json["status"] == answer.status
        && answer.json["request_id"] == answer.header("x-request-id");
    (answer.status >= 400 && !is_problem).then(|| format!("{status} is no problem: {}", answer.text))
}

/// Asks for an operation in every way; answers what was wrong.
async fn try_out(
    client: &Client,
    document: &Value,
    path: &str,
    method: &str,
    operation: &Value,
) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut note = |request: String, answer: &Answer| {
        if let Some(why) = complaint(operation, answer) {
            complaints.push(format!("{method} {request:.300}: {why:.300}"));
        }
    };
    for (number, path) in paths(path).into_iter().enumerate() {
        for query in queries(operation) {
            let path = format!("{path}{query}");
            let request = client.request(method, &path).header("If-Match", "*");
            note(path, &client.send(request).await);
        }
        for text in ["", "{", "null", "[]", "\"a\"", "1", "{\"a\":"] {
            if method == "GET" {
                continue;
            }
            let request = client.request(method, &path).header("Content-Type", "application/json").body(text);
            note(format!("{path} {text}"), &client.send(request).await);
        }
        // One that is there and one that is not; of other ids there is nothing to be said about bodies.
        let bodies = if number < 2 { bodies(document, operation) } else { Vec::new() };
        for body in bodies {
            let request = client.request(method, &path).header("If-Match", "*").json(&body);
            note(format!("{path} {body}"), &client.send(request).await);
        }
    }
    complaints
}

#[tokio::test(flavor = "multi_thread")]
async fn i20_nonsense_is_never_a_fault_and_every_answer_is_documented() {
    let server = TestServer::start().await;
    let mut admin = server.admin().await;
    admin.create_shell_plan("There is one", &["true", "true"]).await;
    let document = admin.get("/openapi.json").await.expect(200).json;
    let mut complaints = Vec::new();
    for (path, method, operation) in operations(&document) {
        complaints.extend(try_out(&admin, &document, &path, &method, &operation).await);
        // Some operations end sessions.
        if admin.get("/auth/validate").await.status != 200 {
            admin = server.admin().await;
        }
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn i20_another_method_is_refused_and_the_possible_ones_are_named() {
    let server = TestServer::start().await;
    let client = server.anonymous();
    let document = client.get("/openapi.json").await.expect(200).json;
    for (path, item) in document["paths"].as_object().unwrap() {
        let known: Vec<String> =
            item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        let concrete = path.replace(['{', '}'], "");
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "BREW", "get"] {
            // To read the ticket is to open a WebSocket of that name.
            let is_other = path == "/ws/ticket" && method == "GET";
            if is_other || known.iter().any(|known| known == method) {
                continue;
            }
            let refused = client.send(client.request(method, &concrete)).await;
            let refused = refused.expect_problem(405, "method_not_allowed");
            let allowed: Vec<&str> = refused.header("allow").split(", ").collect();
            assert!(
                known.iter().all(|method| allowed.contains(&method.as_str())),
                "{method} {path}: {allowed:?}"
            );
            assert!(!allowed.contains(&method), "{method} {path}: {allowed:?}");
        }
    }
}
