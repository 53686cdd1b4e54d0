//! Every outside world is known to one crate: the database, the web, the models, passwords, the kernel.

use crate::workspace::{everything, members, no_complaints, toml};
use cargo_metadata::{DependencyKind, PackageId};
use std::collections::{BTreeMap, BTreeSet};

struct World {
    package: &'static str,
    home: &'static str,
    /// Others that may use it all the same, and why.
    exceptions: &'static [(&'static str, &'static str)],
}

const fn world(
    package: &'static str,
    home: &'static str,
    exceptions: &'static [(&'static str, &'static str)],
) -> World {
    World { package, home, exceptions }
}

const HTTP_CLIENTS: &[(&str, &str)] = &[
    ("agent", "the command line is a client of a server elsewhere"),
    ("agent-client", "it is the client that other programs embed"),
    ("agent-testkit", "its clients are real"),
    ("agent-tests", "the tests are clients"),
    ("agent-webhooks", "it calls addresses that users chose, behind a guard"),
];

const WORLDS: &[World] = &[
    world(
        "actix-web",
        "agent-server",
        &[
            ("agent-llm", "its tests play the provider"),
            ("agent-tests", "a benchmark has its constant answer"),
            ("agent-websocket", "its connections live in the answers of the web framework"),
        ],
    ),
    world("aide", "agent-server", &[]),
    world("argon2", "agent-auth", &[]),
    world("async-nats", "agent-events", &[]),
    world("clap", "agent", &[("agent-server", "the server alone has switches too")]),
    world("clap_complete", "agent", &[]),
    world("clap_mangen", "agent", &[]),
    world("diesel", "agent-store", &[]),
    world("diesel-async", "agent-store", &[]),
    world("diesel_migrations", "agent-store", &[]),
    world("genai", "agent-llm", &[]),
    world("ignore", "agent-repository", &[]),
    world("jsonwebtoken", "agent-auth", &[]),
    world("landlock", "agent-sandbox", &[]),
    world("libc", "agent-sandbox", &[]),
    world("libsqlite3-sys", "agent-store", &[]),
    world("opentelemetry", "agent-server", &[]),
    world("opentelemetry-otlp", "agent-server", &[]),
    world("opentelemetry_sdk", "agent-server", &[]),
    world("prometheus-client", "agent-server", &[]),
    world("r2d2", "agent-store", &[]),
    world("reqwest", "agent-llm", HTTP_CLIENTS),
    world("seccompiler", "agent-sandbox", &[]),
    world("similar", "agent-repository", &[]),
    world("tokio-postgres", "agent-store", &[("agent-testkit-postgres", "it makes databases for tests")]),
    world("tree-sitter", "agent-repository", &[("agent-policy", "it reads scripts, and no files")]),
    world("utoipa", "agent-server", &[]),
    world("utoipa-actix-web", "agent-server", &[]),
    world("utoipa-swagger-ui", "agent-server", &[]),
];

/// Too common among third-party packages for deny.toml; here its direct users still count.
const NOT_IN_DENY: &[&str] = &["libc"];

/// Exceptions that hold in tests only.
const TESTS_ONLY: &[(&str, &str)] = &[("actix-web", "agent-llm"), ("actix-web", "agent-tests")];

fn users(package: &str, kind: Option<DependencyKind>) -> BTreeSet<&'static str> {
    let uses = |member: &&cargo_metadata::Package| {
        member
            .dependencies
            .iter()
            .any(|dependency| dependency.name == package && kind.is_none_or(|kind| dependency.kind == kind))
    };
    members().into_iter().filter(uses).map(|member| member.name.as_str()).collect()
}

#[test]
fn each_outside_world_is_known_to_one_crate() {
    let mut complaints = Vec::new();
    for world in WORLDS {
        let excepted: BTreeSet<&str> = world.exceptions.iter().map(|(name, _)| *name).collect();
        let users = users(world.package, None);
        if !users.contains(world.home) {
            complaints.push(format!(
                "{} is not used by {}: change its home in worlds.rs",
                world.package, world.home
            ));
        }
        for user in users.iter().filter(|user| **user != world.home && !excepted.contains(**user)) {
            complaints.push(format!(
                "{user} uses {}: that is the job of {}; ask it through a port",
                world.package, world.home
            ));
        }
        for unused in excepted.iter().filter(|name| !users.contains(**name)) {
            complaints.push(format!("{unused} does not use {} any more: drop the exception", world.package));
        }
    }
    no_complaints(&complaints);
}

#[test]
fn what_is_excepted_for_tests_is_used_in_tests_only() {
    let complaints: Vec<String> = TESTS_ONLY
        .iter()
        .filter(|(package, user)| users(package, Some(DependencyKind::Normal)).contains(user))
        .map(|(package, user)| format!("{user}: move {package} to [dev-dependencies]"))
        .collect();
    no_complaints(&complaints);
}

/// Who depends on a package directly, third parties included.
fn dependants() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let metadata = everything();
    let names: BTreeMap<&PackageId, &str> =
        metadata.packages.iter().map(|package| (&package.id, package.name.as_str())).collect();
    let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let nodes = &metadata.resolve.as_ref().expect("cargo resolves the workspace").nodes;
    for node in nodes {
        for dependency in &node.deps {
            found.entry(names[&dependency.pkg]).or_default().insert(names[&node.id]);
        }
    }
    found
}

#[test]
fn deny_toml_bans_the_same_worlds_from_the_same_places() {
    let deny = toml("deny.toml");
    let entries = deny["bans"]["deny"].as_array().expect("[bans] deny is a list").iter();
    let entries: BTreeMap<&str, BTreeSet<&str>> = entries
        .map(|entry| {
            let wrappers = entry["wrappers"].as_array().expect("wrappers is a list").iter();
            let name = entry["crate"].as_str().expect("crate is a name");
            (name, wrappers.filter_map(|wrapper| wrapper.as_str()).collect())
        })
        .collect();
    let wanted: BTreeSet<&str> =
        WORLDS.iter().map(|world| world.package).filter(|name| !NOT_IN_DENY.contains(name)).collect();
    let present: BTreeSet<&str> = entries.keys().copied().collect();
    let differences = wanted.symmetric_difference(&present);
    let mut complaints: Vec<String> = differences
        .map(|name| format!("{name} is in only one of deny.toml and worlds.rs: make them agree"))
        .collect();
    let dependants = dependants();
    for (name, wrappers) in &entries {
        let real = dependants.get(name).cloned().unwrap_or_default();
        if *wrappers != real {
            complaints.push(format!("deny.toml: the wrappers of {name} must be {real:?}"));
        }
    }
    no_complaints(&complaints);
}
