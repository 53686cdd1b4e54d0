//! Outlines one file after another.

use std::ops::ControlFlow;

use tree_sitter::{ParseOptions, ParseState, Parser, Tree};

use super::definition::{Definition, SymbolKind};
use super::language::OutlineLanguage;
use super::place::Places;
use super::references::{References, Words};
use super::skeleton::Skeleton;
use super::tree::{Rulebook, Taker};

/// Definitions taken from one file; generated files have any number of them.
const MAX_DEFINITIONS: usize = 20_000;

/// What a file defines and what it uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileOutline {
    /// In the order of lines.
    pub definitions: Vec<Definition>,
    /// Empty unless they were asked for.
    pub references: References,
}

/// The parser gave up: it was told to stop, or the file is larger than four gigabytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the file was not parsed in the time given to it")]
pub struct NotParsed;

/// Parsers for all languages, made when first needed and used from file to file.
///
/// It belongs to one thread; a scan makes one for each of its threads.
///
/// ```
/// use agent_repository::symbols::{OutlineLanguage, Outliner, SymbolKind};
///
/// let text = b"struct Point;\nimpl Point {\n    fn norm(&self) -> f64 { 0.0 }\n}\n";
/// let outline = Outliner::new(true).outline(OutlineLanguage::Rust, text, &mut || false)?;
/// let norm = &outline.definitions[1];
/// assert_eq!((&*norm.name, norm.kind, norm.line), ("norm", SymbolKind::Method, 3));
/// assert_eq!(norm.container.as_deref(), Some("Point"));
/// assert_eq!(outline.references.count("Point"), 2);
/// # Ok::<(), agent_repository::symbols::NotParsed>(())
/// ```
pub struct Outliner {
    engines: Vec<(OutlineLanguage, Engine)>,
    skeleton: Skeleton,
    words: Option<Words>,
    breaks: Vec<u32>,
}

struct Engine {
    parser: Parser,
    rulebook: Rulebook,
}

impl Outliner {
    /// `references`: also count the identifiers that files use, as a [map](crate::map) needs them.
    pub fn new(references: bool) -> Self {
        Self {
            engines: Vec::new(),
            skeleton: Skeleton::default(),
            words: references.then(Words::new),
            breaks: Vec::new(),
        }
    }

    /// Outlines a text. One with errors gives what can be recognised in it.
    ///
    /// `stop` is asked from time to time while the text is parsed; `true` ends the work.
    ///
    /// # Errors
    ///
    /// [`NotParsed`] when `stop` said so.
    pub fn outline(
        &mut self,
        language: OutlineLanguage,
        text: &[u8],
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<FileOutline, NotParsed> {
        if u32::try_from(text.len()).is_err() {
            return Err(NotParsed);
        }
        if let Some(words) = &mut self.words {
            words.forget();
        }
        if self.skeleton.cut(language, text, self.words.as_mut()).is_err() {
            self.skeleton.whole(text);
            if let Some(words) = &mut self.words {
                words.forget();
                words.add_all(text);
            }
        }
        self.outline_skeleton(language, text, stop)
    }

    /// Outlines the text whose skeleton was made.
    fn outline_skeleton(
        &mut self,
        language: OutlineLanguage,
        text: &[u8],
        stop: &mut dyn FnMut() -> bool,
    ) -> Result<FileOutline, NotParsed> {
        let engine = engine(&mut self.engines, language)?;
        let tree = parse(&mut engine.parser, self.skeleton.text(), stop)?;
        let places = Places::new(language, text, &self.skeleton, &mut self.breaks);
        let mut taker = Taker {
            rulebook: &engine.rulebook,
            places: &places,
            text: self.skeleton.text(),
            max: MAX_DEFINITIONS,
            found: Vec::new(),
        };
        taker.take(&tree);
        let mut definitions = taker.found;
        add_macros(&mut definitions, text, &self.skeleton, &places);
        definitions.sort_by_key(|definition| definition.line);
        let references = self.words.as_mut().map(Words::take).unwrap_or_default();
        Ok(FileOutline { definitions, references })
    }
}

fn engine(
    engines: &mut Vec<(OutlineLanguage, Engine)>,
    language: OutlineLanguage,
) -> Result<&mut Engine, NotParsed> {
    let place = match engines.iter().position(|(known, _)| *known == language) {
        Some(place) => place,
        None => {
            let grammar = language.grammar();
            let mut parser = Parser::new();
            // The grammars are built for this parser; a test makes each of them.
            parser.set_language(&grammar).map_err(|_version| NotParsed)?;
            engines.push((language, Engine { parser, rulebook: Rulebook::new(language, &grammar) }));
            engines.len() - 1
        }
    };
    engines.get_mut(place).map(|(_, engine)| engine).ok_or(NotParsed)
}

fn parse(parser: &mut Parser, text: &[u8], stop: &mut dyn FnMut() -> bool) -> Result<Tree, NotParsed> {
    let mut progress =
        |_: &ParseState| if stop() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let mut rest = |at: usize, _| text.get(at..).unwrap_or_default();
    let tree = parser.parse_with_options(&mut rest, None, Some(options));
    if tree.is_none() {
        // The next text is not the rest of this one.
        parser.reset();
    }
    tree.ok_or(NotParsed)
}

fn add_macros(definitions: &mut Vec<Definition>, text: &[u8], skeleton: &Skeleton, places: &Places<'_>) {
    let room = MAX_DEFINITIONS.saturating_sub(definitions.len());
    for found in skeleton.macros().iter().take(room) {
        let line = places.line_of_source(found.name.0);
        definitions.push(Definition {
            name: String::from_utf8_lossy(&text[found.name.0..found.name.1]).into(),
            kind: SymbolKind::Macro,
            line,
            end_line: places.line_of_source(found.end.saturating_sub(1)),
            container: None,
            signature: places.macro_signature_of_source(found.name.0, found.name.1 - found.name.0).into(),
        });
    }
}

#[cfg(test)]
#[path = "outliner_tests.rs"]
mod tests;
