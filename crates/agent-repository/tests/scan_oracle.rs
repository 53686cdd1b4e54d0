//! Counts of lines beside those of tokei, on the sources of the packages that this workspace is built of.
//!
//! tokei is a program here, not a library: as one it would bring 39 packages, one of them unmaintained and
//! one under a licence of its own, into the lock file for a single test.
//!
//! The two differ on purpose in what a blank line inside a comment or a text is (here blank, there a line
//! of the comment or of code) and in embedded languages (the documentation of Rust is Markdown there).
//! Where they differ otherwise, each file that was looked at was one that tokei misreads: a quote as a
//! character (`'"'`), comment marks inside raw strings of Go, block comments in `.proto` files.
#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]
#![expect(clippy::disallowed_methods, reason = "the oracle is a program")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use agent_repository::scan::{ScanOptions, scan};
use serde_json::Value;

/// Languages that embed no other, and how far code may differ, in per mille.
const LANGUAGES: &[(&str, f64)] = &[
    ("C", 10.0),
    ("C Header", 5.0),
    ("C++", 15.0),
    ("C++ Header", 15.0),
    ("Go", 5.0),
    ("Java", 5.0),
    ("JavaScript", 25.0),
    ("TOML", 5.0),
    ("TypeScript", 5.0),
];

/// Files, lines and lines of code by language.
type Figures = BTreeMap<String, (u64, u64, u64)>;

fn tokei(folder: &Path) -> Option<Figures> {
    let output = Command::new("tokei").args(["--output", "json"]).arg(folder).output().ok()?;
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let figure = |language: &Value, name: &str| language[name].as_u64().unwrap();
    let named = LANGUAGES.iter().filter_map(|(name, _)| {
        let language = json.get(*name)?;
        let lines = ["code", "comments", "blanks"].map(|name| figure(language, name)).iter().sum();
        let files = language["reports"].as_array().unwrap().len() as u64;
        Some(((*name).to_owned(), (files, lines, figure(language, "code"))))
    });
    Some(named.collect())
}

fn ours(folder: &Path) -> Figures {
    // tokei knows no vendored folders and no limits.
    let options = ScanOptions { include_vendored: true, max_file_bytes: 1 << 30, ..ScanOptions::default() };
    let languages = scan(folder, &options).unwrap().languages.into_iter();
    languages.map(|l| (l.name, (l.files, l.lines, l.code))).collect()
}

#[test]
#[ignore = "needs tokei 15 on the PATH, and some seconds"]
fn lines_are_those_of_tokei_and_code_differs_by_little() {
    let packages = std::env::home_dir().unwrap().join(".cargo/registry/src");
    let theirs = tokei(&packages).expect("tokei is installed: cargo install tokei");
    let ours = ours(&packages);
    let mut compared = 0;
    for (name, per_mille) in LANGUAGES {
        let (Some(theirs), Some(ours)) = (theirs.get(*name), ours.get(*name)) else { continue };
        assert_eq!((ours.0, ours.1), (theirs.0, theirs.1), "files and lines of {name}");
        let difference = ours.2.abs_diff(theirs.2) as f64 * 1_000.0 / theirs.2.max(1) as f64;
        assert!(difference <= *per_mille, "{name}: {} lines of code here, {} there", ours.2, theirs.2);
        compared += 1;
    }
    assert!(compared >= 4, "only {compared} languages were there to compare");
}

/// Small files with one trap each, and the figures that tokei 15.0.0 gives for them.
#[test]
fn tricky_files_count_as_tokei_counts_them() {
    let cases: &[(&str, &str, (u64, u64, u64))] = &[
        (
            "a.rs",
            "let s = \"// no\";\n/* a /* b */ c */\nlet t = 1; // yes\n\nlet u = r#\"/*\"#;\n",
            (3, 1, 1),
        ),
        ("b.c", "char *s = \"/* no */\";\n/* a\n b */ int c;\nint d; /* e */\n// f\n", (2, 3, 0)),
        ("c.go", "var s = `text`\n// c\nfunc f() {} // d\n", (2, 1, 0)),
        ("d.js", "const s = `a ${b} // no`\n/* c */ let d\n/** e\n * f\n */\n", (2, 3, 0)),
        ("e.java", "String s = \"// no\";\n/* a */\n\nint b; // c\n", (2, 1, 1)),
        ("f.sh", "#!/bin/sh\n# a\necho \"# no\" # yes\n", (1, 2, 0)),
        ("g.toml", "# a\nb = \"# no\"\n\n[c] # d\n", (2, 1, 1)),
    ];
    for (name, text, (code, comments, blanks)) in cases {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), text).unwrap();
        let language = &scan(folder.path(), &ScanOptions::default()).unwrap().languages[0];
        assert_eq!(
            (language.code, language.comments, language.blanks),
            (*code, *comments, *blanks),
            "{name}"
        );
    }
}
