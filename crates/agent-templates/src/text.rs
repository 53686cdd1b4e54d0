//! Text that shows all that it holds: nothing invisible, nothing that reorders what is around it.

/// The first character a reader could not see, or that changes how its neighbours are read.
///
/// A template or parameter ends up in front of a language model and of a person who approves; both must
/// read the same. Line breaks, tabs and the emoji selectors are fine.
pub(crate) fn hidden_character(text: &str) -> Option<char> {
    text.chars().find(|&c| is_hidden(c))
}

/// What to tell about a hidden character.
pub(crate) fn refusal(hidden: char) -> String {
    format!("holds the invisible character U+{:04X}; remove it", u32::from(hidden))
}

/// The beginning of a text that may be long, for messages that repeat it.
pub(crate) fn shortened(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn is_hidden(c: char) -> bool {
    let control = c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    control
        || matches!(
            c,
            // soft hyphen, grapheme joiner, Arabic letter mark, Hangul and Khmer fillers, Mongolian selectors
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            // zero width, direction marks; line and paragraph separator; bidi embeddings and overrides
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            // word joiner, invisible operators, bidi isolates, deprecated format characters
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}' | '\u{FE00}'..='\u{FE0D}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
            // shorthand and musical format characters; tags and supplementary selectors
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_found() {
        for hidden in
            ['\u{202E}', '\u{2066}', '\u{200B}', '\u{200D}', '\u{FEFF}', '\u{E0041}', '\u{00AD}', '\u{7}']
        {
            assert_eq!(hidden_character(&format!("plain{hidden}text")), Some(hidden));
        }
    }

    #[test]
    fn ordinary_text_of_any_language_is_fine() {
        for text in ["naïve café", "日本語のテスト", "строка\n\tдва", "עברית", "good 👍 \u{2764}\u{FE0F}"]
        {
            assert_eq!(hidden_character(text), None, "{text}");
        }
    }
}
