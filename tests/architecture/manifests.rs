//! Manifests that inherit everything that is the same everywhere.

use crate::workspace::{members, no_complaints, relative, toml};
use toml::{Table, Value};

const INHERITED: &[&str] = &["version", "edition", "rust-version", "license", "publish"];
const DEPENDENCIES: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];

fn manifests() -> Vec<(String, Table)> {
    let paths = members().into_iter().map(|package| relative(package.manifest_path.as_std_path()));
    paths.map(|path| (path.clone(), toml(&path))).collect()
}

fn inherits(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

#[test]
fn every_package_inherits_its_fields_and_lints() {
    let mut complaints = Vec::new();
    for (path, manifest) in manifests() {
        for field in INHERITED.iter().filter(|field| !inherits(manifest["package"].get(**field))) {
            complaints.push(format!("{path}: write `{field}.workspace = true` in [package]"));
        }
        if manifest["package"].get("description").and_then(Value::as_str).is_none_or(str::is_empty) {
            complaints.push(format!("{path}: say in `description` what the crate is for"));
        }
        if !inherits(manifest.get("lints")) {
            complaints.push(format!("{path}: write [lints] with `workspace = true`"));
        }
    }
    no_complaints(&complaints);
}

#[test]
fn no_crate_has_features() {
    // A feature doubles what must be tested; what is optional is a port.
    let featured = manifests().into_iter().filter(|(_, manifest)| manifest.contains_key("features"));
    no_complaints(&featured.map(|(path, _)| format!("{path}: remove [features]")).collect::<Vec<_>>());
}

#[test]
fn every_dependency_takes_its_version_from_the_workspace() {
    let mut complaints = Vec::new();
    for (path, manifest) in manifests() {
        let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
        let places = targets.filter_map(Value::as_table).chain([&manifest]);
        for place in places {
            let sections = DEPENDENCIES.iter().filter_map(|section| place.get(*section)?.as_table());
            for (name, value) in sections.flatten() {
                let alone = value.as_table().is_some_and(|table| table.len() == 1);
                if !(inherits(Some(value)) && alone) {
                    complaints.push(format!("{path}: write `{name}.workspace = true`"));
                }
            }
        }
    }
    no_complaints(&complaints);
}

#[test]
fn the_lints_of_the_house_are_on() {
    let manifest = toml("Cargo.toml");
    let lints = &manifest["workspace"]["lints"];
    let wanted = [
        ("rust", "missing_docs"),
        ("rust", "unreachable_pub"),
        ("rust", "unsafe_code"),
        ("clippy", "too_many_lines"),
        ("clippy", "mod_module_files"),
        ("clippy", "unwrap_used"),
        ("clippy", "expect_used"),
        ("clippy", "missing_errors_doc"),
        ("clippy", "allow_attributes"),
        ("clippy", "print_stdout"),
        ("clippy", "await_holding_lock"),
    ];
    let missing = wanted.iter().filter(|(tool, lint)| lints[*tool].get(*lint).is_none());
    let complaints: Vec<String> = missing
        .map(|(tool, lint)| format!("Cargo.toml: put {lint} back into [workspace.lints.{tool}]"))
        .collect();
    no_complaints(&complaints);
}
