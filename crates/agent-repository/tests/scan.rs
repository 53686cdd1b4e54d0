//! What a scan says of ordinary repositories.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::path::Path;

use agent_repository::scan::{
    Error, Manifest, ScanOptions, ScanReport, SkipReason, is_sensitive, list_files, scan,
};
use tempfile::TempDir;

#[path = "fixture/folder.rs"]
mod folder;

use folder::repository;

fn scan_all(folder: &TempDir) -> ScanReport {
    scan(folder.path(), &ScanOptions::default()).unwrap()
}

fn skipped(report: &ScanReport) -> Vec<(&str, SkipReason)> {
    report.skipped.iter().map(|entry| (entry.path.as_str(), entry.reason)).collect()
}

fn words(words: &[&str]) -> Option<Vec<String>> {
    Some(words.iter().map(|word| (*word).to_owned()).collect())
}

fn manifest(path: &str, kind: &str, build: Option<Vec<String>>, test: Option<Vec<String>>) -> Manifest {
    Manifest { path: path.to_owned(), kind: kind.to_owned(), build, test }
}

#[test]
fn the_figures_of_all_languages_add_up_to_the_totals() {
    let folder = repository(&[
        ("src/main.rs", "// Greets.\nfn main() {\n\n}\n"),
        ("src/more.rs", "fn more() {}\n"),
        ("tools/run.py", "import os\n# c\n"),
        ("README.md", "# Title\n"),
        ("logo.png", "\u{0}\u{1}"),
    ]);
    let report = scan_all(&folder);
    let names: Vec<&str> = report.languages.iter().map(|language| language.name.as_str()).collect();
    assert_eq!(names, ["Rust", "Python", "Markdown"]);
    let rust = &report.languages[0];
    assert_eq!((rust.files, rust.lines, rust.code, rust.comments, rust.blanks), (2, 5, 3, 1, 1));
    assert_eq!((report.total_files, report.total_directories), (5, 2));
    assert_eq!((report.total_lines, report.total_code_lines), (8, 4));
    assert_eq!(report.total_bytes, 26 + 13 + 14 + 8 + 2);
    assert_eq!(report.git, None);
    assert!(report.directory_tree.contains("├── src/\n│   ├── main.rs\n"), "{}", report.directory_tree);
}

#[test]
fn two_scans_of_the_same_tree_say_the_same_with_any_number_of_threads() {
    let files: Vec<(String, String)> = (0..300)
        .map(|n| (format!("d{}/e{}/f{n}.rs", n % 7, n % 3), format!("// {n}\nfn f() {{}}\n")))
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let folder = repository(&files);
    let with = |threads| {
        let report = scan(folder.path(), &ScanOptions { threads: Some(threads), ..ScanOptions::default() });
        ScanReport { duration_ms: 0, ..report.unwrap() }
    };
    let one = with(1);
    assert_eq!(one.total_files, 300);
    for threads in [2, 4, 8] {
        assert_eq!(with(threads), one);
    }
}

#[test]
fn ignored_hidden_and_vendored_files_are_left_out_and_named() {
    let folder = repository(&[
        (".gitignore", "*.log\n/build/\n!keep.log\n"),
        ("a.log.rs", "fn a() {}\n"),
        ("a.log", "x"),
        ("keep.log", "x"),
        ("build/out.rs", "fn b() {}\n"),
        ("sub/build/in.rs", "fn c() {}\n"),
        ("sub/.gitignore", "local.rs\n"),
        ("sub/local.rs", "fn d() {}\n"),
        ("local.rs", "fn e() {}\n"),
        ("sub/.ignore", "!local.rs\n"),
        (".github/workflow.yml", "a: b\n"),
        ("node_modules/x/index.js", "x\n"),
        ("vendor/y.go", "y\n"),
    ]);
    let report = scan_all(&folder);
    // `.ignore` wins over `.gitignore` in the same folder.
    assert_eq!(report.languages[0].files, 4, "{:?}", report.languages);
    assert_eq!(report.total_files, 5);
    assert_eq!(
        skipped(&report),
        [
            (".github", SkipReason::Hidden),
            (".gitignore", SkipReason::Hidden),
            ("build", SkipReason::Ignored),
            ("node_modules", SkipReason::Vendored),
            ("sub/.gitignore", SkipReason::Hidden),
            ("sub/.ignore", SkipReason::Hidden),
            ("vendor", SkipReason::Vendored),
        ]
    );
}

#[test]
fn hidden_and_vendored_files_are_read_on_request_and_sensitive_ones_are_not() {
    let folder =
        repository(&[(".github/a.yml", "a: b\n"), ("vendor/y.go", "y\n"), (".env", "SECRET=canary\n")]);
    let options = ScanOptions { include_hidden: true, include_vendored: true, ..ScanOptions::default() };
    let report = scan(folder.path(), &options).unwrap();
    assert_eq!(report.total_files, 2);
    assert_eq!(skipped(&report), [(".env", SkipReason::Sensitive)]);
}

