//! Makes the syntax tree of a script, within bounds.

use std::ops::ControlFlow;
use tree_sitter::{ParseOptions, ParseState, Parser, Tree};

/// How often the parser may report progress before it is stopped; an ordinary script of 128 KiB needs a tenth of it.
const MAX_STEPS: usize = 20_000;

/// The tree of a script; `None` where it takes too long.
pub(super) fn parse(script: &str) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_bash::LANGUAGE.into()).ok()?;
    let mut steps = 0;
    let mut progress = |_: &ParseState| {
        steps += 1;
        if steps > MAX_STEPS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    // The scanner of the grammar looks up letters in tables that end long before Unicode does, and reads beyond them
    // (tree-sitter-bash issue 337). To a shell all letters outside ASCII are alike, so the grammar sees one for each byte.
    let letters: Vec<u8> = script.bytes().map(|byte| if byte.is_ascii() { byte } else { b'x' }).collect();
    let mut input = |offset: usize, _| letters.get(offset..).unwrap_or_default();
    parser.parse_with_options(&mut input, None, Some(options))
}
