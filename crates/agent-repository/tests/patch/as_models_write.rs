//! Patches as language models write them: each fault here was found in real histories.

use agent_repository::Error;
use agent_repository::patch::{Fate, MatchQuality, apply_to_text};

use crate::workspace::path;

fn applied(before: &str, hunks: &str) -> String {
    match apply_to_text(&path("f"), Some(before), &format!("--- a/f\n+++ b/f\n{hunks}")) {
        Ok(after) => after.unwrap(),
        Err(error) => panic!("{error}\n{hunks}"),
    }
}

/// The refusal in words.
fn refused(before: &str, hunks: &str) -> String {
    match apply_to_text(&path("f"), Some(before), &format!("--- a/f\n+++ b/f\n{hunks}")) {
        Err(error) => error.to_string(),
        Ok(after) => panic!("it came out as\n{}", after.unwrap()),
    }
}

/// Lines `line 1 of the text` and so on.
fn numbered(lines: usize) -> String {
    (1..=lines).map(|line| format!("line {line} of the text\n")).collect()
}

#[test]
fn a_context_line_without_its_blank_does_not_end_the_hunk() {
    let file = "use std::io;\n\nfn main() {\n    run();\n}\n";
    let hunk = " \nfn main() {\n-    run();\n+    start();\n }\n";
    for header in ["@@ @@", "@@ -2,4 +2,4 @@", "@@ -2,9 +2,9 @@"] {
        assert_eq!(applied(file, &format!("{header}\n{hunk}")), file.replace("run", "start"), "{header}");
    }
}

#[test]
fn changes_that_stand_outside_of_a_hunk_are_not_passed_over() {
    let file = "alpha\nbeta\n\ngamma\ndelta\n";
    let said = refused(file, "@@ @@\n alpha\n-beta\n+B\nstray words\n\n gamma\n-delta\n+D\n");
    assert!(said.contains("outside of a hunk"), "{said}");
    // A list after the patch is prose.
    let after = applied(file, "@@ @@\n alpha\n-beta\n+B\n```\nIt does this:\n- one thing\n- another\n");
    assert_eq!(after, file.replace("beta", "B"));
}

#[test]
fn a_patch_that_ends_amid_its_last_hunk_is_refused() {
    let file = numbered(12);
    let whole = "@@ -2,8 +2,9 @@\n line 2 of the text\n line 3 of the text\n line 4 of the text\n-line 5 of the text\n\
                 +five\n+and more\n-line 6 of the text\n+six\n line 7 of the text\n line 8 of the text\n line 9 of the text\n";
    applied(&file, whole);
    for kept in 5..=8 {
        let cut: String = whole.split_inclusive('\n').take(kept).collect();
        assert!(refused(&file, &cut).contains("cut off"), "{cut}");
    }
    // With context after the change the numbers of lines are just wrong.
    assert_eq!(applied(&file, &whole.replace("8 +2,9", "9 +2,10")), applied(&file, whole));
}

#[test]
fn empty_added_lines_may_lack_their_sign() {
    let file = "one();\ntwo();\n";
    let hunk = " one();\n+three();\n\n+four();\n two();\n";
    let after = "one();\nthree();\n\nfour();\ntwo();\n";
    for header in ["@@ @@", "@@ -1,2 +1,5 @@"] {
        assert_eq!(applied(file, &format!("{header}\n{hunk}")), after);
    }
    // Alone between context lines, only the numbers of lines tell.
    assert_eq!(applied(file, "@@ -1,2 +1,3 @@\n one();\n\n two();\n"), "one();\n\ntwo();\n");
}

#[test]
fn a_hunk_that_stands_in_the_patch_twice_is_applied_once() {
    let file = numbered(4);
    let adds = "@@ -2,2 +2,3 @@\n line 2 of the text\n+new\n line 3 of the text\n";
    let replaces = "@@ @@\n line 2 of the text\n-line 3 of the text\n+new\n";
    for hunk in [adds, replaces] {
        assert_eq!(applied(&file, &hunk.repeat(2)), applied(&file, hunk));
    }
    assert_eq!(applied(&file, &(adds.to_owned() + &adds.replace("+2,3", "+3,3"))), applied(&file, adds));
}