#[test]
fn the_rules_of_the_repositorys_own_exclude_file_hold() {
    let folder = repository(&[(".git/info/exclude", "private.rs\n"), ("private.rs", "x\n"), ("a.rs", "x\n")]);
    assert_eq!(scan_all(&folder).total_files, 1);
}

#[test]
fn sensitive_files_are_left_out_by_name_and_by_content() {
    let key = "-----BEGIN OPENSSH PRIVATE KEY-----\ncanary\n";
    let folder = repository(&[
        (".env", "A=canary\n"),
        (".env.production", "A=canary\n"),
        (".env.example", "A=\n"),
        ("deploy/prod.env", "A=canary\n"),
        (".npmrc", "canary\n"),
        (".netrc", "canary\n"),
        ("id_rsa", "canary\n"),
        ("server.pem", "canary\n"),
        (".aws/config", "canary\n"),
        ("notes", key),
        ("notes.txt", key),
        ("src/credentials.rs", "fn a() {}\n"),
    ]);
    let report = scan_all(&folder);
    let sensitive: Vec<&str> = skipped(&report)
        .into_iter()
        .filter(|(_, why)| *why == SkipReason::Sensitive)
        .map(|(path, _)| path)
        .collect();
    assert_eq!(
        sensitive,
        [
            ".aws",
            ".env",
            ".env.production",
            ".netrc",
            ".npmrc",
            "deploy/prod.env",
            "id_rsa",
            "notes",
            "notes.txt",
            "server.pem"
        ]
    );
    assert_eq!(report.total_files, 1);
    assert!(!serde_json::to_string(&report).unwrap().contains("canary"));
    assert!(is_sensitive("a/b/.env.local") && !is_sensitive("a/env.rs"));
}

#[test]
fn the_json_has_the_names_of_the_wire_contract() {
    let folder = repository(&[("a.rs", "fn a() {}\n"), (".hidden", "")]);
    let json = serde_json::to_value(scan_all(&folder)).unwrap();
    for field in [
        "total_files",
        "total_directories",
        "total_lines",
        "total_code_lines",
        "total_bytes",
        "languages",
        "directory_tree",
        "git",
        "manifests",
        "skipped",
        "duration_ms",
    ] {
        assert!(json.get(field).is_some(), "{field} is missing");
    }
    let language =
        serde_json::json!({"name": "Rust", "files": 1, "lines": 1, "code": 1, "comments": 0, "blanks": 0});
    assert_eq!(json["languages"], serde_json::json!([language]));
    assert_eq!(json["skipped"], serde_json::json!([{"path": ".hidden", "reason": "hidden"}]));
}

