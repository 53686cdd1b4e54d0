//! YAML in and out. What comes in may be anybody's: it is read within bounds.

use crate::error::{Error, Result};
use crate::template::MAX_DOCUMENT;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How deep lists and mappings may lie in each other; a template has four levels.
const MAX_DEPTH: usize = 16;
/// The most values in one text.
const MAX_NODES: usize = 20_000;
/// How often a text may refer to an earlier part of itself.
const MAX_ALIASES: usize = 64;

/// Reads YAML as `T`: one document, without depth, size or references that a template has no use for.
///
/// # Errors
/// [`Error::UnreadableYaml`] with line and column.
pub fn read_yaml<T: DeserializeOwned>(text: &str) -> Result<T> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_events: 4 * MAX_NODES,
            max_documents: 1,
            max_aliases: MAX_ALIASES,
            max_anchors: MAX_ALIASES,
            max_recorded_anchor_bytes: MAX_DOCUMENT,
            max_merge_keys: MAX_ALIASES,
            max_total_scalar_bytes: 4 * MAX_DOCUMENT,
        },
        // A part that is referred to holds no references itself, so that nothing grows by more than their number.
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_NODES,
            max_replay_stack_depth: 1,
        },
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| Error::UnreadableYaml(error.to_string()))
}

/// Writes a value as YAML.
///
/// # Errors
/// [`Error::UnreadableYaml`] where a value has no form in YAML.
pub(crate) fn write_yaml<T: Serialize>(value: &T) -> Result<String> {
    serde_saphyr::to_string(value).map_err(|error| Error::UnreadableYaml(error.to_string()))
}
