//! What a counter must know about a language: its comment marks and its string marks.

/// A string or character literal: comment marks inside it are text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text {
    pub(crate) open: &'static str,
    pub(crate) close: &'static str,
    /// A backslash hides the next byte.
    pub(crate) escape: bool,
    /// A doubled closing mark stands for itself (`""` in C# verbatim strings).
    pub(crate) doubled: bool,
    /// The literal goes on past the end of a line.
    pub(crate) multiline: bool,
    /// When it opens a statement it documents, and its lines are comments.
    pub(crate) documents: bool,
}

impl Text {
    /// `open` … `close` on one line, with backslash escapes.
    pub(crate) const fn line(mark: &'static str) -> Self {
        Self { open: mark, close: mark, escape: true, doubled: false, multiline: false, documents: false }
    }

    /// `open` … `close` over any number of lines, with backslash escapes.
    pub(crate) const fn lines(mark: &'static str) -> Self {
        Self { multiline: true, ..Self::line(mark) }
    }

    /// `open` … `close` over any number of lines, where a backslash is a backslash.
    pub(crate) const fn raw(open: &'static str, close: &'static str) -> Self {
        Self { open, close, escape: false, doubled: false, multiline: true, documents: false }
    }
}

/// A literal or comment whose closing mark depends on how it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variable {
    /// The language has none.
    None,
    /// `r##"…"##`.
    RustRaw,
    /// `R"mark(…)mark"`.
    CppRaw,
    /// `[==[…]==]`, and the same after `--` as a comment.
    LuaLong,
}

/// Where a here-document may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heredoc {
    /// The language has none.
    None,
    /// `<<EOF`, `<<-'EOF'`.
    Shell,
    /// `<<~EOF`, `<<"EOF"`: the word is quoted or upper case, as `<<` is also an operator.
    Upper,
    /// `<<<EOF`.
    Php,
}

/// Comment and string marks of one language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Syntax {
    /// Marks that make the rest of a line a comment.
    pub(crate) line: &'static [&'static str],
    /// The mark counts only at the start of a word, so that `$#` and `${#a}` are code.
    pub(crate) line_at_word: bool,
    /// Block comments.
    pub(crate) blocks: &'static [(&'static str, &'static str)],
    /// Block comments nest.
    pub(crate) nested: bool,
    /// Block comments whose marks stand at the very start of a line.
    pub(crate) line_blocks: &'static [(&'static str, &'static str)],
    /// Literals, longest opening mark first.
    pub(crate) texts: &'static [Text],
    /// `'x'` is a character, a lone `'` is not a quote (lifetimes, primes, digit separators).
    pub(crate) characters: bool,
    /// `/…/` may be a regular expression.
    pub(crate) regex: bool,
    /// Literals and comments with variable marks.
    pub(crate) variable: Variable,
    /// Here-documents.
    pub(crate) heredoc: Heredoc,
    /// Prose: every line that is not blank counts as a comment.
    pub(crate) prose: bool,
}

const C_BLOCK: &[(&str, &str)] = &[("/*", "*/")];
const DOUBLE: Text = Text::line("\"");
const SINGLE: Text = Text::line("'");

/// Every line that is not blank is code.
pub(crate) const PLAIN: Syntax = Syntax {
    line: &[],
    line_at_word: false,
    blocks: &[],
    nested: false,
    line_blocks: &[],
    texts: &[],
    characters: false,
    regex: false,
    variable: Variable::None,
    heredoc: Heredoc::None,
    prose: false,
};
pub(crate) const PROSE: Syntax = Syntax { prose: true, ..PLAIN };
/// `#` to the end of the line and nothing else.
pub(crate) const HASH: Syntax = Syntax { line: &["#"], line_at_word: true, ..PLAIN };
/// `#` comments and one-line quoted strings.
pub(crate) const HASH_QUOTED: Syntax = Syntax { texts: &[DOUBLE, SINGLE], ..HASH };
pub(crate) const C: Syntax =
    Syntax { line: &["//"], blocks: C_BLOCK, texts: &[DOUBLE], characters: true, ..PLAIN };
pub(crate) const CPP: Syntax = Syntax { variable: Variable::CppRaw, ..C };
/// C with `"""` text blocks: Java, Kotlin, Dart.
pub(crate) const TEXT_BLOCKS: Syntax = Syntax { texts: &[Text::lines("\"\"\""), DOUBLE], ..C };
/// The same with nested block comments.
pub(crate) const NESTED_TEXT_BLOCKS: Syntax = Syntax { nested: true, ..TEXT_BLOCKS };
pub(crate) const CSHARP: Syntax = Syntax {
    texts: &[
        Text { doubled: true, ..Text::raw("$@\"", "\"") },
        Text { doubled: true, ..Text::raw("@$\"", "\"") },
        Text { doubled: true, ..Text::raw("@\"", "\"") },
        Text::raw("\"\"\"", "\"\"\""),
        DOUBLE,
    ],
    ..C
};
pub(crate) const RUST: Syntax =
    Syntax { nested: true, texts: &[Text::lines("\"")], variable: Variable::RustRaw, ..C };
