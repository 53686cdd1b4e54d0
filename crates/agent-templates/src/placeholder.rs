//! `{{name}}`: where a template's text takes a parameter's value.

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Taken as it stands.
    Literal(&'a str),
    /// The name between the braces, without surrounding blanks.
    Placeholder(&'a str),
}

/// Cuts a text into its pieces. What opens and never closes is literal.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((before, opened)) = rest.split_once("{{") {
        let Some((name, after)) = opened.split_once("}}") else { break };
        if !before.is_empty() {
            found.push(Piece::Literal(before));
        }
        found.push(Piece::Placeholder(name.trim()));
        rest = after;
    }
    if !rest.is_empty() {
        found.push(Piece::Literal(rest));
    }
    found
}

/// The text with every placeholder replaced by what `value` says, or `None` when it would have more than `max` bytes.
/// Values are not looked at again, so that a value that holds braces stays as it is.
pub(crate) fn fill(text: &str, max: usize, value: &dyn Fn(&str) -> String) -> Option<String> {
    let mut filled = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Literal(literal) => filled.push_str(literal),
            Piece::Placeholder(name) => filled.push_str(&value(name)),
        }
        if filled.len() > max {
            return None;
        }
    }
    Some(filled)
}

/// A line for the shell with every value as one quoted word, unless the line is nothing but one
/// placeholder: then the value is a command by intent. `None` as for [`fill`].
pub(crate) fn fill_shell(line: &str, max: usize, value: &dyn Fn(&str) -> String) -> Option<String> {
    match pieces(line.trim()).as_slice() {
        [Piece::Placeholder(name)] => Some(value(name)).filter(|line| line.len() <= max),
        _ => fill(line, max, &|name| quoted(&value(name))),
    }
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_in_once_and_never_read_again() {
        let value = |name: &str| if name == "a" { "{{b}}".to_owned() } else { "never".to_owned() };
        assert_eq!(fill("x {{a}} y {{ a }} {{open", 99, &value).unwrap(), "x {{b}} y {{b}} {{open");
    }

    #[test]
    fn a_value_in_a_shell_line_is_one_word() {
        let value = |_: &str| "it's; rm -rf $HOME".to_owned();
        assert_eq!(fill_shell("grep {{a}} file", 99, &value).unwrap(), r"grep 'it'\''s; rm -rf $HOME' file");
    }

    #[test]
    fn a_line_that_is_a_placeholder_is_the_command_itself() {
        assert_eq!(fill_shell(" {{command}} ", 99, &|_| "cargo test".to_owned()).unwrap(), "cargo test");
    }

    #[test]
    fn a_text_that_grows_beyond_its_bound_is_none() {
        let value = |_: &str| "12345".to_owned();
        assert_eq!(fill("{{a}}{{a}}", 10, &value).unwrap(), "1234512345");
        assert_eq!(fill("{{a}}{{a}}", 9, &value), None);
        assert_eq!(fill_shell("{{a}}", 4, &value), None);
        assert_eq!(fill_shell("x {{a}}", 8, &value), None);
    }
}
