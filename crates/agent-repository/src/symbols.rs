//! Outlines source files: what they define, where, and which identifiers they use.
//!
//! Knows: the grammars of nine languages, and what of a syntax tree is worth naming.
//! Never knows: files, folders, limits of time; it is given texts and asks whether to stop.
//!
//! What is local to a function is not named, nor are the fields of types and the members of
//! enumerations. A text with errors gives what can be recognised in it.
//!
//! [`scan`](crate::scan::scan) outlines a whole repository.
//!
//! ```
//! use agent_repository::symbols::{OutlineLanguage, Outliner};
//!
//! let mut outliner = Outliner::new(false);
//! let outline = outliner.outline(OutlineLanguage::Python, b"class Cart:\n    def total(self): pass\n", &mut || false)?;
//! let names: Vec<&str> = outline.definitions.iter().map(|definition| &*definition.name).collect();
//! assert_eq!(names, ["Cart", "total"]);
//! # Ok::<(), agent_repository::symbols::NotParsed>(())
//! ```

mod definition;
mod language;
mod outliner;
mod place;
mod references;
mod rules;
mod skeleton;
mod tree;

pub use definition::{Definition, Symbol, SymbolKind};
pub use language::OutlineLanguage;
pub use outliner::{FileOutline, NotParsed, Outliner};
pub use references::References;

pub(crate) use references::{hash, is_word};
