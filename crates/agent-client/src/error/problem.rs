//! What the server says about a request that it did not do (RFC 9457).

use serde::Deserialize;
use std::fmt;
use std::time::Duration;

/// How much of an answer that is no problem is repeated, in characters.
const SHOWN: usize = 200;

/// A request that the server refuses, or failed at.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Problem {
    /// The HTTP status.
    #[serde(default)]
    pub status: u16,
    /// Stable word for programs, such as `plan_not_found`. `http_` and the status where something between client and
    /// server answered in another form.
    pub code: String,
    /// The kind of problem in words; the same for every problem of this code.
    #[serde(default)]
    pub title: String,
    /// What is wrong with this request.
    #[serde(default)]
    pub detail: String,
    /// What to do about it.
    #[serde(default)]
    pub advice: Option<String>,
    /// Name of the request in the server's log.
    #[serde(default)]
    pub request_id: Option<String>,
    /// The bad fields.
    #[serde(default)]
    pub errors: Vec<FieldProblem>,
    /// Where the plan or task stands that would not move.
    #[serde(default)]
    pub current_state: Option<String>,
    /// How the question ended that takes no answer any more.
    #[serde(default)]
    pub decision: Option<String>,
    /// By whom.
    #[serde(default)]
    pub decided_by: Option<String>,
    /// How long the server asks to wait, from its `Retry-After`.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

/// One bad field.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct FieldProblem {
    /// JSON pointer (RFC 6901) into the body; for a query parameter, `?name`.
    pub pointer: String,
    /// What is wrong, and what would be right.
    #[serde(default)]
    pub detail: String,
}

impl Problem {
    /// Reads an answer of that status. What is no problem document gets a code from the status.
    pub(crate) fn read(status: u16, body: &[u8], retry_after: Option<Duration>) -> Self {
        let read = serde_json::from_slice::<Self>(body);
        let problem = read.unwrap_or_else(|_no_problem| Self::foreign(status, body));
        Self { status, retry_after, ..problem }
    }

    fn foreign(status: u16, body: &[u8]) -> Self {
        let said: String = String::from_utf8_lossy(body).trim().chars().take(SHOWN).collect();
        let detail = if said.is_empty() { "the answer says nothing more".to_owned() } else { said };
        Self {
            status,
            code: format!("http_{status}"),
            title: format!("HTTP status {status}"),
            detail,
            advice: None,
            request_id: None,
            errors: Vec::new(),
            current_state: None,
            decision: None,
            decided_by: None,
            retry_after: None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = if self.detail.is_empty() { &self.title } else { &self.detail };
        write!(f, "{said} ({}, status {}", self.code, self.status)?;
        if let Some(request) = &self.request_id {
            write!(f, ", request {request}")?;
        }
        f.write_str(")")?;
        match &self.advice {
            Some(advice) if *advice != self.detail => write!(f, "; {advice}"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_is_wrong_where_and_what_to_do() {
        let body = br#"{"type": "urn:agent:problem:plan_not_found", "title": "Plan not found", "status": 404,
            "detail": "plan 7 does not exist", "code": "plan_not_found", "later": [1],
            "advice": "List your plans to see their ids.", "request_id": "r-1",
            "errors": [{"pointer": "/a", "detail": "b"}]}"#;
        let problem = Problem::read(404, body, Some(Duration::from_secs(2)));
        assert_eq!((problem.status, problem.code.as_str()), (404, "plan_not_found"));
        assert_eq!(problem.errors[0].pointer, "/a");
        assert_eq!(problem.retry_after, Some(Duration::from_secs(2)));
        assert_eq!(
            problem.to_string(),
            "plan 7 does not exist (plan_not_found, status 404, request r-1); List your plans to see their ids."
        );
    }

    #[test]
    fn what_something_in_between_says_has_a_code_too() {
        let problem = Problem::read(502, b"<html>Bad Gateway</html>", None);
        assert_eq!(problem.to_string(), "<html>Bad Gateway</html> (http_502, status 502)");
        let problem = Problem::read(504, b"", None);
        assert_eq!(problem.to_string(), "the answer says nothing more (http_504, status 504)");
    }
}
