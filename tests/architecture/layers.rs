//! Arrows only downwards: which crate may know which.

use crate::workspace::{members, no_complaints};
use cargo_metadata::{DependencyKind, Package};
use std::collections::BTreeSet;

struct Rule {
    name: &'static str,
    layer: u8,
    may_use: &'static [&'static str],
}

const fn rule(name: &'static str, layer: u8, may_use: &'static [&'static str]) -> Rule {
    Rule { name, layer, may_use }
}

/// Who may use whom. A new arrow is a decision: it is made here, with its layer.
const RULES: &[Rule] = &[
    rule("agent-core", 0, &[]),
    rule("agent-analytics", 1, &["agent-core"]),
    rule("agent-audit", 1, &["agent-core"]),
    rule("agent-auth", 1, &["agent-core"]),
    rule("agent-client", 1, &["agent-core"]),
    rule("agent-events", 1, &["agent-core"]),
    rule("agent-limits", 1, &["agent-core"]),
    rule("agent-llm", 1, &["agent-core"]),
    rule("agent-policy", 1, &["agent-core"]),
    rule("agent-repository", 1, &["agent-core"]),
    rule("agent-sandbox", 1, &["agent-core"]),
    rule("agent-secrets", 1, &["agent-core"]),
    rule("agent-templates", 1, &["agent-core"]),
    rule("agent-webhooks", 1, &["agent-core"]),
    rule("agent-websocket", 1, &[]),
    rule(
        "agent-store",
        2,
        &["agent-analytics", "agent-audit", "agent-auth", "agent-core", "agent-templates", "agent-webhooks"],
    ),
    rule(
        "agent-runtime",
        3,
        &[
            "agent-analytics",
            "agent-audit",
            "agent-auth",
            "agent-core",
            "agent-events",
            "agent-limits",
            "agent-llm",
            "agent-policy",
            "agent-repository",
            "agent-sandbox",
            "agent-secrets",
            "agent-store",
            "agent-templates",
            "agent-webhooks",
        ],
    ),
    rule(
        "agent-server",
        4,
        &[
            "agent-analytics",
            "agent-audit",
            "agent-auth",
            "agent-core",
            "agent-events",
            "agent-limits",
            "agent-policy",
            "agent-repository",
            "agent-runtime",
            "agent-templates",
            "agent-webhooks",
            "agent-websocket",
        ],
    ),
    rule(
        "agent",
        5,
        &[
            "agent-audit",
            "agent-auth",
            "agent-client",
            "agent-core",
            "agent-events",
            "agent-llm",
            "agent-policy",
            "agent-repository",
            "agent-runtime",
            "agent-sandbox",
            "agent-secrets",
            "agent-server",
            "agent-templates",
        ],
    ),
    rule("agent-testkit-nats", 0, &[]),
    rule("agent-testkit-postgres", 0, &[]),
    rule("agent-testkit", 5, &["agent-runtime", "agent-server"]),
    rule("agent-tests", 6, &[]),
];

/// The crates that may only be used in tests.
const TESTS_ONLY: &[&str] = &["agent-testkit", "agent-testkit-nats", "agent-testkit-postgres"];
/// What tests of a crate use beside what it may use itself, and why that is no arrow upwards.
const IN_TESTS: &[(&str, &str)] = &[
    // Events are followed across the death of the server by whoever is made for that.
    ("agent-server", "agent-client"),
];
/// The crate of tests, which may use everything.
const TESTS: &str = "agent-tests";

fn used(package: &Package, kind: DependencyKind) -> BTreeSet<&str> {
    let of_kind = package.dependencies.iter().filter(|dependency| dependency.kind == kind);
    of_kind
        .filter(|dependency| dependency.path.is_some())
        .map(|dependency| dependency.name.as_str())
        .collect()
}

fn find(name: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.name == name)
}

#[test]
fn every_crate_has_a_layer_and_every_rule_a_crate() {
    let members: BTreeSet<&str> = members().iter().map(|package| package.name.as_str()).collect();
    let ruled: BTreeSet<&str> = RULES.iter().map(|rule| rule.name).collect();
    let new = members
        .difference(&ruled)
        .map(|name| format!("{name}: give it a layer in tests/architecture/layers.rs"));
    let gone = ruled.difference(&members).map(|name| format!("{name}: is no crate any more; drop its rule"));
    no_complaints(&new.chain(gone).collect::<Vec<_>>());
}

#[test]
fn crates_use_only_what_their_rule_names_and_rules_name_only_what_is_used() {
    let mut complaints = Vec::new();
    for package in members() {
        let Some(rule) = find(&package.name) else { continue };
        let allowed: BTreeSet<&str> = rule.may_use.iter().copied().collect();
        let mut present = used(package, DependencyKind::Normal);
        present.extend(used(package, DependencyKind::Build));
        for extra in present.difference(&allowed) {
            complaints.push(format!(
                "{} uses {extra}: move what both need to agent-core or behind a port, or decide the arrow in layers.rs",
                rule.name
            ));
        }
        for unused in allowed.difference(&present) {
            complaints.push(format!("{} does not use {unused} any more: drop it from its rule", rule.name));
        }
    }
    no_complaints(&complaints);
}

#[test]
fn arrows_point_downwards_and_never_to_a_sibling() {
    let mut complaints = Vec::new();
    for rule in RULES {
        for target in rule.may_use.iter().filter_map(|name| find(name)) {
            if target.layer >= rule.layer {
                complaints.push(format!("{} (layer {}) may not use {}", rule.name, rule.layer, target.name));
            }
        }
    }
    no_complaints(&complaints);
}

#[test]
fn the_testkits_are_used_in_tests_only() {
    let mut complaints = Vec::new();
    for package in members() {
        let name = package.name.as_str();
        for kit in TESTS_ONLY.iter().filter(|kit| used(package, DependencyKind::Normal).contains(*kit)) {
            complaints.push(format!("{name}: move {kit} to [dev-dependencies]"));
        }
        let below = find(name).map_or(&[][..], |rule| rule.may_use);
        for extra in used(package, DependencyKind::Development) {
            let is_known =
                TESTS_ONLY.contains(&extra) || below.contains(&extra) || IN_TESTS.contains(&(name, extra));
            if name != TESTS && !is_known {
                complaints.push(format!("{name}: its tests use {extra}; put that test into tests/ instead"));
            }
        }
    }
    no_complaints(&complaints);
}
