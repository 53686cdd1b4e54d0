//! Paths and methods that do not exist.

use agent_testkit::TestServer;

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_path_is_a_problem_too() {
    let server = TestServer::start().await;
    let client = server.anonymous();
    for path in ["/nowhere", "/plans/1/dance", "/plans/", "/auth", "/audits", "/metrics", "/docs%2F"] {
        client.get(path).await.expect_problem(404, "not_found");
    }
}
