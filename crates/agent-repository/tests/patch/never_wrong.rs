//! Patches that once came out wrong without a word: each is right or refused.

use agent_repository::patch::apply_to_text;

use crate::workspace::path;

fn outcome(before: &str, patch: &str) -> Option<String> {
    apply_to_text(&path("f"), Some(before), patch).ok().map(Option::unwrap)
}

fn unified(hunks: &str) -> String {
    format!("--- a/f\n+++ b/f\n{hunks}")
}

/// Nothing, or what is right.
fn assert_never_wrong(before: &str, patch: &str, right: &str) {
    let after = outcome(before, patch);
    assert!(after.as_deref().is_none_or(|after| after == right), "{patch}\nbecame\n{}", after.unwrap());
}

#[test]
fn a_line_that_is_meant_to_stand_there_twice_is_not_taken_for_added() {
    let file = "/// <reference types=\"node\"/>\nimport one;\nimport two;\n";
    let hunk = "@@ -2,2 +2,3 @@\n+/// <reference types=\"node\"/>\n import one;\n import two;\n";
    let right = format!("/// <reference types=\"node\"/>\n{file}");
    assert_never_wrong(file, &unified(hunk), &right);
    let amid = "first();\nsecond_step();\nthird();\nlast();\n";
    let hunk = "@@ -2,3 +2,4 @@\n+second_step();\n second_step();\n third();\n last();\n";
    assert_never_wrong(amid, &unified(hunk), &amid.replace("second", "second_step();\nsecond"));
}

#[test]
fn what_surrounds_removed_lines_proves_nothing_while_they_are_there() {
    // The removed block ends as the lines before it do, one of which is gone.
    let tail = "            }\n          }\n        }\n";
    let block = format!("        if (queries) {{\n          for (const two of queries) {{\n{tail}");
    let file = format!(
        "start();\n            }}\n        }}\n{block}        if (args.form) {{\n          more();\n"
    );
    let removed: String = block.lines().flat_map(|line| ["-", line, "\n"]).collect();
    let lead: String = tail.lines().flat_map(|line| [" ", line, "\n"]).collect();
    let hunk = format!("@@ -2,10 +2,5 @@\n{lead}{removed}         if (args.form) {{\n           more();\n");
    assert_never_wrong(&file, &unified(&hunk), &file.replace(&block, ""));
}

#[test]
fn a_block_that_removes_is_not_taken_for_done_because_its_end_is_there() {
    let file = "    color = BACK\n    high = SELECTION // reviewed\n\n    color = BACK\n    high = SELECTION\n\n    styles = {\n";
    let block = "f\n<<<<<<< SEARCH\n    color = BACK\n    high = SELECTION\n\n    color = BACK\n    high = SELECTION\n\n    styles = {\n\
                 =======\n    color = BACK\n    high = SELECTION\n\n    styles = {\n>>>>>>> REPLACE\n";
    let right = file.replacen("\n\n    color = BACK\n    high = SELECTION", "\n", 1);
    assert_never_wrong(file, block, &right.replace("reviewed\n\n\n", "reviewed\n\n"));
}

#[test]
fn line_endings_that_a_patch_mends_are_mended_though_context_is_stale() {
    let file = "'use strict';\n\nlet a = 1;\n/**\r\n * Set of notices.\r\n */\n\nlet b = 2;\n";
    let hunk = "@@ -1,9 +1,9 @@\n 'use strict';\n \n let gone = 0;\n let a = 1;\n-/**\r\n- * Set of notices.\r\n+/**\n+ * Set of notices.\n  */\n \n let b = 2;\n";
    assert_never_wrong(file, &unified(hunk), &file.replace('\r', ""));
}

