//! Two organisations on one server, and the people of both.

use agent_testkit::{Client, TestServer, TestServerBuilder};
use serde_json::{Value, json};

/// The password of everybody here.
pub(crate) const PASSWORD: &str = "lovely analytical engine";

/// A server with a second tenant; everybody shows an API key, which a logout leaves alone.
pub(crate) struct Organisations {
    pub(crate) server: TestServer,
    /// The operator of the server, who administers the first tenant.
    pub(crate) operator: Client,
    /// Reads in the first tenant.
    pub(crate) vera: Client,
    /// Works in the first tenant.
    pub(crate) alice: Client,
    /// Administers the first tenant, and nothing else.
    pub(crate) adam: Client,
    /// Works in the second tenant.
    pub(crate) bob: Client,
    /// Administers the second tenant.
    pub(crate) boss: Client,
    /// The second tenant.
    pub(crate) second: i64,
}

impl Organisations {
    pub(crate) async fn start() -> Self {
        Self::start_as(TestServer::builder()).await
    }

    pub(crate) async fn start_as(builder: TestServerBuilder) -> Self {
        let server = builder.start().await;
        let operator = server.admin().await;
        for (name, role) in [("vera", "viewer"), ("alice", "user"), ("adam", "admin")] {
            let user = json!({"username": name, "password": PASSWORD, "role": role});
            operator.post("/users", user).await.expect(201);
        }
        let tenant = operator.post("/tenants", json!({"name": "second"})).await.expect(201).json;
        let second = tenant["tenant_id"].as_i64().unwrap();
        for (name, role) in [("bob", "user"), ("boss", "admin")] {
            let user = json!({"username": name, "password": PASSWORD, "role": role});
            operator.post(&format!("/tenants/{second}/members"), user).await.expect(201);
        }
        let folder = server.repository().path().join("second");
        std::fs::create_dir(&folder).unwrap();
        let roots = json!({"repository_roots": [folder]});
        operator.put(&format!("/tenants/{second}/repository-roots"), roots).await.expect(200);
        Self {
            vera: with_key(&server, "vera").await,
            alice: with_key(&server, "alice").await,
            adam: with_key(&server, "adam").await,
            bob: with_key(&server, "bob").await,
            boss: with_key(&server, "boss").await,
            server,
            operator,
            second,
        }
    }
}

/// Somebody who shows an API key with all that they may do.
async fn with_key(server: &TestServer, name: &str) -> Client {
    let session = server.log_in(name, PASSWORD).await;
    let key = session.post("/auth/token", json!({"name": name})).await.expect(201).json;
    session.with_api_key(key["api_key"].as_str().unwrap())
}

/// A plan that only looks, with this goal.
pub(crate) fn looking(goal: &str) -> Value {
    json!({"goal": goal, "tasks": [{"description": "Look", "kind": "scan"}]})
}
