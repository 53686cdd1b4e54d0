//! The languages that can be outlined, and their grammars.

use memchr::memmem;

/// A language whose files can be outlined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutlineLanguage {
    /// C, and headers that hold nothing else.
    C,
    /// C++.
    Cpp,
    /// Go.
    Go,
    /// Java.
    Java,
    /// JavaScript, JSX included.
    JavaScript,
    /// Python.
    Python,
    /// Rust.
    Rust,
    /// TypeScript without JSX.
    TypeScript,
    /// TypeScript with JSX.
    Tsx,
}

impl OutlineLanguage {
    /// Every language.
    pub const ALL: [Self; 9] = [
        Self::C,
        Self::Cpp,
        Self::Go,
        Self::Java,
        Self::JavaScript,
        Self::Python,
        Self::Rust,
        Self::TypeScript,
        Self::Tsx,
    ];

    /// The language of a file that a scan calls `language` (such as `C Header`); the text decides
    /// whether a header is one of C++. `None` for languages that are counted but not outlined.
    ///
    /// ```
    /// use agent_repository::symbols::OutlineLanguage;
    ///
    /// assert_eq!(OutlineLanguage::of("JSX", b""), Some(OutlineLanguage::JavaScript));
    /// assert_eq!(OutlineLanguage::of("C Header", b"namespace a {}"), Some(OutlineLanguage::Cpp));
    /// assert_eq!(OutlineLanguage::of("Markdown", b""), None);
    /// ```
    pub fn of(language: &str, text: &[u8]) -> Option<Self> {
        Some(match language {
            "C" => Self::C,
            "C Header" if is_cpp_header(text) => Self::Cpp,
            "C Header" => Self::C,
            "C++" | "C++ Header" => Self::Cpp,
            "Go" => Self::Go,
            "Java" => Self::Java,
            "JavaScript" | "JSX" => Self::JavaScript,
            "Python" => Self::Python,
            "Rust" => Self::Rust,
            "TypeScript" => Self::TypeScript,
            "TSX" => Self::Tsx,
            _ => return None,
        })
    }

    pub(crate) fn grammar(self) -> tree_sitter::Language {
        match self {
            Self::C => tree_sitter_c::LANGUAGE,
            Self::Cpp => tree_sitter_cpp::LANGUAGE,
            Self::Go => tree_sitter_go::LANGUAGE,
            Self::Java => tree_sitter_java::LANGUAGE,
            Self::JavaScript => tree_sitter_javascript::LANGUAGE,
            Self::Python => tree_sitter_python::LANGUAGE,
            Self::Rust => tree_sitter_rust::LANGUAGE,
            Self::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
            Self::Tsx => tree_sitter_typescript::LANGUAGE_TSX,
        }
        .into()
    }
}

/// Words that only C++ has, at the start of a line. Guards such as `extern "C"` stand in headers of C.
fn is_cpp_header(text: &[u8]) -> bool {
    [b"class ".as_slice(), b"namespace ", b"template ", b"template<"].iter().any(|word| {
        memmem::find_iter(text, word).any(|at| {
            let line = &text[..at];
            let start = memchr::memrchr(b'\n', line).map_or(0, |end| end + 1);
            line[start..].iter().all(|byte| matches!(byte, b' ' | b'\t'))
        })
    })
}
