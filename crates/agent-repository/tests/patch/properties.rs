use agent_repository::Error;
use agent_repository::patch::{MatchQuality, PatchSet, unified_diff};
use proptest::prelude::*;
use proptest::sample::select;

use crate::workspace::{Workspace, path};

/// Files of few different lines, so that equal places are common, with every kind of line ending.
fn text() -> impl Strategy<Value = String> {
    let line = select(vec![
        "",
        "a",
        "b",
        "    a",
        "}",
        "let x = 1;",
        "-- dashes",
        "++ plus",
        "é\u{2014}",
        "a \t",
        "\\ No",
    ]);
    let ending = select(vec!["\n", "\n", "\n", "\r\n"]);
    (prop::collection::vec((line, ending), 0..25), select(vec!["", "end", "\u{feff}", "cr\r"])).prop_map(
        |(lines, last)| {
            let mut text: String = lines.into_iter().flat_map(|(line, ending)| [line, ending]).collect();
            text.push_str(last);
            text
        },
    )
}

fn distinct_lines() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-z]{6,9}", 8..40).prop_map(|words| {
        words.into_iter().enumerate().map(|(index, word)| format!("line{index} {word}")).collect()
    })
}

fn joined(lines: &[String]) -> String {
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_diff_of_two_texts_takes_the_one_to_the_other_and_its_inverse_back(before in text(), after in text()) {
        prop_assume!(before != after);
        let workspace = Workspace::new(&[("f", &before)]);
        let diff = unified_diff(&path("f"), Some(&before), Some(&after));
        let applied = workspace.apply(&diff).unwrap();
        prop_assert_eq!(workspace.text("f"), after);
        workspace.apply(&applied.inverse).unwrap();
        prop_assert_eq!(workspace.text("f"), before);
    }

    #[test]
    fn wrong_line_numbers_lead_to_the_right_place_or_nowhere(
        lines in distinct_lines(), at in any::<prop::sample::Index>(), shift in 0_usize..60,
    ) {
        let before = joined(&lines);
        let mut changed = lines.clone();
        let at = at.index(lines.len());
        changed[at] = "something new".to_owned();
        let after = joined(&changed);
        let diff = unified_diff(&path("f"), Some(&before), Some(&after));
        let header = diff.lines().find(|line| line.starts_with("@@")).unwrap();
        let wrong = diff.replace(header, &format!("@@ -{shift},9 +{shift},1 @@"));
        let workspace = Workspace::new(&[("f", &before)]);
        let applied = workspace.apply(&wrong).unwrap();
        prop_assert_eq!(workspace.text("f"), after);
        prop_assert!(applied.hunks[0].rung <= Some(MatchQuality::Offset));
    }

    #[test]
    fn a_hunk_without_numbers_in_a_repetitive_file_is_right_or_refused(
        before in prop::collection::vec(select(vec!["a", "b", "c", "}", "let x = 1;"]), 3..30),
        at in any::<prop::sample::Index>(),
    ) {
        let lines: Vec<String> = before.iter().map(ToString::to_string).collect();
        let mut changed = lines.clone();
        changed[at.index(lines.len())] = "something new".to_owned();
        let (before, after) = (joined(&lines), joined(&changed));
        let diff = unified_diff(&path("f"), Some(&before), Some(&after));
        let header = diff.lines().find(|line| line.starts_with("@@")).unwrap();
        let workspace = Workspace::new(&[("f", &before)]);
        match workspace.apply(&diff.replace(header, "@@ ... @@")) {
            Ok(_) => prop_assert_eq!(workspace.text("f"), after),
            Err(Error::Rejected(_)) => prop_assert_eq!(workspace.text("f"), before),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn a_patch_indented_otherwise_comes_out_indented_as_the_file(
        lines in distinct_lines(), levels in prop::collection::vec(0_usize..4, 40), at in any::<prop::sample::Index>(),
        outdent in any::<bool>(),
    ) {
        let indented: Vec<String> =
            lines.iter().zip(&levels).map(|(line, level)| format!("    {}{line}", "    ".repeat(*level))).collect();
        let at = at.index(lines.len());
        let mut changed = indented.clone();
        changed[at] = format!("{}something new", &indented[at][..indented[at].len() - lines[at].len()]);
        let (before, after) = (joined(&indented), joined(&changed));
        let drifted = |lines: &[String]| joined(&lines.iter().map(|line| {
            if outdent { line[4..].to_owned() } else { format!("  {line}") }
        }).collect::<Vec<_>>());
        let diff = unified_diff(&path("f"), Some(&drifted(&indented)), Some(&drifted(&changed)));
        let workspace = Workspace::new(&[("f", &before)]);
        let applied = workspace.apply(&diff).unwrap();
        prop_assert_eq!(workspace.text("f"), after);
        prop_assert_eq!(applied.hunks[0].rung, Some(MatchQuality::Indentation));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "(@@|---|\\+\\+\\+|diff --git|\\*\\*\\*|<<<<<<< SEARCH|=======|>>>>>>> REPLACE| |-|\\+|\\\\|\"|a/|b/|x|[0-9]|,|\n|é|\t|\r){0,60}") {
        let _ = PatchSet::parse(&text);
        let _ = PatchSet::parse(&format!("*** Begin Patch\n{text}\n*** End Patch\n"));
        let _ = PatchSet::parse(&format!("diff --git a/x b/x\n--- a/x\n+++ b/x\n{text}"));
    }
}
