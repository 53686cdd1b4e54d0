//! Holds a rule against its own examples.

use super::{Certainty, Compiled, Subject};
use crate::shell::{Part, Write, normal, read_script};
use crate::word::Word;

/// Whether the examples hold; otherwise which does not.
pub(super) fn check(rule: &Compiled) -> Result<(), String> {
    if let Some(example) = rule.rule.matches.iter().find(|example| !matches(rule, example)) {
        return Err(format!("it does not match its example \"{example}\", which is listed in `match`"));
    }
    if let Some(example) = rule.rule.excludes.iter().find(|example| matches(rule, example)) {
        return Err(format!("it matches its example \"{example}\", which is listed in `not_match`"));
    }
    Ok(())
}

fn matches(rule: &Compiled, example: &str) -> bool {
    match &rule.subject {
        Subject::Tool(_) => rule.is_about_tool(example),
        Subject::Domain(_) => rule.is_about_host(example),
        Subject::Write(_) => {
            let path = Word::new(normal(example));
            rule.on_write(&Write { path, with_all_beneath: false, by_redirection: false }) == Certainty::Yes
        }
        Subject::Command(_) => {
            let reading = read_script(example);
            let is_about = |part: &Part| matches!(part, Part::Run(run) if rule.on_run(run) == Certainty::Yes);
            reading.parts.iter().any(is_about)
        }
    }
}
