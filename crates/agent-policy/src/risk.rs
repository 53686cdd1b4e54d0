//! How much harm a command could do: rails of patterns, not an analysis.

mod programs;

use crate::shell::{Part, Reading, Run, View, Write, is_shell};
use crate::word::{UNKNOWN, Word};
use agent_core::policy::{Demand, Risk};
use programs::{LOW, RAISED};

/// Programs that fetch something from the network.
pub(crate) const FETCHERS: &[&str] =
    &["curl", "wget", "fetch", "aria2c", "http", "https", "xh", "lwp-download", "lwp-request"];

/// Whether the program runs programs in a language of its own.
pub(crate) fn is_interpreter(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "python",
        "pypy",
        "node",
        "nodejs",
        "deno",
        "bun",
        "perl",
        "ruby",
        "php",
        "lua",
        "luajit",
        "Rscript",
        "osascript",
        "tclsh",
        "pwsh",
        "ts-node",
        "tsx",
        "groovy",
        "julia",
        "raku",
    ];
    let plain = name.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
    NAMES.contains(&plain)
}

/// The risk of a demand; of a command, that of its worst part.
pub(crate) fn of_demand(demand: &Demand, reading: Option<&Reading>) -> Risk {
    match demand {
        Demand::Read => Risk::Low,
        Demand::Command(_) => reading.map_or(Risk::High, of_reading),
        Demand::Domain(host) if host == "*" => Risk::High,
        Demand::Write(paths) => paths.iter().map(|path| of_path(path)).max().unwrap_or(Risk::Medium),
        Demand::Domain(_) | Demand::Other => Risk::Medium,
    }
}

fn of_reading(reading: &Reading) -> Risk {
    if !reading.dangers.is_empty() {
        return Risk::Critical;
    }
    reading.parts.iter().map(of_part).max().unwrap_or(Risk::Low)
}

/// The risk of one part of a command.
pub(crate) fn of_part(part: &Part) -> Risk {
    match part {
        Part::Run(run) => of_run(run),
        Part::Write(write) => of_write(write),
        Part::Unreadable(..) => Risk::High,
    }
}

fn of_write(write: &Write) -> Risk {
    let path = write.path.text();
    let own = of_path(path);
    if write.with_all_beneath && reaches_far(path) { own.max(Risk::High) } else { own }
}

fn of_path(path: &str) -> Risk {
    const DEVICES: &[&str] = &[
        "/dev/sd",
        "/dev/hd",
        "/dev/vd",
        "/dev/nvme",
        "/dev/mmcblk",
        "/dev/disk",
        "/dev/mem",
        "/dev/xvd",
        "/dev/loop",
        "/dev/dm-",
    ];
    if DEVICES.iter().any(|device| path.starts_with(device)) {
        Risk::Critical
    } else if path.starts_with("/tmp/") || path.starts_with("/var/tmp/") {
        Risk::Medium
    } else if reaches_far(path) {
        Risk::High
    } else {
        Risk::Medium
    }
}

/// Whether a path leads out of the workspace.
fn reaches_far(path: &str) -> bool {
    path.starts_with(['/', '~']) || path == ".." || path.starts_with("../")
}

fn of_run(run: &Run) -> Risk {
    let last = run.views.len().saturating_sub(1);
    let wrappers = run.views[..last].iter().map(|view| match of_view(view) {
        // A wrapper is as risky as what it runs, unless it gives rights.
        Risk::Medium => Risk::Low,
        other => other,
    });
    let own = if run.is_fed || run.program() == Some("eval") {
        Risk::High
    } else if run.is_transparent {
        Risk::Low
    } else {
        run.views.last().map_or(Risk::Low, of_view)
    };
    let altered = if run.is_altered { Risk::Medium } else { Risk::Low };
    wrappers.max().unwrap_or(Risk::Low).max(own).max(altered)
}

fn of_view(view: &View) -> Risk {
    let words = view.bare.as_ref().map_or(&view.words, |(bare, _)| bare);
    let Some(name) = words.first().and_then(Word::program) else { return Risk::High };
    let rest = &words[1..];
    if let Some(risk) = destroys(name, rest) {
        return risk;
    }
    if runs_inline_code(name, rest) || FETCHERS.contains(&name) {
        return Risk::High;
    }
    let matching = RAISED.iter().filter(|rail| begins(words, name, rail.words) && has_any(rest, rail.with));
    if let Some(risk) = matching.map(|rail| rail.risk).max() {
        return risk;
    }
    // Options of git in front may give it other code to run.
    let is_plain = view.bare.as_ref().is_none_or(|(_, is_harmless)| *is_harmless);
    let is_low = LOW.iter().any(|(words_of_rail, without)| {
        begins(words, name, words_of_rail) && (without.is_empty() || !has_any(rest, without))
    });
    if is_low && is_plain { Risk::Low } else { Risk::Medium }
}

