//! Picks what a language model should see of a repository that does not fit into its context.
//!
//! Knows: outlines, and how definitions and their uses tie files together.
//! Never knows: files on disk, models, tokens of a particular model; it is given an [`Outline`].
//!
//! A file that uses a name points to the files that define it. Ranks flow along these arrows as in
//! PageRank, beginning at the files and names that the goal mentions, and each definition takes its part
//! of the rank of the files that use it. The best definitions are written as the lines they stand in.
//!
//! Files that usually hold secrets are not in an outline, nor are values and texts in the lines of
//! definitions, so a map holds neither. The same outline and focus give the same map.
//!
//! ```
//! use agent_repository::map::{Focus, RepositoryMap};
//! use agent_repository::scan::{ScanOptions, survey};
//!
//! let folder = tempfile::tempdir()?;
//! std::fs::write(folder.path().join("shape.rs"), "pub struct Shape;\npub fn area(shape: &Shape) -> f64 { 0.0 }\n")?;
//! std::fs::write(folder.path().join("main.rs"), "fn main() { shape::area(&shape::Shape); }\n")?;
//! let (_, outline) = survey(folder.path(), &ScanOptions::default())?;
//!
//! let map = RepositoryMap::build(&outline, &Focus::of("Make `area` faster"));
//! let text = map.render(100).text;
//! assert!(text.starts_with("shape.rs:\n"), "{text}");
//! assert!(text.contains("2: pub fn area(shape: &Shape) -> f64"), "{text}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod focus;
mod graph;
mod rank;
mod render;

pub use focus::Focus;
pub use render::{Rendered, estimate_tokens};

use crate::scan::Outline;
use graph::Graph;
use rank::Ranked;

/// Definitions kept for rendering; no model reads more of a map.
const MAX_RANKED: usize = 20_000;

/// The definitions of a repository, the most useful first.
#[derive(Debug)]
pub struct RepositoryMap<'a> {
    outline: &'a Outline,
    ranked: Vec<Ranked>,
}

impl<'a> RepositoryMap<'a> {
    /// Ranks the definitions of `outline` for `focus`.
    ///
    /// The work grows with the definitions and the references of the outline.
    pub fn build(outline: &'a Outline, focus: &Focus) -> Self {
        let graph = Graph::new(outline, focus);
        let mut ranked = rank::definitions(outline, &graph);
        ranked.truncate(MAX_RANKED);
        Self { outline, ranked }
    }

    /// Writes the best definitions within about `budget_tokens` by [`estimate_tokens`].
    ///
    /// Each file is named once, with its lines in order; files stand in the order of their best
    /// definition. A budget too small for any definition gives an empty text.
    pub fn render(&self, budget_tokens: usize) -> Rendered {
        render::render(self.outline, &self.ranked, budget_tokens)
    }
}
