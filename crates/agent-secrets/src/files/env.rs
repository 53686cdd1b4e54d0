//! The syntax of `.env` files.

/// All assignments of a file in the syntax of `.env`: `export` in front, single, double and back quotes, over several
/// lines too, comments. What is no assignment is left out.
///
/// ```
/// let values = agent_secrets::values_of_env_file("# keys\nexport A=\"one\ntwo\" # first\nB = three # second\n");
/// assert_eq!(values, [("A".to_owned(), "one\ntwo".to_owned()), ("B".to_owned(), "three".to_owned())]);
/// ```
pub fn values_of_env_file(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start_matches('\u{feff}');
    while !rest.is_empty() {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let Some((name, value)) = assignment(line) else {
            rest = after;
            continue;
        };
        let from = line.len() - value.len();
        let (value, length) = read(&rest[from..]);
        found.push((name.to_owned(), value));
        let behind = &rest[from + length..];
        rest = behind.split_once('\n').map_or("", |(_, after)| after);
    }
    found
}

/// The name, and what stands behind its sign.
fn assignment(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").or_else(|| line.strip_prefix("set ")).unwrap_or(line);
    let (name, value) = line.split_once('=').or_else(|| line.split_once(": "))?;
    let name = name.trim();
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    is_name.then(|| (name, value.trim_start_matches([' ', '\t'])))
}

/// The value that begins here, and how much of the text it takes.
fn read(text: &str) -> (String, usize) {
    let quote = text.chars().next().filter(|letter| matches!(letter, '"' | '\'' | '`'));
    if let Some(quote) = quote
        && let Some((value, length)) = quoted(&text[1..], quote)
    {
        return (value, length + 1);
    }
    let line = text.split('\n').next().unwrap_or_default();
    let end = line.find(" #").or_else(|| line.find("\t#")).unwrap_or(line.len());
    (line[..end].trim().to_owned(), line.len())
}

/// The value up to the closing quote, and where it closes; `None` where it does not.
fn quoted(text: &str, quote: char) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            _ if letter == quote => return Some((value, at + 1)),
            '\\' if quote == '"' => match letters.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}
