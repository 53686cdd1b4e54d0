//! Servers, which only PostgreSQL has: encryption, refusals, texts that it does not take.

use super::World;
use crate::world::{change, open};
use agent_core::ports::PlanStore;
use agent_store::Error;
use agent_testkit_postgres::PostgresCluster;
use std::error::Error as _;

/// The address of the database for the role that is let in over TLS only.
fn encrypted(world: &World, cluster: &PostgresCluster, options: &str) -> String {
    world.execute("GRANT CREATE, USAGE ON SCHEMA public TO encrypted");
    world.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO encrypted");
    world.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO encrypted");
    let (server, _) =
        world.url().split_once('?').map(|(url, options)| (url.to_owned(), options.to_owned())).unwrap();
    let server = server.replacen("agent:", "encrypted:", 1);
    let authority = cluster.certificate("authority.pem").unwrap().display().to_string();
    let stranger = cluster.certificate("stranger.pem").unwrap().display().to_string();
    format!("{server}?{options}").replace("AUTHORITY", &authority).replace("STRANGER", &stranger)
}

/// The innermost reason.
fn reason(error: &Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    format!("{error}: {deepest}")
}

#[tokio::test]
async fn a_connection_is_encrypted_when_the_server_demands_it() {
    let Some(world) = World::new().await else { return };
    let Some(cluster) = PostgresCluster::shared().filter(|cluster| cluster.certificate("").is_some()) else {
        return;
    };
    let refused = open(&encrypted(&world, cluster, "sslmode=disable")).err().unwrap();
    assert!(reason(&refused).contains("no encryption"), "{}", reason(&refused));
    for options in ["sslmode=require", "sslmode=prefer", ""] {
        let store = open(&encrypted(&world, cluster, options)).unwrap();
        let state = world.plan(1).await;
        store.commit(&change(&state), None).await.unwrap();
        store.load(None, state.plan.id).await.unwrap();
        let plain = world.query(
            "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
             WHERE usename = 'encrypted' AND datname = current_database() AND NOT ssl",
        );
        let secret = world.query(
            "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
             WHERE usename = 'encrypted' AND datname = current_database() AND ssl AND version LIKE 'TLSv1.%'",
        );
        assert_eq!(plain, ["0"], "{options}");
        assert!(secret[0].parse::<u32>().unwrap() >= 2, "{secret:?} connections with {options}");
    }
}

#[tokio::test]
async fn certificates_are_checked_as_far_as_the_mode_says() {
    let Some(world) = World::new().await else { return };
    let Some(cluster) = PostgresCluster::shared().filter(|cluster| cluster.certificate("").is_some()) else {
        return;
    };
    let cases = [
        ("localhost", "sslmode=verify-full&sslrootcert=AUTHORITY", None),
        ("127.0.0.1", "sslmode=verify-full&sslrootcert=AUTHORITY", Some("not valid for")),
        ("127.0.0.1", "sslmode=verify-ca&sslrootcert=AUTHORITY", None),
        ("localhost", "sslmode=verify-full&sslrootcert=STRANGER", Some("BadSignature")),
        ("localhost", "sslmode=verify-ca&sslrootcert=STRANGER", Some("BadSignature")),
        ("localhost", "sslmode=require&sslrootcert=STRANGER", Some("BadSignature")),
        ("localhost", "sslmode=verify-full", Some("UnknownIssuer")),
        ("localhost", "sslmode=verify-full&sslrootcert=/nonexistent", Some("/nonexistent")),
    ];
    for (host, options, refusal) in cases {
        let url = encrypted(&world, cluster, options).replacen("@127.0.0.1:", &format!("@{host}:"), 1);
        match (open(&url), refusal) {
            (Ok(_), None) => {}
            (Err(error), Some(part)) => {
                assert!(reason(&error).contains(part), "{host} {options}: {}", reason(&error));
            }
            (Ok(_), Some(_)) => panic!("{host} {options} was let in"),
            (Err(error), None) => panic!("{host} {options}: {}", reason(&error)),
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_or_refuses_is_named_without_the_password() {
    let Some(world) = World::new().await else { return };
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let absent = open(&format!("postgres://ada:hunter2@127.0.0.1:{nobody}/agent")).err().unwrap();
    assert!(matches!(absent, Error::Server { .. }), "{absent:?}");
    assert!(absent.to_string().contains(&format!("ada@127.0.0.1:{nobody}/agent")), "{absent}");
    let wrong = open(&world.url().replacen("not-a-secret", "hunter2", 1)).err();
    for error in [Some(absent), wrong].into_iter().flatten() {
        assert!(!format!("{error:?} {}", reason(&error)).contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_text_is_refused() {
    let Some(world) = World::new().await else { return };
    let name = format!("{}_latin", world.query("SELECT current_database()")[0]);
    world.execute(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"));
    let url = world.url().replacen(&world.query("SELECT current_database()")[0], &name, 1);
    let refused = open(&url).err().unwrap();
    world.execute(&format!("DROP DATABASE {name} WITH (FORCE)"));
    assert!(reason(&refused).contains("SQL_ASCII"), "{}", reason(&refused));
    assert!(refused.source().is_some());
}
