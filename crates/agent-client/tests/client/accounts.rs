//! API keys and accounts.

use crate::requests::demo;
use agent_client::{Client, CreateKey, CreateUser, Role, UpdateUser};
use agent_testkit::TestServer;
use secrecy::ExposeSecret;

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_made_listed_and_revoked() {
    let server = TestServer::start().await;
    let keys = demo(server.url()).await.keys();
    let scopes = Some(vec!["plans:read".to_owned()]);
    let made =
        keys.create(&CreateKey { name: Some("ci".to_owned()), scopes, expires_at: None }).await.unwrap();
    assert_eq!((made.name.as_str(), made.scopes.as_slice()), ("ci", &["plans:read".to_owned()][..]));
    assert!(!format!("{made:?}").contains(made.api_key.expose_secret()));
    let with_key = Client::builder(server.url()).api_key(made.api_key.clone()).build().unwrap();
    with_key.plans().list(&Default::default()).await.unwrap();
    let listed = keys.list().await.unwrap();
    assert_eq!((listed.total, listed.keys[0].key_id, listed.keys[0].revoked_at), (1, made.key_id, None));
    keys.revoke(made.key_id).await.unwrap();
    assert!(keys.list().await.unwrap().keys[0].revoked_at.is_some());
    assert_eq!(with_key.validate().await.unwrap_err().problem().unwrap().status, 401);
    let unknown = CreateKey { scopes: Some(vec!["weather:read".to_owned()]), ..CreateKey::default() };
    assert!(keys.create(&unknown).await.unwrap_err().problem().unwrap().status < 500);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_made_changed_and_listed_by_administrators() {
    let server = TestServer::start().await;
    let client = Client::builder(server.url()).build().unwrap();
    client.log_in("admin", "admin123").await.unwrap();
    assert_eq!(client.address(), server.url());
    let users = client.users();
    let password = "lilac anvil harbour seventeen";
    let ada = CreateUser { username: "ada".to_owned(), password: password.into(), role: Role::Viewer };
    let made = users.create(&ada).await.unwrap();
    assert_eq!((made.username.as_str(), made.role, made.disabled), ("ada", Role::Viewer, false));
    let update = UpdateUser { role: Some(Role::User), disabled: Some(true) };
    let changed = users.update(made.user_id, &update).await.unwrap();
    assert_eq!((changed.role, changed.disabled), (Role::User, true));
    assert!(users.list().await.unwrap().users.contains(&changed));
    let refused = Client::builder(server.url()).build().unwrap().log_in("ada", password).await.unwrap_err();
    assert_eq!(refused.code(), Some("account_disabled"));
    let forbidden = demo(server.url()).await.users().list().await.unwrap_err();
    assert_eq!(forbidden.problem().unwrap().status, 403);
    server.stop().await;
}
