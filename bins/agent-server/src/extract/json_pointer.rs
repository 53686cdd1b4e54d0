//! Finds the field of a JSON text that a byte position lies in.

/// A container that is open at the present position.
enum Open {
    /// An object, with the key that was read last.
    Object { key: Option<String>, expects_key: bool },
    /// An array, with the number of the present element, from 0, once it has begun.
    Array { index: usize, begun: bool },
}

/// The JSON pointer (RFC 6901) of the value that was being read, or had just been read, at a position
/// given as serde_json gives it: a line and a column, both from 1, the column in bytes.
pub(super) fn pointer_at(text: &str, line: usize, column: usize) -> String {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let end = before.saturating_add(column).min(text.len());
    let mut open = walk(text.as_bytes().get(..end).unwrap_or_default());
    let mut pointer = String::new();
    for container in open.drain(..) {
        match container {
            Open::Object { key: Some(key), .. } => {
                pointer.push('/');
                pointer.push_str(&escape(&key));
            }
            Open::Array { index, begun: true } => pointer.push_str(&format!("/{index}")),
            Open::Object { key: None, .. } | Open::Array { begun: false, .. } => {}
        }
    }
    pointer
}

/// A key as a pointer has it.
pub(super) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn walk(text: &[u8]) -> Vec<Open> {
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' => enter(&mut open, Open::Object { key: None, expects_key: true }),
            b'[' => enter(&mut open, Open::Array { index: 0, begun: false }),
            b'}' | b']' => drop(open.pop()),
            // The reader looks one byte ahead: a comma at the very end does not yet begin the next field.
            b',' if at == text.len() => {}
            b',' => match open.last_mut() {
                Some(Open::Object { expects_key, .. }) => *expects_key = true,
                Some(Open::Array { index, begun }) => (*index, *begun) = (*index + 1, false),
                None => {}
            },
            b'"' => {
                let start = at;
                at = after_string(text, at);
                read_string(&mut open, text.get(start..at).unwrap_or_default());
            }
            byte if byte.is_ascii_whitespace() || byte == b':' => {}
            _ => begin_value(&mut open),
        }
    }
    open
}

fn enter(open: &mut Vec<Open>, container: Open) {
    begin_value(open);
    open.push(container);
}

fn begin_value(open: &mut [Open]) {
    if let Some(Open::Array { begun, .. }) = open.last_mut() {
        *begun = true;
    }
}

/// The position behind the closing quote.
fn after_string(text: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = text.get(at) {
        at += match byte {
            b'\\' => 2,
            b'"' => return at + 1,
            _ => 1,
        };
    }
    text.len()
}

fn read_string(open: &mut [Open], quoted: &[u8]) {
    match open.last_mut() {
        Some(Open::Object { key, expects_key }) if *expects_key => {
            let inside = quoted.strip_suffix(b"\"").unwrap_or(quoted);
            let literal = format!("\"{}\"", String::from_utf8_lossy(inside));
            *key = Some(serde_json::from_str(&literal).unwrap_or(literal));
            *expects_key = false;
        }
        _ => begin_value(open),
    }
}

#[cfg(test)]
mod tests {
    use super::pointer_at;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read, to see what is refused")]
    struct Outer {
        name: Option<String>,
        items: Option<Vec<Inner>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read, to see what is refused")]
    struct Inner {
        count: u32,
        tags: Option<Vec<String>>,
    }

    fn pointer(text: &str) -> String {
        let error = serde_json::from_str::<Outer>(text).unwrap_err();
        pointer_at(text, error.line(), error.column())
    }

    #[test]
    fn a_value_of_the_wrong_type_is_found() {
        assert_eq!(pointer(r#"{"name": 7}"#), "/name");
        assert_eq!(pointer(r#"{"name": 7, "items": []}"#), "/name");
        assert_eq!(pointer(r#"{"items": [{"count": 1}, {"count": "x"}]}"#), "/items/1/count");
        assert_eq!(
            pointer("{\n  \"items\": [\n    {\"count\": 1, \"tags\": [\"a\", 2]}\n  ]\n}"),
            "/items/0/tags/1"
        );
        assert_eq!(pointer(r#"{"items": {"count": 1}}"#), "/items");
        assert_eq!(pointer(r#"{"items": [{"count": -1}]}"#), "/items/0/count");
        assert_eq!(pointer(r#"{"name": {"a": 1}}"#), "/name");
    }

    #[test]
    fn quotes_and_braces_in_texts_do_not_confuse() {
        assert_eq!(pointer(r#"{"name": "a \" } ] ,", "items": 3}"#), "/items");
        assert_eq!(
            pointer(r#"{"items": [{"count": 1, "tags": ["}", "\\"]}, {"count": null}]}"#),
            "/items/1/count"
        );
    }

    #[test]
    fn an_unknown_field_is_found_by_its_key() {
        assert_eq!(pointer(r#"{"items": [{"count": 1, "cuont": 2}]}"#), "/items/0/cuont");
    }
}
