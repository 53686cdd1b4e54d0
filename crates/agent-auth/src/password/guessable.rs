//! Which passwords are among the first that are guessed.
//!
//! A list of long passwords would be large and still miss most: people make them of a few well-known pieces. So
//! what is kept is the pieces, and a password is as good as listed when at most three of them make it up: words
//! (with `@` for `a` and the like, once or over and over), paths over a keyboard, one letter over and over, and
//! digits, of which a year counts as half a piece and a date as two. Blanks, hyphens and a few other signs between
//! them do not count. That stands for more than a hundred million passwords.

use super::words::{ROWS, WORDS};
use crate::repetition::repeated_piece;

/// What one piece costs, and what all of them may.
const PIECE: usize = 2;
const MAX_COST: usize = 3 * PIECE;
/// A shorter stretch of a row is chance.
const MIN_WALK: usize = 3;
const MAX_DIGITS: usize = 8;
/// Signs that set pieces apart without making the password harder.
const MAX_SIGNS: usize = 3;

/// A password as it is compared: case and separators make no difference.
pub(super) fn folded(password: &str) -> Vec<char> {
    password.to_lowercase().chars().filter(|letter| !is_separator(*letter)).collect()
}

fn is_separator(letter: char) -> bool {
    letter.is_whitespace() || "-_.,+".contains(letter)
}

/// Whether at most three well-known pieces make up this folded text, or a piece of it that is all there is to it; `own`
/// are words that are well known here.
pub(super) fn is_made_of_common_pieces(text: &[char], own: &[Vec<char>]) -> bool {
    let text = &text[..repeated_piece(text).unwrap_or(text.len())];
    let mut least = vec![usize::MAX; text.len() + 1];
    least[0] = 0;
    for start in 0..text.len() {
        let cost_so_far = least[start];
        if cost_so_far > MAX_COST {
            continue;
        }
        for (length, cost) in pieces_at(text, start, own) {
            let at_end = &mut least[start + length];
            *at_end = (*at_end).min(cost_so_far + cost);
        }
    }
    least[text.len()] <= MAX_COST
}

/// The pieces that begin there: how long they are, and what they cost.
fn pieces_at(text: &[char], start: usize, own: &[Vec<char>]) -> Vec<(usize, usize)> {
    let rest = &text[start..];
    let mut pieces = Vec::new();
    let signs = run(rest, is_sign);
    // Only whole runs: any number of signs would be a few signs after a few signs.
    if (1..=MAX_SIGNS).contains(&signs) && !text[..start].last().copied().is_some_and(is_sign) {
        pieces.push((signs, 0));
    }
    let digits = run(rest, |letter| letter.is_ascii_digit()).min(MAX_DIGITS);
    pieces.extend((1..=digits).map(|length| (length, cost_of_digits(&rest[..length]))));
    pieces.extend((MIN_WALK..=longest_walk(rest)).map(|length| (length, PIECE)));
    let same = own.iter().filter(|word| rest.starts_with(word)).map(Vec::len);
    let common = WORDS.iter().filter_map(|word| length_of_word(rest, word));
    for length in same.chain(common) {
        let times = rest.chunks_exact(length).take_while(|part| *part == &rest[..length]).count();
        pieces.extend((1..=times).map(|times| (length * times, PIECE)));
    }
    pieces
}

fn is_sign(letter: char) -> bool {
    !letter.is_alphanumeric()
}

/// A year is half a piece, any other four digits are one, and a date counts as two.
fn cost_of_digits(digits: &[char]) -> usize {
    match digits {
        ['1', '9', _, _] | ['2', '0', _, _] => PIECE / 2,
        _ => digits.len().div_ceil(4) * PIECE,
    }
}

/// How many letters at the beginning are of that kind.
fn run(text: &[char], is_of_kind: impl Fn(char) -> bool) -> usize {
    text.iter().take_while(|letter| is_of_kind(**letter)).count()
}

/// How many letters at the beginning follow a row, forwards or backwards, or repeat the first letter.
fn longest_walk(text: &[char]) -> usize {
    let Some(first) = text.first() else { return 0 };
    let same = run(text, |letter| letter == *first);
    let along = ROWS.iter().flat_map(|row| row.match_indices(*first).map(move |(at, _)| (row, at)));
    let lengths = along.map(|(row, at)| {
        let forwards = matching(text, row[at..].chars());
        // The row up to and with the letter that was found.
        forwards.max(matching(text, row[..at + first.len_utf8()].chars().rev()))
    });
    lengths.max().unwrap_or(0).max(same)
}

