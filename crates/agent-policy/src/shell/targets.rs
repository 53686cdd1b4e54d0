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
        "tar" | "bsdtar" => values_of(rest, &["-C", "--directory"]).iter().map(one).collect(),
        "unzip" => values_of(rest, &["-d"]).iter().map(one).collect(),
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
        "sort" => values_of(rest, &["-o", "--output"]).iter().map(one).collect(),
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
    word.is("--recursive") || word.short_options().contains(['r', 'R'])
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

/// The values of these options: the word behind each, or what stands behind the `=` of a long one.
pub(super) fn values_of(words: &[Word], names: &[&str]) -> Vec<Word> {
    let value = |(at, word): (usize, &Word)| match word.text().split_once('=') {
        Some((name, value)) if name.starts_with("--") && names.contains(&name) => Some(Word::new(value)),
        _ => words.get(at + 1).filter(|_| names.contains(&word.text())).cloned(),
    };
    words.iter().enumerate().filter_map(value).collect()
}

/// Where files are copied or moved to: the target, and each name in it, since the target may be a folder.
fn moved(rest: &[Word], takes_away: bool) -> Vec<Target> {
    let valued =
        ["-t", "--target-directory", "-S", "--suffix", "-m", "--mode", "-o", "--owner", "-g", "--group"];
    let mut sources = operands(rest, &valued);
    let Some(target) = values_of(rest, &valued[..2]).into_iter().next().or_else(|| sources.pop().cloned())
    else {
        return Vec::new();
    };
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
    rest.iter().any(|word| word.text().starts_with("--in-place") || word.short_options().contains('i'))
}

/// The files of an editor of streams; without `-e` or `-f` the first operand is its script.
fn in_place(rest: &[Word]) -> Vec<Target> {
    let valued = ["-e", "--expression", "-f", "--file"];
    let clusters: Vec<&str> =
        rest.iter().filter(|word| word.short_options().ends_with('e')).map(Word::text).collect();
    let is_named = |word: &Word| word.text().starts_with("--expression=") || valued.contains(&word.text());
    let has_script = !clusters.is_empty() || rest.iter().any(is_named);
    let valued = [valued.as_slice(), &clusters].concat();
    operands(rest, &valued).into_iter().skip(usize::from(!has_script)).map(one).collect()
}

/// The files into which something is fetched.
pub(super) fn fetched(name: &str, words: &[Word]) -> Vec<String> {
    let rest = words.get(1..).unwrap_or_default();
    let address = |word: &&Word| word.text().contains("://");
    let named = match name {
        "curl" => values_of(rest, &["-o", "--output"]),
        "wget" => values_of(rest, &["-O", "--output-document"]),
        "aria2c" => values_of(rest, &["-o", "--out"]),
        _ => Vec::new(),
    };
    if !named.is_empty() {
        return named.iter().map(|file| file.text().to_owned()).collect();
    }
    let keeps_names = match name {
        "curl" => rest.iter().any(|word| word.is("--remote-name") || word.short_options().contains('O')),
        "wget" | "aria2c" => true,
        _ => false,
    };
    let addresses = rest.iter().filter(address).filter(|_| keeps_names);
    addresses
        .map(|word| last_name(word.text().split(['?', '#']).next().unwrap_or_default()).to_owned())
        .filter(|file| !file.is_empty())
        .collect()
}
