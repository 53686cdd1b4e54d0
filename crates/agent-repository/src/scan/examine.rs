//! Learns what a scan tells of one file: reads it once, counts it and outlines it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::cache::{Cache, Key};
use super::content::Content;
use super::facts::{Facts, Outlined, Wanted};
use super::language_table::LANGUAGES;
use super::languages::{Guess, Languages};
use super::options::ScanOptions;
use super::stopwatch::Stopwatch;
use super::walk::Found;
use crate::symbols::{OutlineLanguage, Outliner};

/// One thread's means of reading files.
pub(crate) struct Examiner<'a> {
    languages: &'a Languages,
    wanted: Wanted,
    cache: Option<&'a Cache>,
    max_bytes: u64,
    max_duration: Duration,
    outliner: Option<Outliner>,
    buffer: Vec<u8>,
    /// The time of day when the scan began.
    began_ns: i128,
}

impl<'a> Examiner<'a> {
    pub(crate) fn new(languages: &'a Languages, wanted: Wanted, options: &ScanOptions<'a>) -> Self {
        Self {
            languages,
            wanted,
            cache: options.cache,
            max_bytes: options.max_symbol_file_bytes,
            max_duration: options.max_symbol_file_duration,
            outliner: (wanted > Wanted::Counts).then(|| Outliner::new(wanted == Wanted::References)),
            buffer: Vec::new(),
            began_ns: options.cache.map_or(0, |_| Stopwatch::file_clock_ns()),
        }
    }

    /// What the file tells, and its size in bytes.
    pub(crate) fn examine(&mut self, file: &Found<'_>) -> io::Result<(Arc<Facts>, u64)> {
        let language = match self.languages.guess(file.name) {
            Guess::Language(number) => Some(number),
            Guess::AskContent => None,
            // Nothing is asked of its content.
            Guess::Unknown => return Ok((Arc::new(Facts::only(Content::Binary)), file.size()?)),
        };
        let Some(cache) = self.cache else {
            let (content, size) = file.read(&mut self.buffer)?;
            return Ok((Arc::new(self.learn(file, content, language)), size));
        };
        if let Some(identity) = file.identity()?
            && let Some(facts) = cache.known(file.path, &identity, self.wanted)
            && (!matches!(facts.outline, Outlined::Done(..)) || identity.size <= self.max_bytes)
        {
            // The limits hold for what is known as for what is read: a report does not depend on a cache.
            return Ok(match file.budget.refuses(identity.size) {
                Some(content) => (Arc::new(Facts::only(content)), identity.size),
                None => (facts, identity.size),
            });
        }
        self.read_and_keep(cache, file, language)
    }

    fn read_and_keep(
        &mut self,
        cache: &Cache,
        file: &Found<'_>,
        language: Option<usize>,
    ) -> io::Result<(Arc<Facts>, u64)> {
        let (content, identity) = file.read_identified(&mut self.buffer)?;
        let settled = identity.is_settled(self.began_ns);
        let digest: [u8; 32] = match content {
            Content::Text => Sha256::digest(&self.buffer).into(),
            // Their content is not read as a whole: nothing is known of another file of theirs.
            _ => [0; 32],
        };
        let key = Key { digest, language };
        let same = (content == Content::Text && identity.size <= self.max_bytes)
            .then(|| cache.known_content(&key, self.wanted))
            .flatten();
        let facts = match same {
            Some(facts) => facts,
            None => Arc::new(self.learn(file, content, language)),
        };
        if facts.are_lasting() {
            cache.keep(file.path, identity, settled, key, &facts);
        }
        Ok((facts, identity.size))
    }

    fn learn(&mut self, file: &Found<'_>, content: Content, language: Option<usize>) -> Facts {
        if content != Content::Text {
            return Facts::only(content);
        }
        let Some(number) = language.or_else(|| self.languages.named_in(&self.buffer)) else {
            return Facts::only(content);
        };
        let counts = self.languages.counter(number).count(&self.buffer);
        Facts { content, counted: Some((number, counts)), outline: self.outline(file, number) }
    }

    fn outline(&mut self, file: &Found<'_>, number: usize) -> Outlined {
        let Some(outliner) = &mut self.outliner else { return Outlined::NotAsked };
        let Some(language) = OutlineLanguage::of(LANGUAGES[number].name, &self.buffer) else {
            return Outlined::Nothing;
        };
        if self.buffer.len() as u64 > self.max_bytes {
            return Outlined::LeftOut(format!(
                "its symbols are not read: larger than {} bytes",
                self.max_bytes
            ));
        }
        let watch = Stopwatch::start();
        let limit = self.max_duration;
        let mut stop = || watch.elapsed() > limit || (file.is_over)();
        match outliner.outline(language, &self.buffer, &mut stop) {
            Ok(outline) => Outlined::Done(Arc::new(outline), self.wanted == Wanted::References),
            Err(_not_parsed) => Outlined::LeftOut(format!(
                "its symbols are not read: not parsed within {} ms",
                limit.as_millis()
            )),
        }
    }
}