#[test]
fn a_near_copy_does_not_win_because_a_line_was_put_in_between_two_changes() {
    let body = |name: &str, more: &str| {
        format!(
            "function {name}(request) {{\n  one(request.body)\n  two(request.params)\n  three(request.headers)\n{more}  \
                 four(request.query)\n  five(request.body.content)\n  six(request.query.from)\n  seven(request.params.id)\n}}\n"
        )
    };
    let file = body("post", "") + &body("put", "  inserted()\n");
    let hunk = "@@ -10,9 +10,9 @@\n function put(request) {\n-  one(request.body)\n+  uno(request.body)\n   two(request.params)\n   three(request.headers)\n   \
                four(request.query)\n-  five(request.body.content)\n+  cinco(request.body.content)\n   six(request.query.from)\n   seven(request.params.id)\n }\n";
    let mended = body("put", "  inserted()\n").replace("one(", "uno(").replace("five(", "cinco(");
    let right = body("post", "") + &mended;
    assert_never_wrong(&file, &unified(hunk), &right);
    assert_never_wrong(&file, &unified(&hunk.replace("-10,9 +10,9", "...")), &right);
}

#[test]
fn a_patch_cut_off_where_its_counts_reach_the_end_of_the_file_is_refused() {
    let file = "one();\ntwo();\nthree();\nfour();\nfive();\nsix();\nseven();\n}\n";
    let hunk = "@@ -2,7 +2,8 @@\n two();\n three();\n four();\n+new();\n five();\n six();\n seven();\n";
    assert_eq!(outcome(file, &unified(hunk)), None);
}

#[test]
fn a_block_line_of_blanks_that_is_added_and_also_shown_is_not_guessed_at() {
    let file = "interface A {\n}\n\ninterface C {\n";
    let block = "f\n<<<<<<< SEARCH\n}\n  \ninterface C {\n=======\n}\n  \ninterface B {\n}\n  \ninterface C {\n>>>>>>> REPLACE\n";
    for right in ["}\n\ninterface B {\n}\n  \n", "}\n  \ninterface B {\n}\n\n", "}\n\ninterface B {\n}\n\n"] {
        let other = outcome(file, block);
        assert!(other.is_none(), "{} is as good as {right}", other.unwrap());
    }
}

#[test]
fn the_copy_that_is_left_is_not_changed_instead_of_the_one_that_is_gone() {
    let file = "fn first(items: &[u8]) -> usize {\n    let mut total = 0;\n    total += items.len();\n    total\n}\n\nfn other() {}\n";
    let hunk = " fn second(items: &[u8]) -> usize {\n     let mut total = 0;\n-    total += items.len();\n+    total += 2 * items.len();\n     total\n }\n";
    for header in ["@@ @@", "@@ -40,5 +40,5 @@", "@@ -40,5 +40,5 @@ fn second(items: &[u8]) -> usize {"] {
        assert_eq!(outcome(file, &unified(&format!("{header}\n{hunk}"))), None, "{header}");
    }
}

#[test]
fn line_endings_that_an_envelope_or_a_block_changes_are_changed() {
    let file = "one();\r\ntwo();\r\nthree();\n";
    let envelope = "*** Begin Patch\n*** Update File: f\n@@\n-one();\r\n-two();\r\n+one();\n+two();\n three();\n*** End Patch\n";
    assert_eq!(outcome(file, envelope).as_deref(), Some("one();\ntwo();\nthree();\n"));
    let block = "f\n<<<<<<< SEARCH\none();\r\ntwo();\r\nthree();\n=======\none();\ntwo();\nthree();\n>>>>>>> REPLACE\n";
    assert_eq!(outcome(file, block).as_deref(), Some("one();\ntwo();\nthree();\n"));
}

#[test]
fn a_patch_without_its_final_newline_ends_its_last_line_as_the_one_before() {
    let patch = unified("@@ -1,2 +1,2 @@\n-one\n-two\n+one\r\n+two");
    assert_eq!(outcome("one\ntwo\n", &patch).as_deref(), Some("one\r\ntwo\r\n"));
    assert_eq!(outcome("one\ntwo\n", &(patch + "\r")).as_deref(), Some("one\r\ntwo\r\n"));
}

#[test]
fn the_final_newline_changes_also_where_lines_are_left_out() {
    let file = "one();\ntwo();\nthree();\nfour();\nfive();\nsix();\nlast();";
    let hunk = "@@ -1,7 +1,7 @@\n-one();\n+1();\n two();\n ...\n six();\n-last();\n\\ No newline at end of file\n+end();\n";
    let right = file.replace("one", "1").replace("last();", "end();\n");
    assert_eq!(outcome(file, &unified(hunk)).as_deref(), Some(right.as_str()));
}

