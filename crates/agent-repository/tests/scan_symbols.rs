//! What a scan tells of symbols, and when it leaves them out.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::fs;
use std::time::Duration;

use agent_repository::scan::{ScanOptions, ScanReport, SkipReason, Skipped, scan, survey};
use tempfile::TempDir;

#[path = "fixture/folder.rs"]
mod folder;

fn repository(files: &[(&str, &[u8])]) -> TempDir {
    folder::repository(files)
}

fn with_symbols() -> ScanOptions<'static> {
    ScanOptions { symbols: true, ..ScanOptions::default() }
}

fn names(report: &ScanReport) -> Vec<String> {
    let symbols = report.symbols.iter().flatten();
    symbols.map(|symbol| format!("{}:{} {}", symbol.file, symbol.line, symbol.name)).collect()
}

#[test]
fn symbols_are_told_on_request_in_the_order_of_files_and_lines() {
    let folder = repository(&[
        ("b.py", b"def one(): pass\nclass Two:\n    def three(self): pass\n"),
        ("a/z.rs", b"fn four() {}\n"),
        ("notes.md", b"# Five\n"),
        ("a.rb", b"def six; end\n"),
    ]);
    assert_eq!(scan(folder.path(), &ScanOptions::default()).unwrap().symbols, None);
    for threads in [1, 4] {
        let options = ScanOptions { threads: Some(threads), ..with_symbols() };
        let report = scan(folder.path(), &options).unwrap();
        assert_eq!(names(&report), ["a/z.rs:1 four", "b.py:1 one", "b.py:2 Two", "b.py:3 three"]);
        assert_eq!(report.skipped, []);
    }
}

#[test]
fn the_json_has_the_names_of_the_wire_contract() {
    let folder = repository(&[("a.rs", b"struct A;\nimpl A {\n    fn b(&self) {\n    }\n}\n")]);
    let json = serde_json::to_value(scan(folder.path(), &with_symbols()).unwrap()).unwrap();
    let expected = serde_json::json!([
        {"name": "A", "kind": "struct", "file": "a.rs", "line": 1, "end_line": 1, "signature": "struct A;"},
        {"name": "b", "kind": "method", "file": "a.rs", "line": 3, "end_line": 4, "container": "A", "signature": "fn b(&self)"}
    ]);
    assert_eq!(json["symbols"], expected);
    let without = serde_json::to_value(scan(folder.path(), &ScanOptions::default()).unwrap()).unwrap();
    assert_eq!(without.get("symbols"), None);
}

#[test]
fn the_number_of_symbols_is_bounded_and_the_cut_is_said() {
    let text = b"fn a() {}\n".repeat(30);
    let files: Vec<(String, &[u8])> = (0..50).map(|n| (format!("f{n:02}.rs"), text.as_slice())).collect();
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let folder = repository(&files);
    for threads in [1, 4] {
        let options = ScanOptions { max_symbols: 100, threads: Some(threads), ..with_symbols() };
        let report = scan(folder.path(), &options).unwrap();
        assert_eq!(report.symbols.as_ref().unwrap().len(), 100);
        assert_eq!(names(&report)[99], "f03.rs:10 a");
        let detail = Some("1400 symbols after the first 100 are not listed".to_owned());
        assert_eq!(report.skipped, [Skipped { path: ".".to_owned(), reason: SkipReason::Truncated, detail }]);
        assert_eq!(report.total_files, 50);
    }
}

#[test]
fn a_file_that_is_not_outlined_is_counted_and_named() {
    let long = b"fn a() {}\n".repeat(2_000);
    let folder = repository(&[("large.rs", &long), ("small.rs", b"fn b() {}\n")]);
    let small = ScanOptions { max_symbol_file_bytes: 1_000, ..with_symbols() };
    let quick = ScanOptions { max_symbol_file_duration: Duration::ZERO, ..with_symbols() };
    for (options, detail) in [
        (small, "its symbols are not read: larger than 1000 bytes"),
        (quick, "its symbols are not read: not parsed within 0 ms"),
    ] {
        let report = scan(folder.path(), &options).unwrap();
        assert_eq!(report.total_code_lines, 2_001);
        let left_out = report.skipped.iter().find(|entry| entry.path == "large.rs").unwrap();
        assert_eq!((left_out.reason, left_out.detail.as_deref()), (SkipReason::NotOutlined, Some(detail)));
    }
    assert_eq!(scan(folder.path(), &with_symbols()).unwrap().skipped, []);
}

#[test]
fn odd_contents_do_not_hold_up_a_scan() {
    let brackets = b"(".repeat(1_000_000);
    let minified = b"var a=function(b){return{c:b}};".repeat(50_000);
    let folder = repository(&[
        ("binary.rs", b"fn a() {}\n\0\xff"),
        ("brackets.cpp", &brackets),
        ("broken.py", b"def a():\n  x = '\xff\xfe'\n\xc3\x28 def b(): pass\n"),
        ("empty.go", b""),
        ("min.js", &minified),
        ("plain.rs", b"fn b() {}\n"),
    ]);
    let report = scan(folder.path(), &with_symbols()).unwrap();
    assert_eq!(report.total_files, 6);
    assert!(names(&report).contains(&"plain.rs:1 b".to_owned()));
    assert!(names(&report).contains(&"broken.py:1 a".to_owned()));
    assert!(!names(&report).iter().any(|name| name.starts_with("binary.rs")));
    for entry in &report.skipped {
        assert_eq!(entry.reason, SkipReason::NotOutlined, "{entry:?}");
    }
}

#[test]
fn names_of_files_are_escaped_in_symbols() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    for name in [b"a\nb.rs".as_slice(), b"c\xff.rs"] {
        fs::write(folder.path().join(std::ffi::OsStr::from_bytes(name)), "fn a() {}\n").unwrap();
    }
    assert_eq!(names(&scan(folder.path(), &with_symbols()).unwrap()), ["a\\nb.rs:1 a", "c\\xff.rs:1 a"]);
}

#[test]
fn secrets_are_in_no_symbol_and_no_outline() {
    let folder = repository(&[
        ("src/a.py", b"API_KEY = 'canary'\ndef f(token=\"canary\"): pass\n"),
        ("credentials.py", b"def ok(): pass\n"),
        ("id_rsa", b"canary"),
        (".env", b"KEY=canary\n"),
        ("key.js", b"-----BEGIN PRIVATE KEY-----\nfunction canary() {}\n"),
    ]);
    let (report, outline) = survey(folder.path(), &with_symbols()).unwrap();
    assert!(!serde_json::to_string(&report).unwrap().contains("canary"));
    assert!(!format!("{outline:?}").contains("canary"));
    let paths: Vec<&str> = outline.files.iter().map(|file| &*file.path).collect();
    assert_eq!(paths, ["credentials.py", "src/a.py"]);
}
