//! Finds what builds and tests a repository.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::beneath;
use super::display::escaped;
use super::python::{PythonTests, argv};
use super::walk::joined;

/// Larger manifests are named, but not read.
pub(crate) const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// A monorepo may have any number of them.
const MAX_MANIFESTS: usize = 200;

/// A file that says how a folder is built and tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// The manifest, relative to the root; `.` when only the files themselves tell.
    pub path: String,
    /// `cargo`, `npm`, `python`, `go`, `maven`, `gradle`, `make`, `cmake`, `composer`, `bundler` or `mix`.
    pub kind: String,
    /// The command that builds it, to be run in the manifest's folder; `None` if there is nothing to build.
    pub build: Option<Vec<String>>,
    /// The command that tests it, to be run in the manifest's folder; `None` if it says nothing of tests.
    pub test: Option<Vec<String>>,
}

type Command = Option<Vec<String>>;

/// File name and kind; of several of one kind in a folder, the first here speaks for it.
const NAMES: &[(&[u8], &str)] = &[
    (b"Cargo.toml", "cargo"),
    (b"package.json", "npm"),
    (b"pyproject.toml", "python"),
    (b"setup.py", "python"),
    (b"setup.cfg", "python"),
    (b"go.mod", "go"),
    (b"pom.xml", "maven"),
    (b"build.gradle", "gradle"),
    (b"build.gradle.kts", "gradle"),
    (b"GNUmakefile", "make"),
    (b"makefile", "make"),
    (b"Makefile", "make"),
    (b"CMakeLists.txt", "cmake"),
    (b"composer.json", "composer"),
    (b"Gemfile", "bundler"),
    (b"mix.exs", "mix"),
];

/// Depth, folder and kind.
type Key<'a> = (usize, &'a [u8], &'a str);

/// Where a manifest stands.
struct Place<'a> {
    root: BorrowedFd<'a>,
    folder: &'a [u8],
    text: &'a [u8],
}

impl Place<'_> {
    fn has(&self, name: &str) -> bool {
        beneath::exists(self.root, &joined(self.folder, name.as_bytes()))
    }

    fn says(&self, word: &str) -> bool {
        self.text.windows(word.len()).any(|window| window == word.as_bytes())
    }
}

pub(crate) fn is_manifest(name: &[u8]) -> bool {
    rank(name).is_some()
}

fn rank(name: &[u8]) -> Option<usize> {
    NAMES.iter().position(|(known, _)| *known == name)
}

/// Reads the manifests at `paths`, nearest to the root first.
pub(crate) fn read_all(root: BorrowedFd<'_>, paths: &[Vec<u8>], python: &PythonTests) -> Vec<Manifest> {
    // One of each kind in a folder: the first of `NAMES` speaks for it.
    let mut chosen: BTreeMap<Key<'_>, (usize, &[u8])> = BTreeMap::new();
    for path in paths {
        let (folder, name) = split(path);
        let Some(rank) = rank(name) else { continue };
        let depth = path.iter().filter(|byte| **byte == b'/').count();
        let entry = chosen.entry((depth, folder, NAMES[rank].1)).or_insert((rank, path));
        *entry = (*entry).min((rank, path));
    }
    let root_has_python = chosen.keys().any(|(depth, _, kind)| *depth == 0 && *kind == "python");
    let mut manifests: Vec<Manifest> = chosen
        .into_iter()
        .take(MAX_MANIFESTS)
        .map(|((_, folder, kind), (_, path))| {
            let text = beneath::read_small(root, path, MAX_MANIFEST_BYTES).unwrap_or_default();
            let place = Place { root, folder, text: &text };
            let (build, test) = commands(kind, &place, python);
            Manifest { path: escaped(path), kind: kind.to_owned(), build, test }
        })
        .collect();
    if !root_has_python && let Some(test) = python_without_manifest(root, &manifests, python) {
        let manifest =
            Manifest { path: ".".to_owned(), kind: "python".to_owned(), build: None, test: Some(test) };
        manifests.insert(0, manifest);
    }
    manifests
}

/// Tests of a tree that has no Python manifest anywhere; with one, the tests belong to it.
fn python_without_manifest(root: BorrowedFd<'_>, known: &[Manifest], python: &PythonTests) -> Command {
    if known.iter().any(|manifest| manifest.kind == "python") {
        return None;
    }
    python.command(root, b"", &[])
}