/// Whether the words begin like this; words of a rail are alternatives with `|` between.
fn begins(words: &[Word], name: &str, rail: &str) -> bool {
    let mut words = words.iter();
    words.next();
    let mut rail = rail.split(' ');
    let first = rail.next().unwrap_or_default();
    first.split('|').any(|alternative| alternative == name)
        && rail.all(|wanted| {
            words.next().is_some_and(|word| wanted.split('|').any(|alternative| word.is(alternative)))
        })
}

/// Whether one of these options is there; a short one may stand in a cluster.
fn has_any(rest: &[Word], options: &[&str]) -> bool {
    options.is_empty()
        || rest.iter().any(|word| {
            let text = word.text();
            options.iter().any(|option| {
                let mut letters = option.chars();
                let short = (letters.next(), letters.next(), letters.next());
                let in_cluster = matches!(short, (Some('-'), Some(letter), None)
                    if letter != '-' && word.short_options().contains(letter));
                in_cluster
                    || text == *option
                    || text.strip_prefix(option).is_some_and(|rest| rest.starts_with('='))
            })
        })
}

fn runs_inline_code(name: &str, rest: &[Word]) -> bool {
    if name.ends_with("awk") {
        return rest.iter().any(|word| word.text().contains("system(") || word.text().contains("| \""));
    }
    if name == "sed" {
        return rest.iter().any(|word| runs_in_editor(word.text()));
    }
    is_interpreter(name)
        && has_any(rest, &["-c", "-e", "-E", "-r", "-p", "--eval", "--print", "eval"])
        && !has_any(rest, &["-m"])
}

/// Whether a script of `sed` may run a command: an `e` behind an address or at the end of a substitution.
fn runs_in_editor(script: &str) -> bool {
    let bytes = script.as_bytes();
    let begins = |at: usize| at == 0 || b"0123456789$;{/".contains(&bytes[at - 1]);
    let ends = |at: usize| matches!(bytes.get(at + 1), None | Some(b' ' | b';' | b'\n'));
    !script.starts_with('-')
        && (0..bytes.len()).any(|at| bytes[at] == b'e' && begins(at) && ends(at) && bytes.len() > 1)
}

/// What destroys more than a workspace.
fn destroys(name: &str, rest: &[Word]) -> Option<Risk> {
    let operands = || rest.iter().filter(|word| !word.is_option());
    match name {
        "rm" | "shred" => {
            let with_folders = has_any(rest, &["-r", "-R", "--recursive"]);
            if with_folders && operands().any(is_outside) {
                return Some(Risk::Critical);
            }
            Some(if with_folders || name == "shred" { Risk::High } else { Risk::Medium })
        }
        "chmod" | "chown" | "chgrp" if has_any(rest, &["-R", "--recursive"]) => {
            let far = operands()
                .skip(1)
                .any(|word| matches!(word.text(), "/" | "~") || word.text().starts_with("/etc"));
            Some(if far { Risk::Critical } else { Risk::High })
        }
        "dd" if rest
            .iter()
            .any(|word| word.text().starts_with("of=/dev/") && !is_harmless_device(word.text())) =>
        {
            Some(Risk::Critical)
        }
        "find" if rest.iter().any(|word| word.is("-delete")) => {
            Some(if operands().next().is_some_and(is_outside) { Risk::Critical } else { Risk::High })
        }
        _ if name.starts_with("mkfs") => Some(Risk::Critical),
        _ if is_shell(name) => Some(Risk::Medium),
        _ => None,
    }
}

fn is_harmless_device(word: &str) -> bool {
    matches!(word, "of=/dev/null" | "of=/dev/zero" | "of=/dev/stdout")
}

/// Whether removing this removes more than a part of the workspace. What is unknown from its beginning might be empty
/// in front of a slash, so it counts where a slash follows.
fn is_outside(word: &Word) -> bool {
    let text = word.text();
    let unknown_root = text.strip_prefix(UNKNOWN).is_some_and(|rest| rest.starts_with('/'));
    let beneath_tmp = ["/tmp/", "/var/tmp/"].iter().any(|folder| {
        text.strip_prefix(folder)
            .is_some_and(|rest| !rest.is_empty() && !rest.starts_with(UNKNOWN) && !rest.contains(".."))
    });
    (reaches_far(&crate::shell::normal(text)) && !beneath_tmp) || unknown_root
}
