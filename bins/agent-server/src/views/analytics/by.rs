//! Figures of each template, user or model.

use super::ExecutionFigures;
use agent_analytics::{Dimension, SubjectPage, SubjectStatistics};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// By what figures are added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FiguresBy {
    /// The templates that plans were made from.
    Templates,
    /// The people whose plans they are.
    Users,
    /// The language models that answered; an execution counts for each of them, with the tokens of each.
    Models,
}

impl From<FiguresBy> for Dimension {
    fn from(by: FiguresBy) -> Self {
        match by {
            FiguresBy::Templates => Self::Template,
            FiguresBy::Users => Self::User,
            FiguresBy::Models => Self::Model,
        }
    }
}

/// By what, in the path.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct FiguresByPath {
    /// By what figures are added up.
    #[param(inline, example = "models")]
    pub dimension: FiguresBy,
}

/// Which part of them.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListFiguresBy {
    /// At most so many, 1 to 200; 50 without.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, example = 50)]
    pub limit: Option<String>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// The figures of each template, user or model.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FiguresByView {
    /// The figures, ordered by subject as text.
    #[schema(value_type = Vec<SubjectFigures>)]
    pub figures: Vec<SubjectStatistics>,
    /// How many there are in all.
    pub total: u64,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
}

impl From<SubjectPage> for FiguresByView {
    fn from(page: SubjectPage) -> Self {
        Self {
            figures: page.subjects,
            total: page.total,
            next_cursor: page.next.map(|last| cursor_at(&last)),
        }
    }
}

/// The cursor of a page that ends with this subject: its bytes in hexadecimal digits, since a subject can be any text.
fn cursor_at(subject: &str) -> String {
    subject.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn is_hexadecimal(digits: &str) -> bool {
    digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

impl ListFiguresBy {
    /// The subject behind which the page begins; `None` from the beginning.
    ///
    /// # Errors
    /// Where the cursor is none that a page named.
    pub fn after(&self) -> Result<Option<String>, &'static str> {
        const WRONG: &str = "must be the `next_cursor` of an earlier page";
        let Some(cursor) = &self.cursor else { return Ok(None) };
        let pairs = cursor.as_bytes().chunks(2).map(|pair| {
            let digits =
                str::from_utf8(pair).ok().filter(|digits| digits.len() == 2 && is_hexadecimal(digits))?;
            u8::from_str_radix(digits, 16).ok()
        });
        let bytes: Vec<u8> = pairs.collect::<Option<_>>().ok_or(WRONG)?;
        let subject = String::from_utf8(bytes).map_err(|_not_text| WRONG)?;
        if subject.is_empty() { Err(WRONG) } else { Ok(Some(subject)) }
    }
}

/// How the executions of a template, user or model have gone.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the fields of SubjectStatistics to readers of the API")]
struct SubjectFigures {
    /// The id of the template or user, or the name of the model.
    subject: String,
    #[serde(flatten)]
    figures: ExecutionFigures,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(cursor: &str) -> Result<Option<String>, &'static str> {
        ListFiguresBy { limit: None, cursor: Some(cursor.to_owned()) }.after()
    }

    #[test]
    fn a_cursor_leads_behind_the_subject_that_it_was_made_of() {
        for subject in ["1", "rest_api", "qwen2.5-coder:7b", "modèle ünï"] {
            assert_eq!(after(&cursor_at(subject)), Ok(Some(subject.to_owned())));
        }
        for wrong in ["", "3", "zz", "+1", "ff", "-1", "31 ", "9223372036854775808"] {
            assert!(after(wrong).is_err(), "{wrong:?}");
        }
    }
}