fn matching(text: &[char], row: impl Iterator<Item = char>) -> usize {
    text.iter().zip(row).take_while(|(letter, key)| *letter == key).count()
}

/// The word's length if the text begins with it, letters perhaps replaced by signs that look like them.
fn length_of_word(text: &[char], word: &str) -> Option<usize> {
    let mut length = 0;
    for letter in word.chars() {
        let written = *text.get(length)?;
        if written != letter && !look_alikes(letter).contains(written) {
            return None;
        }
        length += 1;
    }
    Some(length)
}

fn look_alikes(letter: char) -> &'static str {
    match letter {
        'a' => "@4",
        'b' => "8",
        'e' => "3",
        'g' => "9",
        'i' => "1!",
        'l' => "1",
        'o' => "0",
        's' => "$5",
        't' => "7",
        'z' => "2",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn is_common(password: &str) -> bool {
        is_made_of_common_pieces(&folded(password), &[])
    }

    #[test]
    fn well_over_three_thousand_common_passwords_of_fifteen_letters_or_more_are_known() {
        let endings = ["1", "123", "1234", "12345678", "1234567890", "2024", "2025!", "!", "qwerty"];
        let doubled = WORDS
            .iter()
            .flat_map(|word| endings.iter().map(move |ending| format!("{word}{ending}{word}{ending}")));
        let paired = WORDS.iter().enumerate().flat_map(|(place, word)| {
            (1..=10).map(move |step| format!("{word}{}1", WORDS[(place + step * 37) % WORDS.len()]))
        });
        let long: BTreeSet<String> = doubled.chain(paired).filter(|password| password.len() >= 15).collect();
        assert!(long.len() >= 3_000, "{}", long.len());
        let unknown: Vec<_> = long.iter().filter(|password| !is_common(password)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn the_passwords_of_every_leak_are_known_however_long() {
        for password in [
            "123456",
            "password",
            "12345678",
            "qwerty",
            "abc123",
            "demo123",
            "admin123",
            "iloveyou",
            "letmein",
            "monkey",
            "dragon",
            "123456789012345",
            "1234567890123456",
            "000000000000000",
            "1q2w3e4r5t6y7u8i",
            "1qaz2wsx3edc4rfv",
            "qwertyuiopasdfghjklzxcvbnm",
            "Password12345678",
            "P@ssw0rd12345678",
            "passwordpassword1",
            "PASSWORD PASSWORD",
            "administrator123",
            "Admin-Admin-Admin-2024",
            "correct horse battery staple",
            "thisismypassword",
            "iloveyouforever!!",
            "zyxwvutsrqponmlkjihgfedcba",
            "0987654321qwerty",
            "manchesterunited99",
            "administrator19841231",
            "Summer2024!Winter",
            "changeme changeme",
            "welcome123456789",
            "йцукенгшщзхъ12345",
        ] {
            assert!(is_common(password), "{password}");
        }
    }

    #[test]
    fn a_few_unrelated_words_and_random_letters_are_not_taken_for_common_ones() {
        for password in [
            "four words are plenty",
            "lovely analytical engine",
            "set by an administrator",
            "password of my late grandmother",
            "kV3xq9TzR7nWb5XcJ0mL",
            "Der Ball war rot und nass",
            "五つの言葉を並べて十五文字以上",
            "48151623420816151",
            "!?§&%=~#*^{}|<>[]",
            "🐢🌋🎻🚲🧀🦉🎈🍐🧭🪁🛶🎲🧦🌵🐝",
        ] {
            assert!(!is_common(password), "{password}");
        }
    }

    #[test]
    fn a_repeated_piece_is_found_with_a_last_part_of_it() {
        let piece = |text: &str| repeated_piece(&text.chars().collect::<Vec<_>>());
        assert_eq!(piece("abcabcabcabcabc"), Some(3));
        assert_eq!(piece("abcdabcdab"), Some(4));
        assert_eq!((piece("abcdabc"), piece("abcdef"), piece("a"), piece("")), (None, None, None, None));
    }
}
