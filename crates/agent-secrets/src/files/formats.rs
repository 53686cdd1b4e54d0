//! Other files of credentials.

use serde_json::Value;

type Values = Vec<(String, String)>;

/// Settings of the form `name = value` or `name: value`, in sections or not; `.npmrc` and `.pypirc` are such.
pub(super) fn settings(text: &str) -> Values {
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with(['#', ';', '[']) || line.starts_with("//") && !line.contains(":_") {
            continue;
        }
        let split = line.split_once('=').or_else(|| line.split_once(": ")).or_else(|| line.split_once(":\t"));
        let Some((name, value)) = split else { continue };
        // `//registry.npmjs.org/:_authToken` is the token of a registry.
        let name = name.trim().rsplit([':', '.', ' ']).next().unwrap_or_default().trim_matches(['"', '\'']);
        let value = value.trim().trim_end_matches(',').trim_matches(['"', '\'']);
        if !name.is_empty() && !value.starts_with("${") {
            found.push((name.trim_start_matches('_').to_owned(), value.to_owned()));
        }
    }
    found
}

/// Passwords of `.netrc`.
pub(super) fn netrc(text: &str) -> Values {
    let mut words = text.split_whitespace();
    let (mut machine, mut found) = ("default".to_owned(), Vec::new());
    while let Some(word) = words.next() {
        match word {
            "machine" => machine = words.next().unwrap_or_default().to_owned(),
            "password" | "account" => {
                found.extend(words.next().map(|value| (format!("{machine}_{word}"), value.to_owned())))
            }
            _ => {}
        }
    }
    found
}

/// Passwords of `.pgpass`: the fifth field; colons in it are escaped.
pub(super) fn pgpass(text: &str) -> Values {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let passwords = lines.filter_map(|line| {
        let host = line.split(':').next()?;
        let password = line.splitn(5, ':').nth(4)?;
        Some((format!("{host}_password"), password.replace("\\:", ":").replace("\\\\", "\\")))
    });
    passwords.collect()
}

/// Passwords in addresses.
pub(super) fn addresses(text: &str) -> Values {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("://") {
        let rest = &text[at + 3..];
        let end = rest
            .find(|letter: char| letter.is_whitespace() || "/\"'`<>?#".contains(letter))
            .unwrap_or(rest.len());
        let Some((login, host)) = rest[..end].rsplit_once('@') else { continue };
        if let Some((_, password)) = login.split_once(':') {
            let host = host.split(':').next().unwrap_or_default();
            found.push((format!("{host}_password"), password.to_owned()));
        }
    }
    found
}

/// The texts of a JSON document with the names of their fields; `None` for any other text.
pub(super) fn json(text: &str) -> Option<Values> {
    let document = serde_json::from_str(text).ok()?;
    let mut found = Vec::new();
    walk("value", &document, &mut found);
    Some(found)
}

fn walk(name: &str, value: &Value, found: &mut Values) {
    match value {
        Value::String(text) if text.starts_with("-----BEGIN ") => found.extend(armour(name, text)),
        Value::String(text) => found.push((name.to_owned(), text.clone())),
        Value::Array(items) => items.iter().for_each(|item| walk(name, item, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| walk(name, value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The lines of a private key, each by itself, since programs print them so; nothing of what is public.
pub(super) fn armour(name: &str, text: &str) -> Values {
    let (mut is_private, mut found) = (false, Vec::new());
    for line in text.lines().map(str::trim) {
        if line.starts_with("-----") {
            is_private = line.starts_with("-----BEGIN ") && line.contains("PRIVATE KEY");
        } else if is_private && line.len() >= 16 && !line.contains(": ") {
            found.push((name.to_owned(), line.to_owned()));
        }
    }
    found
}
