//! What a search finds, and what it never shows.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use agent_repository::scan::{Error, ScanOptions};
use agent_repository::search::{SearchMatch, SearchQuery, SearchReport, search};
use tempfile::TempDir;

#[path = "fixture/folder.rs"]
mod folder;

fn repository(files: &[(&str, &[u8])]) -> TempDir {
    folder::repository(files)
}

fn find(folder: &TempDir, query: &SearchQuery) -> SearchReport {
    search(folder.path(), query, &ScanOptions::default()).unwrap()
}

fn places(report: &SearchReport) -> Vec<(&str, u64, u64)> {
    report.matches.iter().map(|found| (found.path.as_str(), found.line, found.column)).collect()
}

#[test]
fn plain_text_is_found_with_path_line_column_and_text() {
    let folder =
        repository(&[("src/b.rs", "fn b() {\n    größe.call(x)\r\n}\n".as_bytes()), ("a.txt", b"none\n")]);
    let report = find(&folder, &SearchQuery::text(".call(x)"));
    let expected = SearchMatch {
        path: "src/b.rs".to_owned(),
        line: 2,
        column: 10,
        text: "    größe.call(x)".to_owned(),
        before: vec![],
        after: vec![],
    };
    assert_eq!(report, SearchReport { matches: vec![expected], truncated: false });
}

#[test]
fn a_regular_expression_matches_within_lines_and_anchors_at_their_ends() {
    let folder = repository(&[("a.rs", b"fn alpha() {}\n  fn beta() {}\nlet fn_ = 1;\n")]);
    let regex = |pattern: &str| SearchQuery { regex: true, ..SearchQuery::text(pattern) };
    assert_eq!(places(&find(&folder, &regex(r"^fn \w+"))), [("a.rs", 1, 1)]);
    assert_eq!(places(&find(&folder, &regex(r"\{\}$"))), [("a.rs", 1, 12), ("a.rs", 2, 13)]);
    assert_eq!(places(&find(&folder, &regex(r"\{\}\s+fn"))), []);
    assert_eq!(places(&find(&folder, &regex(r"\Alet"))), [("a.rs", 3, 1)]);
}

#[test]
fn lines_that_end_in_carriage_returns_match_like_others() {
    let folder = repository(&[("a.rs", b"alpha\r\nbeta\r\n"), ("b.rs", b"alpha\nbeta\n")]);
    let query = SearchQuery { regex: true, ..SearchQuery::text("^alpha$") };
    assert_eq!(places(&find(&folder, &query)), [("a.rs", 1, 1), ("b.rs", 1, 1)]);
}

#[test]
fn case_matters_only_if_asked_for() {
    let folder = repository(&[("a.rs", b"Alpha\nalpha\n")]);
    assert_eq!(places(&find(&folder, &SearchQuery::text("alpha"))), [("a.rs", 2, 1)]);
    let any_case = SearchQuery { case_sensitive: false, ..SearchQuery::text("ALPHA") };
    assert_eq!(find(&folder, &any_case).matches.len(), 2);
}

#[test]
fn a_glob_chooses_the_files() {
    let folder =
        repository(&[("a.rs", b"x"), ("src/b.rs", b"x"), ("src/c.py", b"x"), ("lib/src/d.py", b"x")]);
    let paths = |glob: &str| -> Vec<String> {
        let query = SearchQuery { glob: Some(glob.to_owned()), ..SearchQuery::text("x") };
        find(&folder, &query).matches.into_iter().map(|found| found.path).collect()
    };
    assert_eq!(paths("*.rs"), ["a.rs", "src/b.rs"]);
    assert_eq!(paths("src/**"), ["src/b.rs", "src/c.py"]);
    assert_eq!(paths("**/src/*.py"), ["lib/src/d.py", "src/c.py"]);
    assert_eq!(paths("*.{rs,txt}"), ["a.rs", "src/b.rs"]);
    assert_eq!(paths("!*.py"), ["a.rs", "src/b.rs"]);
}

#[test]
fn context_lines_stop_at_the_ends_of_the_file() {
    let folder = repository(&[("a.txt", b"1\n2\nhit\n4\n")]);
    let query = SearchQuery { context_lines: 2, ..SearchQuery::text("hit") };
    let report = find(&folder, &query);
    assert_eq!(report.matches[0].before, ["1", "2"]);
    assert_eq!(report.matches[0].after, ["4"]);
}

#[test]
fn the_first_matches_in_order_are_kept_and_the_cut_is_said() {
    let files: Vec<(String, Vec<u8>)> =
        (0..100).map(|n| (format!("d{}/f{n:02}", n % 9), b"hit\n".repeat(50))).collect();
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_slice())).collect();
    let folder = repository(&files);
    let query = SearchQuery { max_results: 60, ..SearchQuery::text("hit") };
    let report = find(&folder, &query);
    assert!(report.truncated);
    assert_eq!(report.matches.len(), 60);
    assert_eq!((report.matches[0].path.as_str(), report.matches[49].line), ("d0/f00", 50));
    assert_eq!((report.matches[59].path.as_str(), report.matches[59].line), ("d0/f09", 10));
    assert_eq!(find(&folder, &query), report);
}

#[test]
fn a_long_line_is_cut_around_its_match() {
    let line = format!("{}needle{}", "é".repeat(100_000), "z".repeat(100_000));
    let folder = repository(&[("a.js", line.as_bytes())]);
    let found = find(&folder, &SearchQuery::text("needle")).matches.remove(0);
    assert_eq!(found.column, 100_001);
    assert_eq!(found.text.chars().count(), 402);
    assert!(found.text.starts_with("…é") && found.text.contains("needlezz") && found.text.ends_with("z…"));
}

#[test]
fn binary_sensitive_ignored_and_hidden_files_are_not_searched() {
    let folder = repository(&[
        (".env", b"canary\n"),
        ("prod.env", b"canary\n"),
        (".npmrc", b"canary\n"),
        ("key", b"-----BEGIN PRIVATE KEY-----\ncanary\n"),
        ("blob.bin", b"\0canary\n"),
        ("skip.log", b"canary\n"),
        (".gitignore", b"*.log\n# canary\n"),
        ("node_modules/a.js", b"canary\n"),
    ]);
    let report = find(&folder, &SearchQuery::text("canary"));
    assert_eq!(report, SearchReport { matches: vec![], truncated: false });
}

#[test]
fn a_query_that_cannot_be_understood_is_an_error() {
    let folder = repository(&[("a.rs", b"x")]);
    let error = |query: &SearchQuery| search(folder.path(), query, &ScanOptions::default()).unwrap_err();
    assert!(matches!(error(&SearchQuery::text("")), Error::EmptyPattern));
    let open = SearchQuery { regex: true, ..SearchQuery::text("a(") };
    assert!(matches!(error(&open), Error::InvalidPattern(_)));
    let huge = SearchQuery { regex: true, ..SearchQuery::text(r"\w{1000}{1000}") };
    assert!(matches!(error(&huge), Error::InvalidPattern(_)));
    let glob = SearchQuery { glob: Some("a[".to_owned()), ..SearchQuery::text("x") };
    assert!(matches!(error(&glob), Error::InvalidGlob(_)));
}
