//! An answer, read to its end.

use super::{Call, Unheard};
use crate::error::{Error, Problem, Result};
use crate::retry::parse_retry_after;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use serde::de::DeserializeOwned;
use std::time::Duration;

/// No answer of the server is larger; more is not read into memory.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    body: Vec<u8>,
}

impl Answer {
    /// Reads a response. The outer error is one that no repetition mends.
    pub(super) async fn read(call: &Call, mut response: reqwest::Response) -> Result<Result<Self, Unheard>> {
        let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers()));
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(Ok(Self { status, retry_after, body })),
                Err(error) => return Ok(Err(Unheard::new(error))),
            }
            if body.len() > MAX_BYTES {
                return Err(Error::protocol(
                    call.name(),
                    format!("an answer of more than {MAX_BYTES} bytes"),
                ));
            }
        }
    }

    /// The answer to a request that was done.
    ///
    /// # Errors
    /// `Problem` when it was not, `Protocol` when it says something else than expected.
    pub(crate) fn json<T: DeserializeOwned>(self, call: &Call) -> Result<T> {
        let body = self.done()?;
        serde_json::from_slice(&body).map_err(|error| {
            Error::protocol(call.name(), format!("the answer is not what was expected: {error}"))
        })
    }

    /// Nothing, for a request that was done.
    ///
    /// # Errors
    /// `Problem` when it was not.
    pub(crate) fn nothing(self) -> Result<()> {
        self.done().map(drop)
    }

    fn done(self) -> Result<Vec<u8>> {
        if (200..300).contains(&self.status) {
            return Ok(self.body);
        }
        Err(Problem::read(self.status, &self.body, self.retry_after).into())
    }
}

/// What the headers of an answer ask for.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    parse_retry_after(text(RETRY_AFTER)?, text(DATE))
}
