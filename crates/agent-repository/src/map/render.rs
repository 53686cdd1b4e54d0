//! Writes a map as text.

use std::collections::HashMap;
use std::fmt::Write;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rank::Ranked;
use crate::scan::Outline;
use crate::symbols::Definition;

/// Definitions looked at after the first that did not fit; shorter ones may.
const MAX_MISSES: usize = 50;

/// A map as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rendered {
    /// Files and under each the lines of its definitions.
    pub text: String,
    /// Definitions in the text.
    pub definitions: usize,
    /// Files in the text.
    pub files: usize,
    /// Definitions that the outline has besides.
    pub left_out: usize,
    /// What the text takes by [`estimate_tokens`].
    pub tokens: usize,
}

/// About how many tokens a model takes for a text: one for each four bytes, rounded up. For code the
/// common tokenizers take between three and five bytes for a token.
pub fn estimate_tokens(text: &str) -> usize {
    text.len().div_ceil(4)
}

pub(super) fn render(outline: &Outline, ranked: &[Ranked], budget_tokens: usize) -> Rendered {
    let chosen = choose(outline, ranked, budget_tokens.saturating_mul(4));
    let mut text = String::new();
    let (files, definitions) = (chosen.len(), chosen.iter().map(|(_, lines)| lines.len()).sum());
    for (file, mut lines) in chosen {
        let file = &outline.files[file];
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}:", file.path);
        lines.sort_unstable();
        for line in lines {
            text.push_str(&shown(&file.outline.definitions[line]));
        }
    }
    let left_out = outline.n_definitions() - definitions;
    Rendered { tokens: estimate_tokens(&text), text, definitions, files, left_out }
}

/// Files in the order of their best definition, and the chosen definitions of each.
fn choose(outline: &Outline, ranked: &[Ranked], budget_bytes: usize) -> Vec<(usize, Vec<usize>)> {
    let mut chosen: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut places: HashMap<usize, usize> = HashMap::new();
    let (mut bytes, mut misses) = (0, 0);
    for entry in ranked {
        let file = &outline.files[entry.file];
        let place = places.get(&entry.file).copied();
        let head = if place.is_some() { 0 } else { file.path.len() + 2 };
        let size = head + shown(&file.outline.definitions[entry.definition]).len();
        if bytes + size > budget_bytes {
            misses += 1;
            if misses > MAX_MISSES {
                break;
            }
            continue;
        }
        bytes += size;
        let place = place.unwrap_or_else(|| {
            places.insert(entry.file, chosen.len());
            chosen.push((entry.file, Vec::new()));
            chosen.len() - 1
        });
        chosen[place].1.push(entry.definition);
    }
    chosen
}

fn shown(definition: &Definition) -> String {
    let Definition { line, signature, container, .. } = definition;
    match container {
        // The line of a method does not say whose it is.
        Some(container) => format!("  {line}: [{container}] {signature}\n"),
        None => format!("  {line}: {signature}\n"),
    }
}