#[test]
fn equal_hunks_with_a_wrong_number_are_not_one_hunk_twice() {
    let block = "    let sign = k < 0;\n    if sign {\n        result = result.offset(1);\n    }\n";
    let file = format!("fn three() {{\n{block}}}\n\nfn two() {{\n{block}}}\n");
    let hunk = "@@ -1,4 +1,4 @@\n     let sign = k < 0;\n     if sign {\n-        result = result.offset(1);\n+        result = result.add(1);\n     }\n";
    assert_never_wrong(&file, &unified(&hunk.repeat(2)), &file.replace("offset", "add"));
}

#[test]
fn a_copy_at_another_level_does_not_win_over_a_stale_place_indented_as_the_hunk() {
    let block = |indent: &str, second: &str| {
        format!(
            "{indent}trailing &= last == 0;\n{indent}{second}\n{indent}vr /= 10;\n{indent}vp /= 10;\n{indent}removed += 1;\n"
        )
    };
    let outer = block("    ", "last = (vr % 10) as u8;");
    let file = format!("{outer}if more {{\n{}}}\n", block("        ", "something_else()"));
    let hunk = "@@ @@\n         trailing &= last == 0;\n         last = (vr % 10) as u8;\n         vr /= 10;\n-        vp /= 10;\n         removed += 1;\n";
    assert_never_wrong(&file, &unified(hunk), &file.replace("        vp /= 10;\n", ""));
}

#[test]
fn tabs_that_nothing_explains_are_not_put_into_a_file_of_blanks() {
    let file = "fn one() {\n    first();\n    second();\n}\n\nfn last_of_all() {}\n";
    // A line is not as the patch shows it, so that the patch is not one that was made from this file.
    let hunk = "@@ -4,3 +4,7 @@\n } \n \n+fn two() {\n+\tthird();\n+}\n+\n fn last_of_all() {}\n";
    assert_eq!(outcome(file, &unified(hunk)), None);
    let shown = hunk.replace("@@ -4,3 +4,7 @@\n", "@@ -3,4 +3,8 @@\n     second();\n");
    assert!(outcome(file, &unified(&shown)).is_some_and(|after| after.contains("\tthird")));
}

#[test]
fn of_equal_lines_in_a_block_none_is_taken_for_the_stale_one() {
    let file = "start one();\n  request(a);\n  other();\n  request(a);\nfinish all();\n";
    let side = |more: &str| {
        format!("start one();\n  request(a);\n  request(a);\n{more}  request(a);\nfinish all();\n")
    };
    let block =
        format!("f\n<<<<<<< SEARCH\n{}=======\n{}>>>>>>> REPLACE\n", side(""), side("  request(a);\n"));
    assert_eq!(outcome(file, &block), None);
}

#[test]
fn the_final_newline_changes_also_where_context_is_stale() {
    let file = "one();\ntwo();\nthree();\ninserted();\nfour();\nlast();";
    let hunk = "@@ -1,5 +1,5 @@\n-one();\n+1();\n two();\n three();\n four();\n-last();\n\\ No newline at end of file\n+last();\n";
    assert_never_wrong(file, &unified(hunk), "1();\ntwo();\nthree();\ninserted();\nfour();\nlast();\n");
}

#[test]
fn context_that_differs_in_its_indentation_only_is_not_borne_as_stale() {
    let file =
        "start_of_all();\n    return response;\n\n\nif main {\n    from_here();\n}\nfinish_of_all();\n";
    let hunk = "@@ -1,8 +1,11 @@\n start_of_all();\n \t\treturn response;\n \n \n+fn more() {\n+\t\tadded();\n+}\n if main {\n \t\tfrom_here();\n }\n finish_of_all();\n";
    let after = outcome(file, &unified(hunk));
    assert!(after.as_ref().is_none_or(|after| after.contains("\n    added();")), "{after:?}");
}

