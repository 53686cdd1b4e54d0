//! Contents that are long: kept once each, and named by their hash.

use crate::schema::blobs;
use diesel::prelude::*;
use sha2::{Digest, Sha256};

/// The longest text that stays in the row it belongs to, in bytes.
const INLINE: usize = 8 * 1024;

/// A content, named by its SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Insertable)]
#[diesel(table_name = blobs)]
pub(crate) struct Blob {
    pub(crate) hash: Vec<u8>,
    size: i64,
    content: String,
}

/// Bytes in hexadecimal digits, as they travel in JSON.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Splits a text that is long into nothing inline and a blob.
pub(crate) fn split(text: String) -> (Option<String>, Option<Blob>) {
    if text.len() <= INLINE {
        return (Some(text), None);
    }
    let hash = Sha256::digest(text.as_bytes()).to_vec();
    let size = i64::try_from(text.len()).unwrap_or(i64::MAX);
    (None, Some(Blob { hash, size, content: text }))
}
