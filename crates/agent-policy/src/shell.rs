//! Reads a command as a shell would, down to the programs that would run and the files that would be written.

mod invocation;
mod options;
mod parse;
mod path;
mod scripts;
mod targets;
mod tree;
mod word;
mod wrappers;

pub(crate) use options::{is_shell, without_global_options};
pub(crate) use path::normal;
pub(crate) use tree::single_command;

use crate::word::Word;
use std::collections::{HashMap, HashSet};

/// Scripts within scripts are read this deep.
const MAX_DEPTH: usize = 8;
/// Longer scripts are not read.
const MAX_SCRIPT: usize = 128 * 1024;
/// More parts than this are not told apart.
const MAX_PARTS: usize = 4_000;

/// What a command consists of.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Its parts, in the order in which they stand.
    pub(crate) parts: Vec<Part>,
    /// What the way in which the parts are put together does, at its worst.
    pub(crate) dangers: Vec<&'static str>,
}

/// One part of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// A program that runs.
    Run(Run),
    /// A file that is written.
    Write(Write),
    /// What cannot be read: its text, and why not.
    Unreadable(String, &'static str),
}

/// A program that runs, seen through what it is wrapped in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    /// From the outermost wrapper to the program itself; never empty.
    pub(crate) views: Vec<View>,
    /// Whether variables in front of it change which code it runs.
    pub(crate) is_altered: bool,
    /// Whether it only runs what was read already: a function of the script, a shell with its script.
    pub(crate) is_transparent: bool,
    /// Whether it runs code of its own language that it finds at its standard input.
    pub(crate) is_fed: bool,
}

/// A program with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct View {
    /// The words, program first.
    pub(crate) words: Vec<Word>,
    /// The same without the options that stand before a subcommand, if there are any, and whether these are harmless.
    pub(crate) bare: Option<(Vec<Word>, bool)>,
    /// Whether whoever is allowed to run the program inside is not for that reason allowed to run this one.
    pub(crate) needs_leave: bool,
}

/// A file that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Write {
    /// Its path, without `.` and `..` where these can be resolved.
    pub(crate) path: Word,
    /// Whether everything beneath it goes with it.
    pub(crate) with_all_beneath: bool,
    /// Whether the shell writes it and not the program.
    pub(crate) by_redirection: bool,
}

/// What a program finds at its standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Input {
    /// What the whole command finds there.
    Inherited,
    /// This text.
    Text(Word),
    /// Nobody knows what.
    Unknown,
}

/// Reads one command.
#[derive(Default)]
struct Reader {
    reading: Reading,
    depth: usize,
    /// The folder that the script has changed to, relative to where it began.
    folder: String,
    functions: HashSet<String>,
    /// The functions whose bodies are being read.
    inside: Vec<String>,
    aliases: HashMap<String, String>,
    /// Whether the script has changed a variable that decides which code a program runs.
    is_altered: bool,
    /// Files that were downloaded.
    fetched: HashSet<String>,
    /// Files whose text the script has written.
    written: HashSet<String>,
}

/// Reads words that are run without a shell.
pub(crate) fn read_words(argv: &[String]) -> Reading {
    let mut reader = Reader::default();
    let words: Vec<Word> = argv.iter().map(Word::new).collect();
    reader.run(words, false, &Input::Inherited);
    reader.finish()
}

/// Reads a script.
pub(crate) fn read_script(script: &str) -> Reading {
    let mut reader = Reader::default();
    reader.script(script);
    reader.finish()
}

impl Reader {
    fn push(&mut self, part: Part) {
        if self.reading.parts.len() < MAX_PARTS {
            self.reading.parts.push(part);
        } else if self.reading.parts.len() == MAX_PARTS {
            self.reading.parts.push(Part::Unreadable("…".to_owned(), "it has too many parts"));
        }
    }

    fn unreadable(&mut self, text: &str, why: &'static str) {
        let line: String = text.chars().take(120).collect();
        self.push(Part::Unreadable(line.replace(crate::word::UNKNOWN, "…"), why));
    }

    fn danger(&mut self, what: &'static str) {
        self.reading.dangers.push(what);
    }

    fn finish(mut self) -> Reading {
        let mut seen: Vec<Part> = Vec::new();
        for part in std::mem::take(&mut self.reading.parts) {
            if seen.len() > 200 || !seen.contains(&part) {
                seen.push(part);
            }
        }
        self.reading.parts = seen;
        self.reading
    }

    /// Whether one of the parts from this one on fetches something from the network.
    fn fetches_since(&self, start: usize) -> bool {
        self.reading.parts.iter().skip(start).any(Part::fetches)
    }
}

impl Part {
    /// Whether it fetches something from the network.
    fn fetches(&self) -> bool {
        let Self::Run(run) = self else { return false };
        run.program().is_some_and(|name| crate::risk::FETCHERS.contains(&name))
    }
}

impl Run {
    /// The innermost view: the program itself.
    pub(crate) fn innermost(&self) -> &[Word] {
        self.views.last().map_or(&[], |view| &view.words)
    }

    /// The name of the program itself.
    pub(crate) fn program(&self) -> Option<&str> {
        self.innermost().first().and_then(Word::program)
    }
}

impl View {
    fn new(words: Vec<Word>, needs_leave: bool) -> Self {
        let bare = without_global_options(&words);
        Self { words, bare, needs_leave }
    }
}