#[test]
fn manifests_say_what_builds_and_tests_each_folder() {
    let folder = repository(&[
        ("Cargo.toml", "[package]\n"),
        ("web/package.json", r#"{"scripts": {"test": "vitest", "build": "vite build"}}"#),
        ("old/package.json", r#"{"scripts": {"test": "echo \"Error: no test specified\" && exit 1"}}"#),
        ("go/go.mod", "module x\n"),
        ("jvm/pom.xml", "<project/>"),
        ("jvm/mvnw", "#!/bin/sh\n"),
        ("c/Makefile", "CC := gcc\nall: x\ntest: all\n\t./x\n"),
        ("cm/CMakeLists.txt", "enable_testing()\n"),
        ("rb/Gemfile", "gem 'rspec'\n"),
        ("ex/mix.exs", "defmodule\n"),
        ("php/composer.json", r#"{"require-dev": {"phpunit/phpunit": "^11"}}"#),
        ("gr/build.gradle.kts", "plugins {}\n"),
    ]);
    let found = scan_all(&folder).manifests;
    let cmake = "cmake -S . -B build && cmake --build build";
    let ctest = format!("{cmake} && ctest --test-dir build --output-on-failure");
    let expected = [
        manifest("Cargo.toml", "cargo", words(&["cargo", "build"]), words(&["cargo", "test"])),
        manifest("c/Makefile", "make", words(&["make", "all"]), words(&["make", "test"])),
        manifest("cm/CMakeLists.txt", "cmake", words(&["sh", "-c", cmake]), words(&["sh", "-c", &ctest])),
        manifest("ex/mix.exs", "mix", words(&["mix", "compile"]), words(&["mix", "test"])),
        manifest("go/go.mod", "go", words(&["go", "build", "./..."]), words(&["go", "test", "./..."])),
        manifest("gr/build.gradle.kts", "gradle", words(&["gradle", "assemble"]), words(&["gradle", "test"])),
        manifest(
            "jvm/pom.xml",
            "maven",
            words(&["./mvnw", "-B", "package", "-DskipTests"]),
            words(&["./mvnw", "-B", "test"]),
        ),
        manifest("old/package.json", "npm", None, None),
        manifest("php/composer.json", "composer", None, words(&["vendor/bin/phpunit"])),
        manifest("rb/Gemfile", "bundler", None, words(&["bundle", "exec", "rspec"])),
        manifest("web/package.json", "npm", words(&["npm", "run", "build"]), words(&["npm", "test"])),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_python_tree_is_tested_by_the_framework_it_names() {
    let unittest = "import unittest\n";
    let discover = words(&["python3", "-m", "unittest", "discover"]);
    let in_tests = words(&["python3", "-m", "unittest", "discover", "-s", "tests"]);
    let pytest = words(&["python3", "-m", "pytest"]);
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a Option<Vec<String>>);
    let cases: &[Case<'_>] = &[
        (&[("a.py", "x\n"), ("test_a.py", unittest)], ".", &discover),
        (&[("a.py", "x\n"), ("tests/test_a.py", unittest)], ".", &in_tests),
        (&[("a.py", "x\n"), ("tests/test_a.py", "import pytest\n")], ".", &pytest),
        (
            &[("pyproject.toml", "[tool.pytest.ini_options]\n"), ("test_a.py", unittest)],
            "pyproject.toml",
            &pytest,
        ),
        (&[("pyproject.toml", "[project]\n"), ("tests/test_a.py", unittest)], "pyproject.toml", &in_tests),
        (&[("setup.py", "setup()\n"), ("pyproject.toml", "[project]\n")], "pyproject.toml", &discover),
        (&[("setup.py", "setup()\n"), ("requirements.txt", "pytest==8\n")], "setup.py", &pytest),
    ];
    for (files, path, test) in cases {
        let found = scan_all(&repository(files)).manifests;
        assert_eq!(found, [manifest(path, "python", None, (*test).clone())], "{files:?}");
    }
    assert_eq!(scan_all(&repository(&[("a.py", "x\n")])).manifests, []);
}

#[test]
fn a_listing_names_the_files_below_a_folder_in_order() {
    let folder = repository(&[
        ("b.rs", ""),
        ("src/z.rs", ""),
        ("src/a/b.rs", ""),
        ("src/skip.log", ""),
        (".gitignore", "*.log\n"),
    ]);
    let options = ScanOptions::default();
    let list = |path, max| list_files(folder.path(), path, max, &options).unwrap();
    assert_eq!(list("", 10).files, ["b.rs", "src/a/b.rs", "src/z.rs"]);
    assert_eq!(list("./src/", 10).files, ["src/a/b.rs", "src/z.rs"]);
    assert!(!list("src", 2).truncated);
    let cut = list("src", 1);
    assert_eq!((cut.files, cut.truncated), (vec!["src/a/b.rs".to_owned()], true));
}

#[test]
fn a_listing_does_not_leave_the_repository() {
    let folder = repository(&[("inside/a.rs", ""), ("inside/file", "")]);
    let options = ScanOptions::default();
    let root = folder.path().join("inside");
    std::os::unix::fs::symlink("..", root.join("up")).unwrap();
    for path in ["..", "a/../..", "/etc"] {
        let result = list_files(&root, path, 10, &options);
        assert!(matches!(result, Err(Error::OutsideRepository(_))), "{path}: {result:?}");
    }
    for path in ["up", "missing", "file"] {
        assert!(list_files(&root, path, 10, &options).is_err(), "{path} was listed");
    }
}

#[test]
fn a_root_that_is_missing_or_a_file_is_an_error() {
    let folder = repository(&[("a.rs", "")]);
    let options = ScanOptions::default();
    assert!(matches!(scan(&folder.path().join("none"), &options), Err(Error::RootUnreadable { .. })));
    assert!(matches!(scan(&folder.path().join("a.rs"), &options), Err(Error::NotAFolder(_))));
}

#[test]
fn this_workspace_scans_to_sensible_figures() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let report = scan(&root, &ScanOptions::default()).unwrap();
    assert_eq!(report.languages[0].name, "Rust");
    assert!(report.total_files > 10 && report.total_code_lines > 1_000);
    for language in &report.languages {
        assert_eq!(language.lines, language.code + language.comments + language.blanks, "{language:?}");
    }
    assert!(report.total_code_lines <= report.total_lines && report.total_lines <= report.total_bytes);
    assert_eq!(report.manifests[0].path, "Cargo.toml");
    assert!(report.skipped.iter().all(|entry| entry.reason != SkipReason::Truncated), "{:?}", report.skipped);
}
