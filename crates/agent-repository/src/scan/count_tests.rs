//! What the counter makes of samples in every language.

use super::*;
use crate::scan::language_table::LANGUAGES;
use crate::scan::languages::{Guess, Languages};

/// `(file name, text, [code, comments, blanks])`: one sample per language, each with a comment mark
/// inside a string where the language has strings.
const SAMPLES: &[(&str, &str, [u64; 3])] = &[
    (
        "a.rs",
        "//! Doc\n\nfn a() {\n    let url = \"http://x /* no */\"; // yes\n    /* one /* two\n     */ three */\n}\n",
        [3, 3, 1],
    ),
    (
        "b.rs",
        "let a = r#\"\n// code \" /*\n\"#;\nlet q = '\"'; // c\n// comment\nfn f<'a>(x: &'a str) {}\n",
        [5, 1, 0],
    ),
    ("c.rs", "let c = b'\\''; let d = '\\u{1F600}';\n/* x */ let e = 1;\n/* only */\n", [2, 1, 0]),
    (
        "a.py",
        "#!/usr/bin/env python3\n\"\"\"Module.\n\nWords # here.\n\"\"\"\n\ndef f():\n    '''One line.'''\n    x = \"# no\"\n    y = \"\"\"\n# text\n\"\"\"\n    return x  # yes\n",
        [6, 5, 2],
    ),
    (
        "a.js",
        "// c\nconst a = `\n// text ${x}\n`;\n/* block\n*/\nconst r = /[/'\"`*]/; // tail\nlet s = 'it\\'s // no';\n",
        [5, 3, 0],
    ),
    (
        "a.ts",
        "/** doc */\nexport type A = { a: string }; /* tail */\n\nconst d = a / b / c; // \"\n",
        [2, 1, 1],
    ),
    ("a.jsx", "// c\nconst A = () => <a href=\"http://x\">y</a>;\n", [1, 1, 0]),
    ("a.tsx", "{/* c */}\nconst A = 1;\n// c\n", [2, 1, 0]),
    ("a.go", "package a\n\n// c\nvar s = `\n// text\n`\nvar r = '\"' /* c */\n", [5, 1, 1]),
    (
        "A.java",
        "/**\n * Doc\n */\nclass A {\n  String s = \"/* no */\"; // c\n  String t = \"\"\"\n    // text\n    \"\"\";\n  char c = '\"';\n}\n",
        [7, 3, 0],
    ),
    (
        "a.c",
        "#include <a.h> /* c\nend */ int x;\nint y = '\\''; // c\nchar *s = \"a\\\n// text\";\n// c\n",
        [4, 2, 0],
    ),
    ("a.cpp", "auto s = R\"x(\n// text )\"\n)x\";\nint n = 1'000'000; // c\n/* c */\n", [4, 1, 0]),
    ("a.h", "#pragma once\n// c\n/* a */ /* b */\n", [1, 2, 0]),
    ("a.cs", "/// <doc/>\nvar p = @\"C:\\\"; // c\nvar q = @\"a \"\"b\"\"\n// text\n\";\n", [4, 1, 0]),
    (
        "a.rb",
        "# c\n=begin\nwords\n=end\nputs \"#{x} # no\"\nsql = <<~SQL\n  # text\nSQL\nx = 1 # c\n",
        [5, 4, 0],
    ),
    ("a.php", "<?php\n// c\n# c\n/* c */\n$a = 'it\\'s // no';\n$b = <<<EOT\n# text\nEOT;\n", [5, 3, 0]),
    (
        "a.sh",
        "#!/bin/sh\n# c\necho \"$#\" '# no'\nx=${y#z}\ncat <<'EOF'\n# text don't\nEOF\n\n# c\n",
        [5, 3, 1],
    ),
    ("a.kt", "/* a /* b */ c */\nval s = \"\"\"\n// text\n\"\"\"\n// c\n", [3, 2, 0]),
    ("a.swift", "// c\nlet s = \"\"\"\n/* text\n\"\"\"\n/* /* */ c */\n", [3, 2, 0]),
    ("a.scala", "/** c */\nval a = \"// no\" // c\n", [1, 1, 0]),
    ("a.html", "<!-- c\nc -->\n<p>don't</p>\n\n<!-- c -->\n", [1, 3, 1]),
    ("a.css", "/* c */\na { background: url(http://x/*.png); }\nb { content: \"/*\"; }\n", [2, 1, 0]),
    ("a.scss", "// c\na { b: url(http://x); } // c\n/* c */\n", [1, 2, 0]),
    ("a.sql", "-- c\nSELECT '-- no' /* c */ FROM a;\n/* c\n*/\n", [1, 3, 0]),
    ("a.toml", "# c\na = \"# no\"\nb = '''\n# text\n'''\n", [4, 1, 0]),
    ("a.yaml", "# c\na: don't # c\nb: 'x'\n\n", [2, 1, 1]),
    ("a.json", "{\n  \"a\": \"// no\"\n}\n", [3, 0, 0]),
    ("a.md", "# Title\n\nWords.\n", [0, 2, 1]),
    ("Makefile", "# c\nall: a # c\n\techo '#no'\n", [2, 1, 0]),
    ("Dockerfile", "# c\nFROM scratch\nRUN echo '#'\n", [2, 1, 0]),
    ("a.lua", "-- c\n--[[ c\nc ]]\nlocal s = [==[\n-- text ]]\n]==]\n--[=[ c ]=]\n", [3, 4, 0]),
    (
        "a.pl",
        "# c\n=head1 NAME\n\nwords\n\n=cut\nmy $n = $#a; # c\nprint <<\"END\";\n# text\nEND\n",
        [4, 4, 2],
    ),
    ("a.r", "# c\nx <- \"# no\" # c\n", [1, 1, 0]),
    ("a.hs", "{- a {- b -} c\n-}\nmain = print \"-- no\" -- c\n-- c\nx' = '\"'\n", [2, 3, 0]),
    ("a.zig", "//! c\nconst s =\n    \\\\ // text \"\n;\nconst c = '\"'; // c\n", [4, 1, 0]),
    ("a.txt", "words\n\n", [0, 1, 1]),
];

