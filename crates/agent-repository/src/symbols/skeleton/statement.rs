//! Tells by the words and brackets of a statement whether what a bracket holds is named in an outline.

use super::super::language::OutlineLanguage as Language;

/// What the statement so far has shown; bits of [`Statement::seen`].
pub(super) mod seen {
    /// A function with a name, or anything whose braces hold statements.
    pub(crate) const FUNCTION: u16 = 1;
    /// A type, module or block whose braces hold definitions.
    pub(crate) const DEFINITIONS: u16 = 1 << 1;
    /// A type whose braces hold nothing that is named.
    pub(crate) const DATA: u16 = 1 << 2;
    /// A constant or a variable.
    pub(crate) const VALUE: u16 = 1 << 3;
    /// A single `=`.
    pub(crate) const EQUALS: u16 = 1 << 4;
    /// A closed pair of round brackets.
    pub(crate) const GROUP: u16 = 1 << 5;
    /// `if`, `for` and the like.
    pub(crate) const CONTROL: u16 = 1 << 6;
    /// `import`, and `export` so far.
    pub(crate) const IMPORT: u16 = 1 << 7;
    /// A class, in a language whose objects have braces too.
    pub(crate) const CLASS: u16 = 1 << 8;
}
use seen::{CLASS, CONTROL, DATA, DEFINITIONS, EQUALS, FUNCTION, GROUP, IMPORT, VALUE};

/// A statement at the depth where it began.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Statement {
    /// Open brackets around it.
    pub(super) depth: usize,
    pub(super) seen: u16,
}

impl Statement {
    pub(super) fn has(self, bits: u16) -> bool {
        self.seen & bits != 0
    }
}

/// Where a bracket opens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) bracket: u8,
    pub(super) statement: Statement,
    /// The bracket belongs to the statement itself, not to a group inside it.
    pub(super) direct: bool,
    /// The last byte that is not white space or a comment; `a` for a word, `0` for a number, `"` for a
    /// text, `>` for `=>`.
    pub(super) before: u8,
    /// The next byte that is not white space.
    pub(super) after: u8,
    /// The innermost bracket is a class body.
    pub(super) in_class: bool,
    /// Functions without a name around the place.
    pub(super) wrappers: usize,
}

/// What to do with the inside of a bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inside {
    /// Cut it out.
    Skip,
    /// Cut it out; the statement goes on behind it.
    SkipWithin,
    /// Read on.
    Enter,
    /// Read on: a class body.
    EnterClass,
    /// Read on: the body of a function without a name.
    EnterWrapper,
}

/// What is inside a bracket of a language.
pub(super) fn inside(language: Language, place: Place) -> Inside {
    match language {
        Language::Rust => rust(place),
        Language::C | Language::Cpp => c_family(language, place),
        Language::Java => java(place),
        Language::Go | Language::Python => go(place),
        Language::JavaScript | Language::TypeScript | Language::Tsx => script(place),
    }
}

fn rust(place: Place) -> Inside {
    let statement = place.statement;
    let value = statement.has(VALUE) && statement.has(EQUALS);
    match place.bracket {
        b'{' if !statement.has(FUNCTION | VALUE | DATA) && statement.has(DEFINITIONS) => Inside::Enter,
        b'{' if value && !statement.has(FUNCTION | DATA) => Inside::SkipWithin,
        b'{' => Inside::Skip,
        b'(' if value || statement.has(FUNCTION | DATA) => Inside::SkipWithin,
        b'[' if value || statement.has(DATA) => Inside::SkipWithin,
        _ => Inside::Enter,
    }
}

fn c_family(language: Language, place: Place) -> Inside {
    let statement = place.statement;
    match place.bracket {
        // `(*name)(…)` holds the name.
        b'(' if matches!(place.after, b'*' | b'&' | b'^') => Inside::Enter,
        b'(' => Inside::SkipWithin,
        b'[' => Inside::Enter,
        _ if place.before == b'=' => Inside::SkipWithin,
        _ if statement.has(GROUP) => Inside::Skip,
        _ if statement.has(DEFINITIONS) => Inside::Enter,
        _ if statement.has(DATA) => Inside::SkipWithin,
        _ if statement.has(CLASS) && language == Language::Cpp => Inside::Enter,
        _ if statement.has(CLASS | EQUALS) => Inside::SkipWithin,
        _ if place.before == b'a' && statement.seen == 0 => Inside::Enter,
        _ => Inside::Skip,
    }
}

