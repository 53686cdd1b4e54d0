//! Which part of a list is asked for.

use crate::error::{ApiError, Result};
use agent_core::error::Defect;
use agent_core::search::Search;

/// The most entries a page holds.
pub(crate) const MAX_LIMIT: u32 = 200;
const DEFAULT_LIMIT: u32 = 50;

/// A part of a list: at most `limit` entries beyond the one that `cursor` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    /// At most so many entries.
    pub(crate) limit: u32,
    /// Where the last page ended.
    pub(crate) cursor: Option<i64>,
}

impl Page {
    /// Reads the query parameters `limit` and `cursor`.
    ///
    /// # Errors
    /// 422 naming each that is wrong.
    pub(crate) fn read(limit: Option<&str>, cursor: Option<&str>) -> Result<Self> {
        let mut defects = Vec::new();
        let limit = match limit.map(str::parse::<u32>) {
            None => DEFAULT_LIMIT,
            Some(Ok(limit)) if (1..=MAX_LIMIT).contains(&limit) => limit,
            Some(_) => {
                defects.push(Defect::new("?limit", format!("must be a whole number from 1 to {MAX_LIMIT}")));
                DEFAULT_LIMIT
            }
        };
        let cursor = match cursor.map(str::parse::<i64>) {
            None => None,
            Some(Ok(position)) if position >= 0 => Some(position),
            Some(_) => {
                defects.push(Defect::new("?cursor", "must be the `next_cursor` of an earlier page"));
                None
            }
        };
        if defects.is_empty() { Ok(Self { limit, cursor }) } else { Err(ApiError::invalid(defects)) }
    }
}

/// Reads the query parameter `q`: words to look for.
///
/// # Errors
/// 422 when it is too much.
pub(crate) fn searched(q: Option<&str>) -> Result<Option<String>> {
    let Some(text) = q.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    Search::check(text).map_err(|wrong| ApiError::invalid_field("?q", wrong))?;
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_unless_said_otherwise() {
        assert_eq!(Page::read(None, None).unwrap(), Page { limit: 50, cursor: None });
        assert_eq!(Page::read(Some("200"), Some("7")).unwrap(), Page { limit: 200, cursor: Some(7) });
    }

    #[test]
    fn what_cannot_be_a_limit_or_a_cursor_is_refused() {
        for limit in ["0", "-1", "201", "1e9", "", "ten", "99999999999"] {
            assert_eq!(Page::read(Some(limit), None).unwrap_err().errors[0].pointer, "?limit", "{limit}");
        }
        for cursor in ["-1", "x", "", "9223372036854775808"] {
            assert_eq!(Page::read(None, Some(cursor)).unwrap_err().errors[0].pointer, "?cursor", "{cursor}");
        }
    }
}