fn commands(kind: &str, place: &Place<'_>, python: &PythonTests) -> (Command, Command) {
    let both = |build: &[&str], test: &[&str]| (Some(argv(build)), Some(argv(test)));
    match kind {
        "cargo" => both(&["cargo", "build"], &["cargo", "test"]),
        "go" => both(&["go", "build", "./..."], &["go", "test", "./..."]),
        "mix" => both(&["mix", "compile"], &["mix", "test"]),
        "maven" => {
            let program = if place.has("mvnw") { "./mvnw" } else { "mvn" };
            both(&[program, "-B", "package", "-DskipTests"], &[program, "-B", "test"])
        }
        "gradle" => {
            let program = if place.has("gradlew") { "./gradlew" } else { "gradle" };
            both(&[program, "assemble"], &[program, "test"])
        }
        "npm" => npm(place),
        "python" => {
            let fallback = || Some(argv(&["python3", "-m", "unittest", "discover"]));
            (None, python.command(place.root, place.folder, &[place.text]).or_else(fallback))
        }
        "make" => make(place),
        "cmake" => cmake(place),
        "composer" => (None, composer(place)),
        "bundler" => (None, bundler(place)),
        _ => (None, None),
    }
}

fn scripts(place: &Place<'_>) -> serde_json::Map<String, serde_json::Value> {
    let manifest: serde_json::Value = serde_json::from_slice(place.text).unwrap_or_default();
    manifest.get("scripts").and_then(|scripts| scripts.as_object().cloned()).unwrap_or_default()
}

fn npm(place: &Place<'_>) -> (Command, Command) {
    let scripts = scripts(place);
    let has = |name: &str| {
        // What `npm init` writes is a script that always fails.
        scripts
            .get(name)
            .and_then(|script| script.as_str())
            .is_some_and(|script| !script.contains("no test specified"))
    };
    (has("build").then(|| argv(&["npm", "run", "build"])), has("test").then(|| argv(&["npm", "test"])))
}

fn composer(place: &Place<'_>) -> Command {
    if scripts(place).contains_key("test") {
        return Some(argv(&["composer", "test"]));
    }
    place.says("phpunit/phpunit").then(|| argv(&["vendor/bin/phpunit"]))
}

fn bundler(place: &Place<'_>) -> Command {
    if place.says("rspec") || place.has(".rspec") {
        return Some(argv(&["bundle", "exec", "rspec"]));
    }
    place.has("Rakefile").then(|| argv(&["bundle", "exec", "rake", "test"]))
}

fn make(place: &Place<'_>) -> (Command, Command) {
    let targets = make_targets(place.text);
    let first_of = |names: &[&str]| {
        names
            .iter()
            .find(|name| targets.iter().any(|target| target == *name))
            .map(|name| argv(&["make", name]))
    };
    let build = first_of(&["all", "build"]).or_else(|| (!targets.is_empty()).then(|| argv(&["make"])));
    (build, first_of(&["test", "check", "tests"]))
}

fn make_targets(text: &[u8]) -> Vec<&str> {
    text.split(|byte| *byte == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok())
        .filter(|line| !line.starts_with(['\t', ' ', '#', '.']))
        .filter_map(|line| line.split_once(':'))
        .filter(|(names, rest)| {
            !rest.starts_with('=') && !rest.starts_with(":=") && !names.contains(['=', '$'])
        })
        .flat_map(|(names, _)| names.split_whitespace())
        .collect()
}

fn cmake(place: &Place<'_>) -> (Command, Command) {
    let build = "cmake -S . -B build && cmake --build build";
    let tests = place.says("enable_testing") || place.says("include(CTest)");
    let test = format!("{build} && ctest --test-dir build --output-on-failure");
    (Some(argv(&["sh", "-c", build])), tests.then(|| argv(&["sh", "-c", &test])))
}

fn split(path: &[u8]) -> (&[u8], &[u8]) {
    path.iter()
        .rposition(|byte| *byte == b'/')
        .map_or((&[], path), |slash| (&path[..slash], &path[slash + 1..]))
}

#[cfg(test)]
mod tests {
    use super::make_targets;

    #[test]
    fn make_targets_are_told_from_assignments_and_recipes() {
        let text = b"CC := gcc\nX::=y\nall build: main.o\n\techo a: b\n.PHONY: all\n# c: d\ntest:\n\tgo\n$(X): z\nV = a:b\n";
        assert_eq!(make_targets(text), ["all", "build", "test"]);
    }
}
