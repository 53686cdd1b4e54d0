//! Words as a shell reads them: quotes, escapes, braces, patterns.

use crate::word::{UNKNOWN, Word};
use tree_sitter::Node;

/// More words than this are not listed one by one.
const MAX_WORDS: usize = 64;
/// Braces in a longer word are not looked into.
const MAX_LETTERS: usize = 2_000;

/// One letter, and whether it was quoted, so that it means itself.
type Letter = (char, bool);

/// The words that a node of the tree stands for: usually one, several where braces make them.
pub(super) fn words_of(node: Node<'_>, source: &str) -> Vec<Word> {
    let mut letters = Vec::new();
    collect(node, source, &mut letters);
    if letters.len() > MAX_LETTERS && letters.contains(&('{', false)) {
        return vec![Word::open()];
    }
    let mut finished = Vec::new();
    expand(letters, &mut finished);
    if finished.len() > MAX_WORDS {
        return vec![Word::open()];
    }
    finished.iter().map(|letters| finish(letters)).collect()
}

/// The one word that a node stands for, unknown where braces would make several.
pub(super) fn word_of(node: Node<'_>, source: &str) -> Word {
    let mut words = words_of(node, source);
    match (words.pop(), words.is_empty()) {
        (Some(word), true) => word,
        _ => Word::open(),
    }
}

fn text_of<'s>(node: Node<'_>, source: &'s str) -> &'s str {
    source.get(node.byte_range()).unwrap_or_default()
}

fn collect(node: Node<'_>, source: &str, letters: &mut Vec<Letter>) {
    let text = text_of(node, source);
    match node.kind() {
        "word" | "number" | "variable_name" | "special_variable_name" => plain(text, letters),
        "command_name" | "concatenation" => inner(node, source, letters, false),
        "raw_string" => {
            let inside = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap_or(text);
            letters.extend(inside.chars().map(|letter| (letter, true)));
        }
        "string" | "translated_string" => inner(node, source, letters, true),
        "string_content" => quoted(text, letters),
        "ansi_c_string" => {
            let inside = text.strip_prefix("$'").and_then(|text| text.strip_suffix('\'')).unwrap_or(text);
            if inside.contains('\\') {
                letters.push((UNKNOWN, true));
            } else {
                letters.extend(inside.chars().map(|letter| (letter, true)));
            }
        }
        _ if node.child_count() == 0 && !node.is_named() && text == "$" => letters.push(('$', true)),
        _ => letters.push((UNKNOWN, true)),
    }
}

/// The children of a node, and the text between them, which belongs to no child of its own.
fn inner(node: Node<'_>, source: &str, letters: &mut Vec<Letter>, in_quotes: bool) {
    let mut at = node.start_byte();
    let mut cursor = node.walk();
    for child in node.children(&mut cursor) {
        let between = source.get(at..child.start_byte()).unwrap_or_default();
        gap(between, letters, in_quotes);
        at = child.end_byte();
        if !(child.kind() == "\""
            || (in_quotes && child.kind() == "$" && child.start_byte() == node.start_byte()))
        {
            collect(child, source, letters);
        }
    }
    gap(source.get(at..node.end_byte()).unwrap_or_default(), letters, in_quotes);
}

fn gap(text: &str, letters: &mut Vec<Letter>, in_quotes: bool) {
    if in_quotes { quoted(text, letters) } else { plain(text, letters) }
}

/// Text outside quotes: a backslash makes the next letter mean itself, or joins lines.
fn plain(text: &str, letters: &mut Vec<Letter>) {
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '\\' => match rest.next() {
                Some('\n') | None => {}
                Some(escaped) => letters.push((escaped, true)),
            },
            other => letters.push((other, false)),
        }
    }
}

/// Text in double quotes: a backslash escapes only what would mean something there.
fn quoted(text: &str, letters: &mut Vec<Letter>) {
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        if letter != '\\' {
            letters.push((letter, true));
            continue;
        }
        match rest.next_if(|next| matches!(next, '$' | '`' | '"' | '\\' | '\n')) {
            Some('\n') => {}
            Some(escaped) => letters.push((escaped, true)),
            None => letters.push(('\\', true)),
        }
    }
}

/// Makes the words that the first list in braces stands for, and of those the next.
fn expand(letters: Vec<Letter>, finished: &mut Vec<Vec<Letter>>) {
    if finished.len() > MAX_WORDS {
        return;
    }
    let Some((open, close, commas)) = list_in(&letters) else {
        finished.push(letters);
        return;
    };
    if commas.is_empty() {
        let mut range = letters[..open].to_vec();
        range.push((UNKNOWN, true));
        range.extend_from_slice(&letters[close + 1..]);
        return expand(range, finished);
    }
    let mut from = open + 1;
    for end in commas.into_iter().chain([close]) {
        let mut word = letters[..open].to_vec();
        word.extend_from_slice(&letters[from..end]);
        word.extend_from_slice(&letters[close + 1..]);
        expand(word, finished);
        from = end + 1;
    }
}

/// The first braces that hold a list or a range: where they open and close, and the commas between.
fn list_in(letters: &[Letter]) -> Option<(usize, usize, Vec<usize>)> {
    (0..letters.len()).filter(|at| letters[*at] == ('{', false)).find_map(|open| {
        let (mut depth, mut commas) = (0_usize, Vec::new());
        for (at, letter) in letters.iter().enumerate().skip(open) {
            match letter {
                ('{', false) => depth += 1,
                ('}', false) => depth -= 1,
                (',', false) if depth == 1 => commas.push(at),
                _ => {}
            }
            if depth == 0 {
                let range = letters[open..at].windows(2).any(|pair| pair == [('.', false), ('.', false)]);
                return (range || !commas.is_empty()).then_some((open, at, commas));
            }
        }
        None
    })
}

/// The text of a word; patterns of file names in it are unknown.
fn finish(letters: &[Letter]) -> Word {
    let mut text = String::with_capacity(letters.len());
    let mut at = 0;
    while let Some((letter, is_quoted)) = letters.get(at).copied() {
        at += 1;
        match letter {
            '*' | '?' if !is_quoted => text.push(UNKNOWN),
            '[' if !is_quoted => match letters[at..].iter().position(|other| *other == (']', false)) {
                Some(length) => {
                    at += length + 1;
                    text.push(UNKNOWN);
                }
                None => text.push('['),
            },
            other => text.push(other),
        }
    }
    Word::new(text)
}