#[test]
fn lines_removed_at_the_end_are_not_taken_for_removed_because_the_rest_is_there() {
    let file = "message = signal()\n\n\ndef gone(name):\n    return name\n";
    let hunk = "@@ -1,5 +1 @@\n message = signal()\n-\n-\n-def gone(name):\n-\treturn name\n";
    assert_eq!(applied(file, hunk), "message = signal()\n");
}

#[test]
fn a_patch_that_states_line_endings_keeps_them_where_blanks_drift() {
    let file = "alpha\nbeta\r\ngamma\nomega\n";
    let hunk = "@@ -1,3 +1,4 @@\n alpha \n-beta\r\n+B\r\n+and more\n gamma\n";
    assert_eq!(applied(file, hunk), "alpha\nB\r\nand more\ngamma\nomega\n");
}

#[test]
fn of_equal_places_that_fit_loosely_the_stated_one_is_meant() {
    let block = "fn same() {\n    work();\n}\n";
    let file = block.repeat(3);
    let hunk = "@@ -4,3 +4,3 @@\n fn same() { \n-    work();\n+    rest();\n }\n";
    assert_eq!(applied(&file, hunk), format!("{block}{}{block}", block.replace("work", "rest")));
    refused(&file, &hunk.replace("-4,3 +4,3", "-5,3 +5,3"));
}

#[test]
fn numbers_that_are_off_alike_twice_are_so_in_the_next_hunk() {
    let block = "fn same() {\n    work();\n}\n";
    let file = format!("{}{}", numbered(9), block.repeat(3));
    // All hunks state lines that are two too low.
    let hunks = "@@ -1,3 +1,3 @@\n line 3 of the text\n-line 4 of the text\n+four\n line 5 of the text\n\
                 @@ -5,3 +5,3 @@\n line 7 of the text\n-line 8 of the text\n+eight\n line 9 of the text\n\
                 @@ -11,3 +11,3 @@\n fn same() {\n-    work();\n+    rest();\n }\n";
    let after = file.replace("line 4 of the text", "four").replace("line 8 of the text", "eight");
    let (first, rest) = after.split_at(after.len() - 2 * block.len());
    assert_eq!(
        applied(&file, hunks),
        format!("{first}{}{block}", rest[block.len()..].replace("work", "rest"))
    );
    // One alone may be wrong by itself.
    let alone = hunks.replacen("@@ -1,3 +1,3 @@", "@@ -2,3 +2,3 @@", 1);
    refused(&file, &alone);
}

#[test]
fn brackets_indented_otherwise_are_found_where_the_number_says_so() {
    let file = "mod a {\n    f(\n    )\n}\n";
    let hunk = "@@ -3,2 +3,3 @@\n       )\n+      ;\n   }\n";
    assert_eq!(applied(file, hunk), "mod a {\n    f(\n    )\n    ;\n}\n");
    refused(file, &hunk.replace("-3,2 +3,3", "-1,2 +1,3"));
}

#[test]
fn the_first_line_of_a_hunk_is_no_step_of_its_indentation() {
    let file = "#![allow(one)]\n#![deny(two)]\nfn main() {\n    run()\n}\n";
    let hunk = "@@ @@\n   #![allow(one)]\n-  #![deny(two)]\n+  #![deny(\n+      two,\n+  )]\n";
    assert!(applied(file, hunk).contains("#![deny(\n    two,\n)]\n"));
}