pub(crate) const GO: Syntax = Syntax { texts: &[Text::raw("`", "`"), DOUBLE], ..C };
pub(crate) const ZIG: Syntax =
    Syntax { blocks: &[], texts: &[Text { multiline: false, ..Text::raw("\\\\", "\n") }, DOUBLE], ..C };
pub(crate) const JAVASCRIPT: Syntax =
    Syntax { texts: &[Text::lines("`"), DOUBLE, SINGLE], characters: false, regex: true, ..C };
pub(crate) const PHP: Syntax = Syntax {
    line: &["//", "#"],
    line_at_word: true,
    texts: &[DOUBLE, SINGLE],
    characters: false,
    heredoc: Heredoc::Php,
    ..C
};
pub(crate) const PYTHON: Syntax = Syntax {
    line: &["#"],
    texts: &[
        Text { documents: true, ..Text::lines("\"\"\"") },
        Text { documents: true, ..Text::lines("'''") },
        DOUBLE,
        SINGLE,
    ],
    ..PLAIN
};
pub(crate) const TOML: Syntax = Syntax {
    line: &["#"],
    texts: &[Text::lines("\"\"\""), Text::raw("'''", "'''"), DOUBLE, SINGLE],
    ..PLAIN
};
pub(crate) const SHELL: Syntax =
    Syntax { texts: &[Text::lines("\""), Text::raw("'", "'")], heredoc: Heredoc::Shell, ..HASH };
pub(crate) const RUBY: Syntax =
    Syntax { line_blocks: &[("=begin", "=end")], heredoc: Heredoc::Upper, ..HASH_QUOTED };
pub(crate) const PERL: Syntax = Syntax {
    line_blocks: &[
        ("=pod", "=cut"),
        ("=head", "=cut"),
        ("=over", "=cut"),
        ("=item", "=cut"),
        ("=for", "=cut"),
        ("=begin", "=cut"),
        ("=encoding", "=cut"),
    ],
    ..RUBY
};
pub(crate) const ELIXIR: Syntax =
    Syntax { texts: &[Text::lines("\"\"\""), Text::lines("'''"), DOUBLE, SINGLE], ..HASH };
pub(crate) const JULIA: Syntax = Syntax {
    blocks: &[("#=", "=#")],
    nested: true,
    texts: &[Text::lines("\"\"\""), DOUBLE],
    characters: true,
    line_at_word: false,
    ..HASH
};
pub(crate) const POWERSHELL: Syntax = Syntax { blocks: &[("<#", "#>")], ..HASH_QUOTED };
pub(crate) const CMAKE: Syntax = Syntax { blocks: &[("#[[", "]]")], texts: &[DOUBLE], ..HASH };
pub(crate) const NIX: Syntax = Syntax { blocks: C_BLOCK, texts: &[Text::raw("''", "''"), DOUBLE], ..HASH };
pub(crate) const HCL: Syntax = Syntax { line: &["#", "//"], blocks: C_BLOCK, texts: &[DOUBLE], ..HASH };
pub(crate) const HASKELL: Syntax = Syntax {
    line: &["--"],
    blocks: &[("{-", "-}")],
    nested: true,
    texts: &[DOUBLE],
    characters: true,
    ..PLAIN
};
pub(crate) const ELM: Syntax = Syntax { texts: &[Text::lines("\"\"\""), DOUBLE], ..HASKELL };
pub(crate) const OCAML: Syntax =
    Syntax { blocks: &[("(*", "*)")], nested: true, texts: &[Text::lines("\"")], characters: true, ..PLAIN };
pub(crate) const FSHARP: Syntax =
    Syntax { line: &["//"], nested: false, texts: &[Text::lines("\"\"\""), Text::lines("\"")], ..OCAML };
pub(crate) const LUA: Syntax =
    Syntax { line: &["--"], texts: &[DOUBLE, SINGLE], variable: Variable::LuaLong, ..PLAIN };
pub(crate) const SQL: Syntax = Syntax {
    line: &["--"],
    blocks: C_BLOCK,
    texts: &[Text { escape: false, ..SINGLE }, Text { escape: false, ..DOUBLE }],
    ..PLAIN
};
pub(crate) const MARKUP: Syntax = Syntax { blocks: &[("<!--", "-->")], ..PLAIN };
/// Markup with scripts and styles in it.
pub(crate) const COMPONENT: Syntax = Syntax { blocks: &[("<!--", "-->"), ("/*", "*/")], ..PLAIN };
/// An address without quotes may hold `/*` and `//`.
const URL: Text = Text { open: "url(", close: ")", ..DOUBLE };
pub(crate) const CSS: Syntax = Syntax { blocks: C_BLOCK, texts: &[URL, DOUBLE, SINGLE], ..PLAIN };
pub(crate) const SCSS: Syntax = Syntax { line: &["//"], line_at_word: true, ..CSS };
pub(crate) const SEMICOLON: Syntax = Syntax { line: &[";"], texts: &[DOUBLE], ..PLAIN };
pub(crate) const INI: Syntax = Syntax { line: &[";", "#"], line_at_word: true, ..PLAIN };
pub(crate) const PERCENT: Syntax = Syntax { line: &["%"], ..PLAIN };
pub(crate) const BATCH: Syntax =
    Syntax { line: &["REM ", "rem ", "@REM ", "@rem ", "::"], line_at_word: true, ..PLAIN };