#[test]
fn blanks_at_line_ends_of_a_block_that_may_be_meant_are_not_taken_away() {
    let file = "first();\n\nsecond();\n  \nthird();\n";
    let block = "f\n<<<<<<< SEARCH\nfirst();\n  \nsecond(); \n  \nthird();\n=======\nmore();\n  \nsecond(); \n  \nthird();\n>>>>>>> REPLACE\n";
    let after = outcome(file, block);
    assert!(after.is_none() || after.as_deref() == Some("more();\n\nsecond();\n  \nthird();\n"), "{after:?}");
}

#[test]
fn a_hunk_that_only_adds_the_final_newline_is_not_taken_for_done_when_look_alikes_differ() {
    let file = "one();\nsay 'it';";
    let hunk =
        "@@ -1,2 +1,2 @@\n one();\n-say \u{2019}it\u{2019};\n\\ No newline at end of file\n+say 'it';\n";
    assert_eq!(outcome(file, &unified(hunk)).as_deref(), Some("one();\nsay 'it';\n"));
}

#[test]
fn tabs_in_an_exact_diff_are_meant() {
    let file = "fn one() {\n    first();\n    second();\n}\n";
    let hunk = "@@ -4 +4,2 @@\n }\n+\tthird();\n";
    assert!(outcome(file, &unified(hunk)).is_some_and(|after| after.ends_with("}\n\tthird();\n")));
}

#[test]
fn equal_lines_of_a_block_that_differ_in_the_file_are_not_mixed_up() {
    let file = "first();\n\nsecond();\n  \nthird();\n";
    let block = "f\n<<<<<<< SEARCH\nfirst();\n  \nsecond(); \n  \nthird();\n=======\nfirst();\n  \nthird();\n>>>>>>> REPLACE\n";
    assert_eq!(outcome(file, block), None);
}

#[test]
fn a_near_copy_with_a_comma_more_does_not_win_over_a_place_with_a_line_put_in() {
    let body = |more: &str, comma: &str| {
        format!(
            "export interface Hook<\n  Some = Default\n{more}> {{\n  (\n    request: FastifyRequest,\n    reply: FastifyReply,\n    error: GenericError{comma}\n"
        )
    };
    let file = body("", ",") + "  ): void;\n}\n" + &body("  put_in();\n", "") + "  ): Promise<unknown>;\n}\n";
    let hunk = "  Some = Default\n > {\n   (\n+    this: FastifyInstance,\n     request: FastifyRequest,\n     reply: FastifyReply,\n     error: GenericError\n";
    let at = file.rfind("    request").unwrap();
    let right = format!("{}    this: FastifyInstance,\n{}", &file[..at], &file[at..]);
    for header in ["@@ -11,6 +11,7 @@", "@@ @@"] {
        assert_never_wrong(
            &file,
            &unified(&format!("{header}\n{}", hunk.replacen("  Some", "   Some", 1))),
            &right,
        );
    }
}

#[test]
fn lines_added_after_context_with_a_line_put_in_stay_behind_it() {
    let file = "get('/return', async () => {\n  return { test: false }\n})\nexpectError(get('/return-error', async () => {\n  \
                reply.send({ foo: 'bar' })\n}))\nput_in();\nexpectError(get('/return-error', async () => {\n  return { foo: 'bar' }\n}))\n";
    let hunk = "@@ @@\n get('/return', async () => {\n   return { test: false }\n })\n-expectError(get('/return-error', async () => {\n\
                +expectError(get('/send-error', async () => {\n   reply.send({ foo: 'bar' })\n }))\n expectError(get('/return-error', async () => {\n   \
                return { foo: 'bar' }\n }))\n+get('/union', async () => {\n+})\n";
    let right = file.replacen("expectError(get('/return-error'", "expectError(get('/send-error'", 1)
        + "get('/union', async () => {\n})\n";
    assert_never_wrong(file, &unified(hunk), &right);
    let gone = |text: &str| text.replace("put_in();\n", "").replace("  return { foo: 'bar' }\n", "");
    assert_never_wrong(&gone(file), &unified(hunk), &gone(&right));
}

