//! Which files well-known programs write, by their words.

use super::path::last_name;
use crate::word::Word;

/// A file that a program writes.
pub(super) struct Target {
    pub(super) path: Word,
    /// Whether everything beneath it goes with it.
    pub(super) with_all_beneath: bool,
}

fn one(path: &Word) -> Target {
    Target { path: path.clone(), with_all_beneath: false }
}

fn tree(path: &Word) -> Target {
    Target { path: path.clone(), with_all_beneath: true }
}

/// The files that the program of this name writes when it is called with these words.
pub(super) fn of(name: &str, words: &[Word]) -> Vec<Target> {
    let rest = words.get(1..).unwrap_or_default();
    match name {
        "tee" | "touch" | "truncate" | "mkdir" | "rmdir" | "mkfifo" | "ed" | "ex" | "vi" | "vim" | "nano" => {
            operands(rest, &["-s", "--size", "-r", "--reference", "-m", "--mode", "-c", "-d"])
                .into_iter()
                .map(one)
                .collect()
        }
        "rm" | "unlink" | "shred" | "trash" => {
            let with_folders = rest.iter().any(takes_folders);
            operands(rest, &[]).into_iter().map(if with_folders { tree } else { one }).collect()
        }
        "chmod" | "chown" | "chgrp" | "setfacl" => {
            let skipped = usize::from(!rest.iter().any(|word| word.text().starts_with("--reference")));
            operands(rest, &["-m", "-x"]).into_iter().skip(skipped).map(one).collect()
        }
        "git" => of_git(words),
        "tar" | "bsdtar" => {
            let folder =
                option(rest, &["-C", "--directory"]).cloned().or_else(|| behind(rest, "--directory="));
            folder.iter().map(one).collect()
        }
        "unzip" => option(rest, &["-d"]).into_iter().map(one).collect(),
        "mv" => moved(rest, true),
        "cp" | "install" | "rsync" => moved(rest, false),
        "ln" => linked(rest),
        "sed" | "perl" | "ruby" if edits_in_place(rest) => in_place(rest),
        "dd" => rest
            .iter()
            .filter_map(|word| word.text().strip_prefix("of=").map(Word::new))
            .map(|path| one(&path))
            .collect(),
        "curl" | "wget" | "aria2c" => fetched(name, words).iter().map(|path| one(&Word::new(path))).collect(),
        "sort" => option(rest, &["-o", "--output"]).into_iter().map(one).collect(),
        "find" if rest.iter().any(|word| word.is("-delete")) => {
            rest.iter().take_while(|word| !word.is_option()).map(one).collect()
        }
        _ => Vec::new(),
    }
}

/// What git removes and moves at its caller's wish.
fn of_git(words: &[Word]) -> Vec<Target> {
    let bare = super::without_global_options(words);
    let words = bare.as_ref().map_or(words, |(bare, _)| bare);
    let rest = words.get(2..).unwrap_or_default();
    match words.get(1).map(Word::text) {
        Some("rm") => operands(rest, &[]).into_iter().map(tree).collect(),
        Some("mv") => moved(rest, true),
        _ => Vec::new(),
    }
}

/// Whether the word is an option by which folders are removed too.
fn takes_folders(word: &Word) -> bool {
    let text = word.text();
    text == "--recursive" || (word.is_option() && !text.starts_with("--") && text.contains(['r', 'R']))
}

/// The words that are no options and belong to none.
fn operands<'w>(words: &'w [Word], valued: &[&str]) -> Vec<&'w Word> {
    let mut found = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if word.is("--") {
            found.extend(rest);
            break;
        }
        if valued.contains(&word.text()) {
            rest.next();
        } else if !word.is_option() {
            found.push(word);
        }
    }
    found
}

/// The value of one of these options.
fn option<'w>(words: &'w [Word], names: &[&str]) -> Option<&'w Word> {
    let at = words.iter().position(|word| names.contains(&word.text()))?;
    words.get(at + 1)
}

/// A long option's value behind `=`.
fn behind(words: &[Word], beginning: &str) -> Option<Word> {
    words.iter().find_map(|word| word.text().strip_prefix(beginning)).map(Word::new)
}

/// Where files are copied or moved to: the target, and each name in it, since the target may be a folder.
fn moved(rest: &[Word], takes_away: bool) -> Vec<Target> {
    let valued =
        ["-t", "--target-directory", "-S", "--suffix", "-m", "--mode", "-o", "--owner", "-g", "--group"];
    let mut sources = operands(rest, &valued);
    let folder = option(rest, &valued[..2]).cloned().or_else(|| behind(rest, "--target-directory="));
    let Some(target) = folder.or_else(|| sources.pop().cloned()) else { return Vec::new() };
    let mut found = vec![one(&target)];
    for source in sources {
        found.push(one(&Word::new(format!("{}/{}", target.text(), last_name(source.text())))));
        if takes_away {
            found.push(tree(source));
        }
    }
    found
}

/// A link makes what it leads to writable under another name, so both ends count.
fn linked(rest: &[Word]) -> Vec<Target> {
    let named = operands(rest, &["-t", "--target-directory", "-S", "--suffix"]);
    let mut found = moved(rest, false);
    found.extend(named.into_iter().map(one));
    found
}

fn edits_in_place(rest: &[Word]) -> bool {
    rest.iter().any(|word| {
        let text = word.text();
        text.starts_with("--in-place")
            || (text.starts_with('-') && !text.starts_with("--") && text.contains('i'))
    })
}

/// The files of an editor of streams; without `-e` or `-f` the first operand is its script.
fn in_place(rest: &[Word]) -> Vec<Target> {
    let valued = ["-e", "--expression", "-f", "--file"];
    let has_script = rest.iter().any(|word| {
        let text = word.text();
        text.starts_with("--expression=")
            || (!text.starts_with("--") && text.starts_with('-') && text.ends_with('e'))
            || valued.contains(&text)
    });
    let mut valued = valued.to_vec();
    let clusters: Vec<&str> = rest
        .iter()
        .map(Word::text)
        .filter(|text| text.starts_with('-') && !text.starts_with("--") && text.ends_with('e'))
        .collect();
    valued.extend(clusters);
    operands(rest, &valued).into_iter().skip(usize::from(!has_script)).map(one).collect()
}

/// The files into which something is fetched.
pub(super) fn fetched(name: &str, words: &[Word]) -> Vec<String> {
    let rest = words.get(1..).unwrap_or_default();
    let address = |word: &&Word| word.text().contains("://");
    let named = match name {
        "curl" => option(rest, &["-o", "--output"]).cloned().or_else(|| behind(rest, "--output=")),
        "wget" => {
            option(rest, &["-O", "--output-document"]).cloned().or_else(|| behind(rest, "--output-document="))
        }
        "aria2c" => option(rest, &["-o", "--out"]).cloned(),
        _ => None,
    };
    if let Some(file) = named {
        return vec![file.text().to_owned()];
    }
    let keeps_names = match name {
        "curl" => rest.iter().any(|word| {
            let text = word.text();
            text == "--remote-name"
                || (text.starts_with('-') && !text.starts_with("--") && text.contains('O'))
        }),
        "wget" | "aria2c" => true,
        _ => false,
    };
    let addresses = rest.iter().filter(address).filter(|_| keeps_names);
    addresses
        .map(|word| last_name(word.text().split(['?', '#']).next().unwrap_or_default()).to_owned())
        .filter(|file| !file.is_empty())
        .collect()
}
