//! The pages about the API in a real browser, which may reach nothing but the server.
//!
//! `AGENT_TEST_CHROMIUM` names the browser; `AGENT_TEST_SCREENSHOTS` a folder for pictures of what it
//! shows (PNG in base64).

mod devtools;

use agent_testkit::TestServer;
use devtools::Browser;
use serde_json::json;

/// The browser and a server, unless there is no browser.
async fn opened(path: &str) -> Option<(TestServer, Browser)> {
    let browser = Browser::start().await?;
    let server = TestServer::start().await;
    let mut browser = browser;
    browser.open(&format!("{}{path}", server.url())).await;
    Some((server, browser))
}

/// Nothing was asked of anybody else, and nothing on the page failed.
fn kept_to(browser: &Browser, server: &TestServer) {
    let own = |address: &&String| {
        ["data:", "blob:", "about:"].iter().any(|scheme| address.starts_with(scheme))
            || address.starts_with(server.url())
    };
    let foreign: Vec<&String> = browser.asked.iter().filter(|address| !own(address)).collect();
    assert!(foreign.is_empty() && browser.asked.len() > 3, "{foreign:?}");
    assert!(browser.complaints.is_empty(), "{:#?}", browser.complaints);
}

/// Opens an operation in Swagger UI and sends it as it is filled in. Returns status and body of the answer.
async fn try_out(browser: &mut Browser, operation: &str) -> (String, String) {
    let place = format!("#operations-{operation}");
    browser.wait_for(&format!("{place} .opblock-summary-control")).await;
    if !browser.has(&format!("{place} .execute")).await {
        browser.click(&format!("{place} .opblock-summary-control")).await;
        browser.wait_for(&format!("{place} .execute")).await;
    }
    if browser.has(&format!("{place} .btn-clear")).await {
        browser.click(&format!("{place} .btn-clear")).await;
        browser.wait_until(&format!("!document.querySelector('{place} .live-responses-table')")).await;
    }
    browser.click(&format!("{place} .execute")).await;
    let answer = format!("{place} .live-responses-table .response");
    browser.wait_for(&format!("{answer} .response-col_description pre")).await;
    let status = browser.text(&format!("{answer} .response-col_status")).await;
    let body = browser.text(&format!("{answer} .response-col_description pre")).await;
    browser.show(&answer).await;
    (status.trim().to_owned(), body)
}

/// Shows a credential in the dialog behind the Authorize button, or takes back the one that is shown.
async fn authorise(browser: &mut Browser, field: &str, credential: &str) {
    browser.click(".scheme-container .authorize").await;
    browser.wait_for(".modal-ux .auth-container").await;
    browser.click_all(".modal-ux .auth-btn-wrapper button[aria-label='Remove authorization']").await;
    browser.wait_for(field).await;
    browser.type_into(field, credential).await;
    browser.click(&format!(".modal-ux form:has({field}) .authorize")).await;
    browser.wait_for(".modal-ux .auth-btn-wrapper button[aria-label='Remove authorization']").await;
    browser.click(".modal-ux .close-modal").await;
    browser.wait_until("!document.querySelector('.modal-ux')").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn swagger_ui_logs_in_and_tries_operations_out_with_either_credential() {
    let Some((server, mut browser)) = opened("/docs").await else { return };
    let (status, body) = try_out(&mut browser, "auth-validate_token").await;
    assert_eq!(status, "401", "{body}");
    browser.complaints.clear();

    let (status, body) = try_out(&mut browser, "auth-log_in").await;
    let session: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status.as_str(), &session["username"]), ("200", &json!("demo")), "{body}");
    authorise(&mut browser, "#auth-bearer-value", session["access_token"].as_str().unwrap()).await;
    let (status, body) = try_out(&mut browser, "auth-validate_token").await;
    assert!(status == "200" && body.contains("\"username\": \"demo\""), "{status} {body}");
    browser.picture("swagger-bearer").await;

    let key = server.admin().await.post("/auth/token", json!({"name": "browser"})).await.expect(201).json;
    authorise(&mut browser, "#api_key_value", key["api_key"].as_str().unwrap()).await;
    let (status, body) = try_out(&mut browser, "auth-validate_token").await;
    assert!(status == "200" && body.contains("\"username\": \"admin\""), "{status} {body}");
    browser.picture("swagger-key").await;
    kept_to(&browser, &server);
}

#[tokio::test(flavor = "multi_thread")]
async fn redoc_shows_and_searches_every_operation_without_a_network() {
    let Some((server, mut browser)) = opened("/redoc").await else { return };
    browser.wait_until("document.querySelectorAll('[data-section-id*=\"/operation/\"]').length > 60").await;
    let document = server.anonymous().get("/openapi.json").await.expect(200).json;
    for (path, _, operation) in crate::openapi::operations(&document) {
        let (tag, id) = (&operation["tags"][0], &operation["operationId"]);
        let section = format!("tag/{}/operation/{}", tag.as_str().unwrap(), id.as_str().unwrap());
        assert!(browser.has(&format!("[data-section-id='{section}']")).await, "{path} {section}");
    }
    browser.type_into("input[type=text]", "execute").await;
    browser.wait_for("[data-role='search:results'] li").await;
    let found = browser.text("[data-role='search:results']").await;
    assert!(found.contains("Starts executing a plan"), "{found}");
    browser.picture("redoc").await;
    kept_to(&browser, &server);
}