#[test]
fn other_hunks_tell_how_added_lines_are_indented() {
    let file = "[package]\nname = 1\n\n[features]\nlist = [\n    \"a\",\n]\n";
    let hunks = "@@ @@\n [package]\n name = 1\n+keywords = [\n+\t\"k\",\n+]\n \n@@ @@\n list = [\n \t\"a\",\n+\t\"b\",\n ]\n";
    let after = applied(file, hunks);
    assert!(
        after.contains("keywords = [\n    \"k\",\n]") && after.contains("    \"a\",\n    \"b\",\n"),
        "{after}"
    );
    let literal = applied(file, hunks.split("@@ @@\n list").next().unwrap());
    assert!(literal.contains("\n\t\"k\""), "nothing in the patch speaks against its tab");
}

#[test]
fn a_line_put_into_the_context_between_two_changes_is_borne() {
    let file = numbered(9);
    let hunk = "@@ -1,9 +1,9 @@\n line 1 of the text\n-line 2 of the text\n+two\n line 3 of the text\n line 4 of the text\n \
                line 5 of the text\n line 6 of the text\n-line 7 of the text\n+seven\n line 8 of the text\n line 9 of the text\n";
    let after = |file: &str| file.replace("line 2 of the text", "two").replace("line 7 of the text", "seven");
    let longer = file.replace("line 5 of", "something new\nline 5 of");
    assert_eq!(applied(&longer, hunk), after(&longer));
    let shorter = file.replace("line 5 of the text\n", "");
    assert_eq!(applied(&shorter, hunk), after(&shorter));
}

#[test]
fn dots_stand_for_lines_that_are_left_out() {
    let file = numbered(20);
    let hunk = "@@ -1,3 +1,3 @@\n line 1 of the text\n-line 2 of the text\n+two\n ...\n line 16 of the text\n-line 17 of the text\n+17\n";
    let after = file
        .replace("line 2 of", "two\n")
        .replace("two\n the text\n", "two\n")
        .replace("line 17 of the text", "17");
    assert_eq!(applied(&file, hunk), after);
    let twice = file.replace("line 12 of the text\n", "line 16 of the text\nline 17 of the text\n");
    refused(&twice, hunk);
}

#[test]
fn a_stale_line_near_the_stated_one_casts_doubt_on_a_copy_far_away() {
    let block = "            ],\n        },\n    }),\n],\n}\n)\n";
    let stale = block.replacen("],\n", "],\ninserted();\n", 1);
    let file = format!("{block}{}{stale}", numbered(9));
    let hunk = "@@ -16,6 +16,7 @@\n             ],\n         },\n     }),\n+    more,\n ],\n }\n )\n";
    let said = refused(&file, hunk);
    assert!(said.contains("fits equally well"), "{said}");
}

#[test]
fn a_block_line_with_blanks_on_both_sides_stays_the_files_own() {
    let blocks =
        "f\n<<<<<<< SEARCH\nuse a;\t\nuse b;\nuse c; \n=======\nuse b;\nuse c; \nuse a;\t\n>>>>>>> REPLACE\n";
    let after = apply_to_text(&path("f"), Some("use a;\nuse b;\nuse c;\n"), blocks).unwrap().unwrap();
    assert_eq!(after, "use b;\nuse c;\nuse a;\n");
}

#[test]
fn a_stale_line_of_a_block_that_may_be_either_of_two_is_not_guessed_at() {
    let file = "start one()\n    first += item\n    return total_of_it\nfinish all()\n";
    let side =
        |body: &str| format!("start one()\n{body}    sum += item\n    return total_of_it\nfinish all()\n");
    let blocks =
        |added: &str| format!("f\n<<<<<<< SEARCH\n{}=======\n{}>>>>>>> REPLACE\n", side(""), side(added));
    let patch = |added: &str| apply_to_text(&path("f"), Some(file), &blocks(added));
    assert_eq!(patch("    log()\n").unwrap().unwrap(), file.replace("    first", "    log()\n    first"));
    assert!(patch("    sum += item\n    return total_of_it\nstart two()\n").is_err());
}