#[test]
fn a_copy_that_is_as_the_result_does_not_hide_a_place_with_a_stale_line() {
    let call = |name: &str, more: &str, last: &str| {
        format!(
            "{name}(\n    exposes = given.exposes,\n    eager = given.eager,\n    variable = given.variable,\n{more}    completion = given.completion,\n    # Settings\n{last}\n)\n"
        )
    };
    let more = "    shell = given.shell,\n";
    let copy = call("option", more, "    help = given.help");
    let file = copy.clone() + &call("argument", "", "    help = other.help");
    let hunk = "     exposes = given.exposes,\n     eager = given.eager,\n     variable = given.variable,\n+    shell = given.shell,\n     completion = given.completion,\n     # Settings\n     help = given.help\n";
    let right = copy + &call("argument", more, "    help = other.help");
    assert_never_wrong(&file, &unified(&format!("@@ @@\n{hunk}")), &right);
}

#[test]
fn lines_beside_dots_that_are_not_the_files_are_indented_as_the_file_is_too() {
    let file = "fn one() {\n  first();\n  second();\n}\nfn main() {\n  call();\n  ...\n}\nlast_of_all();\n\ntail();\n";
    let patch = unified(
        "@@ -1,4 +1,5 @@\n fn one() {\n \tfirst();\n+\tadded();\n \tsecond();\n }\n\
         @@ -7,5 +8,9 @@\n \t...\n }\n last_of_all();\n+details {\n+\tsummary\n+ \t\tmore\n+}\n \n tail();\n",
    );
    let after = outcome(file, &patch);
    assert!(after.as_ref().is_none_or(|after| !after.contains('\t')), "{after:?}");
}

#[test]
fn the_next_of_several_numbered_copies_is_not_taken_for_the_one_that_is_gone() {
    let arm = |number: u32| {
        format!(
            "    #[cfg(all(\n        not(other),\n        arch = \"x86_64\",\n    ))]\n    Kind{number}(ref it) => {{\n        // It can't handle short ones,\n        // so we fall back in these cases.\n        it.find(needle)\n    }}\n"
        )
    };
    let file = format!("fn find() {{\n    first();\n    before();\n{}}}\nfn last() {{}}\n", arm(256));
    let hunk = "@@ -4,10 +4,7 @@\n     first();\n     before();\n     }\n-    #[cfg(all(\n-        not(other),\n-        arch = \"x86_64\",\n-    ))]\n+    #[cfg(not(other))]\n     Kind128(ref it) => {\n         // It can't handle short ones,\n         // so we fall back in these cases.\n";
    assert_eq!(outcome(&file, &unified(hunk)), None);
}

#[test]
fn a_far_copy_with_a_line_put_in_is_not_taken_for_the_place_that_is_gone() {
    let table = |name: &str, more: &str| {
        format!(
            "class {name}:\n\n{more}    tokens = {{\n        'root': [\n            ('[^<&]+', Text),\n            (r'&', Entity),\n            (r'!', Comment),\n"
        )
    };
    let filler: String = (0..40).map(|line| format!("    other_line_{line}()\n")).collect();
    let file = table("Html", "    flags = DOTALL\n") + &filler + "    last_of_all()\n";
    let hunk = "@@ -44,6 +44,7 @@ class Xml:\n \n     tokens = {\n         'root': [\n-            ('[^<&]+', Text),\n+            (r'[^<&x]+', Text),\n+            (r'[^<&X]+', White),\n             (r'&', Entity),\n             (r'!', Comment),\n";
    assert_eq!(outcome(&file, &unified(hunk)), None);
}

#[test]
fn dots_that_the_file_holds_are_no_gap_in_which_context_may_differ() {
    let file = "start_of_all()\n\ndef call(\n    self, key, default=1\n) -> T:  # pragma: no cover\n    ...\n\nanother_word call(\n";
    let hunk = "@@ -40,6 +40,6 @@\n def call(\n     self, key, default=1\n-) -> T:  # pragma: no cover\n+) -> T:\n     ...\n \n def call(\n";
    assert_eq!(outcome(file, &unified(hunk)), None);
}
