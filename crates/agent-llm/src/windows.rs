//! How much well-known models can read and write in one call.

/// Windows in tokens by the beginning of a model's name; the longest beginning that fits counts.
const KNOWN: [(&str, u64); 9] = [
    ("claude-", 200_000),
    ("gemini-2", 1_048_576),
    ("gpt-4.1", 1_047_576),
    ("gpt-4o", 128_000),
    ("gpt-5", 400_000),
    ("o1", 200_000),
    ("o3", 200_000),
    ("o4-mini", 200_000),
    ("smollm2", 8_192),
];

/// The window of a model; `None` where it is not known. What a router puts before the name is passed over.
pub(crate) fn known(model: &str) -> Option<u64> {
    let name = model.rsplit('/').next().unwrap_or(model);
    let fits = KNOWN.iter().filter(|(beginning, _)| name.starts_with(beginning));
    fits.max_by_key(|(beginning, _)| beginning.len()).map(|(_, window)| *window)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_known_by_the_beginning_of_a_name() {
        assert_eq!(known("claude-sonnet-4-5-20250929"), Some(200_000));
        assert_eq!(known("anthropic/claude-haiku-4-5"), Some(200_000));
        assert_eq!(known("qwen2.5-coder:7b"), None);
    }
}