#[test]
fn the_report_of_a_repeated_hunk_says_so() {
    let workspace = crate::workspace::Workspace::new(&[("f", &numbered(4))]);
    let hunk = "@@ -2,2 +2,3 @@\n line 2 of the text\n+new\n line 3 of the text\n";
    let report = workspace.apply(&format!("--- a/f\n+++ b/f\n{hunk}{hunk}")).unwrap();
    let fates: Vec<_> = report.hunks.iter().map(|hunk| (hunk.fate, hunk.rung)).collect();
    assert_eq!(fates, [(Fate::Applied, Some(MatchQuality::Exact)), (Fate::AlreadyApplied, None)]);
    assert!(!matches!(workspace.apply("nothing"), Ok(_) | Err(Error::Rejected(_))));
}

#[test]
fn one_stale_line_is_borne_where_number_and_edge_of_the_file_say_which_place_is_meant() {
    // All that is left of the context is stale, but what is removed stands only there.
    let file = "// the rule // reviewed\nmodule.exports = nothing;\n";
    let hunk = "@@ -1,2 +1,2 @@\n // the rule\n-module.exports = nothing;\n+export default nothing;\n";
    assert!(applied(file, hunk).ends_with("reviewed\nexport default nothing;\n"));
    // The line beside the change is edited, but the change is at the start of the file.
    let file = "new_import {one} from 'one';\n\nconst names = ['first', 'second'];\nlast();\n";
    let hunk = "@@ -1,3 +1,4 @@\n+import process from 'process';\n import {one} from 'one';\n \n const names = ['first', 'second'];\n";
    assert_eq!(applied(file, hunk), format!("import process from 'process';\n{file}"));
    // Brackets at the stated line and the end of the file.
    let file = "call(\n  response // reviewed\n));\n  }\n};\n";
    let hunk = "@@ -2,4 +2,4 @@\n   response\n ));\n   }\n-};\n+}\n";
    assert_eq!(applied(file, hunk), file.replace("};", "}"));
}

#[test]
fn lines_more_or_fewer_beside_a_change_are_borne() {
    let file =
        numbered(14).replace("line 6 of", "something put in\nline 6 of").replace("line 10 of the text\n", "");
    let hunk = "@@ -5,7 +5,7 @@\n line 5 of the text\n line 6 of the text\n line 7 of the text\n-line 8 of the text\n+eight\n \
                line 9 of the text\n line 10 of the text\n line 11 of the text\n";
    assert_eq!(applied(&file, hunk), file.replace("line 8 of the text", "eight"));
}

#[test]
fn hunks_against_the_order_of_the_file_are_put_in_order_by_numbers_that_hold() {
    let block = "fn same() {\n    work();\n}\n";
    let file = format!("{block}{}{block}", numbered(6));
    let first = "@@ -1,3 +1,3 @@\n fn same() {\n-    work();\n+    rest();\n }\n";
    let second = "@@ -5,3 +5,3 @@\n line 2 of the text\n-line 3 of the text\n+three\n line 4 of the text\n";
    let right = file.replacen("work", "rest", 1).replace("line 3 of the text", "three");
    assert_eq!(applied(&file, &format!("{second}{first}")), right);
    // Without a number that holds, the copy after the other hunk is as good.
    refused(&file, &format!("{}{first}", second.replace("-5,3 +5,3", "-4,3 +4,3")));
}

#[test]
fn a_line_that_is_gone_between_two_removed_ones_is_borne() {
    let file = "[package]\nedition = 2021\nrust-version = 1.70\nversion = 0.5\ninclude = []\n";
    let hunk = "@@ -1,6 +1,6 @@\n [package]\n edition = 2021\n-rust-version = 1.70\n+rust-version = 1.66\n name = anstream\n\
                -version = 0.5\n+version = 0.6\n include = []\n";
    assert_eq!(applied(file, hunk), file.replace("1.70", "1.66").replace("0.5", "0.6"));
}
