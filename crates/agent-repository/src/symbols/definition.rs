//! What an outline names.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What kind of thing a name stands for, in the word of the language itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SymbolKind {
    /// A function that belongs to no type.
    Function,
    /// A function of a type; constructors are methods.
    Method,
    /// A class, a Java record included.
    Class,
    /// A struct.
    Struct,
    /// A union.
    Union,
    /// An enumeration.
    Enum,
    /// A trait.
    Trait,
    /// An interface, a Java annotation included.
    Interface,
    /// Another name for a type, or a type of its own such as Go's `type Celsius float64`.
    Type,
    /// A module or a namespace.
    Module,
    /// A constant, or a variable that is not meant to change.
    Constant,
    /// A variable outside of functions.
    Variable,
    /// A macro.
    Macro,
}

impl SymbolKind {
    /// Every kind; the position is the kind's number in a stored cache.
    pub(crate) const ALL: [Self; 13] = [
        Self::Function,
        Self::Method,
        Self::Class,
        Self::Struct,
        Self::Union,
        Self::Enum,
        Self::Trait,
        Self::Interface,
        Self::Type,
        Self::Module,
        Self::Constant,
        Self::Variable,
        Self::Macro,
    ];

    /// The word for it, as in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Method => "method",
            Self::Class => "class",
            Self::Struct => "struct",
            Self::Union => "union",
            Self::Enum => "enum",
            Self::Trait => "trait",
            Self::Interface => "interface",
            Self::Type => "type",
            Self::Module => "module",
            Self::Constant => "constant",
            Self::Variable => "variable",
            Self::Macro => "macro",
        }
    }
}

impl fmt::Display for SymbolKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A definition in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// The name alone, such as `push`; at most 200 bytes.
    pub name: Arc<str>,
    /// What it stands for.
    pub kind: SymbolKind,
    /// The line that holds the name, from 1.
    pub line: u32,
    /// The last line of the definition, from 1.
    pub end_line: u32,
    /// The type, trait or module it belongs to, such as `Vec`; `None` at the top of the file.
    pub container: Option<Arc<str>>,
    /// The line that holds the name, trimmed, without values and texts in quotes, at most 160 bytes.
    pub signature: Arc<str>,
}

/// A definition and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Symbol {
    /// The name alone, such as `push`.
    pub name: Arc<str>,
    /// What it stands for.
    pub kind: SymbolKind,
    /// The file, relative to the root of the repository; odd bytes are escaped.
    pub file: Arc<str>,
    /// The line that holds the name, from 1.
    pub line: u32,
    /// The last line of the definition, from 1.
    pub end_line: u32,
    /// The type, trait or module it belongs to; `None` at the top of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<Arc<str>>,
    /// The line that holds the name, trimmed, without values and texts in quotes, at most 160 bytes.
    pub signature: Arc<str>,
}

impl Symbol {
    /// The definition as a symbol of `file`.
    pub(crate) fn new(file: &Arc<str>, definition: &Definition) -> Self {
        Self {
            name: Arc::clone(&definition.name),
            kind: definition.kind,
            file: Arc::clone(file),
            line: definition.line,
            end_line: definition.end_line,
            container: definition.container.clone(),
            signature: Arc::clone(&definition.signature),
        }
    }
}
