//! Writes a path that may hold any bytes as one line of text.

use std::fmt::Write;

/// The path as text: printable UTF-8 stays, everything else is escaped so that two different paths
/// never read the same.
pub(crate) fn escaped(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                c if c.is_control() || is_format(c) => text.extend(c.escape_default()),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// Marks that change how the rest of a line is shown.
fn is_format(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn a_path_is_one_line_and_no_two_paths_read_the_same() {
        assert_eq!(escaped(b"src/main.rs"), "src/main.rs");
        assert_eq!(escaped("größe/日本.rs".as_bytes()), "größe/日本.rs");
        assert_eq!(escaped(b"a\nb"), "a\\nb");
        assert_eq!(escaped(b"a\\nb"), "a\\\\nb");
        assert_eq!(escaped(b"a\xffb"), "a\\xffb");
        assert_eq!(escaped("a\u{202e}b".as_bytes()), "a\\u{202e}b");
    }
}