fn count(file_name: &str, text: &str) -> Counts {
    let languages = Languages::new();
    let Guess::Language(number) = languages.guess(file_name.as_bytes()) else {
        panic!("{file_name} has no language");
    };
    languages.counter(number).count(text.as_bytes())
}

#[test]
fn each_language_is_counted_by_its_own_marks() {
    let wrong: Vec<String> = SAMPLES
        .iter()
        .filter_map(|(name, text, expected)| {
            let counts = count(name, text);
            let found = [counts.code, counts.comments, counts.blanks];
            (found != *expected).then(|| format!("{name}: expected {expected:?}, counted {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_line_is_counted_exactly_once_in_every_language() {
    for row in LANGUAGES {
        for (_, text, _) in SAMPLES {
            let counts = Counter::new(row.syntax).count(text.as_bytes());
            let lines = text.lines().count() as u64;
            assert_eq!(counts.code + counts.comments + counts.blanks, lines, "{} on {text:?}", row.name);
        }
    }
}

#[test]
fn line_ends_and_byte_order_marks_do_not_change_the_counts() {
    let unix = "// c\n\nfn a() {}\n";
    let expected = Counts { code: 1, comments: 1, blanks: 1 };
    assert_eq!(count("a.rs", unix), expected);
    assert_eq!(count("a.rs", &unix.replace('\n', "\r\n")), expected);
    assert_eq!(count("a.rs", &format!("\u{feff}{unix}")), expected);
    assert_eq!(count("a.rs", unix.trim_end()), expected);
}

#[test]
fn an_empty_file_has_no_lines_and_a_lone_line_end_is_one_blank() {
    assert_eq!(count("a.rs", ""), Counts::default());
    assert_eq!(count("a.rs", "\n"), Counts { code: 0, comments: 0, blanks: 1 });
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_counted_without_losing_a_line(text in "[a-z'\"`/*#<\\[\\]=\\-{}()RrEOF\\\\\n ]{0,200}") {
        for row in LANGUAGES {
            let counts = Counter::new(row.syntax).count(text.as_bytes());
            let lines = text.strip_suffix('\n').unwrap_or(&text).split('\n').count() as u64;
            let expected = if text.is_empty() { 0 } else { lines };
            proptest::prop_assert_eq!(counts.code + counts.comments + counts.blanks, expected);
        }
    }
}
