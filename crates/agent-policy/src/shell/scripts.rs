//! Which of a program's words are a script or a command of their own.

use super::targets::values_of;
use crate::word::Word;

/// Where a shell finds its script.
pub(super) enum Script {
    /// In one of its words.
    Inline(Word),
    /// In a file.
    File(Word),
    /// At its standard input.
    Input,
}

/// Where a shell that is called with these words finds its script.
pub(super) fn of_shell(words: &[Word]) -> Script {
    let (mut at, mut is_inline, mut is_input) = (1, false, false);
    while let Some(word) = words.get(at) {
        let text = word.text();
        at += 1;
        if matches!(text, "--" | "-") {
            break;
        }
        if let Some(long) = text.strip_prefix("--") {
            at += usize::from(matches!(long, "rcfile" | "init-file"));
        } else if text.len() > 1 && text.starts_with(['-', '+']) {
            is_inline |= text.starts_with('-') && text.contains('c');
            is_input |= text.starts_with('-') && text.contains('s');
            at += text.matches(['o', 'O']).count();
        } else {
            at -= 1;
            break;
        }
    }
    match words.get(at) {
        Some(word) if is_inline => Script::Inline(word.clone()),
        None if is_inline => Script::Inline(Word::new("")),
        Some(word) if !is_input => Script::File(word.clone()),
        Some(_) | None => Script::Input,
    }
}

/// Whether the program runs the code of its own language that it finds at its standard input.
pub(super) fn reads_code(name: &str, words: &[Word]) -> bool {
    let rest = words.get(1..).unwrap_or_default();
    let has_code = rest.iter().any(|word| word.is("-c") || word.is("-e") || word.is("-m") || word.is("-r"));
    crate::risk::is_interpreter(name) && !has_code && rest.iter().all(|word| word.is_option() || word.is("-"))
}

/// The scripts that a program other than a shell is handed as words; `None` in place of one that is not known.
pub(super) fn handed_to(name: &str, words: &[Word]) -> Vec<Option<String>> {
    let rest = words.get(1..).unwrap_or_default();
    match name {
        "eval" => vec![joined(rest)],
        "trap" => rest
            .iter()
            .find(|word| !word.is_option())
            .filter(|_| rest.len() > 1)
            .map(owned)
            .into_iter()
            .collect(),
        "env" => split_string(rest).map(|word| owned(&word)).into_iter().collect(),
        "su" | "script" | "flock" | "runuser" | "sg" | "nix-shell" | "nix" => {
            let at = rest.iter().position(|word| word.short_options().ends_with('c'));
            let behind_short = at.and_then(|at| rest.get(at + 1)).cloned();
            let found = behind_short.into_iter().chain(values_of(rest, &["--command", "--run"]));
            found.map(|word| owned(&word)).collect()
        }
        "watch" | "parallel" => rest.iter().filter(|word| word.text().contains(' ')).map(owned).collect(),
        "tar" => rest.iter().filter_map(handed_to_tar).collect(),
        "git" => of_git(rest),
        _ => Vec::new(),
    }
}

/// What `env` splits into words: in an option, behind its letter in a cluster, or in the next word.
fn split_string(rest: &[Word]) -> Option<Word> {
    rest.iter().enumerate().find_map(|(at, word)| {
        let text = word.text();
        if let Some(long) = text.strip_prefix("--split-string") {
            return long.strip_prefix('=').map(Word::new).or_else(|| rest.get(at + 1).cloned());
        }
        let (_, behind) = word.short_options().split_once('S')?;
        if behind.is_empty() { rest.get(at + 1).cloned() } else { Some(Word::new(behind)) }
    })
}

/// The command in an option of `tar`.
fn handed_to_tar(word: &Word) -> Option<Option<String>> {
    const OPTIONS: &[&str] = &["--checkpoint-action=exec=", "--to-command=", "--use-compress-program="];
    let command = OPTIONS.iter().find_map(|option| word.text().strip_prefix(option))?;
    Some(Word::new(command).known().map(str::to_owned))
}

/// What git is handed to run: by a rebase, a bisection, a rewriting of history, and in each of its submodules.
fn of_git(rest: &[Word]) -> Vec<Option<String>> {
    let place = |name: &str| rest.iter().position(|word| word.is(name));
    let values = |names| values_of(rest, names).iter().map(owned).collect();
    if place("bisect").is_some() {
        place("run").map(|at| joined(&rest[at + 1..])).into_iter().collect()
    } else if place("rebase").is_some() {
        values(&["-x", "--exec"])
    } else if let (Some(_), Some(at)) = (place("submodule"), place("foreach")) {
        let options = rest[at + 1..].iter().take_while(|word| word.is_option()).count();
        vec![joined(&rest[at + 1 + options..])]
    } else if place("filter-branch").is_some() {
        values(&["--tree-filter", "--index-filter", "--msg-filter"])
    } else {
        Vec::new()
    }
}

/// A word that is known.
fn owned(word: &Word) -> Option<String> {
    word.known().map(str::to_owned)
}

/// Words that are known, as one line.
fn joined(words: &[Word]) -> Option<String> {
    let known: Option<Vec<&str>> = words.iter().map(Word::known).collect();
    known.map(|known| known.join(" "))
}

/// The commands that `find` and `fd` run for what they find.
pub(super) fn of_find(name: &str, words: &[Word]) -> Vec<Vec<Word>> {
    let starts: &[&str] = match name {
        "find" => &["-exec", "-execdir", "-ok", "-okdir"],
        "fd" | "fdfind" => &["-x", "-X", "--exec", "--exec-batch"],
        _ => return Vec::new(),
    };
    let mut found = Vec::new();
    let mut rest = words;
    while let Some(at) = rest.iter().position(|word| starts.contains(&word.text())) {
        rest = &rest[at + 1..];
        let end = rest.iter().position(|word| word.is(";") || word.is("+")).unwrap_or(rest.len());
        let inner = rest[..end].iter().map(|word| word.without("{}"));
        found.push(inner.collect::<Vec<_>>());
        rest = &rest[end..];
    }
    found.retain(|command| !command.is_empty());
    found
}
