//! What handlers take out of a request. Each extractor refuses with a problem before the handler runs,
//! and none of the others speaks before the caller is known.

mod caller;
mod idempotency;
mod if_match;
mod json_or_yaml;
mod json_pointer;
mod page;
mod path;
mod query;
mod valid_json;

pub(crate) use caller::{Caller, credential, permit, scope};
pub(crate) use idempotency::IdempotencyKey;
pub(crate) use if_match::IfMatch;
pub(crate) use json_or_yaml::JsonOrYaml;
pub(crate) use page::{Page, searched};
pub(crate) use path::ValidPath;
pub(crate) use query::ValidQuery;
pub(crate) use valid_json::{OptionalJson, ValidJson};
