//! A request, ready to be sent as often as needed.

use crate::error::{Error, Result};
use crate::retry::Repeat;
use reqwest::Method;
use serde::Serialize;
use std::time::Duration;
use url::Url;

/// A request, ready to be sent as often as needed.
pub(crate) struct Call {
    pub(super) method: Method,
    pub(super) url: Url,
    /// For messages, such as `GET /plans`.
    pub(super) name: String,
    pub(super) body: Option<Vec<u8>>,
    pub(super) key: Option<String>,
    pub(super) repeat: Repeat,
    /// How long the server may take beyond what every request may take.
    pub(super) patience: Duration,
}

impl Call {
    /// Reads.
    pub(crate) fn get(url: Url) -> Self {
        Self::new(Method::GET, url, Repeat::Harmless)
    }

    /// Does something that must not be done twice.
    pub(crate) fn post(url: Url) -> Self {
        Self::new(Method::POST, url, Repeat::Harmful)
    }

    /// Sets fields to values; the second time changes nothing.
    pub(crate) fn patch(url: Url) -> Self {
        Self::new(Method::PATCH, url, Repeat::Harmless)
    }

    /// Takes something away; the second time would not find it.
    pub(crate) fn delete(url: Url) -> Self {
        Self::new(Method::DELETE, url, Repeat::Harmful)
    }

    fn new(method: Method, url: Url, repeat: Repeat) -> Self {
        let name = format!("{method} {}", url.path());
        Self { method, url, name, body: None, key: None, repeat, patience: Duration::ZERO }
    }

    /// What is asked, for messages.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// With a body.
    ///
    /// # Errors
    /// `Protocol` when it is no JSON.
    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self> {
        let written = serde_json::to_vec(body).map_err(|error| Error::protocol(&self.name, error))?;
        self.body = Some(written);
        Ok(self)
    }

    /// With the fields of a flat structure as query; absent ones are left out.
    ///
    /// # Errors
    /// `Protocol` when it is not flat.
    pub(crate) fn query(mut self, query: &impl Serialize) -> Result<Self> {
        let fields = serde_json::to_value(query).map_err(|error| Error::protocol(&self.name, error))?;
        let fields = fields.as_object().into_iter().flatten();
        let text =
            |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let pairs: Vec<(&String, String)> =
            fields.filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, text(value))).collect();
        if !pairs.is_empty() {
            self.url.query_pairs_mut().extend_pairs(pairs);
        }
        Ok(self)
    }

    /// Under this key, by which the server recognises the second time.
    pub(crate) fn once(mut self, key: String) -> Self {
        (self.key, self.repeat) = (Some(key), Repeat::Harmless);
        self
    }

    /// As one whose repetition does no harm although it is no GET.
    pub(crate) fn harmless(mut self) -> Self {
        self.repeat = Repeat::Harmless;
        self
    }

    /// To which the server may take so much longer to answer.
    pub(crate) fn patient(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::plan::PlanFilter;
    use agent_core::plan::PlanStatus;

    #[test]
    fn only_what_is_wanted_stands_in_the_query() {
        let url = || Url::parse("http://localhost/plans").unwrap();
        let whole = Call::get(url()).query(&PlanFilter::default()).unwrap();
        assert_eq!((whole.url.as_str(), whole.name()), ("http://localhost/plans", "GET /plans"));
        let filter = PlanFilter {
            status: Some(PlanStatus::Running),
            text: Some("a&b".to_owned()),
            limit: Some(7),
            cursor: None,
        };
        let part = Call::get(url()).query(&filter).unwrap();
        assert_eq!(part.url.query(), Some("status=running&q=a%26b&limit=7"));
    }
}
