//! Patterns of paths, names of tools and hosts.

use crate::word::UNKNOWN;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Letter(char),
    /// `?`: one letter of a name.
    OneInName,
    /// `*`: letters of a name.
    InName,
    /// `**`, and what is unknown of a path: anything.
    Anything,
    /// `**/`: what follows may be left out, that many tokens.
    Optional(usize),
}

/// A pattern: `*` within a name, `?` for one letter, `**` over folders. Brackets and braces mean themselves, since they
/// are common in names of files.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    tokens: Vec<Token>,
    prefix: String,
    folds_case: bool,
}

impl Pattern {
    /// The pattern that is written like this.
    pub(crate) fn new(text: &str) -> Self {
        let prefix: String = text.chars().take_while(|letter| !matches!(letter, '*' | '?')).collect();
        let whole = prefix.len() == text.len();
        let folder = prefix.rfind('/').map_or("", |end| &prefix[..end]).to_owned();
        let prefix = if whole { prefix } else { folder };
        Self { tokens: tokens_of(text), prefix, folds_case: false }
    }

    /// The same, whatever the case of letters.
    pub(crate) fn folding_case(text: &str) -> Self {
        Self { folds_case: true, ..Self::new(&text.to_lowercase()) }
    }

    /// Exactly this path, wildcards meaning themselves.
    pub(crate) fn literal(text: &str) -> Self {
        let tokens = text.chars().map(Token::Letter).collect();
        Self { tokens, prefix: text.to_owned(), folds_case: false }
    }

    /// This path and everything beneath it, wildcards meaning themselves.
    pub(crate) fn beneath(text: &str) -> Self {
        let mut pattern = Self::literal(text);
        pattern.tokens.extend([Token::Letter('/'), Token::Anything]);
        pattern
    }

    /// Whether the path matches for certain: all of it is known.
    pub(crate) fn matches(&self, path: &str) -> bool {
        !path.contains(UNKNOWN) && self.may_match(path)
    }

    /// Whether the path matches, whatever stands for what is unknown of it.
    pub(crate) fn may_match(&self, path: &str) -> bool {
        let path: Vec<Token> = if self.folds_case {
            path.to_lowercase().chars().map(path_token).collect()
        } else {
            path.chars().map(path_token).collect()
        };
        intersect(&self.tokens, &path)
    }

    /// Whether something that matches lies beneath this folder for certain.
    pub(crate) fn is_beneath(&self, folder: &str) -> bool {
        let folder = if self.folds_case { folder.to_lowercase() } else { folder.to_owned() };
        !folder.is_empty()
            && !folder.contains(UNKNOWN)
            && self
                .prefix
                .strip_prefix(folder.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

fn path_token(letter: char) -> Token {
    if letter == UNKNOWN { Token::Anything } else { Token::Letter(letter) }
}

fn tokens_of(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut letters = text.chars().peekable();
    let mut at_name = true;
    while let Some(letter) = letters.next() {
        let begins = at_name;
        at_name = letter == '/';
        match letter {
            '*' if letters.next_if_eq(&'*').is_some() => {
                while letters.next_if_eq(&'*').is_some() {}
                if begins && letters.next_if_eq(&'/').is_some() {
                    tokens.extend([Token::Optional(2), Token::Anything, Token::Letter('/')]);
                    at_name = true;
                } else {
                    tokens.push(Token::Anything);
                }
            }
            '*' => tokens.push(Token::InName),
            '?' => tokens.push(Token::OneInName),
            other => tokens.push(Token::Letter(other)),
        }
    }
    tokens
}

/// Whether some text fits both. Walks the pairs of places that one text can lead to.
fn intersect(left: &[Token], right: &[Token]) -> bool {
    let width = right.len() + 1;
    let mut seen = vec![false; (left.len() + 1) * width];
    let mut waiting = vec![(0, 0)];
    while let Some((i, j)) = waiting.pop() {
        if std::mem::replace(&mut seen[i * width + j], true) {
            continue;
        }
        let (a, b) = (left.get(i).copied(), right.get(j).copied());
        if a.is_none() && b.is_none() {
            return true;
        }
        if let Some(Token::Optional(length)) = a {
            waiting.extend([(i + 1, j), (i + 1 + length, j)]);
            continue;
        }
        if matches!(a, Some(Token::InName | Token::Anything)) {
            waiting.push((i + 1, j));
        }
        if matches!(b, Some(Token::InName | Token::Anything)) {
            waiting.push((i, j + 1));
        }
        let (Some(a), Some(b)) = (a, b) else { continue };
        if let Some((ahead, beside)) = step(a, b) {
            waiting.push((i + ahead, j + beside));
        }
    }
    false
}

/// How far one letter leads that both accept.
fn step(a: Token, b: Token) -> Option<(usize, usize)> {
    use Token::{Anything, InName, Letter, OneInName, Optional};
    match (a, b) {
        (Letter(x), Letter(y)) => (x == y).then_some((1, 1)),
        (Letter('/'), InName | OneInName) | (InName | OneInName, Letter('/')) => None,
        (Letter(_) | OneInName, Letter(_) | OneInName) => Some((1, 1)),
        (Letter(_) | OneInName, InName | Anything) => Some((1, 0)),
        (InName | Anything, Letter(_) | OneInName) => Some((0, 1)),
        (InName | Anything, InName | Anything) | (Optional(_), _) | (_, Optional(_)) => None,
    }
}

/// A name or pattern of hosts: exact, `*.example.org` for its subdomains, `*` for all.
#[derive(Debug)]
pub(crate) struct Host(String);

impl Host {
    pub(crate) fn new(text: &str) -> Self {
        Self(text.trim_end_matches('.').to_ascii_lowercase())
    }

    /// What is wrong with it as the pattern of a rule.
    pub(crate) fn problem(&self) -> Option<String> {
        let name = self.0.strip_prefix("*.").unwrap_or(&self.0);
        let letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | ':');
        let sound = self.0 == "*"
            || (!name.is_empty()
                && name.chars().all(letter)
                && !name.starts_with('.')
                && !name.contains(".."));
        let hint = "write a host such as \"crates.io\", \"*.npmjs.org\" for its subdomains, or \"*\"";
        (!sound).then(|| format!("\"{}\" is no name of a host: {hint}", self.0))
    }

    /// Whether every host that `asked` means is one of these.
    pub(crate) fn covers(&self, asked: &Host) -> bool {
        if self.0 == "*" || self.0 == asked.0 {
            return true;
        }
        let Some(suffix) = self.0.strip_prefix('*') else { return false };
        let asked = asked.0.strip_prefix('*').unwrap_or(&asked.0);
        asked.len() > suffix.len() && asked.ends_with(suffix)
    }

    /// Whether some host that `asked` means is one of these.
    pub(crate) fn meets(&self, asked: &Host) -> bool {
        self.covers(asked) || asked.covers(self)
    }
}
