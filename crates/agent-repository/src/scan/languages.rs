//! Which language a file is written in.

use std::collections::HashMap;

use super::count::Counter;
use super::language_table::LANGUAGES;

/// The recognition tables, built once per scan.
#[derive(Debug)]
pub(crate) struct Languages {
    by_extension: HashMap<&'static [u8], usize>,
    by_file_name: HashMap<&'static [u8], usize>,
    by_interpreter: HashMap<&'static [u8], usize>,
    counters: Vec<Counter>,
}

/// What a file's name says about its language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guess {
    /// The name settles it.
    Language(usize),
    /// There is no extension: the first line may name an interpreter.
    AskContent,
    /// Not a language the scanner counts.
    Unknown,
}

impl Languages {
    pub(crate) fn new() -> Self {
        let mut languages = Self {
            by_extension: HashMap::new(),
            by_file_name: HashMap::new(),
            by_interpreter: HashMap::new(),
            counters: Vec::with_capacity(LANGUAGES.len()),
        };
        for (number, row) in LANGUAGES.iter().enumerate() {
            let entries =
                |names: &'static [&'static str]| names.iter().map(move |name| (name.as_bytes(), number));
            languages.by_extension.extend(entries(row.extensions));
            languages.by_file_name.extend(entries(row.file_names));
            languages.by_interpreter.extend(entries(row.interpreters));
            languages.counters.push(Counter::new(row.syntax));
        }
        languages
    }

    pub(crate) fn guess(&self, file_name: &[u8]) -> Guess {
        let name = file_name.to_ascii_lowercase();
        if let Some(number) = self.by_file_name.get(name.as_slice()) {
            return Guess::Language(*number);
        }
        let Some(dot) = name.iter().rposition(|byte| *byte == b'.') else {
            return Guess::AskContent;
        };
        match self.by_extension.get(&name[dot + 1..]) {
            Some(number) => Guess::Language(*number),
            // `Dockerfile.release` is a Dockerfile.
            None if name.starts_with(b"dockerfile.") => self
                .by_file_name
                .get(b"dockerfile".as_slice())
                .map_or(Guess::Unknown, |n| Guess::Language(*n)),
            None => Guess::Unknown,
        }
    }

    /// Reads the language off a `#!` line.
    pub(crate) fn named_in(&self, text: &[u8]) -> Option<usize> {
        let line = text.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
        line.split(|byte| byte.is_ascii_whitespace()).filter(|word| !word.is_empty()).find_map(|word| {
            let program = word.rsplit(|byte| *byte == b'/').next()?;
            let end = program.iter().rposition(|byte| byte.is_ascii_alphabetic())? + 1;
            self.by_interpreter.get(program[..end].to_ascii_lowercase().as_slice()).copied()
        })
    }

    /// The name of the language of a file with this name and text; `None` where the scanner knows none.
    pub(crate) fn name(&self, file_name: &[u8], text: &[u8]) -> Option<&'static str> {
        let number = match self.guess(file_name) {
            Guess::Language(number) => Some(number),
            Guess::AskContent => self.named_in(text),
            Guess::Unknown => None,
        };
        number.map(|number| LANGUAGES[number].name)
    }

    pub(crate) fn counter(&self, number: usize) -> &Counter {
        &self.counters[number]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(guess: Guess) -> Option<&'static str> {
        match guess {
            Guess::Language(number) => Some(LANGUAGES[number].name),
            Guess::AskContent | Guess::Unknown => None,
        }
    }

    #[test]
    fn no_extension_or_file_name_belongs_to_two_languages() {
        let mut seen = HashMap::new();
        for row in LANGUAGES {
            for key in row
                .extensions
                .iter()
                .map(|e| format!(".{e}"))
                .chain(row.file_names.iter().map(|n| (*n).to_owned()))
            {
                assert_eq!(seen.insert(key.clone(), row.name), None, "{key} is listed twice");
            }
        }
    }

    #[test]
    fn a_name_settles_the_language_whatever_its_case() {
        let languages = Languages::new();
        for (file, language) in [
            ("main.rs", "Rust"),
            ("MAIN.PY", "Python"),
            ("Makefile", "Makefile"),
            ("CMakeLists.txt", "CMake"),
            ("Dockerfile.release", "Dockerfile"),
            ("a.test.tsx", "TSX"),
            ("x.h", "C Header"),
        ] {
            assert_eq!(name_of(languages.guess(file.as_bytes())), Some(language), "{file}");
        }
        assert_eq!(languages.guess(b"LICENSE"), Guess::AskContent);
        assert_eq!(languages.guess(b"photo.png"), Guess::Unknown);
    }

    #[test]
    fn a_script_without_extension_is_recognised_by_its_interpreter() {
        let languages = Languages::new();
        for (text, language) in [
            ("#!/bin/sh\n", "Shell"),
            ("#!/usr/bin/env python3.12\nx", "Python"),
            ("#!/usr/bin/env -S node --harmony\n", "JavaScript"),
        ] {
            assert_eq!(languages.named_in(text.as_bytes()).map(|n| LANGUAGES[n].name), Some(language));
        }
        assert_eq!(languages.named_in(b"MIT License"), None);
    }
}