fn java(place: Place) -> Inside {
    let statement = place.statement;
    match place.bracket {
        b'(' => Inside::SkipWithin,
        b'[' => Inside::Enter,
        _ if statement.has(EQUALS) => Inside::SkipWithin,
        _ if statement.has(CLASS) => Inside::Enter,
        _ => Inside::Skip,
    }
}

fn go(place: Place) -> Inside {
    let statement = place.statement;
    match place.bracket {
        // `func (r *T) name(…)`: the receiver names the type.
        b'(' if statement.has(FUNCTION) && statement.has(GROUP) => Inside::SkipWithin,
        b'(' if statement.has(IMPORT) => Inside::SkipWithin,
        b'(' if statement.has(EQUALS) => Inside::SkipWithin,
        b'{' if statement.has(DATA) => Inside::SkipWithin,
        b'{' => Inside::Skip,
        _ => Inside::Enter,
    }
}

fn script(place: Place) -> Inside {
    let statement = place.statement;
    if place.bracket != b'{' {
        let parameters =
            place.direct && (statement.has(FUNCTION) || (place.in_class && !statement.has(EQUALS | CLASS)));
        return if parameters && place.bracket == b'(' { Inside::SkipWithin } else { Inside::Enter };
    }
    if !place.direct {
        let body = matches!(place.before, b')' | b'>');
        return if body && place.wrappers == 0 { Inside::EnterWrapper } else { Inside::SkipWithin };
    }
    let body = matches!(place.before, b')' | b'>');
    match () {
        // The type of a parameter or of what a function returns.
        () if place.before == b':' && statement.has(FUNCTION) => Inside::SkipWithin,
        () if statement.has(FUNCTION) => Inside::Skip,
        () if statement.has(CLASS) => Inside::EnterClass,
        () if statement.has(DATA) && !statement.has(EQUALS) => Inside::Skip,
        () if statement.has(DATA) || (statement.has(IMPORT) && !statement.has(VALUE)) => Inside::SkipWithin,
        () if statement.has(DEFINITIONS | CONTROL) => Inside::Enter,
        () if place.in_class => Inside::Skip,
        () if body => Inside::Skip,
        () => Inside::Enter,
    }
}

/// What a word adds to a statement; `None` for words that say nothing.
pub(super) fn word(
    language: Language,
    word: &[u8],
    statement: Statement,
    before: u8,
    named: bool,
) -> Option<u16> {
    match language {
        Language::Rust => rust_word(word, statement, named),
        Language::C | Language::Cpp => match word {
            b"class" | b"struct" | b"union" => Some(CLASS),
            b"enum" => Some(DATA),
            b"namespace" | b"extern" => Some(DEFINITIONS),
            _ => None,
        },
        Language::Java => match word {
            b"class" | b"interface" | b"enum" if before != b'.' => Some(CLASS),
            b"record" if named && before != b'.' => Some(CLASS),
            _ => None,
        },
        Language::Go | Language::Python => match word {
            b"func" if named => Some(FUNCTION | GROUP),
            b"func" => Some(FUNCTION),
            b"import" => Some(IMPORT),
            b"struct" | b"interface" => Some(DATA),
            _ => None,
        },
        Language::JavaScript | Language::TypeScript | Language::Tsx => {
            script_word(language, word, before, named)
        }
    }
}

fn rust_word(word: &[u8], statement: Statement, named: bool) -> Option<u16> {
    match word {
        b"fn" if named => Some(FUNCTION),
        b"impl" | b"trait" | b"mod" | b"extern" => Some(DEFINITIONS),
        b"struct" | b"enum" | b"use" => Some(DATA),
        b"union" if named => Some(DATA),
        b"const" | b"static" if !statement.has(DEFINITIONS) => Some(VALUE),
        _ => None,
    }
}

fn script_word(language: Language, word: &[u8], before: u8, named: bool) -> Option<u16> {
    if before == b'.' {
        return None;
    }
    let typed = language != Language::JavaScript;
    match word {
        b"function" => Some(FUNCTION),
        b"class" => Some(CLASS),
        b"const" | b"let" | b"var" | b"default" => Some(VALUE),
        b"import" | b"export" => Some(IMPORT),
        b"if" | b"else" | b"try" | b"catch" | b"finally" | b"for" | b"while" | b"do" | b"switch" => {
            Some(CONTROL)
        }
        b"interface" | b"enum" | b"type" if typed && named => Some(DATA),
        b"namespace" | b"module" | b"global" if typed => Some(DEFINITIONS),
        _ => None,
    }
}
